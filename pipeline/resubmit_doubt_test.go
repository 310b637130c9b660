package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/docextract/docextracttest"
	"github.com/adteco/docarchive/internal/ledger"
	"github.com/adteco/docarchive/internal/store"
	"github.com/adteco/docarchive/internal/store/storetest"
	"github.com/adteco/docarchive/pipeline"
	"github.com/adteco/docarchive/sinks"
)

// lostAnswers is a submitter whose answers never come. The documents arrive if
// they are let through.
func (s *shop) lostAnswers(arrive bool) pipeline.ResubmitServices {
	services := s.ResubmitServices
	submitter := s.Submitter
	services.Submitter = submitterFunc(func(ctx context.Context, in docextract.Submission) (docextract.Job, error) {
		if arrive {
			if _, err := submitter.Submit(ctx, in); err != nil {
				return docextract.Job{}, err
			}
		}
		return docextract.Job{}, &docextract.AmbiguousError{Err: errors.New("connection reset")}
	})
	return services
}

// heldFor fails the test unless the only job is held for the reason.
func (s *shop) heldFor(r *pipeline.ResubmitReport, reason string) {
	s.t.Helper()
	all := held(r)
	for _, got := range all {
		if !strings.Contains(got, reason) {
			s.t.Errorf("held since %q, not %q", got, reason)
		}
	}
	if len(all) != 1 || r.Counts.Held != 1 || r.Counts.Submitted != 0 || !r.Partly() {
		s.t.Errorf("%+v: %v", r.Counts, all)
	}
}

func TestResubmitHoldsWhatDidNotArrive(t *testing.T) {
	t.Parallel()
	s := newShop(t, docextracttest.Config{Seed: 20, Jobs: 1})
	limits := pipeline.ResubmitLimits{MaxAttempts: 2, Concurrency: 1, RetryAbsent: true}
	r, err := s.resubmit(t.Context(), s.lostAnswers(false), s.choice(), limits)
	must(t, err)
	s.heldFor(r, "connection reset")
	// It may still arrive: not even --retry-absent submits it now.
	for _, wait := range []time.Duration{time.Second, 34 * time.Minute} {
		s.later(wait)
		s.heldFor(s.done(s.choice(), limits), "may still appear")
	}
	// By now it would be there. Only who asks for it submits it again.
	s.later(2 * time.Minute)
	cautious := limits
	cautious.RetryAbsent = false
	s.heldFor(s.done(s.choice(), cautious), "--retry-absent")
	last := limits
	last.MaxAttempts = 1
	if r := s.done(s.choice(), last); r.Counts.Exhausted != 1 || s.posts() != 0 {
		t.Errorf("an attempt without an answer does not count: %+v", r.Counts)
	}
	if r := s.done(s.choice(), limits); r.Counts.Submitted != 1 || r.Jobs[0].Attempt != 2 || s.posts() != 1 {
		t.Errorf("%+v", r)
	}
	s.later(time.Hour)
	// Its job is the second generation, whatever became of the first.
	if r := s.done(s.choice(), limits); r.Counts.Exhausted != 1 || s.posts() != 1 {
		t.Errorf("%+v", r)
	}
}

func TestResubmitFindsWhatArrived(t *testing.T) {
	t.Parallel()
	s := newShop(t, docextracttest.Config{Seed: 21, Jobs: 1})
	limits := pipeline.ResubmitLimits{MaxAttempts: 2, Concurrency: 1, RetryAbsent: true}
	// The server shows new jobs only after a while.
	must(t, s.sim.Knobs().Set("commit_lag", "14m"))
	_, err := s.resubmit(t.Context(), s.lostAnswers(true), s.choice(), limits)
	must(t, err)
	for range 6 {
		s.later(7 * time.Minute)
		s.done(s.onlyOriginals(), limits)
	}
	s.twice()
	id := s.sim.Submissions()[0].JobID
	if a, err := s.ledger.MadeFrom(t.Context(), id); err != nil || a == nil || a.Outcome() != pipeline.OutcomeSubmitted {
		t.Errorf("%+v %v", a, err)
	}
}

// Where a complete listing cannot be had, nothing is decided.
func TestResubmitHoldsWithoutProof(t *testing.T) {
	t.Parallel()
	limits := pipeline.ResubmitLimits{MaxAttempts: 2, Concurrency: 1, RetryAbsent: true}
	for reason, spoil := range map[string]func(*shop){
		"the API does not tell its time": func(s *shop) { must(t, s.sim.Knobs().Set("date", "off")) },
		"could not be read completely":   func(s *shop) { s.Source = countsTooMany{s.Source} },
	} {
		s := newShop(t, docextracttest.Config{Seed: 22, Jobs: 1})
		_, err := s.resubmit(t.Context(), s.lostAnswers(false), s.choice(), limits)
		must(t, err)
		s.later(time.Hour)
		spoil(s)
		s.heldFor(s.done(s.choice(), limits), reason)
	}
	s := newShop(t, docextracttest.Config{Seed: 22, Jobs: 1})
	s.Source = countsTooMany{s.Source}
	s.heldFor(s.done(s.choice(), limits), "no other job was made of it")
	must(t, s.sim.Knobs().Set("date_skew", "6m"))
	var skew *pipeline.SkewError
	if _, err := s.resubmit(t.Context(), s.ResubmitServices, s.choice(), limits); !errors.As(err, &skew) {
		t.Errorf("clocks that differ: %v", err)
	}
	if s.posts() != 0 {
		t.Errorf("%d submissions", s.posts())
	}
}

// countsTooMany is a server that counts jobs that it never lists.
type countsTooMany struct{ pipeline.Source }

func (c countsTooMany) List(ctx context.Context, q docextract.Query) (*docextract.Page, error) {
	page, err := c.Source.List(ctx, q)
	if err == nil {
		page.Total += 3
	}
	return page, err
}

// A server that has fallen silent is left alone before all jobs are in doubt.
func TestResubmitGivesUpOnSilence(t *testing.T) {
	t.Parallel()
	s := newShop(t, docextracttest.Config{Seed: 23, Jobs: 40})
	r, err := s.resubmit(t.Context(), s.lostAnswers(false), s.choice(), pipeline.ResubmitLimits{MaxAttempts: 1, Concurrency: 1})
	if err != nil || r.Counts.Held != 8 || r.Counts.Left != 32 || !strings.Contains(r.Stopped, "not answered") {
		t.Errorf("%v: %+v %q", err, r.Counts, r.Stopped)
	}
}

func TestResubmitStops(t *testing.T) {
	t.Parallel()
	s := newShop(t, docextracttest.Config{Seed: 24, Jobs: 5})
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	services := s.ResubmitServices
	services.Submitter = submitterFunc(func(ctx context.Context, in docextract.Submission) (docextract.Job, error) {
		job, err := s.Submitter.Submit(ctx, in)
		stop()
		return job, err
	})
	r, err := s.resubmit(ctx, services, s.choice(), pipeline.ResubmitLimits{MaxAttempts: 1, Concurrency: 1})
	// What was sent is recorded although the context has ended.
	if !errors.Is(err, context.Canceled) || r.Counts.Submitted != 1 || r.Counts.Left != 4 {
		t.Errorf("%v: %+v", err, r.Counts)
	}
	open := 0
	must(t, s.ledger.Unresolved(t.Context(), "jobs", func(pipeline.Attempt) error { open++; return nil }))
	if open != 0 {
		t.Errorf("%d attempts are unresolved", open)
	}
}

func TestResubmitWaits(t *testing.T) {
	t.Parallel()
	s := newShop(t, docextracttest.Config{Seed: 25, Jobs: 3, Failed: 1})
	r := pipeline.Resubmitter{
		Identity: pipeline.Identity{RunID: "run"}, ResubmitServices: s.ResubmitServices, Paging: pipeline.Paging{Size: 100, InFlight: 1},
		Spool: t.TempDir(), NewToken: func() string { return fmt.Sprint(s.tokens.Add(1)) }, Now: s.now, Log: discard(),
		Sleep: func(context.Context, time.Duration) error { s.later(time.Second); return nil },
	}
	limits := once
	limits.Wait = true
	report, err := r.Run(t.Context(), s.choice(), limits)
	must(t, err)
	for _, j := range report.Jobs {
		if j.Status != "failed" {
			t.Errorf("%+v", j)
		}
	}
	if report.Counts.Submitted != 3 {
		t.Errorf("%+v", report.Counts)
	}
}

// archived runs the archive, with its raw layer, up to now.
func (s *shop) archived(raw bool) {
	s.t.Helper()
	spool := s.t.TempDir()
	sink, err := sinks.NewFile(sinks.FileOptions{Format: "jsonl", Path: "jobs", Spool: spool})
	must(s.t, err)
	client := s.Purse.(*docextract.Client)
	r := pipeline.Runner{
		Identity: pipeline.Identity{RunID: "archive"}, Source: s.Source, Requests: client.Requests,
		Stores: pipeline.Stores{
			ArchiveID: s.ledger.ID(), Ledger: s.ledger, Shelf: s.ledger, Schemas: s.ledger, Library: s.ledger, Seen: forgetful{},
		},
		Paging: pipeline.Paging{Size: 100, InFlight: 1}, Spool: spool, Now: s.now, Log: slog.New(slog.DiscardHandler),
	}
	_, err = r.Run(s.t.Context(), []pipeline.Spec{{
		Name: "jobs", From: nights[0].Add(-24 * time.Hour), Window: 24 * time.Hour, Settle: settle, Keep: pipeline.Keep{Raw: raw}, Sinks: []pipeline.Sink{sink},
	}})
	must(s.t, err)
}

// forgetful is a cache that knows nothing.
type forgetful struct{}

func (forgetful) Filter(context.Context, pipeline.SeenSet, []string) ([]string, bool, error) {
	return nil, false, nil
}
func (forgetful) Mark(context.Context, pipeline.SeenSet, []string) error { return nil }

// Failed jobs are found in the raw layer, and so are those made of them.
func TestResubmitFromTheArchive(t *testing.T) {
	t.Parallel()
	s := newShop(t, docextracttest.Config{Seed: 26, Jobs: 30})
	s.later(time.Hour)
	s.archived(true)
	c := s.choice()
	c.FromAPI = false
	limits := pipeline.ResubmitLimits{MaxAttempts: 2, Concurrency: 4}
	before := s.sim.RequestsByPath()["GET /v1/documents"]
	if r := s.done(c, limits); r.Counts.Failed != 30 || r.Counts.Submitted != 30 {
		t.Errorf("first: %+v", r.Counts)
	}
	if lists := s.sim.RequestsByPath()["GET /v1/documents"] - before; lists > 8 {
		t.Errorf("%d listing requests, though the archive is complete", lists)
	}
	s.later(time.Hour)
	s.archived(true)
	if r := s.done(c, limits); r.Counts.Failed != 60 || r.Counts.Done != 30 || r.Counts.Submitted != 30 {
		t.Errorf("second: %+v", r.Counts)
	}
	s.later(time.Hour)
	s.archived(true)
	if r := s.done(c, limits); r.Counts.Failed != 90 || r.Counts.Exhausted != 30 || r.Counts.Submitted != 0 {
		t.Errorf("third: %+v", r.Counts)
	}
	s.twice()
}

func TestResubmitWithoutRawLayer(t *testing.T) {
	t.Parallel()
	s := newShop(t, docextracttest.Config{Seed: 27, Jobs: 3})
	s.later(time.Hour)
	s.archived(false)
	c := s.choice()
	c.FromAPI = false
	r := s.done(c, once)
	if r.Counts.Failed != 0 || len(r.Problems) == 0 || !strings.Contains(r.Problems[0].Message, "--from api") || !r.Partly() {
		t.Errorf("%+v", r)
	}
}

// Every call to the storage fails in turn, before or after it was done; then a
// quiet run, and one later, leave each job submitted once.
func TestResubmitStorageSweep(t *testing.T) {
	t.Parallel()
	limits := pipeline.ResubmitLimits{MaxAttempts: 3, Concurrency: 1, RetryAbsent: true}
	for n := int64(0); ; n++ {
		fired := false
		for _, after := range []bool{false, true} {
			s := newShop(t, docextracttest.Config{Seed: 28, Jobs: 2})
			calls := int64(-1)
			hook := func(storetest.Op, string) error {
				if calls++; calls == n {
					fired = true
					return store.ErrTemporary
				}
				return nil
			}
			hooks := storetest.Hooks{Before: hook}
			if after {
				hooks = storetest.Hooks{After: hook}
			}
			faulty, err := ledger.OpenExisting(t.Context(), storetest.Wrap(s.bucket, hooks), ledger.Options{Clock: s.now})
			if err == nil {
				services := s.ResubmitServices
				services.Library, services.Attempts = faulty, faulty
				_, _ = s.resubmit(t.Context(), services, s.onlyOriginals(), limits) // what fails, fails
			}
			s.later(time.Minute)
			s.accounted(s.done(s.onlyOriginals(), limits))
			s.later(2 * time.Hour)
			s.done(s.onlyOriginals(), limits)
			if s.twice(); len(s.paid()) != 2 || t.Failed() {
				t.Fatalf("call %d, after %v: paid %v", n, after, s.paid())
			}
		}
		if !fired {
			if n < 10 {
				t.Errorf("only %d calls were made", n)
			}
			return
		}
	}
}
