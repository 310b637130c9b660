package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/adteco/docarchive/internal/ledger"
	"github.com/adteco/docarchive/internal/store"
	"github.com/adteco/docarchive/internal/store/storetest"
	"github.com/adteco/docarchive/pipeline"
)

var day = pipeline.WindowAt(time.Date(2026, 11, 22, 5, 0, 0, 0, time.UTC), 24*time.Hour)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func openStore(t *testing.T, url string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), url, store.Options{
		Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	})
	must(t, err)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// nonces returns a source of texts that differ.
func nonces(prefix string) func() string {
	n := 0
	return func() string { n++; return fmt.Sprintf("%s-%d", prefix, n) }
}

func options() ledger.Options {
	return ledger.Options{ToolVersion: "v1.2.3", NewNonce: nonces("nonce")}
}

func openLedger(t *testing.T, s *store.Store, o ledger.Options) *ledger.Ledger {
	t.Helper()
	l, err := ledger.Open(t.Context(), s, o)
	must(t, err)
	return l
}

// part spools text as a part.
func part(t testing.TB, kind pipeline.Kind, path, text string, rows int64) pipeline.Part {
	t.Helper()
	p := spooled(filepath.Join(t.TempDir(), "spool"), path, text, rows)
	if p.Kind = kind; kind != pipeline.KindData {
		p.Dataset, p.Sink = "", ""
	}
	return p
}

// record is one for ids, with the files of parts.
func record(ids []string, parts ...pipeline.Part) *pipeline.Record {
	r := &pipeline.Record{}
	r.RunID = "20261123T020000-1"
	r.CommittedAt = time.Date(2026, 11, 23, 2, 0, 0, 123456000, time.UTC)
	r.Rows = int64(len(ids))
	for _, p := range parts {
		r.Files = append(r.Files, p.File)
	}
	r.CoveredTo, r.State, r.Baseline = day.End, pipeline.StateOpen, 7
	return r
}

// commit stages, appends and publishes.
func commit(t *testing.T, l *ledger.Ledger, h *pipeline.History, ids []string, parts ...pipeline.Part) *pipeline.History {
	t.Helper()
	for _, p := range parts {
		must(t, l.Stage(t.Context(), p))
	}
	next, err := l.Append(t.Context(), h, record(ids, parts...), ids)
	must(t, err)
	must(t, l.Publish(t.Context(), next.Head))
	return next
}

func load(t *testing.T, l *ledger.Ledger) *pipeline.History {
	t.Helper()
	h, err := l.Load(t.Context(), "invoices", day)
	must(t, err)
	return h
}

func archived(t *testing.T, l *ledger.Ledger, h *pipeline.History) []string {
	t.Helper()
	var all []string
	must(t, l.ArchivedIDs(t.Context(), h, func(ids []string) error {
		if len(ids) > 4096 {
			t.Errorf("%d ids at once", len(ids))
		}
		all = append(all, ids...)
		return nil
	}))
	return all
}

func text(t *testing.T, s *store.Store, key string) string {
	t.Helper()
	data, err := s.Get(t.Context(), key, store.MaxCreate)
	must(t, err)
	return string(data)
}

func objects(t *testing.T, s *store.Store, prefix string) []string {
	t.Helper()
	var keys []string
	must(t, s.List(t.Context(), prefix, func(o store.Object) error {
		keys = append(keys, o.Key)
		return nil
	}))
	return keys
}

func TestOpen(t *testing.T) {
	t.Parallel()
	s := openStore(t, "mem://")
	if _, err := ledger.OpenExisting(t.Context(), s, options()); !errors.Is(err, ledger.ErrNoArchive) {
		t.Error("no archive:", err)
	}
	l := openLedger(t, s, options())
	o := options()
	o.NewNonce = nonces("other")
	again := openLedger(t, s, o)
	if l.ID() != "nonce-1" || again.ID() != l.ID() || !again.Created().Equal(l.Created()) {
		t.Errorf("%q, %q", l.ID(), again.ID())
	}
	for content, want := range map[string]any{
		`{"uuid":"x","layout":2,"created":"2026-11-22T00:00:00Z","more":1}`: new(*ledger.VersionError),
		`{"uuid":"x","layout":1}`: new(*ledger.DamageError),
		``:                        new(*ledger.DamageError),
	} {
		must(t, s.Put(t.Context(), "_archive/identity.json", []byte(content)))
		if _, err := ledger.Open(t.Context(), s, options()); !errors.As(err, want) {
			t.Errorf("%s: %v", content, err)
		}
	}
}

func TestAppendAndLoad(t *testing.T) {
	t.Parallel()
	s := openStore(t, "file://"+t.TempDir())
	l := openLedger(t, s, options())
	h := load(t, l)
	if h.Head != nil || h.NextSeq() != 1 || len(archived(t, l, h)) > 0 {
		t.Errorf("an empty log: %+v", h)
	}
	first := commit(t, l, h, []string{"b", "a"}, part(t, pipeline.KindData, "invoices/d=1/20261122-000001.csv", "a\nb\n", 2))
	r := record([]string{"c"}, part(t, pipeline.KindQuarantine, "_archive/quarantine/invoices/20261122-000002.jsonl", "{}", 1))
	r.Rejected, r.Excluded, r.State = []string{"x", "w"}, 4, pipeline.StateSealed
	must(t, l.Stage(t.Context(), part(t, pipeline.KindQuarantine, r.Files[0].Path, "{}", 1)))
	second, err := l.Append(t.Context(), first, r, []string{"c"})
	must(t, err)
	must(t, l.Publish(t.Context(), r))

	loaded := load(t, openLedger(t, s, options()))
	if diff := cmp.Diff(second, loaded); diff != "" {
		t.Errorf("what Append returned differs from what Load returns (-append +load):\n%s", diff)
	}
	if loaded.Archived != 3 || loaded.Excluded != 4 || !loaded.Sealed() || strings.Join(loaded.Rejected, " ") != "w x" {
		t.Errorf("%+v", loaded)
	}
	if diff := cmp.Diff([]string{"a", "b", "c"}, archived(t, l, loaded)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"a", "b"}, archived(t, l, first)); diff != "" {
		t.Error("the ids as of the first record:", diff)
	}
	if got := text(t, s, "invoices/d=1/20261122-000001.csv"); got != "a\nb\n" {
		t.Errorf("published %q", got)
	}
	if left := objects(t, s, "_archive/staging/"); len(left) > 0 {
		t.Error("left in staging:", left)
	}
	if windows, err := l.Windows(t.Context(), "invoices"); err != nil || len(windows) != 1 || windows[0] != "20261122" {
		t.Error(windows, err)
	}
}

func TestAppendConflict(t *testing.T) {
	t.Parallel()
	s := openStore(t, "mem://")
	l := openLedger(t, s, options())
	h := load(t, l)
	commit(t, l, h, []string{"a"})
	o := options()
	o.NewNonce = nonces("other")
	other := openLedger(t, s, o)
	if _, err := other.Append(t.Context(), h, record([]string{"a"}), []string{"a"}); !errors.Is(err, pipeline.ErrConflict) {
		t.Error(err)
	}
}

func TestAppendRefuses(t *testing.T) {
	t.Parallel()
	now := time.Now()
	o := options()
	o.Clock = func() time.Time { return now }
	l := openLedger(t, openStore(t, "mem://"), o)
	h := load(t, l)
	data := func(path string) pipeline.Part { return part(t, pipeline.KindData, path, "x", 1) }
	for name, c := range map[string]struct {
		r   *pipeline.Record
		ids []string
	}{
		"an id twice":            {record([]string{"a", "a"}), []string{"a", "a"}},
		"an empty id":            {record([]string{""}), []string{""}},
		"another count":          {record([]string{"a"}), []string{"a", "b"}},
		"no state":               {&pipeline.Record{}, nil},
		"not staged":             {record(nil, data("invoices/x.csv")), nil},
		"data in control folder": {record(nil, data("_archive/log/invoices/20261122/000001.json")), nil},
		"escape":                 {record(nil, data("invoices/../x.csv")), nil},
		"hidden":                 {record(nil, data("invoices/_x.csv")), nil},
		"no folder":              {record(nil, data("x.csv")), nil},
		"raw of another":         {record(nil, part(t, pipeline.KindRaw, "_archive/raw/orders/x", "x", 1)), nil},
		"checksum":               {record(nil, pipeline.Part{File: pipeline.File{Kind: pipeline.KindData, Path: "a/b", SHA256: "../x"}}), nil},
	} {
		var damage *ledger.DamageError
		if _, err := l.Append(t.Context(), h, c.r, c.ids); err == nil || errors.As(err, &damage) {
			t.Errorf("%s: %v", name, err)
		}
	}
	p := data("invoices/x.csv")
	must(t, l.Stage(t.Context(), p))
	now = now.Add(25 * time.Hour)
	var stale *ledger.StaleError
	if _, err := l.Append(t.Context(), h, record(nil, p), nil); !errors.As(err, &stale) || stale.Age < 24*time.Hour {
		t.Error("staged long ago:", err)
	}
	must(t, l.Stage(t.Context(), p))
	if _, err := l.Append(t.Context(), h, record(nil, p), nil); err != nil {
		t.Error("staged again:", err)
	}
	if err := l.Publish(t.Context(), record(nil, data("../x"))); err == nil {
		t.Error("published outside of the archive")
	}
	broken := data("invoices/y.csv")
	broken.SHA256 = p.SHA256[1:] + "0"
	if err := l.Stage(t.Context(), broken); err == nil {
		t.Error("a part that is not what it says was staged")
	}
}

func TestIDsBesideTheLog(t *testing.T) {
	t.Parallel()
	s := openStore(t, "mem://")
	o := options()
	o.InlineIDs = 9
	l := openLedger(t, s, o)
	var ids []string
	for i := range 10_000 {
		ids = append(ids, fmt.Sprintf("job-%06d", i))
	}
	h := commit(t, l, load(t, l), ids)
	if len(h.Head.IDs) > 0 || h.Head.IDsFile == "" {
		t.Fatal("the ids are inline")
	}
	if diff := cmp.Diff(ids, archived(t, l, h)); diff != "" {
		t.Error(diff)
	}
	key := "_archive/ids/" + h.Head.IDsFile + ".json.zst"
	whole := text(t, s, key)
	check := func(name string, fails func(error) bool) {
		t.Helper()
		err := l.ArchivedIDs(t.Context(), h, func([]string) error { return nil })
		if !fails(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	isDamage := func(err error) bool { var d *ledger.DamageError; return errors.As(err, &d) }
	for name, content := range map[string]string{
		"truncated": whole[:len(whole)/2], "followed by junk": whole + "x", "no zstd": "[]", "empty": "",
	} {
		must(t, s.Put(t.Context(), key, []byte(content)))
		check(name, isDamage)
	}
	must(t, s.Delete(t.Context(), key))
	check("missing", isDamage)
	must(t, s.Put(t.Context(), key, []byte(whole)))
	stop := errors.New("stop")
	if err := l.ArchivedIDs(t.Context(), h, func([]string) error { return stop }); !errors.Is(err, stop) {
		t.Error(err)
	}
}

func TestAbsenceIsNotBelieved(t *testing.T) {
	t.Parallel()
	s := openStore(t, "mem://")
	l := openLedger(t, s, options())
	h := commit(t, l, load(t, l), []string{"a"}, part(t, pipeline.KindData, "invoices/x.csv", "x", 1))

	must(t, s.Delete(t.Context(), "_archive/identity.json"))
	var exchanged *ledger.IdentityError
	if _, err := l.Load(t.Context(), "invoices", day); !errors.As(err, &exchanged) {
		t.Error("the archive is gone:", err)
	}
	o := options()
	o.NewNonce = nonces("other")
	openLedger(t, s, o)
	must(t, s.Delete(t.Context(), "invoices/x.csv"))
	for name, err := range map[string]error{
		"load":    func() error { _, err := l.Load(t.Context(), "invoices", day); return err }(),
		"schema":  func() error { _, err := l.LatestSchema(t.Context(), "invoices"); return err }(),
		"publish": l.Publish(t.Context(), h.Head),
	} {
		if !errors.As(err, &exchanged) || exchanged.Is != "other-1" {
			t.Errorf("%s in another archive: %v", name, err)
		}
	}

	denied := storetest.Wrap(s, storetest.Hooks{Before: func(op storetest.Op, key string) error {
		if strings.HasPrefix(key, "_archive/log/") {
			return store.ErrNotExist
		}
		return store.ErrDenied
	}})
	if _, err := ledger.OpenExisting(t.Context(), denied, options()); !store.Denied(err) {
		t.Error(err)
	}
}
