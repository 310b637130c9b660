package pipeline_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/klauspost/compress/zstd"

	"github.com/adteco/docarchive/cache"
	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/docextract/docextracttest"
	"github.com/adteco/docarchive/internal/ledger"
	"github.com/adteco/docarchive/internal/store"
	"github.com/adteco/docarchive/internal/store/storetest"
	"github.com/adteco/docarchive/pipeline"
	"github.com/adteco/docarchive/sinks"
)

// account is the API of all sweeps: a few jobs in two windows and then a third, some of them
// not final at first, one that is none.
type account struct {
	sim    *docextracttest.Simulator
	client *docextract.Client
	micros atomic.Int64
}

// The nights of a sweep: between them open jobs end and new ones come.
var nights = []time.Time{
	time.Date(2026, 11, 24, 6, 0, 0, 0, time.UTC),
	time.Date(2026, 11, 25, 6, 0, 0, 0, time.UTC),
}

const (
	settle   = 15 * time.Minute
	pageSize = 9
)

func newAccount(t *testing.T) *account {
	t.Helper()
	a := &account{}
	a.turn(nights[0])
	a.sim = docextracttest.New(docextracttest.Config{
		Seed: 3, Jobs: 24, Open: 4, Span: 20 * time.Hour, Arrivals: 6.0 / (24 * 60), Key: "sk_test_sweep", Clock: a.now,
	})
	a.sim.AddRaw(nights[0].Add(-5*time.Hour), []byte(`{"id":"","status":"completed"}`))
	running, err := a.sim.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := running.Close(); err != nil {
			t.Error(err)
		}
	})
	if a.client, err = docextract.New(docextract.Options{BaseURL: running.URL, Key: "sk_test_sweep"}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.client.CloseIdle)
	return a
}

func (a *account) now() time.Time                 { return time.UnixMicro(a.micros.Load()).UTC() }
func (a *account) turn(to time.Time)              { a.micros.Store(to.UnixMicro()) }
func (a *account) cutoff() time.Time              { return a.now().Add(-settle) }
func noWait(context.Context, time.Duration) error { return nil }

// try is one archive of the account, and one fault on the way.
type try struct {
	*account
	t      *testing.T
	bucket *store.Store // without faults
	seen   *cache.Memory
	spool  string
	memory *memory.CheckedAllocator
	runs   int
}

func newTry(t *testing.T, a *account) *try {
	t.Helper()
	bucket, err := store.Open(t.Context(), "mem://", store.Options{Attempts: 1, Sleep: noWait})
	if err != nil {
		t.Fatal(err)
	}
	return &try{
		account: a, t: t, bucket: bucket, seen: cache.NewMemory(), spool: t.TempDir(),
		memory: memory.NewCheckedAllocator(memory.NewGoAllocator()),
	}
}

// place is where faults are injected.
type place int

const (
	inCalls   place = iota // between the pipeline and all that it is given
	inStorage              // between the ledger and the bucket
)

// night is one run.
func (y *try) night(f *faults, where place) error {
	y.t.Helper()
	y.runs++
	ctx, stop := context.WithCancel(y.t.Context())
	defer stop()
	f.stop = stop
	bucket, calls := y.bucket, &faults{}
	if where == inStorage {
		bucket = storetest.Wrap(y.bucket, f.storage())
	} else {
		calls = f
	}
	err := y.run(ctx, bucket, calls)
	y.memory.AssertSize(y.t, 0)
	left, spoolErr := os.ReadDir(y.spool)
	if spoolErr != nil || len(left) > 0 {
		y.t.Errorf("the spool holds %v: %v", left, spoolErr)
	}
	return err
}

func (y *try) run(ctx context.Context, bucket *store.Store, f *faults) error {
	l, err := ledger.Open(ctx, bucket, ledger.Options{Clock: y.now, InlineIDs: 3})
	if err != nil {
		return err
	}
	spec := pipeline.Spec{
		Name: "jobs", From: nights[0].Add(-24 * time.Hour), Window: 24 * time.Hour, Settle: settle, Keep: pipeline.Keep{Raw: true},
		Filter: pipeline.Filter{Status: []docextract.Status{docextract.StatusCompleted, docextract.StatusFailed}},
		Rules:  pipeline.Rules{"line_items": {Mode: pipeline.ModeTable}},
	}
	for _, o := range []sinks.FileOptions{
		{Format: "parquet", Path: "parquet", Compression: "snappy"},
		{Format: "jsonl", Path: "lines"},
	} {
		o.Spool, o.Mem = y.spool, y.memory
		sink, err := sinks.NewFile(o)
		if err != nil {
			return err
		}
		spec.Sinks = append(spec.Sinks, faultySink{sink, f})
	}
	r := pipeline.Runner{
		Identity: pipeline.Identity{RunID: fmt.Sprintf("run-%d", y.runs)},
		Source:   faultySource{y.client, f}, Requests: y.client.Requests,
		Stores: pipeline.Stores{
			ArchiveID: l.ID(), Ledger: faultyLedger{l, f}, Shelf: faultyShelf{l, f}, Schemas: faultySchemas{l, f},
			Library: l, Seen: faultySeen{y.seen, f},
		},
		Paging: pipeline.Paging{Size: pageSize, InFlight: 1},
		Spool:  y.spool, Now: y.now, Log: slog.New(slog.DiscardHandler), Memory: y.memory,
	}
	report, err := r.Run(ctx, []pipeline.Spec{spec})
	if err == nil && report.Pipelines[0].Windows.Unproven > 0 {
		err = fmt.Errorf("unproven: %v", report.Pipelines[0].Problems)
	}
	return err
}

// wrong compares the archive with the truth and with itself.
func (y *try) wrong() (found []string) {
	y.t.Helper()
	add := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	ctx := y.t.Context()
	l, err := ledger.OpenExisting(ctx, y.bucket, ledger.Options{})
	if err != nil {
		return []string{err.Error()}
	}
	if err := l.Verify(ctx, "jobs", func(f ledger.Finding) error { add("%+v", f); return nil }); err != nil {
		add("verify: %v", err)
	}
	lines, broken := map[string]int{}, 0
	if err := y.bucket.List(ctx, "", func(o store.Object) error {
		switch {
		case strings.HasPrefix(o.Key, "lines/") && !strings.Contains(o.Key, "line_items"):
			for _, line := range y.lines(o.Key) {
				var row struct {
					ID string `json:"job_id"`
				}
				if err := json.Unmarshal(line, &row); err != nil {
					return fmt.Errorf("%s: %w", o.Key, err)
				}
				lines[row.ID]++
			}
		case strings.HasPrefix(o.Key, path.Dir(pipeline.QuarantinePath(pipeline.Destination{Pipeline: "jobs"}))):
			broken += len(y.lines(o.Key))
		}
		return nil
	}); err != nil {
		add("list: %v", err)
	}
	if broken != 1 {
		add("%d elements in quarantine instead of 1", broken)
	}
	final := map[string]bool{}
	if err := y.sim.Truth(func(j docextracttest.TruthJob) error {
		if !j.Final {
			return nil
		}
		final[j.ID] = true
		if n := lines[j.ID]; n > 1 || n == 0 && j.CreatedAt.Before(y.cutoff()) {
			add("job %s of %v is there %d times", j.ID, j.CreatedAt, n)
		}
		return nil
	}); err != nil {
		add("the truth: %v", err)
	}
	for id := range lines {
		if !final[id] {
			add("job %q is not final, and archived", id)
		}
	}
	return found
}

// lines reads a published file of lines.
func (y *try) lines(key string) (lines [][]byte) {
	y.t.Helper()
	in, err := y.bucket.Open(y.t.Context(), key)
	if err != nil {
		y.t.Fatal(err)
	}
	defer in.Close()
	scanner := bufio.NewScanner(in)
	if strings.HasSuffix(key, ".zst") {
		z, err := zstd.NewReader(in)
		if err != nil {
			y.t.Fatal(err)
		}
		defer z.Close()
		scanner = bufio.NewScanner(z)
	}
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		lines = append(lines, append([]byte(nil), scanner.Bytes()...))
	}
	if err := scanner.Err(); err != nil {
		y.t.Fatalf("%s: %v", key, err)
	}
	return lines
}
