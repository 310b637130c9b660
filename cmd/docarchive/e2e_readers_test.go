package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/adteco/docarchive/internal/testserver"
)

// readersConfig has a column of every type.
const readersConfig = `
api: {base_url: BASE_URL, key: sk_test_adversary}
archive: ARCHIVE
pipelines:
  all:
    since: 3d
    fields:
      total_amount: decimal(18,2)
      huge: decimal(38,10)
      small: decimal(5,2)
      count: int64
      seen_at: timestamp
      tags: list
      weights: list
      line_items: table
    sinks: [{type: parquet, partition: [created_month]}]
`

// TestIndependentReaders archives twice, with new columns between, and has the
// files read by implementations of Parquet that share nothing with the
// product's: each column of the type that the schema says, each value as it was.
func TestIndependentReaders(t *testing.T) {
	a := newAdversary(t, 1500, nil, nil)
	a.add("job_first", 40*time.Hour, `{"total_amount":-0.01,"paid":true,"small":-123.45,"line_items":[{"sku":"a","price":1.5},{"sku":null}]}`)
	if status, _, stderr := a.run(readersConfig, "run"); status != exitDone {
		t.Fatalf("exit %d\n%s", status, stderr)
	}
	for i, data := range []string{
		`{"huge":1234567890123456789012345678.0123456789,"small":999.99,"count":9007199254740993,"seen_at":"1969-12-31T23:59:59.000001Z"}`,
		`{"huge":-9999999999999999999999999999.9999999999,"small":0,"count":-9007199254740993,"seen_at":"2026-11-22T10:00:00.123456Z","never_seen":{"deep":"x"}}`,
		`{"huge":1e40,"small":1000,"count":1.5,"seen_at":"soon","total_amount":"n/a","invoice_date":"31.12.2026","paid":"perhaps"}`,
		`{"tags":["a,b",null,""],"weights":[1.5,null,-2e300],"invoice_date":"0001-01-01"}`,
		`{"tags":[],"weights":"none","invoice_date":"9999-12-31","line_items":[{"sku":7,"new":{"deep":true}},"no object",{}]}`,
	} {
		a.add(fmt.Sprintf("job_late_%d", i), time.Duration(30+i)*time.Hour, data)
	}
	a.now = a.now.Add(2 * time.Hour)
	if status, _, stderr := a.run(readersConfig, "run"); status != exitDone {
		t.Fatalf("exit %d\n%s", status, stderr)
	}
	files := map[string][]string{}
	for _, dataset := range []string{"all", "all__line_items"} {
		files[dataset] = parquetBelow(t, filepath.Join(a.archive(), dataset))
	}
	last := a.runIDs()[1]
	for _, reader := range testserver.ParquetReaders() {
		t.Run(reader, func(t *testing.T) {
			a := *a
			a.t = t
			for dataset, names := range files {
				got := testserver.ReadParquet(t, reader, names...)
				checkTypes(t, readSchema(t, a.archive(), dataset), last, names, got.Types)
				columns := readSchema(t, a.archive(), dataset)
				for _, row := range got.Rows {
					plainNumbers(columns, row)
				}
				if dataset == "all" {
					a.compareParents(columns, got.Rows)
				} else {
					a.compareItems(columns, got.Rows)
				}
			}
		})
	}
}

func parquetBelow(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".parquet") {
			names = append(names, path)
		}
		return err
	})
	if err != nil || len(names) < 2 {
		t.Fatalf("%d files: %v", len(names), err)
	}
	return names
}

// checkTypes compares each file's columns with the schema: what is there has the
// schema's type, a file of the last run has every column that is older than the
// run, and a file from before has none that is not.
func checkTypes(t *testing.T, columns []schemaColumn, last string, names []string, files []map[string]string) {
	t.Helper()
	known := map[string]schemaColumn{}
	fresh := 0
	for _, c := range columns {
		known[c.Name] = c
		if c.FirstSeen == last {
			fresh++
		}
	}
	newer := 0
	for i, types := range files {
		for name, got := range types {
			if want := strings.ReplaceAll(known[name].Type, "json", "utf8"); got != want {
				t.Errorf("%s: %s is %s, want %s", names[i], name, got, want)
			}
		}
		late := !strings.Contains(names[i], "-000001-")
		if late {
			newer++
		}
		for _, c := range columns {
			if _, has := types[c.Name]; late && !has && c.FirstSeen != last || !late && has && c.FirstSeen == last {
				t.Errorf("%s: has %s of run %s: %v", names[i], c.Name, c.FirstSeen, has)
			}
		}
	}
	if fresh < 2 || newer == 0 {
		t.Errorf("%d columns are new in the last run, which wrote %d files", fresh, newer)
	}
}

// plainNumbers makes numbers of what readers give as text to be exact.
func plainNumbers(columns []schemaColumn, row map[string]any) {
	for _, c := range columns {
		if text, is := row[c.Name].(string); is && (c.Type == "int64" || strings.HasPrefix(c.Type, "decimal")) {
			row[c.Name] = json.Number(text)
		}
	}
}

// compareParents compares the rows of the pipeline's own table with the truth.
// The arrays that have a table of their own are not in it.
func (a *adversary) compareParents(columns []schemaColumn, rows []map[string]any) {
	a.t.Helper()
	want := a.truth(15 * time.Minute)
	due := 0
	for id, job := range want {
		if job.CreatedAt.Before(a.now.Add(-2*time.Hour - 4*24*time.Hour)) {
			continue // before the pipeline's first window
		}
		due++
		raw := parseJSON(a.t, job.Raw)
		if data, is := raw["extracted_data"].(map[string]any); is {
			if items, is := data["line_items"].([]any); is && len(items) > 0 {
				delete(data, "line_items")
			}
		}
		bare, err := json.Marshal(raw)
		if err != nil {
			a.t.Fatal(err)
		}
		job.Raw = bare
		want[id] = job
	}
	seen := map[string]bool{}
	for _, row := range rows {
		id := row["job_id"].(string)
		job, has := want[id]
		if !has || seen[id] {
			a.t.Fatalf("job %s: due %v, seen before %v", id, has, seen[id])
		}
		seen[id] = true
		a.compareRow(columns, row, job)
		if got := row["created_at"]; got != job.CreatedAt.UTC().Format("2006-01-02T15:04:05.000000Z") {
			a.t.Errorf("job %s was created at %s, not %v", id, job.CreatedAt, got)
		}
	}
	if len(seen) < 50 || len(seen) > due {
		a.t.Errorf("%d rows, %d due", len(seen), due)
	}
	for i := range 5 {
		if id := fmt.Sprintf("job_late_%d", i); !seen[id] {
			a.t.Errorf("%s is missing", id)
		}
	}
}

// compareItems compares the rows of the child table with the arrays of the truth.
func (a *adversary) compareItems(columns []schemaColumn, rows []map[string]any) {
	a.t.Helper()
	byJob := map[string]map[string]map[string]any{}
	for _, row := range rows {
		id, ordinal := row["job_id"].(string), fmt.Sprint(row["ordinal"])
		if byJob[id] == nil {
			byJob[id] = map[string]map[string]any{}
		}
		if byJob[id][ordinal] != nil {
			a.t.Fatalf("job %s has element %s twice", id, ordinal)
		}
		byJob[id][ordinal] = row
	}
	if len(byJob) < 10 || len(byJob["job_late_4"]) != 3 {
		a.t.Fatalf("items of %d jobs, %d of the last one", len(byJob), len(byJob["job_late_4"]))
	}
	for id, job := range a.truth(15 * time.Minute) {
		data, _ := parseJSON(a.t, job.Raw)["extracted_data"].(map[string]any)
		items, _ := data["line_items"].([]any)
		if got, has := byJob[id]; has && len(got) != len(items) {
			a.t.Errorf("job %s has %d elements, not %d", id, len(items), len(got))
		}
		for i, item := range items {
			row := byJob[id][fmt.Sprint(i)]
			if row == nil {
				continue // created before the pipeline's first window, or reported above
			}
			want, got := leaves{}, rowLeaves(columns, row)
			want.collect("/extracted_data/line_items/*", item)
			for pointer, value := range want {
				if !same(value, got[pointer]) {
					a.t.Errorf("job %s, element %d, %s: %q in truth, %q in the archive", id, i, pointer, value, got[pointer])
				}
				delete(got, pointer)
			}
			if len(got) > 0 {
				a.t.Errorf("job %s, element %d: the archive has more: %v", id, i, got)
			}
		}
	}
}
