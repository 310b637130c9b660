package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/adteco/docarchive/internal/testserver"
	"github.com/adteco/docarchive/pipeline"
)

// visible reads the files that readers see, as text: the rows of the Parquet
// files as DuckDB reads them.
func (a *adversary) visible() string {
	a.t.Helper()
	var all strings.Builder
	for _, folder := range []string{"all", "all__line_items"} {
		for _, row := range testserver.DuckDB(a.t).Query("SELECT * FROM " + a.table("parquet", folder)) {
			all.WriteString(strings.Join(row, "\t"))
		}
	}
	for _, name := range a.files() {
		if strings.HasPrefix(name, "/_archive/") || strings.HasSuffix(name, ".parquet") {
			continue
		}
		data, err := os.ReadFile(a.archive() + name)
		if err != nil {
			a.t.Fatal(err)
		}
		all.Write(data)
	}
	return all.String()
}

func TestRebuildHidesWhatIsDroppedAndHashed(t *testing.T) {
	a := newRebuilt(t, 100)
	a.add("job_secret", 30*time.Hour, `{"holder":"Erika Mustermann","iban":"DE02120300000000202051","pin":4711.5,
		"line_items":[{"note":"for Erika","sku":"a"}]}`)
	url := "sqlite://" + filepath.Join(a.dir, "warehouse.db")
	sinks := []string{parquetSink, csvSink, linesSink, fmt.Sprintf("{type: database, url: %q}", url)}
	a.do(rebuildWith("line_items: table", sinks...), "run")
	secrets := []string{"Erika Mustermann", "DE02120300000000202051", "4711.5", "for Erika"}
	before := a.visible()
	for _, secret := range secrets {
		if !strings.Contains(before, secret) {
			t.Fatalf("%s was never there", secret)
		}
	}
	config := rebuildWith("line_items: table, holder: drop, iban: hash, pin: hash, line_items.note: drop", sinks...)
	out := a.rebuild(config)
	for _, want := range []string{"the raw layer still holds in clear", "column pin of all is float64 for ever, and fields: asks for hash"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	rows, database := a.visible(), a.sqlite(url, "SELECT * FROM \"all\" WHERE job_id = 'job_secret'")+
		a.sqlite(url, "SELECT * FROM all__line_items WHERE job_id = 'job_secret'")
	for _, secret := range secrets {
		if strings.Contains(rows, secret) {
			t.Errorf("%s is in the rebuilt files", secret)
		}
		if strings.Contains(database, secret) {
			t.Errorf("%s is in the database", secret)
		}
	}
	got := testserver.DuckDB(t).Query("SELECT holder IS NULL, length(iban), pin IS NULL, length(pin__text) FROM " +
		a.table("parquet", "all") + " WHERE job_id = 'job_secret'")
	if diff := cmp.Diff([][]string{{"true", "64", "true", "64"}}, got); diff != "" {
		t.Errorf("the row (-want +got): %s", diff)
	}
	if !strings.Contains(database, "sku=a\t") {
		t.Errorf("the rest of the database is gone: %s", database)
	}
}

// sqlite reads rows of a database file, as text.
func (a *adversary) sqlite(url, query string) string {
	a.t.Helper()
	db, err := sql.Open("sqlite", strings.TrimPrefix(url, "sqlite://"))
	if err != nil {
		a.t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query(query)
	if err != nil {
		a.t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		a.t.Fatal(err)
	}
	var text strings.Builder
	for rows.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			a.t.Fatal(err)
		}
		for i, name := range columns {
			fmt.Fprintf(&text, "%s=%v\t", name, values[i])
		}
	}
	if err := rows.Err(); err != nil {
		a.t.Fatal(err)
	}
	return text.String()
}

// TestRebuildMendsADatabase changes and removes rows behind the program's back:
// after a rebuild every table is as it was.
func TestRebuildMendsADatabase(t *testing.T) {
	url := "sqlite://" + filepath.Join(t.TempDir(), "warehouse.db")
	config := rebuildWith("line_items: table", linesSink, fmt.Sprintf("{type: database, url: %q}", url))
	a := newRebuilt(t, 150)
	a.do(config, "run")
	tables := func() string {
		return a.sqlite(url, `SELECT * FROM "all" ORDER BY job_id`) + "\n" +
			a.sqlite(url, "SELECT * FROM all__line_items ORDER BY job_id, ordinal") + "\n" +
			a.sqlite(url, "SELECT window, seq, nonce, run_id, rows FROM docarchive_log ORDER BY window, seq")
	}
	before := tables()
	for _, harm := range []string{
		`UPDATE "all" SET status = 'lost'`, `DELETE FROM "all" WHERE job_id < 'job_8'`, "DELETE FROM all__line_items WHERE ordinal = 0",
	} {
		a.sqlite(url, harm)
	}
	if tables() == before {
		t.Fatal("no harm was done")
	}
	a.do(config, "rebuild", "all", "--sink", "sqlite:all")
	if diff := cmp.Diff(before, tables()); diff != "" {
		t.Errorf("(-before +after): %s", diff)
	}
}

// TestRebuildReloadsDatabases loads each kind of database again: it takes the
// same rows as the files.
func TestRebuildReloadsDatabases(t *testing.T) {
	for name, open := range map[string]func(testing.TB) string{
		"postgres": testserver.Postgres, "mysql": mysqlURL,
		"sqlite": func(t testing.TB) string { return "sqlite://" + filepath.Join(t.TempDir(), "warehouse.db") },
	} {
		t.Run(name, func(t *testing.T) {
			database := fmt.Sprintf("{type: database, url: %q}", open(t))
			a := newRebuilt(t, 150)
			config := rebuildWith("line_items: table", parquetSink, database)
			a.do(config, "run")
			report := a.rebuildReport(config)
			if a.do(config, "run", "-o", "json"); len(report.Sinks) != 2 {
				t.Fatalf("sinks: %+v", report.Sinks)
			}
			var files, loaded pipeline.SinkReport
			for _, s := range report.Sinks {
				if s.Files > 0 {
					files = s
				} else {
					loaded = s
				}
			}
			if files.Rows != loaded.Rows || loaded.Rows <= report.Jobs {
				t.Errorf("%s took %d rows, %s %d, of %d jobs", files.Label, files.Rows, loaded.Label, loaded.Rows, report.Jobs)
			}
			only := a.rebuildReport(config, "--sink", loaded.Label)
			if len(only.Sinks) != 1 || only.Sinks[0] != loaded || only.Swap != 0 {
				t.Errorf("with --sink %s: %+v", loaded.Label, only)
			}
		})
	}
}

func (a *adversary) rebuildReport(config string, args ...string) pipeline.RebuildReport {
	a.t.Helper()
	status, stdout, stderr := a.run(config, append([]string{"rebuild", "all", "-o", "json"}, args...)...)
	if status != exitDone {
		a.t.Fatalf("%v: exit %d\n%s%s", args, status, stdout, stderr)
	}
	var report pipeline.RebuildReport
	if err := json.Unmarshal([]byte(stdout), &report); err != nil {
		a.t.Fatalf("%v in %s", err, stdout)
	}
	return report
}

func TestRebuildRefusesWhatHasNoRawLayer(t *testing.T) {
	with := rebuildWith("", parquetSink, csvSink)
	without := strings.Replace(with, "raw: true", "raw: false", 1)
	a := newRebuilt(t, 300)
	a.do(without, "run")
	a.now = a.now.Add(26 * time.Hour)
	a.do(with, "run")
	before, files := a.save(a.table("parquet", "all")), a.files()
	status, stdout, stderr := a.run(with, "rebuild", "all")
	if status != exitFailed || !strings.Contains(stderr, "cannot be written again, archived with raw: false (first [") ||
		!strings.Contains(stderr, "--skip-missing-raw") {
		t.Errorf("exit %d\n%s%s", status, stdout, stderr)
	}
	if diff := cmp.Diff(files, a.files()); diff != "" {
		t.Errorf("a rebuild that was refused has written: %s", diff)
	}
	status, stdout, stderr = a.run(with, "rebuild", "all", "--skip-missing-raw")
	if status != exitPartly || !strings.Contains(stdout, "without the raw layer left as they were") || !strings.Contains(stdout, "archived with raw: false") {
		t.Errorf("exit %d\n%s%s", status, stdout, stderr)
	}
	a.do(with, "verify")
	a.equal(before, a.table("parquet", "all"))
	left, replaced := 0, 0
	for _, name := range files {
		if strings.HasPrefix(name, "/_archive/") {
			continue
		}
		if slices.Contains(a.files(), name) {
			left++
		} else {
			replaced++
		}
	}
	if left == 0 || replaced == 0 {
		t.Errorf("%d files are left, %d replaced", left, replaced)
	}
}

func TestRebuildPrunesAndDryRuns(t *testing.T) {
	a := newRebuilt(t, 100)
	a.do(rebuildWith("", parquetSink, csvSink), "run")
	config := rebuildWith("", parquetSink)
	before := a.files()
	if out := a.do(config, "rebuild", "all", "--dry-run"); !strings.Contains(out, "parquet:all") || !strings.Contains(out, "nothing was changed") {
		t.Errorf("dry run:\n%s", out)
	}
	if diff := cmp.Diff(before, a.files()); diff != "" {
		t.Errorf("a dry run has written: %s", diff)
	}
	a.rebuild(config)
	has := func() bool {
		return slices.ContainsFunc(a.files(), func(name string) bool { return strings.HasPrefix(name, "/table/") })
	}
	if !has() {
		t.Error("files of a sink that is gone were removed without being asked to")
	}
	a.rebuild(config, "--prune")
	if has() {
		t.Error("--prune has left files")
	}
}
