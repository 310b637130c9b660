package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/adteco/docarchive/docextract/docextracttest"
	"github.com/adteco/docarchive/internal/testserver"
)

// webhooksConfig lays out GitHub's webhooks: more fields than a table has
// columns, arrays in arrays, a field that is sometimes a text and sometimes a
// number.
const webhooksConfig = `
api: {base_url: BASE_URL, key: sk_test_adversary}
archive: ARCHIVE
pipelines:
  hooks:
    since: 3d
    fields:
      commits: table
      commits.modified: list
      pull_request.labels: table
      alert.security_advisory.vulnerabilities: table
      repository.topics: list
      repository.created_at: timestamp
      repository.id: int64
    sinks: [{type: parquet}]
`

// TestRealDocuments archives documents that nobody made for this program, and
// gives back each leaf of each of them from what DuckDB reads.
func TestRealDocuments(t *testing.T) {
	a := newAdversary(t, 0, nil, nil)
	extractors := map[string]string{}
	for i, hook := range testserver.Webhooks(t) {
		created := a.now.Add(-time.Duration(i+20) * 10 * time.Minute)
		id := fmt.Sprintf("job_hook_%03d", i)
		extractors[id] = "ext_" + hook.Event
		a.sim.AddRaw(created, fmt.Appendf(nil,
			`{"id":%q,"extractor_id":%q,"status":"completed","created_at":%q,"extracted_data":%s}`,
			id, extractors[id], created.Format(time.RFC3339), hook.Payload))
	}
	if status, stdout, stderr := a.run(webhooksConfig, "run"); status != exitDone {
		t.Fatalf("exit %d\n%s%s", status, stdout, stderr)
	}
	if status, stdout, stderr := a.run(webhooksConfig, "verify"); status != exitDone {
		t.Fatalf("verify: exit %d\n%s%s", status, stdout, stderr)
	}
	want := a.truth(15 * time.Minute)
	if len(want) != len(extractors) || len(want) < 300 {
		t.Fatalf("%d documents, %d in truth", len(extractors), len(want))
	}
	tables := map[string]string{
		"hooks__commits": "commits", "hooks__pull_request__labels": "pull_request.labels",
		"hooks__alert__security_advisory__vulnerabilities": "alert.security_advisory.vulnerabilities",
	}
	leaves := 0
	for dataset, path := range tables {
		leaves += a.compareElements(dataset, path, want)
	}
	for id, job := range want {
		raw := parseJSON(t, job.Raw)
		for _, path := range tables {
			takeArray(raw, "extracted_data."+path)
		}
		bare, err := json.Marshal(raw)
		if err != nil {
			t.Fatal(err)
		}
		job.Raw = bare
		want[id] = job
		leaves += countLeaves(raw["extracted_data"])
	}
	a.compare("hooks", want)

	columns := readSchema(t, a.archive(), "hooks")
	conflicts := 0
	for _, c := range columns {
		if c.TextOf != "" {
			conflicts++
			t.Logf("values that do not fit %s stand in %s", c.TextOf, c.Name)
		}
	}
	over := testserver.DuckDB(t).Query(fmt.Sprintf(
		"SELECT count(overflow), sum(len(json_keys(overflow::JSON))) FROM read_parquet('%s/hooks/*.parquet', union_by_name=true)", a.archive()))[0]
	t.Logf("%d documents, %d leaves, %d columns, %d conflicts, %s documents with %s fields in overflow",
		len(want), leaves, len(columns), conflicts, over[0], over[1])
	if len(columns) != 2000 || conflicts < 2 || over[0] == "0" {
		t.Errorf("%d columns, %d conflicts, overflow in %s rows: the documents have become tame", len(columns), conflicts, over[0])
	}
}

func countLeaves(v any) int {
	l := leaves{}
	l.collect("", v)
	return len(l)
}

// takeArray removes the array at a path of keys and returns it, if it has
// elements: only an empty one stands in its parent's row.
func takeArray(from map[string]any, path string) []any {
	key, rest, deeper := strings.Cut(path, ".")
	if deeper {
		inner, _ := from[key].(map[string]any)
		if inner == nil {
			return nil
		}
		taken := takeArray(inner, rest)
		return taken
	}
	array, _ := from[key].([]any)
	if len(array) > 0 {
		delete(from, key)
	}
	return array
}

// compareElements compares a child table with the arrays of the truth that stand
// at path, and returns how many leaves they have.
func (a *adversary) compareElements(dataset, path string, want map[string]docextracttest.TruthJob) (count int) {
	a.t.Helper()
	out := filepath.Join(a.t.TempDir(), "rows.jsonl")
	testserver.DuckDB(a.t).Query(fmt.Sprintf(
		"COPY (SELECT * FROM read_parquet('%s/%s/**/*.parquet', union_by_name=true)) TO '%s' (FORMAT json)", a.archive(), dataset, out))
	f, err := os.Open(out)
	if err != nil {
		a.t.Fatal(err)
	}
	defer f.Close()
	rows := map[string]map[string]any{} // by job and ordinal
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		row := parseJSON(a.t, lines.Bytes())
		place := fmt.Sprintf("%v %v", row["job_id"], row["ordinal"])
		if rows[place] != nil {
			a.t.Fatalf("%s has %s twice", dataset, place)
		}
		rows[place] = row
	}
	if lines.Err() != nil || len(rows) == 0 {
		a.t.Fatalf("%s has %d rows: %v", dataset, len(rows), lines.Err())
	}
	columns := readSchema(a.t, a.archive(), dataset)
	pointer := "/extracted_data/" + strings.ReplaceAll(path, ".", "/") + "/*"
	for id, job := range want {
		for i, element := range takeArray(parseJSON(a.t, job.Raw), "extracted_data."+path) {
			place := fmt.Sprintf("%s %d", id, i)
			is, got := leaves{}, rowLeaves(columns, rows[place])
			is.collect(pointer, element)
			for at, value := range is {
				if !same(value, got[at]) {
					a.t.Fatalf("%s, %s, %s: %q in truth, %q in the archive", dataset, place, at, value, got[at])
				}
				delete(got, at)
				count++
			}
			if len(got) > 0 {
				a.t.Errorf("%s, %s: the archive has more: %v", dataset, place, got)
			}
			delete(rows, place)
		}
	}
	if len(rows) > 0 {
		a.t.Errorf("%s: %d rows stand for nothing", dataset, len(rows))
	}
	return count
}
