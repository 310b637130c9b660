package main

import (
	"fmt"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/adteco/docarchive/docextract/docextracttest"
	"github.com/adteco/docarchive/internal/testserver"
)

// rebuildConfig archives a few days with FIELDS and SINKS in their places.
const rebuildConfig = `
api: {base_url: BASE_URL, key: sk_test_adversary}
archive: ARCHIVE
hash_key: 0123456789abcdef0123456789abcdef
pipelines:
  all:
    since: 3d
    raw: true
    fields: {FIELDS}
    sinks: [SINKS]
`

const (
	parquetSink = "{type: parquet, partition: [created_month]}"
	csvSink     = "{type: csv, path: table}"
	linesSink   = "{type: jsonl, path: lines}"
)

func rebuildWith(fields string, sinks ...string) string {
	return strings.NewReplacer("FIELDS", fields, "SINKS", strings.Join(sinks, ", ")).Replace(rebuildConfig)
}

// newRebuilt is an account whose jobs all fall into the days that are archived.
func newRebuilt(t *testing.T, jobs int) *adversary {
	t.Helper()
	a := newAdversary(t, 1, nil, nil)
	a.restart(docextracttest.Config{Seed: 7, Jobs: jobs, Open: 5, Span: 60 * time.Hour}, nil)
	return a
}

// twoNights is an archive of two runs.
func twoNights(t *testing.T, config string) *adversary {
	t.Helper()
	a := newRebuilt(t, 600)
	for range 2 {
		a.do(config, "run")
		a.now = a.now.Add(26 * time.Hour)
	}
	return a
}

// do runs a command that must succeed, and returns what it prints.
func (a *adversary) do(config string, args ...string) string {
	a.t.Helper()
	status, stdout, stderr := a.run(config, args...)
	if status != exitDone {
		a.t.Fatalf("%v: exit %d\n%s%s", args, status, stdout, stderr)
	}
	return stdout + stderr
}

// rebuild rebuilds, and makes sure that the API was left alone and that the
// archive is sound.
func (a *adversary) rebuild(config string, args ...string) string {
	a.t.Helper()
	before := a.sim.Requests()
	out := a.do(config, append([]string{"rebuild", "all"}, args...)...)
	if n := a.sim.Requests() - before; n != 0 {
		a.t.Errorf("a rebuild made %d requests", n)
	}
	a.do(config, "verify")
	for _, name := range a.files() {
		if strings.HasPrefix(name, "/_archive/rebuilds/") || strings.HasPrefix(name, "/_archive/staging/") {
			a.t.Errorf("the rebuild leaves %s", name)
		}
	}
	return out
}

// tables reads each table as an analyst does.
func (a *adversary) table(kind, folder string) string {
	switch kind {
	case "csv":
		return fmt.Sprintf("read_csv('%s/%s/**/*.csv', all_varchar=true, union_by_name=true, header=true, hive_partitioning=false)", a.archive(), folder)
	case "jsonl":
		return fmt.Sprintf("read_json('%s/%s/**/*.jsonl', union_by_name=true, maximum_object_size=100000000, hive_partitioning=false)", a.archive(), folder)
	}
	return fmt.Sprintf("read_parquet('%s/%s/**/*.parquet', union_by_name=true, hive_partitioning=false)", a.archive(), folder)
}

// save copies a table into a file of its own, and returns what reads it.
func (a *adversary) save(table string) string {
	a.t.Helper()
	path := filepath.Join(a.t.TempDir(), "saved.parquet")
	testserver.DuckDB(a.t).Query(fmt.Sprintf("COPY (SELECT * FROM %s) TO '%s'", table, path))
	return fmt.Sprintf("read_parquet('%s')", path)
}

// equal compares two tables, row for row and value for value.
func (a *adversary) equal(x, y string) {
	a.t.Helper()
	duck := testserver.DuckDB(a.t)
	columns := func(table string) (names []string) {
		for _, row := range duck.Query("SELECT column_name FROM (DESCRIBE SELECT * FROM " + table + ")") {
			names = append(names, `"`+row[0]+`"`)
		}
		sort.Strings(names)
		return names
	}
	names := columns(x)
	if diff := cmp.Diff(names, columns(y)); diff != "" {
		a.t.Fatalf("columns of %s and %s: %s", x, y, diff)
	}
	list := strings.Join(names, ", ")
	got := duck.Query(fmt.Sprintf(`SELECT (SELECT count(*) FROM %[1]s), (SELECT count(*) FROM %[2]s),
		(SELECT count(*) FROM (SELECT %[3]s FROM %[1]s EXCEPT ALL SELECT %[3]s FROM %[2]s)),
		(SELECT count(*) FROM (SELECT %[3]s FROM %[2]s EXCEPT ALL SELECT %[3]s FROM %[1]s))`, x, y, list))[0]
	if got[0] != got[1] || got[0] == "0" || got[2] != "0" || got[3] != "0" {
		a.t.Errorf("%s has %s rows, %d columns, %s has %s: %s and %s rows are in one only", x, got[0], len(names), y, got[1], got[2], got[3])
	}
}

func TestRebuildGivesTheSameTables(t *testing.T) {
	config := rebuildWith("line_items: table, tags: list", parquetSink, csvSink, linesSink)
	a := twoNights(t, config)
	parquet, items := a.save(a.table("parquet", "all")), a.save(a.table("parquet", "all__line_items"))
	csv, lines := a.save(a.table("csv", "table")), a.save(a.table("jsonl", "lines"))
	before := a.files()
	for n := range 2 {
		out := a.rebuild(config)
		if want := fmt.Sprintf("by swap %d", n+1); !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
		a.equal(parquet, a.table("parquet", "all"))
		a.equal(items, a.table("parquet", "all__line_items"))
		a.equal(csv, a.table("csv", "table"))
		a.equal(lines, a.table("jsonl", "lines"))
	}
	for _, name := range before {
		for _, now := range a.files() {
			if name == now && !strings.HasPrefix(name, "/_archive/") {
				t.Errorf("%s was not replaced", name)
			}
		}
	}
	a.do(config, "run")
	got := testserver.DuckDB(t).Query("SELECT count(*), count(DISTINCT job_id) FROM " + a.table("parquet", "all"))[0]
	n := fmt.Sprint(len(a.truth(15 * time.Minute)))
	if diff := cmp.Diff([]string{n, n}, got); diff != "" {
		t.Errorf("rows and ids after one more run (-want +got): %s", diff)
	}
}

func TestRebuildFillsWhatWasAddedLater(t *testing.T) {
	a := twoNights(t, rebuildWith("", parquetSink))
	before := a.save(a.table("parquet", "all"))
	config := rebuildWith("line_items: table, tags: list", parquetSink, csvSink, linesSink)
	status, stdout, _ := a.run(config, "status")
	if want := "sink csv:table lacks"; status != exitDone || !strings.Contains(stdout, want) || !strings.Contains(stdout, "docarchive rebuild all") {
		t.Errorf("exit %d, and no %q in\n%s", status, want, stdout)
	}
	out := a.rebuild(config)
	if !strings.Contains(out, "column tags of all is json for ever, and fields: asks for list") {
		t.Errorf("the column that stays as it is is not named:\n%s", out)
	}
	if stdout := a.do(config, "status"); strings.Contains(stdout, "lacks") {
		t.Errorf("after the rebuild:\n%s", stdout)
	}
	duck := testserver.DuckDB(t)
	jobs := duck.Query("SELECT count(*) FROM " + before)[0][0]
	for _, table := range []string{a.table("parquet", "all"), a.table("csv", "table"), a.table("jsonl", "lines")} {
		got := duck.Query("SELECT count(*), count(DISTINCT job_id) FROM " + table)[0]
		if diff := cmp.Diff([]string{jobs, jobs}, got); diff != "" {
			t.Errorf("%s: rows and ids (-want +got): %s", table, diff)
		}
	}
	items := duck.Query("SELECT sum(json_array_length(line_items)) FROM " + before)[0][0]
	for _, table := range []string{a.table("parquet", "all__line_items"), a.table("csv", "table__line_items"), a.table("jsonl", "lines__line_items")} {
		if got := duck.Query("SELECT count(*) FROM " + table)[0][0]; got != items || got == "0" {
			t.Errorf("%s: %s rows of %s elements", table, got, items)
		}
	}
	// What does not change is as it was, and what was text is in the child table now.
	same := "(SELECT * EXCLUDE (line_items) FROM %s)"
	a.equal(fmt.Sprintf(same, before), fmt.Sprintf(same, a.table("parquet", "all")))
}
