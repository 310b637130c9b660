package ledger_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/adteco/docarchive/internal/ledger"
	"github.com/adteco/docarchive/internal/store"
	"github.com/adteco/docarchive/internal/store/storetest"
	"github.com/adteco/docarchive/pipeline"
)

// small commits n records of one job and one small file each.
func small(t *testing.T, l *ledger.Ledger, n int) {
	t.Helper()
	h := load(t, l)
	for range n {
		id := fmt.Sprintf("job-%d", h.NextSeq())
		h = commit(t, l, h, []string{id}, dataPart(t, smallPath(h.NextSeq()), id+"\n"))
	}
}

func smallPath(seq int) string { return fmt.Sprintf("invoices/m=1/20261122-%06d-001.csv", seq) }

// swap is one that merges the small files first to last into a file of the name.
func swap(seq, first, last int, p pipeline.Part) *pipeline.Swap {
	s := &pipeline.Swap{Reason: pipeline.SwapCompact, Files: []pipeline.File{p.File}}
	s.Pipeline, s.Seq, s.RunID = "invoices", seq, "run"
	s.CommittedAt = time.Date(2026, 12, 3, 2, 0, 0, 0, time.UTC)
	for i := first; i <= last; i++ {
		s.Replaces = append(s.Replaces, smallPath(i))
	}
	return s
}

// merged is the part that holds the jobs of n small ones.
func merged(t *testing.T, name, text string, n int64) pipeline.Part {
	t.Helper()
	return part(t, pipeline.KindData, "invoices/m=1/"+name, text, n)
}

func current(t *testing.T, l *ledger.Ledger) []string {
	t.Helper()
	var all []string
	must(t, l.CurrentFiles(t.Context(), "invoices", func(window string, f pipeline.File) error {
		all = append(all, strings.TrimSpace(window+" "+f.Path))
		return nil
	}))
	return all
}

func TestSwap(t *testing.T) {
	t.Parallel()
	s := openStore(t, "file://"+t.TempDir())
	l := openLedger(t, s, options())
	ctx := t.Context()
	small(t, l, 3)
	if seq, err := l.NextSwap(ctx, "invoices"); seq != 1 || err != nil {
		t.Error(seq, err)
	}
	first := merged(t, "compact-000001-001.csv", "one", 2)
	must(t, l.Stage(ctx, first))
	must(t, l.AppendSwap(ctx, swap(1, 1, 2, first)))
	if diff := cmp.Diff([]string{"20261122 " + smallPath(3), first.Path}, current(t, l)); diff != "" {
		t.Error(diff)
	}
	must(t, openLedger(t, s, options()).SettleSwaps(ctx, "invoices"))
	if diff := cmp.Diff([]string{smallPath(3), first.Path}, objects(t, s, "invoices/"), sorted); diff != "" {
		t.Error(diff)
	}
	// A swap may replace what a swap brought, and what came late.
	small(t, l, 1)
	second := merged(t, "compact-000002-001.csv", "two", 4)
	next := swap(2, 3, 4, second)
	next.Replaces = append(next.Replaces, first.Path)
	must(t, l.Stage(ctx, second))
	must(t, l.AppendSwap(ctx, next))
	must(t, l.SettleSwaps(ctx, "invoices"))
	fresh := openLedger(t, s, options())
	if diff := cmp.Diff([]string{second.Path}, current(t, fresh)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{second.Path}, objects(t, s, "invoices/")); diff != "" {
		t.Error(diff)
	}
	if left := objects(t, s, "_archive/staging/"); len(left) > 0 {
		t.Error("left in staging:", left)
	}
	if seq, err := fresh.NextSwap(ctx, "invoices"); seq != 3 || err != nil {
		t.Error(seq, err)
	}
}

var sorted = cmp.Transformer("sorted", func(in []string) map[string]bool {
	out := map[string]bool{}
	for _, s := range in {
		out[s] = true
	}
	return out
})

// A record whose files were replaced can be published again and again, and what
// a crash left of them in staging does not come back.
func TestPublishAfterSwap(t *testing.T) {
	t.Parallel()
	s := openStore(t, "mem://")
	l := openLedger(t, s, options())
	ctx := t.Context()
	one := dataPart(t, smallPath(1), "1")
	must(t, l.Stage(ctx, one))
	h, err := l.Append(ctx, load(t, l), record([]string{"a"}, one), []string{"a"})
	must(t, err)
	must(t, l.Publish(ctx, h.Head))
	must(t, l.Stage(ctx, one)) // as a crash before it was removed would leave it
	p := merged(t, "compact-000001-001.csv", "one", 1)
	must(t, l.Stage(ctx, p))
	must(t, l.AppendSwap(ctx, swap(1, 1, 1, p)))
	must(t, l.SettleSwaps(ctx, "invoices"))
	must(t, l.Publish(ctx, h.Head))
	// A slow upload of another run ends.
	must(t, l.Stage(ctx, one))
	for _, l := range []*ledger.Ledger{l, openLedger(t, s, options())} {
		must(t, l.Publish(ctx, h.Head))
	}
	if diff := cmp.Diff([]string{p.Path}, objects(t, s, "invoices/")); diff != "" {
		t.Error(diff)
	}
}

func TestAppendSwapRefuses(t *testing.T) {
	t.Parallel()
	s := openStore(t, "mem://")
	l := openLedger(t, s, options())
	ctx := t.Context()
	small(t, l, 3)
	p := merged(t, "compact-000001-001.csv", "one", 2)
	must(t, l.Stage(ctx, p))
	for name, change := range map[string]func(*pipeline.Swap){
		"too few rows":      func(s *pipeline.Swap) { s.Files[0].Rows = 1 },
		"another sink":      func(s *pipeline.Swap) { s.Files[0].Sink = "csv:other" },
		"not staged":        func(s *pipeline.Swap) { s.Files[0].Path = "invoices/m=1/x.csv" },
		"a name in use":     func(s *pipeline.Swap) { s.Files[0].Path = smallPath(3) },
		"replaces itself":   func(s *pipeline.Swap) { s.Replaces = append(s.Replaces, s.Files[0].Path) },
		"unknown file":      func(s *pipeline.Swap) { s.Replaces[0] = "invoices/m=1/none.csv" },
		"a control file":    func(s *pipeline.Swap) { s.Replaces[0] = "_archive/identity.json" },
		"no reason":         func(s *pipeline.Swap) { s.Reason = "" },
		"a number too high": func(s *pipeline.Swap) { s.Seq = 2 },
		"nothing":           func(s *pipeline.Swap) { s.Files, s.Replaces = nil, nil },
		"raw":               func(s *pipeline.Swap) { s.Files[0].Kind = pipeline.KindRaw },
		"same file twice":   func(s *pipeline.Swap) { s.Replaces[0] = s.Replaces[1] },
	} {
		bad := swap(1, 1, 2, p)
		change(bad)
		if err := l.AppendSwap(ctx, bad); err == nil || errors.Is(err, pipeline.ErrConflict) {
			t.Errorf("%s: %v", name, err)
		}
	}
	must(t, l.AppendSwap(ctx, swap(1, 1, 2, p)))
	for _, l := range []*ledger.Ledger{l, openLedger(t, s, options())} {
		p := merged(t, "compact-000002-001.csv", "two", 2)
		must(t, l.Stage(ctx, p))
		if err := l.AppendSwap(ctx, swap(1, 1, 2, p)); !errors.Is(err, pipeline.ErrConflict) {
			t.Error("its number is taken:", err)
		}
		if err := l.AppendSwap(ctx, swap(2, 2, 3, p)); !errors.Is(err, pipeline.ErrConflict) {
			t.Error("one file is replaced already:", err)
		}
	}
}

// A swap with thousands of files has them in a list beside it.
func TestSwapOfManyFiles(t *testing.T) {
	t.Parallel()
	s := openStore(t, "mem://")
	l := openLedger(t, s, options())
	ctx := t.Context()
	const n = 1200
	var parts []pipeline.Part
	for i := 1; i <= n; i++ {
		parts = append(parts, dataPart(t, smallPath(i), fmt.Sprint(i)))
	}
	r := record([]string{"a"}, parts...)
	h := load(t, l)
	for _, p := range parts {
		must(t, l.Stage(ctx, p))
	}
	h, err := l.Append(ctx, h, r, []string{"a"})
	must(t, err)
	must(t, l.Publish(ctx, h.Head))
	p := merged(t, "compact-000001-001.csv", "one", n)
	must(t, l.Stage(ctx, p))
	must(t, l.AppendSwap(ctx, swap(1, 1, n, p)))
	must(t, openLedger(t, s, options()).SettleSwaps(ctx, "invoices"))
	if diff := cmp.Diff([]string{p.Path}, objects(t, s, "invoices/")); diff != "" {
		t.Error(diff)
	}
	lists := objects(t, s, "_archive/files/")
	if len(lists) != 1 || len(text(t, s, "_archive/swaps/invoices/000001.json")) > 1000 {
		t.Errorf("lists: %v", lists)
	}
	put(t, s, lists[0], "x")
	if err := openLedger(t, s, options()).CurrentFiles(ctx, "invoices", nil); !errors.As(err, new(*ledger.DamageError)) {
		t.Error(err)
	}
}

// requests counts what passes.
func requests(s *store.Store, n *int) *store.Store {
	return storetest.Wrap(s, storetest.Hooks{Before: func(storetest.Op, string) error { *n++; return nil }})
}

func TestCostOfSwaps(t *testing.T) {
	t.Parallel()
	s := openStore(t, "mem://")
	l := openLedger(t, s, options())
	ctx := t.Context()
	small(t, l, 4)
	head := load(t, l).Head
	for seq := 1; seq <= 2; seq++ {
		p := merged(t, fmt.Sprintf("compact-%06d-001.csv", seq), fmt.Sprint(seq), 2)
		must(t, l.Stage(ctx, p))
		must(t, l.AppendSwap(ctx, swap(seq, 2*seq-1, 2*seq, p)))
		must(t, l.SettleSwaps(ctx, "invoices"))
	}
	var n int
	l = openLedger(t, requests(s, &n), options())
	cost := func(what string, want int, err error) {
		t.Helper()
		if must(t, err); n != want {
			t.Errorf("%s costs %d requests, not %d", what, n, want)
		}
		n = 0
	}
	n = 0
	cost("settling", 1, l.SettleSwaps(ctx, "invoices"))
	// A look at the file, a listing, the newest swap, the absence of the next and the identity.
	cost("publishing a replaced file", 5, l.Publish(ctx, head))
	cost("publishing it again", 1, l.Publish(ctx, head))
}

// No swap is written while there is something left to do for the one before.
func TestSwapSettlesTheOneBefore(t *testing.T) {
	t.Parallel()
	s, l, first := swapped(t, false)
	p := merged(t, "compact-000002-001.csv", "two", 3)
	next := swap(2, 3, 3, p)
	next.Replaces = append(next.Replaces, first.Path)
	must(t, l.Stage(t.Context(), p))
	must(t, l.AppendSwap(t.Context(), next))
	text(t, s, "_archive/swaps/invoices/000001.done")
	if diff := cmp.Diff([]string{smallPath(3), first.Path}, objects(t, s, "invoices/"), sorted); diff != "" {
		t.Error(diff)
	}
}
