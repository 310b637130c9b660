package main

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/adteco/docarchive/internal/testserver"
)

// exportConfig archives what tells the kinds of column apart.
const exportConfig = `
api: {base_url: BASE_URL, key: sk_test_adversary}
archive: ARCHIVE
hash_key: 0123456789abcdef0123456789abcdef
pipelines:
  all:
    since: 3d
    fields: {total_amount: "decimal(18,2)", line_items: table, tags: list, customer_name: hash, cashier: drop}
    sinks: [{type: parquet, partition: [created_month]}]
  other:
    since: 3d
    raw: false
    sinks: [{type: parquet}]
`

// twoRuns archives, and once more when there are late jobs, new fields and
// values of other types.
func twoRuns(t *testing.T, config string) *adversary {
	t.Helper()
	a := newAdversary(t, 1500, nil, nil)
	if status, _, stderr := a.run(config, "run"); status != exitDone {
		t.Fatalf("exit %d\n%s", status, stderr)
	}
	a.add("job_late", 30*time.Hour, `{"total_amount":"n/a","never_seen":{"deep":1.5},"tags":["a",null],"line_items":[{"sku":7,"new":true}]}`)
	a.now = a.now.Add(2 * time.Hour)
	if status, _, stderr := a.run(config, "run"); status != exitDone {
		t.Fatalf("exit %d\n%s", status, stderr)
	}
	return a
}

// export writes a file with archive export, and returns its name. The API is
// not asked.
func (a *adversary) export(config, file string, args ...string) string {
	a.t.Helper()
	out := filepath.Join(a.t.TempDir(), file)
	before := a.sim.Requests()
	status, stdout, stderr := a.run(config, append([]string{"archive", "export", "-o", out}, args...)...)
	if status != exitDone || stdout != "" {
		a.t.Fatalf("exit %d\n%s%s", status, stdout, stderr)
	}
	if made := a.sim.Requests() - before; made > 0 {
		a.t.Errorf("%d requests to the API", made)
	}
	return out
}

// TestArchiveExportIsTheArchive compares the one file with the archive's own, in
// every column and row.
func TestArchiveExportIsTheArchive(t *testing.T) {
	a := twoRuns(t, exportConfig)
	before := a.files()
	duck := testserver.DuckDB(t)
	for dataset, args := range map[string][]string{"all": {"all"}, "all__line_items": {"--dataset", "all__line_items"}} {
		out := a.export(exportConfig, dataset+".parquet", args...)
		var names []string
		for _, c := range readSchema(t, a.archive(), dataset) {
			names = append(names, c.Name)
		}
		head := strings.Join(names, ",")
		columns := `"` + strings.Join(names, `","`) + `"`
		own := fmt.Sprintf("(SELECT %s FROM read_parquet('%s/%s/**/*.parquet', union_by_name=true, hive_partitioning=false))", columns, a.archive(), dataset)
		got := duck.Query(fmt.Sprintf(`SELECT (SELECT count(*) > 20 FROM %[1]s), (SELECT count(*) FROM %[1]s) = (SELECT count(*) FROM '%[2]s'),
			(SELECT count(*) FROM (FROM %[1]s EXCEPT ALL FROM '%[2]s')),
			(SELECT list((column_name, column_type)) FROM (DESCRIBE FROM %[1]s)) = (SELECT list((column_name, column_type)) FROM (DESCRIBE FROM '%[2]s'))`,
			own, out))
		if diff := cmp.Diff([][]string{{"true", "true", "0", "true"}}, got); diff != "" {
			t.Errorf("%s (-want +got): %s", dataset, diff)
		}
		csv := a.export(exportConfig, dataset+".csv", append(args, "--until", "1970-01-02")...)
		if header := duck.Query(fmt.Sprintf("FROM read_csv('%s', header=false, all_varchar=true, max_line_size=1000000, sep='\x01', quote='')", csv)); len(header) != 1 || header[0][0] != head {
			t.Errorf("%s: a header without rows: %v\nwant %s", dataset, header, head)
		}
	}
	if diff := cmp.Diff(before, a.files()); diff != "" {
		t.Errorf("the archive has changed (-before +after): %s", diff)
	}
}

// TestArchiveExportChooses counts what each filter leaves, by DuckDB.
func TestArchiveExportChooses(t *testing.T) {
	a := twoRuns(t, exportConfig)
	duck := testserver.DuckDB(t)
	from, to := a.now.Add(-50*time.Hour).Truncate(time.Hour), a.now.Add(-7*time.Hour)
	at := func(m time.Time) string { return "TIMESTAMPTZ '" + m.Format(time.RFC3339) + "'" }
	for _, c := range []struct {
		args  []string
		where string
	}{
		{[]string{"--status", "failed"}, "status = 'failed'"},
		{[]string{"--extractor", "ext_invoice", "--limit", "0"}, "extractor_id = 'ext_invoice'"},
		{[]string{"--since", from.Format(time.RFC3339), "--until", to.Format(time.RFC3339)}, "created_at >= " + at(from) + " AND created_at < " + at(to)},
		{[]string{"--created-after", from.Format(time.RFC3339)}, "created_at >= " + at(from)},
	} {
		want := duck.Query(fmt.Sprintf("SELECT count(*) FROM read_parquet('%s/all/**/*.parquet', union_by_name=true) WHERE %s", a.archive(), c.where))[0][0]
		out := a.export(exportConfig, "rows.jsonl", append([]string{"all"}, c.args...)...)
		got := duck.Query(fmt.Sprintf("SELECT count(*), count(*) FILTER (NOT coalesce(%s, false)) FROM read_json('%s', convert_strings_to_integers=false)", c.where, out))[0]
		if n, _ := strconv.Atoi(want); n == 0 || got[0] != want || got[1] != "0" {
			t.Errorf("%v: %v rows, %v of them wrong; want %s", c.args, got[0], got[1], want)
		}
	}
}

// TestArchiveExportNeedsRaw asks for a pipeline without a raw layer.
func TestArchiveExportNeedsRaw(t *testing.T) {
	a := twoRuns(t, exportConfig)
	out := filepath.Join(t.TempDir(), "other.csv")
	status, _, stderr := a.run(exportConfig, "archive", "export", "other", "-o", out)
	if status != exitFailed || !strings.Contains(stderr, "raw: false") || !strings.Contains(stderr, "read_parquet('other/") {
		t.Errorf("exit %d\n%s", status, stderr)
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(out), "*")); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

// TestJobsExportDeclaredTypes exports with the types of the extractors, and by
// the fields of a pipeline.
func TestJobsExportDeclaredTypes(t *testing.T) {
	a := newAdversary(t, 600, nil, nil)
	duck := testserver.DuckDB(t)
	types := func(args ...string) map[string]string {
		t.Helper()
		out := filepath.Join(t.TempDir(), "jobs.parquet")
		if status, _, stderr := a.run(exportConfig, append([]string{"jobs", "export", "-o", out}, args...)...); status != exitDone {
			t.Fatalf("exit %d\n%s", status, stderr)
		}
		all := map[string]string{}
		for _, row := range duck.Query(fmt.Sprintf("SELECT column_name, column_type FROM (DESCRIBE FROM '%s')", out)) {
			all[row[0]] = row[1]
		}
		return all
	}
	seen := types()
	for name, want := range map[string]string{"subtotal": "DECIMAL(18,4)", "invoice_date": "DATE", "total_amount": "DECIMAL(18,4)", "line_items": "VARCHAR"} {
		if seen[name] != want {
			t.Errorf("%s is %q, want %s", name, seen[name], want)
		}
	}
	ruled := types("--pipeline", "all")
	for name, want := range map[string]string{"total_amount": "DECIMAL(18,2)", "subtotal": "DECIMAL(18,4)", "tags": "VARCHAR[]", "cashier": "", "line_items": ""} {
		if ruled[name] != want {
			t.Errorf("by the pipeline's fields %s is %q, want %q", name, ruled[name], want)
		}
	}
	if items := types("--pipeline", "all", "--dataset", "all__line_items"); items["ordinal"] != "BIGINT" || items["total_amount"] != "" {
		t.Errorf("line items: %v", items)
	}
}
