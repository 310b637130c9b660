package ledger_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/adteco/docarchive/internal/ledger"
	"github.com/adteco/docarchive/internal/store"
	"github.com/adteco/docarchive/pipeline"
)

func TestRebuildProgress(t *testing.T) {
	t.Parallel()
	s := openStore(t, "file://"+t.TempDir())
	l, ctx := openLedger(t, s, options()), t.Context()
	p := part(t, pipeline.KindData, "invoices/20261122-000001-000-r1.csv", "a", 1)
	first := &pipeline.Rebuilt{Window: "20261122", Records: []pipeline.RebuiltRecord{
		{Seq: 1, Nonce: "n1", Files: []pipeline.File{p.File}}, {Seq: 2, Nonce: "n2", Loaded: []string{"0 sqlite:invoices"}},
	}}
	must(t, l.KeepProgress(ctx, "invoices", "f1", first))
	must(t, l.KeepProgress(ctx, "invoices", "f1", first)) // in place of itself
	must(t, l.KeepProgress(ctx, "invoices", "f2", &pipeline.Rebuilt{Window: "20261122"}))
	must(t, l.KeepProgress(ctx, "other", "f1", &pipeline.Rebuilt{Window: "20261122"}))
	// What cannot be read, or stands in the wrong place, counts as nothing.
	for name, text := range map[string]string{
		"20261123": "{", "20261124": `{"v":1,"window":"20261122","records":null}` + "\n", "20261125": `{"v":9}` + "\n",
		"20261126": `{"v":1,"window":"20261126","records":[{"seq":1,"nonce":"n","files":[{"kind":"data","path":"_archive/identity.json","sha256":"","size":1,"rows":1}]}]}` + "\n",
	} {
		must(t, s.Put(ctx, "_archive/rebuilds/invoices/f1/"+name+".json", []byte(text)))
	}
	got, err := openLedger(t, s, options()).Progress(ctx, "invoices", "f1")
	must(t, err)
	if diff := cmp.Diff(map[string]*pipeline.Rebuilt{"20261122": first}, got); diff != "" {
		t.Errorf("(-kept +read): %s", diff)
	}
	must(t, l.DropProgress(ctx, "invoices", "f1"))
	must(t, l.DropProgress(ctx, "invoices", "f1"))
	want := []string{"_archive/rebuilds/invoices/f2/20261122.json", "_archive/rebuilds/other/f1/20261122.json"}
	if diff := cmp.Diff(want, objects(t, s, "_archive/rebuilds/"), sorted); diff != "" {
		t.Errorf("left: %s", diff)
	}
}

// TestAdopt commits what another process has staged, be it young, old or gone.
func TestAdopt(t *testing.T) {
	t.Parallel()
	s, ctx := openStore(t, "file://"+t.TempDir()), t.Context()
	spool, now := t.TempDir(), time.Now()
	o := options()
	o.Clock = func() time.Time { return now }
	l := openLedger(t, s, o)
	small(t, l, 1)
	p := part(t, pipeline.KindData, "invoices/m=1/new.csv", "rows", 1)
	must(t, l.Stage(ctx, p))
	adopt := func(l *ledger.Ledger, want bool) {
		t.Helper()
		if there, err := l.Adopt(ctx, p.File, spool); there != want || err != nil {
			t.Errorf("adopt: %v, %v, want %v", there, err, want)
		}
	}
	adopt(openLedger(t, s, o), true)
	staged := objects(t, s, "_archive/staging/")
	if len(staged) != 1 {
		t.Fatalf("staged: %v", staged)
	}
	before, err := s.Stat(ctx, staged[0])
	must(t, err)

	now = now.Add(5 * 24 * time.Hour) // too old to be committed as it is
	other := openLedger(t, s, o)
	adopt(other, true)
	after, err := s.Stat(ctx, staged[0])
	must(t, err)
	if !after.Modified.After(before.Modified) {
		t.Errorf("an old file was not renewed: %v, then %v", before.Modified, after.Modified)
	}
	w := swap(1, 1, 1, p)
	w.Reason = pipeline.SwapRebuild
	must(t, other.AppendSwap(ctx, w))

	must(t, s.Put(ctx, staged[0], []byte("ROWS"))) // other bytes: nothing that may be committed
	now = now.Add(24 * time.Hour)
	adopt(openLedger(t, s, o), false)
	must(t, s.Put(ctx, staged[0], []byte("shorter than that is not")))
	adopt(openLedger(t, s, o), false)
	must(t, s.Delete(ctx, staged[0]))
	adopt(openLedger(t, s, o), false)
	if left := objects(t, openStore(t, "file://"+spool), ""); len(left) != 0 {
		t.Errorf("the spool holds %v", left)
	}
}

// TestGCRemovesProgress of rebuilds that were given up, and not of others.
func TestGCRemovesProgress(t *testing.T) {
	t.Parallel()
	s, ctx := openStore(t, "file://"+t.TempDir()), t.Context()
	l := openLedger(t, s, options())
	must(t, l.KeepProgress(ctx, "invoices", "f1", &pipeline.Rebuilt{Window: "20261122"}))
	for _, c := range []struct {
		age  time.Duration
		left int
	}{{6 * 24 * time.Hour, 1}, {8 * 24 * time.Hour, 0}} {
		_, err := l.GC(ctx, time.Now().Add(c.age), 7*24*time.Hour)
		must(t, err)
		n := 0
		must(t, s.List(ctx, "_archive/rebuilds/", func(store.Object) error { n++; return nil }))
		if n != c.left {
			t.Errorf("after %v: %d files of progress, want %d", c.age, n, c.left)
		}
	}
}
