package ledger_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/adteco/docarchive/internal/ledger"
	"github.com/adteco/docarchive/internal/store"
	"github.com/adteco/docarchive/internal/store/storetest"
	"github.com/adteco/docarchive/pipeline"
)

const firstSwap = "_archive/swaps/invoices/000001.json"

// swapped is an archive with three small files of which two are merged.
func swapped(t *testing.T, settled bool) (*store.Store, *ledger.Ledger, pipeline.Part) {
	t.Helper()
	s := openStore(t, "mem://")
	l := openLedger(t, s, options())
	small(t, l, 3)
	p := merged(t, "compact-000001-001.csv", "one", 2)
	must(t, l.Stage(t.Context(), p))
	must(t, l.AppendSwap(t.Context(), swap(1, 1, 2, p)))
	if settled {
		must(t, l.SettleSwaps(t.Context(), "invoices"))
	}
	return s, l, p
}

func TestVerifySwaps(t *testing.T) {
	t.Parallel()
	compact := "invoices/m=1/compact-000001-001.csv"
	tests := map[string]struct {
		unsettled bool
		damage    func(t *testing.T, s *store.Store)
		want      []ledger.Finding
	}{
		"sound": {damage: func(*testing.T, *store.Store) {}},
		"not settled": {
			unsettled: true, damage: func(*testing.T, *store.Store) {},
			want: []ledger.Finding{
				{Swap: 1, Path: firstSwap},
				{Swap: 1, Path: compact},
				{Swap: 1, Path: smallPath(1)},
				{Swap: 1, Path: smallPath(2)},
			},
		},
		"new file altered": {
			damage: func(t *testing.T, s *store.Store) { put(t, s, compact, "eno") },
			want:   []ledger.Finding{{Swap: 1, Path: compact}},
		},
		"new file missing": {
			damage: func(t *testing.T, s *store.Store) { must(t, s.Delete(t.Context(), compact)) },
			want:   []ledger.Finding{{Swap: 1, Path: compact}},
		},
		"replaced file came back": {
			damage: func(t *testing.T, s *store.Store) { put(t, s, smallPath(1), "job-1\n") },
			want:   []ledger.Finding{{Swap: 1, Path: smallPath(1)}},
		},
		"swap altered": {
			damage: func(t *testing.T, s *store.Store) { put(t, s, firstSwap, text(t, s, firstSwap)+" ") },
			want:   []ledger.Finding{{Swap: 1, Path: firstSwap}, {Seq: 1, Path: smallPath(1)}, {Seq: 2, Path: smallPath(2)}},
		},
		"wrong mark": {
			damage: func(t *testing.T, s *store.Store) {
				put(t, s, "_archive/swaps/invoices/000001.done", `{"swap_sha256":"x"}`+"\n")
			},
			want: []ledger.Finding{{Swap: 1, Path: "_archive/swaps/invoices/000001.done"}},
		},
		"swap missing": {
			damage: func(t *testing.T, s *store.Store) {
				put(t, s, "_archive/swaps/invoices/000003.json", text(t, s, firstSwap))
			},
			want: []ledger.Finding{{Swap: 2, Path: "_archive/swaps/invoices/000002.json"}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _, _ := swapped(t, !test.unsettled)
			test.damage(t, s)
			var got []ledger.Finding
			for _, f := range verify(t, openLedger(t, s, options())) {
				f.Window, f.Problem, f.Pipeline = "", "", ""
				got = append(got, f)
			}
			byPath := cmpopts.SortSlices(func(a, b ledger.Finding) bool { return a.Path < b.Path })
			if diff := cmp.Diff(test.want, got, byPath, cmpopts.EquateEmpty()); diff != "" {
				t.Error("(-want +got):", diff)
			}
		})
	}
}

// A compaction ends in the middle of a verification.
func TestVerifyWhileSwapped(t *testing.T) {
	t.Parallel()
	s := openStore(t, "mem://")
	l := openLedger(t, s, options())
	small(t, l, 2)
	p := merged(t, "compact-000001-001.csv", "one", 2)
	must(t, l.Stage(t.Context(), p))
	overtaken := storetest.Wrap(s, once(storetest.Read, smallPath(1), func() {
		must(t, l.AppendSwap(t.Context(), swap(1, 1, 2, p)))
		must(t, l.SettleSwaps(t.Context(), "invoices"))
	}))
	if findings := verify(t, openLedger(t, overtaken, options())); len(findings) > 0 {
		t.Error(findings)
	}
}

func TestGCOfSwaps(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 12, 3, 0, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	s := openStore(t, "mem://").With(func(b store.Backend) store.Backend { return &dated{b, clock, map[string]time.Time{}} })
	o := options()
	o.Clock = clock
	l := openLedger(t, s, o)
	ctx := t.Context()
	small(t, l, 3)
	p, orphan := merged(t, "compact-000001-001.csv", "one", 2), merged(t, "compact-000001-002.csv", "two", 2)
	must(t, l.Stage(ctx, p))
	must(t, l.Stage(ctx, orphan))
	must(t, l.AppendSwap(ctx, swap(1, 1, 2, p)))
	collect := func(want ledger.Garbage) {
		t.Helper()
		got, err := l.GC(ctx, now, week)
		got.Bytes = 0
		if err != nil || got != want {
			t.Errorf("%+v, %v; want %+v", got, err, want)
		}
	}
	now = now.Add(week + time.Second)
	collect(ledger.Garbage{Staged: 1}) // what the swap still needs stays
	must(t, l.SettleSwaps(ctx, "invoices"))
	must(t, l.Stage(ctx, dataPart(t, smallPath(1), "job-1\n"))) // of a run that was slow
	put(t, s, smallPath(2), "job-2\n")
	put(t, s, "_archive/files/0000.json.zst", "of no swap")
	collect(ledger.Garbage{Replaced: 1})
	now = now.Add(week + time.Second)
	collect(ledger.Garbage{Staged: 1, Lists: 1})
	if findings := verify(t, l); len(findings) > 0 {
		t.Error(findings)
	}
}
