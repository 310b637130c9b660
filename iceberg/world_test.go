package iceberg_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow/go/v17/arrow"
	old "github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/table"

	"github.com/adteco/docarchive/iceberg"
	"github.com/adteco/docarchive/internal/ledger"
	"github.com/adteco/docarchive/internal/store"
	"github.com/adteco/docarchive/internal/testserver"
	"github.com/adteco/docarchive/pipeline"
	"github.com/adteco/docarchive/sinks"
)

func TestMain(m *testing.M) { testserver.Main(m) }

const invoices = "invoices"

// world is an archive with a pipeline that has windows of a day, and a catalog.
type world struct {
	t       *testing.T
	store   *store.Store
	ledger  *ledger.Ledger
	sink    pipeline.Sink
	schema  *pipeline.Schema
	folder  string
	catalog catalog.Catalog
}

func newWorld(t *testing.T, partition ...string) *world {
	t.Helper()
	w := &world{t: t, folder: t.TempDir()}
	w.store = must(store.Open(t.Context(), "file://"+w.folder, store.Options{}))(t)
	w.ledger = must(ledger.Open(t.Context(), w.store, ledger.Options{}))(t)
	must(w.ledger.Settings(t.Context(), invoices, ledger.Settings{Window: 24 * time.Hour}))(t)
	w.sink = must(sinks.NewFile(sinks.FileOptions{Format: sinks.FormatParquet, Path: "in", Partition: partition, Spool: t.TempDir()}))(t)
	w.grow(pipeline.Column{Name: "amount", Group: pipeline.GroupData, Type: pipeline.Decimal(18, 2), Source: "/extracted_data/amount", FieldID: 40})
	w.catalog = openCatalog(t, "sql+sqlite://"+t.TempDir()+"/cat alog.db", "file://"+t.TempDir())
	return w
}

func openCatalog(t *testing.T, url, warehouse string) catalog.Catalog {
	t.Helper()
	c := must(iceberg.OpenCatalog(t.Context(), url, warehouse, nil))(t)
	t.Cleanup(func() {
		if err := c.(catalog.Closer).Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// grow adds a column to the schema.
func (w *world) grow(c pipeline.Column) {
	w.t.Helper()
	next := &pipeline.Schema{Dataset: invoices, Version: 1, Columns: slices.Clone(pipeline.FixedColumns(nil, ""))}
	if w.schema != nil {
		next.Version, next.Columns = w.schema.Version+1, slices.Clone(w.schema.Columns)
	}
	next.Columns = append(next.Columns, c)
	ok(w.t, w.ledger.AppendSchema(w.t.Context(), next))
	w.schema = next
}

// batch has a row for each id, whose text columns are the id. Row i is i days
// after the time.
func (w *world) batch(at time.Time, ids []string) arrow.Record {
	w.t.Helper()
	var fields []arrow.Field
	for i := range w.schema.Columns {
		fields = append(fields, must(w.schema.Columns[i].Field())(w.t))
	}
	b := old.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(fields, nil))
	defer b.Release()
	for i := range fields {
		for row, id := range ids {
			switch f := b.Field(i).(type) {
			case *old.StringBuilder:
				f.Append(id)
			case *old.TimestampBuilder:
				f.Append(arrow.Timestamp(at.AddDate(0, 0, row).UnixMicro()))
			default:
				f.AppendNull()
			}
		}
	}
	return b.NewRecord()
}

// write stages the Parquet files of a batch.
func (w *world) write(d pipeline.Destination, at time.Time, ids []string) (files []pipeline.File) {
	w.t.Helper()
	ctx := w.t.Context()
	writer := must(w.sink.Begin(ctx, d))(w.t)
	batch := w.batch(at, ids)
	defer batch.Release()
	ok(w.t, writer.Write(ctx, batch))
	for _, p := range must(writer.Commit(ctx))(w.t) {
		ok(w.t, w.ledger.Stage(ctx, p))
		files = append(files, p.File)
	}
	return files
}

func day(text string, t *testing.T) pipeline.Window {
	t.Helper()
	return must(pipeline.ParseWindow(text, 24*time.Hour))(t)
}

// commit archives jobs in a window and returns their files.
func (w *world) commit(window string, ids ...string) []pipeline.File {
	w.t.Helper()
	ctx, win := w.t.Context(), day(window, w.t)
	h := must(w.ledger.Load(ctx, invoices, win))(w.t)
	d := pipeline.Destination{Pipeline: invoices, Dataset: invoices, Window: win, Seq: h.NextSeq()}
	r := &pipeline.Record{}
	r.CommittedAt, r.CoveredTo, r.State, r.Rows = time.Now(), win.End, pipeline.StateOpen, int64(len(ids))
	r.Files = w.write(d, win.Start, ids)
	must(w.ledger.Append(ctx, h, r, ids))(w.t)
	ok(w.t, w.ledger.Publish(ctx, r))
	return r.Files
}

// compact replaces files by one with the ids.
func (w *world) compact(window string, ids []string, files ...pipeline.File) {
	w.t.Helper()
	ctx, win := w.t.Context(), day(window, w.t)
	seq := must(w.ledger.NextSwap(ctx, invoices))(w.t)
	d := pipeline.Destination{Pipeline: invoices, Dataset: invoices, Window: win, Seq: seq, Suffix: "-merged"}
	s := &pipeline.Swap{Reason: pipeline.SwapCompact, Files: w.write(d, win.Start, ids)}
	s.Pipeline, s.Seq, s.CommittedAt = invoices, seq, time.Now()
	for _, f := range files {
		s.Replaces = append(s.Replaces, f.Path)
	}
	slices.Sort(s.Replaces)
	ok(w.t, w.ledger.AppendSwap(ctx, s))
	ok(w.t, w.ledger.SettleSwaps(ctx, invoices))
}

func (w *world) options(c catalog.Catalog) iceberg.Options {
	l := must(ledger.OpenExisting(w.t.Context(), w.store, ledger.Options{}))(w.t)
	return iceberg.Options{
		Ledger: l, Location: must(iceberg.Location("file://" + w.folder))(w.t), Catalog: c,
		Namespace: "docs", Create: true, Log: slog.New(slog.DiscardHandler),
	}
}

// sync must succeed and make as many snapshots.
func (w *world) sync(snapshots int) {
	w.t.Helper()
	results, err := iceberg.Sync(w.t.Context(), w.options(w.catalog), invoices)
	if err != nil || len(results) != 1 || results[0].Snapshots != snapshots {
		w.t.Fatalf("want %d snapshots, got %+v, %v", snapshots, results, err)
	}
}

func (w *world) table() *table.Table {
	w.t.Helper()
	return must(w.catalog.LoadTable(w.t.Context(), table.Identifier{"docs", invoices}))(w.t)
}

// column reads a text column of the table, sorted.
func (w *world) column(name string) []string {
	w.t.Helper()
	return column(w.t, w.table(), name)
}

func column(t *testing.T, tbl *table.Table, name string) (values []string) {
	t.Helper()
	read := must(tbl.Scan(table.WithSelectedFields(slices.Compact([]string{"job_id", name})...)).ToArrowTable(t.Context()))(t)
	defer read.Release()
	index := read.Schema().FieldIndices(name)
	for _, chunk := range read.Column(index[0]).Data().Chunks() {
		for i := range chunk.Len() {
			text := "null"
			if !chunk.IsNull(i) {
				text = strings.Clone(chunk.(array.StringLike).Value(i))
			}
			values = append(values, text)
		}
	}
	slices.Sort(values)
	return values
}

// failing is a catalog whose next commits fail, before they happen or after.
type failing struct {
	catalog.Catalog
	before, after int
	between       func() // called before a commit that is to fail
}

func (f *failing) LoadTable(ctx context.Context, ident table.Identifier) (*table.Table, error) {
	t, err := f.Catalog.LoadTable(ctx, ident)
	if err != nil {
		return nil, err
	}
	return table.New(ident, t.Metadata(), t.MetadataLocation(), t.FS, f), nil
}

func (f *failing) CommitTable(ctx context.Context, ident table.Identifier, reqs []table.Requirement, updates []table.Update) (table.Metadata, string, error) {
	snapshot := slices.ContainsFunc(updates, func(u table.Update) bool { return u.Action() == table.UpdateAddSnapshot })
	switch {
	case snapshot && f.before > 0:
		f.before--
		if f.between == nil {
			return nil, "", fmt.Errorf("the connection broke before the commit")
		}
		f.between()
		return nil, "", fmt.Errorf("%w: another was first", table.ErrCommitFailed) // as REST says it
	case snapshot && f.after > 0:
		f.after--
		if _, _, err := f.Catalog.CommitTable(ctx, ident, reqs, updates); err != nil {
			return nil, "", err
		}
		return nil, "", fmt.Errorf("the connection broke after the commit")
	}
	return f.Catalog.CommitTable(ctx, ident, reqs, updates)
}
