package ledger_test

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/adteco/docarchive/internal/ledger"
	"github.com/adteco/docarchive/internal/store"
)

const firstRecord = "_archive/log/invoices/20261122/000001.json"

func TestDamagedLog(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(string) string{
		"another archive":   replace(`"archive_uuid":"nonce-1"`, `"archive_uuid":"nonce-2"`),
		"another pipeline":  replace(`"pipeline":"invoices"`, `"pipeline":"orders"`),
		"another window":    replace(`"window":"20261122"`, `"window":"20261123"`),
		"another number":    replace(`"seq":1`, `"seq":2`),
		"a predecessor":     replace(`"seq":1`, `"seq":1,"prev_sha256":"x"`),
		"version 0":         replace(`"v":1`, `"v":0`),
		"unknown key":       replace(`"seq":1`, `"seq":1,"other":2`),
		"double key":        replace(`"seq":1`, `"seq":2,"seq":1`),
		"another case":      replace(`"seq":1`, `"SEQ":1`),
		"unknown state":     replace(`"state":"open"`, `"state":"ajar"`),
		"ids in disorder":   replace(`["a","b"]`, `["b","a"]`),
		"too few ids":       replace(`["a","b"]`, `["a"]`),
		"space":             replace(`"seq":1`, `"seq": 1`),
		"truncated":         func(s string) string { return s[:len(s)-2] },
		"followed by more":  func(s string) string { return s + s },
		"empty":             func(string) string { return "" },
		"no longer chained": replace(`"tool_version":"v1.2.3"`, `"tool_version":"v1.2.4"`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openStore(t, "mem://")
			l := openLedger(t, s, options())
			commit(t, l, commit(t, l, load(t, l), []string{"a", "b"}), []string{"c"})
			was := text(t, s, firstRecord)
			is := change(was)
			if was == is {
				t.Fatal("nothing was changed")
			}
			must(t, s.Put(t.Context(), firstRecord, []byte(is)))
			var damage *ledger.DamageError
			if _, err := l.Load(t.Context(), "invoices", day); !errors.As(err, &damage) || !strings.HasPrefix(damage.Key, "_archive/log/invoices/20261122/00000") {
				t.Error(err)
			}
		})
	}
}

func replace(was, is string) func(string) string {
	return func(s string) string { return strings.Replace(s, was, is, 1) }
}

func TestNewerRecord(t *testing.T) {
	t.Parallel()
	s := openStore(t, "mem://")
	l := openLedger(t, s, options())
	commit(t, l, load(t, l), []string{"a"})
	must(t, s.Put(t.Context(), firstRecord, []byte(replace(`"v":1`, `"v":2,"new":true`)(text(t, s, firstRecord)))))
	var newer *ledger.VersionError
	if _, err := l.Load(t.Context(), "invoices", day); !errors.As(err, &newer) || newer.Found != 2 {
		t.Error(err)
	}
}

// No single changed bit of a log goes unnoticed, except in the last record,
// whose text nothing vouches for yet.
func TestBitFlips(t *testing.T) {
	t.Parallel()
	s := openStore(t, "mem://")
	l := openLedger(t, s, options())
	commit(t, l, commit(t, l, load(t, l), []string{"a", "b"}), []string{"c"})
	whole := text(t, s, firstRecord)
	ctx := t.Context()
	rapid.Check(t, func(t *rapid.T) {
		data := []byte(whole)
		data[rapid.IntRange(0, len(data)-1).Draw(t, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		if err := s.Put(ctx, firstRecord, data); err != nil {
			t.Fatal(err)
		}
		var damage *ledger.DamageError
		var newer *ledger.VersionError
		if _, err := l.Load(ctx, "invoices", day); !errors.As(err, &damage) && !errors.As(err, &newer) {
			t.Fatalf("%s: %v", data, err)
		}
	})
}

func TestPublishRepairs(t *testing.T) {
	t.Parallel()
	s := openStore(t, "file://"+t.TempDir())
	l := openLedger(t, s, options())
	p := dataPart(t, "invoices/20261122-000001.csv", "content")
	must(t, l.Stage(t.Context(), p))
	h, err := l.Append(t.Context(), load(t, l), record([]string{"a"}, p), []string{"a"})
	must(t, err)

	must(t, s.Put(t.Context(), p.Path, []byte("trunc")))
	for range 2 {
		must(t, l.Publish(t.Context(), h.Head))
		if got := text(t, s, p.Path); got != "content" {
			t.Errorf("published %q", got)
		}
	}
	must(t, s.Delete(t.Context(), p.Path))
	var damage *ledger.DamageError
	if err := l.Publish(t.Context(), h.Head); !errors.As(err, &damage) || damage.Key != p.Path {
		t.Error("neither staged nor published:", err)
	}
	must(t, l.Stage(t.Context(), p))
	must(t, l.Publish(t.Context(), h.Head))
	if _, err := s.Stat(t.Context(), p.Path); errors.Is(err, store.ErrNotExist) {
		t.Error("staging the part again does not repair it")
	}
}

// Equal bytes in two records do not share a staged object.
func TestEqualPartsAreStagedApart(t *testing.T) {
	t.Parallel()
	s := openStore(t, "mem://")
	l := openLedger(t, s, options())
	one, two := dataPart(t, "invoices/1.csv", "same"), dataPart(t, "invoices/2.csv", "same")
	must(t, l.Stage(t.Context(), one))
	must(t, l.Stage(t.Context(), two))
	h, err := l.Append(t.Context(), load(t, l), record([]string{"a"}, one), []string{"a"})
	must(t, err)
	must(t, l.Publish(t.Context(), h.Head))
	h, err = l.Append(t.Context(), h, record([]string{"b"}, two), []string{"b"})
	must(t, err)
	must(t, l.Publish(t.Context(), h.Head))
}
