package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/adteco/docarchive/internal/ledger"
	"github.com/adteco/docarchive/internal/store"
	"github.com/adteco/docarchive/internal/store/storetest"
	"github.com/adteco/docarchive/pipeline"
)

var errGone = errors.New("injected")

// failure makes request number at fail, or lets it be done and loses its reply;
// if dead, everything after it fails, too.
type failure struct {
	at          int
	after, dead bool

	mu     sync.Mutex
	count  int    // requests so far
	victim string // the operation whose reply is to be lost
}

func (f *failure) hooks() storetest.Hooks {
	return storetest.Hooks{
		Before: func(op storetest.Op, key string) error {
			f.mu.Lock()
			defer f.mu.Unlock()
			n := f.count
			f.count++
			switch {
			case n == f.at && f.after:
				f.victim = string(op) + key
			case n == f.at, n > f.at && f.dead:
				return errGone
			}
			return nil
		},
		After: func(op storetest.Op, key string) error {
			f.mu.Lock()
			defer f.mu.Unlock()
			if f.victim != string(op)+key {
				return nil
			}
			f.victim = ""
			return errGone
		},
	}
}

// jobsSeen reads every file that a reader sees, as one who lists the folder.
func jobsSeen(t *testing.T, s *store.Store) []string {
	t.Helper()
	var jobs []string
	for _, key := range objects(t, s, "invoices/") {
		jobs = append(jobs, strings.Fields(text(t, s, key))...)
	}
	slices.Sort(jobs)
	return jobs
}

// mergeAll merges all current files into one.
func mergeAll(ctx context.Context, l *ledger.Ledger, spool string) error {
	if err := l.SettleSwaps(ctx, "invoices"); err != nil {
		return err
	}
	seq, err := l.NextSwap(ctx, "invoices")
	if err != nil {
		return err
	}
	s := &pipeline.Swap{Reason: pipeline.SwapCompact}
	s.Pipeline, s.Seq = "invoices", seq
	var rows int64
	var all strings.Builder
	err = l.CurrentFiles(ctx, "invoices", func(_ string, f pipeline.File) error {
		s.Replaces = append(s.Replaces, f.Path)
		in, err := l.OpenFile(ctx, f)
		if err != nil {
			return err
		}
		defer in.Close()
		rows += f.Rows
		_, err = io.Copy(&all, in)
		return err
	})
	if err != nil || len(s.Replaces) < 2 {
		return err
	}
	p := spooled(spool, fmt.Sprintf("invoices/m=1/compact-%06d-001.csv", seq), all.String(), rows)
	s.Files = []pipeline.File{p.File}
	if err := l.Stage(ctx, p); err != nil {
		return err
	}
	if err := l.AppendSwap(ctx, s); err != nil {
		return err
	}
	return l.SettleSwaps(ctx, "invoices")
}

// TestSwapSweep makes each request of two compactions, with late jobs between
// them, fail in turn. At no time is a job missing from the files that readers
// see; after one more compaction, or nothing but a settling, each is there once.
func TestSwapSweep(t *testing.T) {
	t.Parallel()
	for _, mode := range []struct{ after, dead bool }{{false, false}, {true, false}, {false, true}, {true, true}} {
		t.Run(fmt.Sprintf("after %v, dead %v", mode.after, mode.dead), func(t *testing.T) {
			t.Parallel()
			for at := 0; sweepSwap(t, at, mode.after, mode.dead); at++ {
				if t.Failed() {
					t.Fatalf("request %d", at)
				}
			}
		})
	}
}

// sweepSwap reports whether there is a request of that number.
func sweepSwap(t *testing.T, at int, after, dead bool) bool {
	t.Helper()
	s := openStore(t, "mem://")
	l := openLedger(t, s, options())
	spool := t.TempDir() + "/merged"
	small(t, l, 3)
	must(t, mergeAll(t.Context(), l, spool))
	small(t, l, 2)
	want := []string{"job-1", "job-2", "job-3", "job-4", "job-5"}
	f := &failure{at: at + 1, after: after, dead: dead} // the first one opens the archive
	bad, err := ledger.OpenExisting(t.Context(), storetest.Wrap(s, f.hooks()), options())
	must(t, err)
	failed := mergeAll(t.Context(), bad, spool)
	met := f.count > f.at
	if !after && failed == nil && met {
		t.Error("nobody noticed that a request failed")
	}
	if got := slices.Compact(jobsSeen(t, s)); !slices.Equal(got, want) {
		t.Errorf("after the failure readers see %v", got)
	}
	fresh := openLedger(t, s, options())
	must(t, fresh.Publish(t.Context(), load(t, fresh).Head))
	must(t, fresh.SettleSwaps(t.Context(), "invoices"))
	sound := func(when string) {
		t.Helper()
		if diff := cmp.Diff(want, jobsSeen(t, s)); diff != "" {
			t.Errorf("%s (%v): %s", when, failed, diff)
		}
		if findings := verify(t, fresh); len(findings) > 0 {
			t.Errorf("%s (%v): %v", when, failed, findings)
		}
	}
	sound("settled")
	must(t, mergeAll(t.Context(), fresh, spool))
	sound("compacted")
	if files := objects(t, s, "invoices/"); len(files) != 1 {
		t.Errorf("compacted into %v", files)
	}
	return met
}
