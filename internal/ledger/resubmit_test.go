package ledger_test

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/adteco/docarchive/internal/ledger"
	"github.com/adteco/docarchive/internal/store"
	"github.com/adteco/docarchive/internal/store/storetest"
	"github.com/adteco/docarchive/pipeline"
)

var intended = time.Date(2026, 11, 22, 5, 0, 0, 0, time.UTC)

func intent(original string, attempt int, token string) *pipeline.Intent {
	return &pipeline.Intent{
		AttemptIdentity: pipeline.AttemptIdentity{
			Pipeline: "jobs", Original: original, Attempt: attempt, Token: token, RunID: "run-1",
		},
		Created: intended, PostNotAfter: intended.Add(time.Minute), SHA256: "00ff", Size: 12,
	}
}

func result(o pipeline.Outcome, jobID string) *pipeline.Result {
	r := &pipeline.Result{Concluded: intended.Add(time.Second), Outcome: o, JobID: jobID}
	r.RunID = "run-2"
	return r
}

func unresolved(t *testing.T, l *ledger.Ledger, name string) (tokens []string) {
	t.Helper()
	must(t, l.Unresolved(t.Context(), name, func(a pipeline.Attempt) error {
		tokens = append(tokens, a.Intent.Token)
		return nil
	}))
	return tokens
}

func TestAttempts(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"mem://", "file://" + t.TempDir()} {
		l := openLedger(t, openStore(t, url), options())
		ctx := t.Context()
		if h, err := l.History(ctx, "job_1"); err != nil || len(h) != 0 {
			t.Fatalf("%v %v", h, err)
		}
		first := intent("job_1", 1, "a")
		must(t, l.Intend(ctx, first))
		if err := l.Intend(ctx, intent("job_1", 1, "b")); !errors.Is(err, pipeline.ErrConflict) {
			t.Errorf("the attempt of another: %v", err)
		}
		if diff := cmp.Diff([]string{"a"}, unresolved(t, l, "jobs")); diff != "" || len(unresolved(t, l, "others")) > 0 {
			t.Error(diff)
		}
		must(t, l.Conclude(ctx, first, result(pipeline.OutcomeUnsent, "")))
		if err := l.Conclude(ctx, first, result(pipeline.OutcomeSubmitted, "job_9")); !errors.Is(err, pipeline.ErrConflict) {
			t.Errorf("a second result: %v", err)
		}
		second := intent("job_1", 2, "c")
		must(t, l.Intend(ctx, second))
		must(t, l.Conclude(ctx, second, result(pipeline.OutcomeSubmitted, "job_2")))
		refused := intent("job/../3", 1, "d")
		refused.Refusal = "the document is gone"
		must(t, l.Intend(ctx, refused))
		if got := unresolved(t, l, "jobs"); len(got) != 0 {
			t.Errorf("unresolved %v", got)
		}
		h, err := l.History(ctx, "job_1")
		must(t, err)
		want := []pipeline.Attempt{{Intent: *first, Result: h[0].Result}, {Intent: *second, Result: h[1].Result}}
		if diff := cmp.Diff(want, h); diff != "" || h[0].Outcome() != pipeline.OutcomeUnsent || h[1].JobID() != "job_2" ||
			h[1].Result.RunID != "run-2" || h[1].Intent.RunID != "run-1" || h[1].Result.Token != "c" {
			t.Errorf("%s%+v", diff, h)
		}
		if a, err := l.MadeFrom(ctx, "job_2"); err != nil || a == nil || a.Intent.Token != "c" {
			t.Errorf("made from: %+v %v", a, err)
		}
		if a, err := l.MadeFrom(ctx, "job_7"); err != nil || a != nil {
			t.Errorf("made from nothing: %+v %v", a, err)
		}
		if h, err := l.History(ctx, "job/../3"); err != nil || h[0].Outcome() != pipeline.OutcomeRejected || h[0].Reason() == "" {
			t.Errorf("%+v %v", h, err)
		}
	}
}

// What is written for ever keeps its form.
func TestAttemptsGolden(t *testing.T) {
	t.Parallel()
	s := openStore(t, "mem://")
	l := openLedger(t, s, options())
	in := intent("job_1", 1, "a")
	must(t, l.Intend(t.Context(), in))
	must(t, l.Conclude(t.Context(), in, result(pipeline.OutcomeSubmitted, "job_2")))
	// The folder is the SHA-256 of job_1.
	const dir = "_archive/resubmit/bb2632af3674b8f0ebe2e6951cf8aaffef395686ffc4c421e1a5b460122b882e/"
	for name, want := range map[string]string{
		"1.intent.json": `{"v":1,"archive_uuid":"nonce-1","pipeline":"jobs","original":"job_1","attempt":1,"token":"a","run_id":"run-1",` +
			`"tool_version":"v1.2.3","created":"2026-11-22T05:00:00Z","post_not_after":"2026-11-22T05:01:00Z","document_sha256":"00ff","document_bytes":12}`,
		"1.result.json": `{"v":1,"archive_uuid":"nonce-1","pipeline":"jobs","original":"job_1","attempt":1,"token":"a","run_id":"run-2",` +
			`"tool_version":"v1.2.3","concluded":"2026-11-22T05:00:01Z","outcome":"submitted","job_id":"job_2"}`,
	} {
		data, err := s.Get(t.Context(), dir+name, 1<<16)
		if err != nil || string(data) != want+"\n" {
			t.Errorf("%s: %v\n%s", name, err, data)
		}
	}
}

func TestAttemptsDamaged(t *testing.T) {
	t.Parallel()
	s := openStore(t, "mem://")
	l := openLedger(t, s, options())
	in := intent("job_1", 1, "a")
	must(t, l.Intend(t.Context(), in))
	must(t, l.Conclude(t.Context(), in, result(pipeline.OutcomeSubmitted, "job_2")))
	var keys []string
	must(t, s.List(t.Context(), "_archive/resubmit/", func(o store.Object) error {
		keys = append(keys, o.Key)
		return nil
	}))
	for _, key := range keys {
		was, err := s.Get(t.Context(), key, 1<<16)
		must(t, err)
		for _, change := range [][2]string{
			{`"token":"a"`, `"token":"b"`},
			{`"attempt":1`, `"attempt":2`},
			{`job_1`, `job_8`},
			{`"v":1`, `"v":0`},
			{`{`, `{ `},
			{`nonce-1`, `nonce-2`},
			{"\n", ""},
		} {
			if change[0] == `"token":"a"` && strings.HasSuffix(key, ".intent.json") {
				continue // then the result is the one that does not fit
			}
			must(t, s.Put(t.Context(), key, []byte(strings.Replace(string(was), change[0], change[1], 1))))
			var damage *ledger.DamageError
			if _, err := l.History(t.Context(), "job_1"); !errors.As(err, &damage) || damage.Key != key {
				t.Errorf("%s with %s: %v", key, change[1], err)
			}
		}
		must(t, s.Put(t.Context(), key, []byte(strings.Replace(string(was), `"v":1`, `"v":2`, 1))))
		var newer *ledger.VersionError
		if _, err := l.History(t.Context(), "job_1"); !errors.As(err, &newer) {
			t.Errorf("%s of a newer version: %v", key, err)
		}
		must(t, s.Put(t.Context(), key, was))
	}
	if err := l.Conclude(t.Context(), in, result("perhaps", "")); err == nil {
		t.Error("an unknown outcome is written")
	}
	if err := l.Intend(t.Context(), intent("", 1, "a")); err == nil {
		t.Error("an intent without an original is written")
	}
}

// Whatever call to the storage fails, before or after it was done: an intent
// that was acknowledged stands, and one attempt is never given twice.
func TestAttemptsSweep(t *testing.T) {
	t.Parallel()
	for _, after := range []bool{false, true} {
		for n := int64(0); ; n++ {
			s := openStore(t, "mem://")
			l := openLedger(t, s, options())
			var seen atomic.Int64
			faulty, err := ledger.OpenExisting(t.Context(), s, options())
			must(t, err)
			failing, err := ledger.OpenExisting(t.Context(), storetest.Wrap(s, storetest.FailNth(n+1, after, store.ErrTemporary, &seen)), options())
			must(t, err)
			mine := failing.Intend(t.Context(), intent("job_1", 1, "a"))
			theirs := faulty.Intend(t.Context(), intent("job_1", 1, "b"))
			if mine == nil && !errors.Is(theirs, pipeline.ErrConflict) || mine != nil && theirs != nil && !errors.Is(theirs, pipeline.ErrConflict) {
				t.Fatalf("call %d: mine %v, theirs %v", n, mine, theirs)
			}
			h, err := l.History(t.Context(), "job_1")
			must(t, err)
			if len(h) != 1 || mine == nil && h[0].Intent.Token != "a" || theirs == nil && h[0].Intent.Token != "b" {
				t.Fatalf("call %d: %+v", n, h)
			}
			if seen.Load() <= n+1 {
				break
			}
		}
	}
}
