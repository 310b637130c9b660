package ledger_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/adteco/docarchive/internal/ledger"
	"github.com/adteco/docarchive/internal/store"
	"github.com/adteco/docarchive/internal/store/storetest"
)

// once returns a hook that calls f before the first operation of a kind on keys
// with a prefix.
func once(op storetest.Op, prefix string, f func()) storetest.Hooks {
	done := false
	return storetest.Hooks{Before: func(o storetest.Op, key string) error {
		if o == op && strings.HasPrefix(key, prefix) && !done {
			done = true
			f()
		}
		return nil
	}}
}

// Another process publishes the same record between the look and the copy.
func TestPublishIsOvertaken(t *testing.T) {
	t.Parallel()
	s := openStore(t, "mem://")
	l := openLedger(t, s, options())
	p := dataPart(t, "invoices/1.csv", "one")
	must(t, l.Stage(t.Context(), p))
	h, err := l.Append(t.Context(), load(t, l), record([]string{"a"}, p), []string{"a"})
	must(t, err)
	overtaken := storetest.Wrap(s, once(storetest.Copy, "invoices/", func() {
		if err := l.Publish(t.Context(), h.Head); err != nil {
			t.Error(err)
		}
	}))
	if err := openLedger(t, overtaken, options()).Publish(t.Context(), h.Head); err != nil {
		t.Error(err)
	}
	if got := text(t, s, "invoices/1.csv"); got != "one" {
		t.Errorf("published %q", got)
	}
}

// An orphan is staged again while garbage collection reads the logs.
func TestGCIsOvertaken(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	o := options()
	o.Clock = func() time.Time { return now }
	s := openStore(t, "mem://").With(func(b store.Backend) store.Backend {
		return &dated{b, o.Clock, map[string]time.Time{}}
	})
	l := openLedger(t, s, o)
	p := dataPart(t, "invoices/1.csv", "one")
	must(t, l.Stage(t.Context(), p))
	now = now.Add(2 * week)
	overtaken := storetest.Wrap(s, once(storetest.List, "_archive/log/", func() {
		if err := l.Stage(t.Context(), p); err != nil {
			t.Error(err)
		}
	}))
	if g, err := openLedger(t, overtaken, o).GC(t.Context(), now, week); err != nil || g.Staged > 0 {
		t.Error(g, err)
	}
	h, err := l.Append(t.Context(), load(t, l), record([]string{"a"}, p), []string{"a"})
	must(t, err)
	must(t, l.Publish(t.Context(), h.Head))
}

// A record that was tampered with moves nothing to where it must not be.
func TestPublishChecksTheRecord(t *testing.T) {
	t.Parallel()
	l := openLedger(t, openStore(t, "mem://"), options())
	p := dataPart(t, "_archive/log/invoices/20261122/000009.json", "{}")
	must(t, l.Stage(t.Context(), p))
	r := record([]string{"a"}, p)
	r.Pipeline, r.Window, r.Seq = "invoices", "20261122", 1
	var damage *ledger.DamageError
	if err := l.Publish(t.Context(), r); !errors.As(err, &damage) || damage.Key != firstRecord {
		t.Error(err)
	}
	if _, err := l.Load(t.Context(), "invoices", day); err != nil {
		t.Error(err)
	}
}
