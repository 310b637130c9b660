package pipeline_test

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/adteco/docarchive/internal/ledger"
	"github.com/adteco/docarchive/internal/store"
	"github.com/adteco/docarchive/internal/store/storetest"
	"github.com/adteco/docarchive/pipeline"
	"github.com/adteco/docarchive/sinks"
)

// rebuildStride is by how much the number of the call grows that is made to
// fail. Each mode begins elsewhere.
const rebuildStride = 5 * sweepStride

// TestRebuildSweep makes storage calls of a rebuild fail in turn, rebuilds once
// more, and compares the archive with what it was.
func TestRebuildSweep(t *testing.T) {
	a := newAccount(t)
	archive := newTry(t, a)
	for _, night := range nights {
		a.turn(night)
		if err := archive.night(&faults{}, inStorage); err != nil {
			t.Fatal(err)
		}
	}
	want := archive.rows()
	calls := sweepRebuild(t, archive, want, 0, unharmed)
	met := map[string]int{}
	for n, m := range []mode{before, after, cancel} {
		for i := 2 * n; i < len(calls); i += rebuildStride {
			if sensible(m, calls[i]) {
				sweepRebuild(t, archive, want, i, m)
				met[calls[i]]++
			}
		}
	}
	t.Logf("%d calls, %v", len(calls), met)
}

// sweepRebuild rebuilds a copy of the archive with a fault, and again without,
// and returns the calls that could fail.
func sweepRebuild(t *testing.T, archive *try, want []string, at int, m mode) []string {
	t.Helper()
	y := newTry(t, archive.account)
	y.runs = archive.runs
	copyBucket(t, archive.bucket, y.bucket)
	f := &faults{at: at, mode: m}
	_, failed := y.rebuild(f)
	if m == before && failed == nil {
		t.Errorf("call %d, %s: nobody noticed that it was not done", at, f.met)
	}
	calls := slices.Clone(f.calls)
	if _, err := y.rebuild(&faults{}); err != nil {
		t.Errorf("call %d, %s, %s (%v): a rebuild in peace after it: %v", at, f.met, m, failed, err)
	}
	if found := y.wrong(); len(found) > 0 {
		t.Errorf("call %d, %s, %s: %v\n%q", at, f.met, m, failed, found)
	}
	if diff := cmp.Diff(want, y.rows()); diff != "" {
		t.Errorf("call %d, %s, %s: %v: rows (-want +got): %s", at, f.met, m, failed, diff)
	}
	if err := y.bucket.Close(); err != nil {
		t.Error(err)
	}
	if t.Failed() {
		t.FailNow()
	}
	return calls
}

func copyBucket(t *testing.T, from, to *store.Store) {
	t.Helper()
	dir := t.TempDir()
	if err := from.List(t.Context(), "", func(o store.Object) error {
		in, err := from.Open(t.Context(), o.Key)
		if err != nil {
			return err
		}
		defer in.Close()
		data, err := io.ReadAll(in)
		if err != nil {
			return err
		}
		path := filepath.Join(dir, "object")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			return err
		}
		return to.PutFile(t.Context(), o.Key, path)
	}); err != nil {
		t.Fatal(err)
	}
}

// rows are the lines of the sink of lines, jobs and items, sorted.
func (y *try) rows() (rows []string) {
	y.t.Helper()
	if err := y.bucket.List(y.t.Context(), "lines", func(o store.Object) error {
		dataset, _, _ := strings.Cut(o.Key, "/")
		for _, line := range y.lines(o.Key) {
			rows = append(rows, dataset+" "+string(line))
		}
		return nil
	}); err != nil {
		y.t.Fatal(err)
	}
	slices.Sort(rows)
	return rows
}

// rebuildSpec is the pipeline of the sweeps.
func (y *try) rebuildSpec() pipeline.Spec {
	y.t.Helper()
	spec := pipeline.Spec{
		Name: "jobs", Window: nights[1].Sub(nights[0]),
		Rules: pipeline.Rules{"line_items": {Mode: pipeline.ModeTable}},
	}
	for _, o := range []sinks.FileOptions{
		{Format: "parquet", Path: "parquet", Compression: "snappy"},
		{Format: "jsonl", Path: "lines"},
	} {
		o.Spool, o.Mem = y.spool, y.memory
		sink, err := sinks.NewFile(o)
		if err != nil {
			y.t.Fatal(err)
		}
		spec.Sinks = append(spec.Sinks, sink)
	}
	return spec
}

// rebuild is one rebuild by a process of its own, with faults of the storage.
func (y *try) rebuild(f *faults) (*pipeline.RebuildReport, error) {
	y.t.Helper()
	y.runs++
	ctx, stop := context.WithCancel(y.t.Context())
	defer stop()
	f.stop = stop
	l, err := ledger.OpenExisting(ctx, storetest.Wrap(y.bucket, f.storage()), ledger.Options{Clock: y.now, InlineIDs: 3})
	if err != nil {
		return nil, err
	}
	r := y.rebuildRunner(l, l)
	r.Paging.InFlight = 1 // so that each call has its number
	report, err := r.Rebuild(ctx, y.rebuildSpec(), pipeline.RebuildOptions{
		Progress: l, Configured: []string{"parquet:parquet", "jsonl:lines"},
	})
	y.memory.AssertSize(y.t, 0)
	if left, spoolErr := os.ReadDir(y.spool); spoolErr != nil || len(left) > 0 {
		y.t.Errorf("the spool holds %v: %v", left, spoolErr)
	}
	return report, err
}

func quietLog() *slog.Logger { return slog.New(slog.DiscardHandler) }
