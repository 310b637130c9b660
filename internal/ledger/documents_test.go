package ledger_test

import (
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/adteco/docarchive/internal/ledger"
	"github.com/adteco/docarchive/internal/store"
	"github.com/adteco/docarchive/pipeline"
)

// documentList is a list of which document the jobs have.
func documentList(t *testing.T, rows ...pipeline.KeptDocument) pipeline.Part {
	t.Helper()
	z, err := zstd.NewWriter(nil)
	must(t, err)
	defer z.Close()
	var plain []byte
	for _, row := range rows {
		line, err := json.Marshal(row)
		must(t, err)
		plain = append(append(plain, line...), '\n')
	}
	return part(t, pipeline.KindDocuments, "_archive/document-lists/invoices/20261122-000001.jsonl.zst",
		string(z.EncodeAll(plain, nil)), int64(len(rows)))
}

func keptKey(p pipeline.Part) string { return "_archive/documents/" + p.SHA256 }

// shelf is an archive of two jobs with the same document, one of which none is
// to be had, and a document that no list names.
func shelf(t *testing.T, clock func() time.Time) (l *ledger.Ledger, s *store.Store, kept, orphan pipeline.Part) {
	t.Helper()
	s = openStore(t, "mem://").With(func(b store.Backend) store.Backend { return &dated{b, clock, map[string]time.Time{}} })
	o := options()
	o.Clock = clock
	l = openLedger(t, s, o)
	ctx := t.Context()
	spool := t.TempDir()
	kept = spooled(filepath.Join(spool, "kept"), "x", "a document", 0)
	orphan = spooled(filepath.Join(spool, "orphan"), "x", "of a run that died", 0)
	for _, p := range []pipeline.Part{kept, kept, orphan} {
		must(t, l.KeepDocument(ctx, p.Spool, p.SHA256, p.Size))
	}
	same := pipeline.KeptDocument{SHA256: kept.SHA256, Size: kept.Size, MIMEType: "application/pdf"}
	a, b := same, same
	a.ID, b.ID = "a", "b"
	list := documentList(t, a, b, pipeline.KeptDocument{ID: "c", Missing: "it is gone"})
	must(t, l.Stage(ctx, list))
	h, err := l.Append(ctx, load(t, l), record([]string{"a", "b", "c"}, list), []string{"a", "b", "c"})
	must(t, err)
	_ = h // it is not published: the list is staged only
	return l, s, kept, orphan
}

func TestGCOfDocuments(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	l, s, kept, orphan := shelf(t, func() time.Time { return now })
	now = now.Add(week)
	if g, err := l.GC(t.Context(), now, week); err != nil || g.Documents != 0 {
		t.Errorf("%+v, %v: it is not old enough", g, err)
	}
	// One that is kept again is young again.
	now = now.Add(time.Second)
	must(t, l.KeepDocument(t.Context(), orphan.Spool, orphan.SHA256, orphan.Size))
	if g, err := l.GC(t.Context(), now, week); err != nil || g.Documents != 0 {
		t.Errorf("%+v, %v: it was kept again", g, err)
	}
	now = now.Add(week + time.Second)
	g, err := l.GC(t.Context(), now, week)
	if err != nil || g.Documents != 1 {
		t.Errorf("%+v, %v", g, err)
	}
	if got := objects(t, s, "_archive/documents/"); len(got) != 1 || got[0] != keptKey(kept) {
		t.Errorf("left: %v", got)
	}
}

func TestVerifyDocuments(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		damage      func(*store.Store, string) error
		found, deep int
	}{
		"nothing": {func(*store.Store, string) error { return nil }, 0, 0},
		"missing": {func(s *store.Store, key string) error { return s.Delete(t.Context(), key) }, 2, 2},
		"longer":  {func(s *store.Store, key string) error { return s.Put(t.Context(), key, []byte("a document!")) }, 2, 2},
		"altered": {func(s *store.Store, key string) error { return s.Put(t.Context(), key, []byte("A document")) }, 0, 2},
	} {
		l, s, kept, _ := shelf(t, time.Now)
		must(t, l.Publish(t.Context(), load(t, l).Head))
		must(t, c.damage(s, keptKey(kept)))
		if found := verify(t, l); len(found) != c.found {
			t.Errorf("%s: %+v", name, found)
		}
		deep := 0
		must(t, l.VerifyDocuments(t.Context(), "invoices", func(ledger.Finding) error { deep++; return nil }))
		if deep != c.deep {
			t.Errorf("%s: %d findings in the bytes", name, deep)
		}
	}
}

func TestOpenDocument(t *testing.T) {
	t.Parallel()
	l, s, kept, _ := shelf(t, time.Now)
	body, err := l.OpenDocument(t.Context(), kept.SHA256, kept.Size)
	must(t, err)
	text, err := io.ReadAll(body)
	if err := errors.Join(err, body.Close()); err != nil || string(text) != "a document" {
		t.Errorf("%q, %v", text, err)
	}
	put(t, s, keptKey(kept), "A document")
	body, err = l.OpenDocument(t.Context(), kept.SHA256, kept.Size)
	must(t, err)
	var damage *ledger.DamageError
	if _, err := io.ReadAll(body); !errors.As(err, &damage) {
		t.Errorf("altered bytes: %v", err)
	}
	must(t, body.Close())
	for _, sum := range []string{"", "../identity.json", kept.SHA256[1:]} {
		if _, err := l.OpenDocument(t.Context(), sum, 1); err == nil {
			t.Errorf("%q was opened", sum)
		}
		if err := l.KeepDocument(t.Context(), kept.Spool, sum, kept.Size); err == nil {
			t.Errorf("%q was kept", sum)
		}
	}
	if err := l.KeepDocument(t.Context(), kept.Spool, kept.SHA256, kept.Size+1); !errors.Is(err, store.ErrLocal) {
		t.Errorf("another spooled file: %v", err)
	}
}
