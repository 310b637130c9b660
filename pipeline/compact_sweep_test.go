package pipeline_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"github.com/adteco/docarchive/internal/ledger"
	"github.com/adteco/docarchive/internal/store"
	"github.com/adteco/docarchive/internal/store/storetest"
	"github.com/adteco/docarchive/pipeline"
	"github.com/adteco/docarchive/sinks"
)

// longAfter is when every window is closed for good.
var longAfter = time.Date(2027, 6, 1, 0, 0, 0, 0, time.UTC)

// compactStride is by how much the number of the call grows that is made to
// fail. Each mode begins elsewhere.
const compactStride = 3 * sweepStride

// TestCompactSweep makes storage calls of a compaction fail in turn, compacts
// once more, and compares every row with what it was.
func TestCompactSweep(t *testing.T) {
	a := newAccount(t)
	archive := newTry(t, a)
	for _, night := range nights {
		a.turn(night)
		if err := archive.night(&faults{}, inStorage); err != nil {
			t.Fatal(err)
		}
	}
	want := archive.parquetRows()
	calls := sweepCompact(t, archive, want, 0, unharmed)
	met := map[string]int{}
	for n, m := range []mode{before, after, cancel} {
		for i := n; i < len(calls); i += compactStride {
			if sensible(m, calls[i]) {
				sweepCompact(t, archive, want, i, m)
				met[calls[i]]++
			}
		}
	}
	t.Logf("%d calls, %v", len(calls), met)
}

// sweepCompact compacts a copy of the archive with a fault, and again without,
// and returns the calls that could fail.
func sweepCompact(t *testing.T, archive *try, want []string, at int, m mode) []string {
	t.Helper()
	y := newTry(t, archive.account)
	copyBucket(t, archive.bucket, y.bucket)
	f := &faults{at: at, mode: m}
	done, failed := y.compact(f)
	switch {
	case m == unharmed && (failed != nil || done.Swaps != 1 || len(done.Folders) != 2):
		t.Errorf("%+v, %v", done, failed)
	case m == before && failed == nil && f.met != "store.read": // a file is asked for twice
		t.Errorf("call %d, %s: nobody noticed that it was not done", at, f.met)
	}
	if seen := slices.Compact(y.parquetRows()); cmp.Diff(slices.Compact(slices.Clone(want)), seen) != "" {
		t.Errorf("call %d, %s, %s: rows are missing after it: %v", at, f.met, m, failed)
	}
	calls := slices.Clone(f.calls)
	if done, err := y.compact(&faults{}); err != nil || m == unharmed && done.Swaps > 0 {
		t.Errorf("call %d, %s, %s (%v): a compaction in peace after it: %+v, %v", at, f.met, m, failed, done, err)
	}
	if found := y.wrong(); len(found) > 0 {
		t.Errorf("call %d, %s, %s: %v\n%q", at, f.met, m, failed, found)
	}
	if diff := cmp.Diff(want, y.parquetRows()); diff != "" {
		t.Errorf("call %d, %s, %s: %v: rows (-want +got): %s", at, f.met, m, failed, diff)
	}
	if n := len(y.keys("parquet/")); n != 1 {
		t.Errorf("call %d, %s, %s: %d files are left", at, f.met, m, n)
	}
	if err := y.bucket.Close(); err != nil {
		t.Error(err)
	}
	if t.Failed() {
		t.FailNow()
	}
	return calls
}

// compact merges all files of the Parquet sink.
func (y *try) compact(f *faults) (*pipeline.Compaction, error) {
	y.t.Helper()
	ctx, stop := context.WithCancel(y.t.Context())
	defer stop()
	f.stop = stop
	defer y.memory.AssertSize(y.t, 0)
	l, err := ledger.OpenExisting(ctx, storetest.Wrap(y.bucket, f.storage()), ledger.Options{})
	if err != nil {
		return &pipeline.Compaction{}, err
	}
	sink, err := sinks.NewFile(sinks.FileOptions{
		Format: "parquet", Path: "parquet", Compression: "snappy", Spool: y.spool, Mem: y.memory,
	})
	if err != nil {
		y.t.Fatal(err)
	}
	c := &pipeline.Compactor{
		Identity: pipeline.Identity{RunID: "compaction"},
		Stores:   pipeline.Stores{Ledger: l, Shelf: l, Schemas: l, Library: l, Swaps: l},
		Spool:    y.spool, Target: 256e6, Now: func() time.Time { return longAfter }, Log: slog.New(slog.DiscardHandler),
	}
	done, err := c.Compact(ctx, pipeline.Spec{
		Name: "jobs", From: nights[0].Add(-24 * time.Hour), Window: 24 * time.Hour, Sinks: []pipeline.Sink{sink},
	})
	if left, spoolErr := os.ReadDir(y.spool); spoolErr != nil || len(left) > 0 {
		y.t.Errorf("the spool holds %v: %v", left, spoolErr)
	}
	return done, err
}

func (y *try) keys(prefix string) (keys []string) {
	y.t.Helper()
	err := y.bucket.List(y.t.Context(), prefix, func(o store.Object) error {
		keys = append(keys, o.Key)
		return nil
	})
	if err != nil {
		y.t.Fatal(err)
	}
	return keys
}

// parquetRows reads all rows of the Parquet sink's tables, sorted.
func (y *try) parquetRows() (rows []string) {
	y.t.Helper()
	for _, key := range append(y.keys("parquet/"), y.keys("parquet__line_items/")...) {
		data, err := y.bucket.Get(y.t.Context(), key, 1<<30)
		if err != nil {
			y.t.Fatal(err)
		}
		file, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			y.t.Fatal(err)
		}
		table, _, _ := strings.Cut(key, "/")
		columns := file.Schema().Columns()
		for _, group := range file.RowGroups() {
			reader := group.Rows()
			buffer := make([]parquet.Row, 10)
			for err == nil {
				var n int
				n, err = reader.ReadRows(buffer)
				for _, row := range buffer[:n] {
					rows = append(rows, table+rowText(row, columns))
				}
			}
			if err != io.EOF {
				y.t.Fatal(err)
			}
			if err = reader.Close(); err != nil {
				y.t.Fatal(err)
			}
		}
	}
	slices.Sort(rows)
	return rows
}

// rowText is a row's values by their columns, nulls left out.
func rowText(row parquet.Row, columns [][]string) string {
	var values []string
	for _, v := range row {
		if !v.IsNull() {
			values = append(values, fmt.Sprintf("%v=%v", columns[v.Column()], v))
		}
	}
	slices.Sort(values)
	return strings.Join(values, " ")
}
