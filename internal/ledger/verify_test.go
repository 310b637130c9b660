package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/adteco/docarchive/internal/ledger"
	"github.com/adteco/docarchive/internal/store"
	"github.com/adteco/docarchive/pipeline"
)

// verify returns the findings without what a test need not pin down.
func verify(t *testing.T, l *ledger.Ledger) []ledger.Finding {
	t.Helper()
	var findings []ledger.Finding
	must(t, l.Verify(t.Context(), "invoices", func(f ledger.Finding) error {
		if f.Pipeline != "invoices" || f.Problem == "" {
			t.Errorf("%+v", f)
		}
		findings = append(findings, f)
		return nil
	}))
	return findings
}

func TestVerify(t *testing.T) {
	t.Parallel()
	const (
		one    = "invoices/m=1/20261122-000001.csv"
		two    = "invoices/m=1/20261122-000002.csv"
		second = "_archive/log/invoices/20261122/000002.json"
	)
	at := func(seq int, path string) []ledger.Finding {
		return []ledger.Finding{{Window: "20261122", Seq: seq, Path: path}}
	}
	for name, c := range map[string]struct {
		damage func(t *testing.T, l *ledger.Ledger, s *store.Store)
		want   []ledger.Finding
	}{
		"nothing":      {func(*testing.T, *ledger.Ledger, *store.Store) {}, nil},
		"file missing": {func(t *testing.T, _ *ledger.Ledger, s *store.Store) { must(t, s.Delete(t.Context(), one)) }, at(1, one)},
		"file altered": {func(t *testing.T, _ *ledger.Ledger, s *store.Store) { put(t, s, two, "zwei") }, at(2, two)},
		"file longer":  {func(t *testing.T, _ *ledger.Ledger, s *store.Store) { put(t, s, two, "two, longer") }, at(2, two)},
		"unknown file": {
			func(t *testing.T, _ *ledger.Ledger, s *store.Store) { put(t, s, "invoices/m=2/x.csv", "x") },
			[]ledger.Finding{{Path: "invoices/m=2/x.csv"}},
		},
		"hidden file": {func(t *testing.T, _ *ledger.Ledger, s *store.Store) { put(t, s, "invoices/_SUCCESS", "") }, nil},
		"other pipeline's file": {func(t *testing.T, l *ledger.Ledger, _ *store.Store) {
			h, err := l.Load(t.Context(), "orders", day)
			must(t, err)
			commit(t, l, h, []string{"a"}, dataPart(t, "invoices/m=2/orders.csv", "x"))
		}, nil},
		"record altered": {
			func(t *testing.T, _ *ledger.Ledger, s *store.Store) { put(t, s, second, "{}") }, append(at(2, second), ledger.Finding{}),
		},
		"record missing": {
			func(t *testing.T, _ *ledger.Ledger, s *store.Store) { must(t, s.Delete(t.Context(), second)) },
			append(at(2, second), ledger.Finding{Path: two}),
		},
		"ids missing": {func(t *testing.T, l *ledger.Ledger, s *store.Store) {
			must(t, s.Delete(t.Context(), objects(t, s, "_archive/ids/")[0]))
		}, at(3, "ids")},
		"job twice": {func(t *testing.T, l *ledger.Ledger, _ *store.Store) {
			next := pipeline.Window{Start: day.End, End: day.End.Add(24 * time.Hour)}
			h, err := l.Load(t.Context(), "invoices", next)
			must(t, err)
			commit(t, l, h, []string{"b", "z"})
		}, []ledger.Finding{{Window: "20261123", Seq: 1}}},
		"rows": {func(t *testing.T, l *ledger.Ledger, _ *store.Store) {
			p := dataPart(t, "invoices/m=1/20261122-000004.csv", "y")
			p.Rows = 2
			commit(t, l, load(t, l), []string{"y"}, p)
		}, at(4, "_archive/log/invoices/20261122/000004.json")},
		"schema": {func(t *testing.T, l *ledger.Ledger, s *store.Store) {
			must(t, l.AppendSchema(t.Context(), schema(1, "a")))
			r := record(nil)
			r.Schemas = map[string]int{"invoices": 2}
			_, err := l.Append(t.Context(), load(t, l), r, nil)
			must(t, err)
		}, []ledger.Finding{{Path: "_archive/schema/invoices/000002.json"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openStore(t, "mem://")
			o := options()
			o.InlineIDs = 2
			l := openLedger(t, s, o)
			h := commit(t, l, load(t, l), []string{"a"}, dataPart(t, one, "one"))
			h = commit(t, l, h, []string{"b"}, dataPart(t, two, "two!"))
			commit(t, l, h, []string{"c", "d", "e"})
			c.damage(t, l, s)
			got := verify(t, l)
			for i := range got {
				if c.want != nil && i < len(c.want) && c.want[i].Path == "ids" && strings.HasPrefix(got[i].Path, "_archive/ids/") {
					got[i].Path = "ids"
				}
			}
			if name == "record altered" {
				got, c.want = got[:1], c.want[:1] // what the lost records named is unknown now, too
			}
			if diff := cmp.Diff(c.want, got, cmpopts.IgnoreFields(ledger.Finding{}, "Pipeline", "Problem")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func put(t *testing.T, s *store.Store, key, content string) {
	t.Helper()
	must(t, s.Put(t.Context(), key, []byte(content)))
}

func TestVerifyStops(t *testing.T) {
	t.Parallel()
	s := openStore(t, "mem://")
	l := openLedger(t, s, options())
	commit(t, l, load(t, l), []string{"a"}, dataPart(t, "invoices/1.csv", "one"))
	must(t, s.Delete(t.Context(), "invoices/1.csv"))
	stop := errors.New("stop")
	if err := l.Verify(t.Context(), "invoices", func(ledger.Finding) error { return stop }); !errors.Is(err, stop) {
		t.Error(err)
	}
}

// dated is a storage with its own dates, later by what stands for now.
type dated struct {
	store.Backend
	now   func() time.Time
	dates map[string]time.Time
}

func (d *dated) Put(ctx context.Context, key string, c store.Content) error {
	d.dates[key] = d.now()
	return d.Backend.Put(ctx, key, c)
}

func (d *dated) Stat(ctx context.Context, key string) (store.Object, error) {
	o, err := d.Backend.Stat(ctx, key)
	o.Modified = d.dates[key]
	return o, err
}

func (d *dated) List(ctx context.Context, prefix string, fn func(store.Object) error) error {
	return d.Backend.List(ctx, prefix, func(o store.Object) error {
		o.Modified = d.dates[o.Key]
		return fn(o)
	})
}

const week = 7 * 24 * time.Hour

func TestGC(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	plain := openStore(t, "mem://")
	s := plain.With(func(b store.Backend) store.Backend { return &dated{b, clock, map[string]time.Time{}} })
	o := options()
	o.Clock, o.InlineIDs = clock, 1
	l := openLedger(t, s, o)
	ctx := t.Context()

	published, committed, orphan := dataPart(t, "invoices/1.csv", "one"), dataPart(t, "invoices/2.csv", "two"), dataPart(t, "invoices/3.csv", "three")
	published.Rows, committed.Rows = 2, 2
	for _, p := range []pipeline.Part{published, committed, orphan} {
		must(t, l.Stage(ctx, p))
	}
	h, err := l.Append(ctx, load(t, l), record([]string{"a", "b"}, published), []string{"a", "b"})
	must(t, err)
	must(t, l.Publish(ctx, h.Head))
	must(t, l.Stage(ctx, published)) // as if the process had died before it was removed
	h, err = l.Append(ctx, h, record([]string{"c", "d"}, committed), []string{"c", "d"})
	must(t, err)
	if _, err := l.Append(ctx, &pipeline.History{Pipeline: "invoices", Window: day}, record([]string{"x", "y"}), []string{"x", "y"}); !errors.Is(err, pipeline.ErrConflict) {
		t.Fatal(err)
	}
	collect := func(age time.Duration, want ledger.Garbage) {
		t.Helper()
		got, err := l.GC(ctx, now, age)
		got.Bytes = 0
		if err != nil || got != want {
			t.Errorf("%+v, %v; want %+v", got, err, want)
		}
	}
	if _, err := l.GC(ctx, now, time.Hour); err == nil {
		t.Error("collecting what may still be committed was not refused")
	}
	now = now.Add(week)
	collect(week, ledger.Garbage{})
	now = now.Add(time.Second)
	collect(week, ledger.Garbage{Staged: 2, IDs: 1})
	collect(week, ledger.Garbage{})
	must(t, l.Publish(ctx, h.Head))
	if got := len(archived(t, l, h)); got != 4 {
		t.Error(got, "ids left")
	}
	if findings := verify(t, l); len(findings) > 0 {
		t.Error(findings)
	}

	// What is about to be staged again when it is old gets young by that.
	must(t, l.Stage(ctx, orphan))
	now = now.Add(week + time.Second)
	must(t, l.Stage(ctx, orphan))
	collect(week, ledger.Garbage{})

	// With a log that cannot be read nothing is removed.
	now = now.Add(week + time.Second)
	put(t, s, firstRecord, "{}")
	if g, err := l.GC(ctx, now, week); err == nil || g.Staged > 0 {
		t.Error(fmt.Sprint(g), err)
	}
}
