package iceberg_test

import (
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/apache/iceberg-go/table"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"github.com/adteco/docarchive/iceberg"
	"github.com/adteco/docarchive/internal/testserver"
	"github.com/adteco/docarchive/pipeline"
)

func (w *world) wantIDs(ids ...string) {
	w.t.Helper()
	if diff := cmp.Diff(ids, w.column("job_id")); diff != "" {
		w.t.Error("jobs of the table:", diff)
	}
}

// Every record becomes a snapshot that bears its name, once.
func TestSync(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "created_month")
	w.commit("20261101", "a", "b")
	w.commit("20261102", "c")
	w.sync(2)
	w.wantIDs("a", "b", "c")
	before := w.table().MetadataLocation()
	w.sync(0)
	if after := w.table().MetadataLocation(); after != before {
		t.Error("a sync with nothing to do writes metadata")
	}
	w.commit("20261102", "d")
	w.sync(1)
	w.wantIDs("a", "b", "c", "d")
	var commits []string
	for _, s := range w.table().Metadata().Snapshots() {
		commits = append(commits, s.Summary.Properties["docarchive.commit"])
	}
	if diff := cmp.Diff([]string{"invoices/20261101/000001", "invoices/20261102/000001", "invoices/20261102/000002"}, commits); diff != "" {
		t.Error(diff)
	}
	if tbl := w.table(); tbl.Metadata().Version() != 2 || tbl.Properties()["gc.enabled"] != "false" {
		t.Error("format or properties:", tbl.Metadata().Version(), tbl.Properties())
	}
}

// A file of one month lies in its partition, one that spans months in none.
func TestPartitions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.commit("20261031", "a", "b") // the second is of November
	w.commit("20261101", "c")
	w.sync(2)
	w.wantIDs("a", "b", "c")
	var specs []int32
	for _, task := range must(w.table().Scan().PlanFiles(t.Context()))(t) {
		specs = append(specs, task.File.SpecID())
	}
	slices.Sort(specs)
	if diff := cmp.Diff([]int32{0, 1}, specs); diff != "" {
		t.Error(diff)
	}
}

// A new column has the archive's field id, and is null in older files.
func TestColumnIsAdded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "created_month")
	w.commit("20261101", "a")
	w.sync(1)
	w.grow(pipeline.Column{Name: "vendor", Group: pipeline.GroupData, Type: pipeline.TypeUTF8, Source: "/extracted_data/vendor", FieldID: 23})
	w.commit("20261102", "b")
	w.sync(1)
	fields := map[string]int{}
	for _, f := range w.table().Schema().Fields() {
		fields[f.Name] = f.ID
	}
	want := map[string]int{}
	for _, c := range w.schema.Columns {
		want[c.Name] = c.FieldID
	}
	if diff := cmp.Diff(want, fields); diff != "" || want["vendor"] != 23 {
		t.Error("field ids:", diff)
	}
	if diff := cmp.Diff([]string{"b", "null"}, w.column("vendor")); diff != "" {
		t.Error(diff)
	}
}

// A swap replaces files in one snapshot, also with records among them that the
// table never saw.
func TestSwap(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "created_month")
	files := w.commit("20261101", "a")
	files = append(files, w.commit("20261102", "b")...)
	w.sync(2)
	w.compact("20261101", []string{"a", "b"}, files...)
	w.commit("20261103", "c")
	w.sync(2)
	w.wantIDs("a", "b", "c")
	late := w.commit("20261104", "d")
	w.compact("20261104", []string{"d"}, late...)
	w.sync(1)
	w.sync(0)
	w.wantIDs("a", "b", "c", "d")
}

// An archive that was compacted before its first sync.
func TestSwapBeforeTable(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "created_month")
	files := append(w.commit("20261101", "a"), w.commit("20261102", "b")...)
	w.compact("20261101", []string{"a", "b"}, files...)
	w.commit("20261103", "c")
	w.sync(2)
	w.sync(0)
	w.wantIDs("a", "b", "c")
}

// A connection that breaks before or after a commit makes nothing twice.
func TestBrokenCommit(t *testing.T) {
	t.Parallel()
	for _, f := range []*failing{{before: 1}, {after: 1}} {
		w := newWorld(t, "created_month")
		w.commit("20261101", "a")
		f.Catalog = w.catalog
		_, err := iceberg.Sync(t.Context(), w.options(f), invoices)
		if lost := f.before == 0 && f.after == 0; !lost {
			t.Error("no commit was made to fail")
		}
		if err != nil && !strings.Contains(err.Error(), "before the commit") {
			t.Error(err)
		}
		_, err = iceberg.Sync(t.Context(), w.options(w.catalog), invoices)
		ok(t, err)
		w.wantIDs("a")
		if n := len(w.table().Metadata().Snapshots()); n != 1 {
			t.Errorf("the record has %d snapshots", n)
		}
	}
}

// Another sync that comes first leaves nothing to do.
func TestConflict(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "created_month")
	w.commit("20261101", "a")
	w.sync(1)
	w.commit("20261102", "b")
	f := &failing{Catalog: w.catalog, before: 1}
	f.between = func() { w.sync(1) }
	results, err := iceberg.Sync(t.Context(), w.options(f), invoices)
	if err != nil || f.before != 0 || results[0].Snapshots != 0 {
		t.Errorf("%+v, %v", results, err)
	}
	w.wantIDs("a", "b")
}

// Several at once, on SQLite and on PostgreSQL, register everything once.
func TestTogether(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"sqlite", "postgres"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "created_month")
			if name == "postgres" {
				_, rest, _ := strings.Cut(testserver.Postgres(t), "://")
				w.catalog = openCatalog(t, "sql+postgres://"+rest, "file://"+t.TempDir())
			}
			w.commit("20261101", "a")
			w.sync(1)
			var want []string
			for _, window := range []string{"20261102", "20261103", "20261104", "20261105"} {
				w.commit(window, window)
				want = append(want, window)
			}
			var snapshots atomic.Int64
			var g errgroup.Group
			for range 3 {
				o := w.options(w.catalog)
				g.Go(func() error {
					results, err := iceberg.Sync(t.Context(), o, invoices)
					for _, r := range results {
						snapshots.Add(int64(r.Snapshots))
					}
					return err
				})
			}
			ok(t, g.Wait())
			if snapshots.Load() != 4 {
				t.Errorf("%d snapshots of 4 records", snapshots.Load())
			}
			w.wantIDs(append(want, "a")...)
		})
	}
}

// What another program did to the rows is not overwritten.
func TestForeignChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "created_month")
	w.commit("20261101", "a")
	w.commit("20261102", "b")
	w.sync(2)
	for _, task := range must(w.table().Scan().PlanFiles(t.Context()))(t) {
		tx := w.table().NewTransaction()
		ok(t, tx.NewRewrite(nil).DeleteFile(task.File).Commit(t.Context()))
		must(tx.Commit(t.Context()))(t)
		break
	}
	if _, err := iceberg.Sync(t.Context(), w.options(w.catalog), invoices); !errors.Is(err, iceberg.ErrChanged) {
		t.Error("not noticed:", err)
	}
}

// A list's elements have no field id in the files.
func TestListIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "created_month")
	w.commit("20261101", "a")
	w.grow(pipeline.Column{Name: "tags", Group: pipeline.GroupData, Type: "list(utf8)", FieldID: 50})
	_, err := iceberg.Sync(t.Context(), w.options(w.catalog), invoices)
	if err == nil || !strings.Contains(err.Error(), "column tags") {
		t.Error(err)
	}
	if exists := must(w.catalog.CheckTableExists(t.Context(), table.Identifier{"docs", invoices}))(t); exists {
		t.Error("a table was made")
	}
}
