package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/iceberg-go/catalog"
	"github.com/google/go-cmp/cmp"

	"github.com/adteco/docarchive/docextract/docextracttest"
	"github.com/adteco/docarchive/iceberg"
	"github.com/adteco/docarchive/internal/testserver"
)

const config = `
api: {base_url: "%s", key: sk_test_simulator}
archive: "%s"
pipelines:
  all:
    since: 65d
    window: 120h
    fields: {line_items: table, total_amount: "decimal(18,2)"}
    sinks: [{type: parquet, path: all, partition: [created_month]}]
`

// product is the program itself, with an archive and a catalog of its own.
type product struct {
	t              *testing.T
	binary, folder string
}

func newProduct(t *testing.T) *product {
	t.Helper()
	p := &product{t: t, binary: filepath.Join(t.TempDir(), "docarchive"), folder: t.TempDir()}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", p.binary, "./cmd/docarchive")
	build.Dir = "../../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build docarchive: %v\n%s", err, out)
	}
	sim := docextracttest.New(docextracttest.Config{Seed: 3, Jobs: 400})
	running, err := sim.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := running.Close(); err != nil {
			t.Error(err)
		}
	})
	text := fmt.Sprintf(config, running.URL, p.archive())
	if err := os.WriteFile(filepath.Join(p.folder, "jobs.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *product) archive() string   { return "file://" + p.folder + "/archive" }
func (p *product) warehouse() string { return "file://" + p.folder + "/warehouse" }
func (p *product) catalog() string   { return "sql+sqlite://" + p.folder + "/catalog.db" }

func (p *product) do(args ...string) {
	p.t.Helper()
	cmd := exec.CommandContext(p.t.Context(), p.binary, args...)
	cmd.Dir = p.folder
	if out, err := cmd.CombinedOutput(); err != nil {
		p.t.Fatalf("docarchive %v: %v\n%s", args, err, out)
	}
}

func (p *product) sync(args ...string) map[string]iceberg.Result {
	p.t.Helper()
	var out bytes.Buffer
	root := newRoot(&out, io.Discard)
	root.SetArgs(append([]string{
		"sync", "--archive", p.archive(), "--catalog", p.catalog(), "--warehouse", p.warehouse(), "--json",
	}, args...))
	if err := root.ExecuteContext(p.t.Context()); err != nil {
		p.t.Fatal(err)
	}
	var list []iceberg.Result
	if err := json.Unmarshal(out.Bytes(), &list); err != nil {
		p.t.Fatalf("%v\n%s", err, out.String())
	}
	results := map[string]iceberg.Result{}
	for _, r := range list {
		results[r.Table] = r
	}
	return results
}

// ids reads the job ids of a table with the Iceberg library, sorted.
func (p *product) ids(name string) (ids []string) {
	p.t.Helper()
	c, err := iceberg.OpenCatalog(p.t.Context(), p.catalog(), p.warehouse(), nil)
	if err != nil {
		p.t.Fatal(err)
	}
	defer c.(catalog.Closer).Close()
	tbl, err := c.LoadTable(p.t.Context(), catalog.ToIdentifier("docs", name))
	if err != nil {
		p.t.Fatal(err)
	}
	rows, err := tbl.Scan().ToArrowTable(p.t.Context()) // all columns, so that all can be read
	if err != nil {
		p.t.Fatal(err)
	}
	defer rows.Release()
	column := rows.Column(rows.Schema().FieldIndices("job_id")[0])
	for _, chunk := range column.Data().Chunks() {
		for i := range chunk.Len() {
			ids = append(ids, strings.Clone(chunk.(array.StringLike).Value(i)))
		}
	}
	slices.Sort(ids)
	return ids
}

// compare compares both tables with what DuckDB reads of the archive's files.
func (p *product) compare() {
	p.t.Helper()
	for _, name := range []string{"all", "all__line_items"} {
		query := fmt.Sprintf("SELECT job_id FROM read_parquet('%s/archive/%s/**/*.parquet', union_by_name=true)", p.folder, name)
		var want []string
		for _, row := range testserver.DuckDB(p.t).Query(query) {
			want = append(want, row[0])
		}
		slices.Sort(want)
		if diff := cmp.Diff(want, p.ids(name)); diff != "" || len(want) == 0 {
			p.t.Errorf("table %s, of %d rows: %s", name, len(want), diff)
		}
	}
}

// TestProduct follows an archive of the program itself: its first run, a
// compaction, and syncs with nothing to do.
func TestProduct(t *testing.T) {
	p := newProduct(t)
	p.do("run")
	first := p.sync("--create")
	p.compare()
	for _, name := range []string{"docs.all", "docs.all__line_items"} {
		if r := first[name]; r.Snapshots < 10 || r.Added != r.Files {
			t.Errorf("the first sync: %+v", r)
		}
		if r := p.sync()[name]; r.Snapshots != 0 || r.Files != first[name].Files {
			t.Errorf("the second sync: %+v", r)
		}
	}
	p.do("compact")
	merged := p.sync()["docs.all"]
	if merged.Snapshots != 1 || merged.Removed == 0 || merged.Files >= first["docs.all"].Files {
		t.Errorf("the sync after a compaction: %+v", merged)
	}
	p.compare()
	if r := p.sync()["docs.all"]; r.Snapshots != 0 {
		t.Errorf("the sync after that: %+v", r)
	}
	p.do("verify")
}
