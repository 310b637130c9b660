package pipeline_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/docextract/docextracttest"
	"github.com/adteco/docarchive/pipeline"
)

func TestResubmit(t *testing.T) {
	t.Parallel()
	s := newShop(t, docextracttest.Config{Seed: 5, Jobs: 12})
	limits := once
	dry := s.dryRun(s.choice(), limits)
	if dry.Counts.Due != 12 || dry.Credits <= 0 || dry.Balance == nil || *dry.Balance != 100_000 || len(s.sim.Submissions()) != 0 {
		t.Errorf("dry run: %+v", dry)
	}
	limits.Max = 5
	first := s.done(s.choice(), limits)
	if first.Counts.Submitted != 5 || first.Partly() || first.Credits != float64(s.sim.CreditsUsed()) {
		t.Errorf("first: %+v", first)
	}
	originals := s.originals()
	for _, sub := range s.sim.Submissions() {
		var made, was map[string]any
		must(t, json.Unmarshal(sub.Metadata, &made))
		from := made[pipeline.MetadataFrom].(string)
		var job struct {
			Metadata json.RawMessage
			Size     int `json:"file_size_bytes"`
		}
		must(t, json.Unmarshal(originals[from].Raw, &job))
		must(t, json.Unmarshal(job.Metadata, &was))
		if made[pipeline.MetadataAttempt] != "1" || made[pipeline.MetadataToken] == "" || sub.ExtractorID != originals[from].ExtractorID {
			t.Errorf("submission %+v", sub)
		}
		for _, key := range []string{pipeline.MetadataFrom, pipeline.MetadataAttempt, pipeline.MetadataToken} {
			delete(made, key)
		}
		if diff := cmp.Diff(was, made); diff != "" {
			t.Errorf("the original's metadata is not kept: %s", diff)
		}
	}
	limits.Max, limits.Wait = 0, true
	s.later(time.Hour)
	second := s.done(s.choice(), once)
	if second.Counts.Done != 5 || second.Counts.Submitted != 7 || second.Counts.Exhausted != 5 {
		t.Errorf("second: %+v", second.Counts)
	}
	s.later(time.Hour)
	third := s.done(s.choice(), limits)
	if third.Counts.Submitted != 0 || len(s.paid()) != 12 {
		t.Errorf("third: %+v, paid %v", third.Counts, s.paid())
	}
	s.twice()
}

func (s *shop) dryRun(c pipeline.Choice, l pipeline.ResubmitLimits) *pipeline.ResubmitReport {
	s.t.Helper()
	services := s.ResubmitServices
	services.Submitter = nil
	r := pipeline.Resubmitter{
		Identity: pipeline.Identity{RunID: "dry", DryRun: true}, ResubmitServices: services, Paging: pipeline.Paging{Size: 100, InFlight: 2},
		Now: s.now, Sleep: noWait,
	}
	report, err := r.Run(s.t.Context(), c, l)
	must(s.t, err)
	return report
}

// A job that fails again is a failed job too, but its ancestors count.
func TestResubmitGenerationsEnd(t *testing.T) {
	t.Parallel()
	s := newShop(t, docextracttest.Config{Seed: 6, Jobs: 4})
	limits := pipeline.ResubmitLimits{MaxAttempts: 3, Concurrency: 2}
	var submitted []int
	for range 5 {
		submitted = append(submitted, s.done(s.choice(), limits).Counts.Submitted)
		s.later(time.Hour)
	}
	if diff := cmp.Diff([]int{4, 4, 4, 0, 0}, submitted); diff != "" {
		t.Error(diff)
	}
	s.twice()
	for sum, n := range s.bySum() {
		if n != 3 {
			t.Errorf("document %s was submitted %d times", sum, n)
		}
	}
}

func (s *shop) bySum() map[string]int {
	sums := map[string]int{}
	for _, sub := range s.sim.Submissions() {
		sums[sub.SHA256]++
	}
	return sums
}

func TestResubmitChooses(t *testing.T) {
	t.Parallel()
	s := newShop(t, docextracttest.Config{Seed: 7, Jobs: 60})
	codes := map[string]int{}
	for _, j := range s.originals() {
		var job struct {
			Error struct{ Code string } `json:"error_details"`
		}
		must(t, json.Unmarshal(j.Raw, &job))
		codes[job.Error.Code]++
	}
	for code, n := range codes {
		c := s.choice()
		c.Codes = []string{code, "no_such_code"}
		if got := s.dryRun(c, once).Counts.Due; got != n {
			t.Errorf("%s: %d due, want %d", code, got, n)
		}
	}
	c := s.choice()
	c.Codes = []string{"no_such_code"}
	if got := s.dryRun(c, once).Counts; got.Failed != 0 {
		t.Errorf("no such code: %+v", got)
	}
	c = s.choice()
	c.Filter.ExtractorID = "ext_receipt"
	want := 0
	for _, j := range s.originals() {
		if j.ExtractorID == "ext_receipt" {
			want++
		}
	}
	if got := s.dryRun(c, once).Counts.Due; got != want || want == 0 {
		t.Errorf("by extractor: %d due, want %d", got, want)
	}
	c = s.choice()
	c.Until = nights[0].Add(-5 * time.Hour)
	older := s.dryRun(c, once).Counts.Due
	c.Since, c.Until = c.Until, time.Time{}
	if newer := s.dryRun(c, once).Counts.Due; older+newer != 60 || older == 0 || newer == 0 {
		t.Errorf("by age: %d and %d", older, newer)
	}
	limits := once
	limits.MaxCredits = 20
	if r := s.done(s.choice(), limits); r.Credits > 20 || r.Credits < 10 || s.sim.CreditsUsed() > 20 || r.Stopped == "" {
		t.Errorf("by credits: %g, used %d, stopped %q", r.Credits, s.sim.CreditsUsed(), r.Stopped)
	}
}

func TestResubmitDocumentGone(t *testing.T) {
	t.Parallel()
	s := newShop(t, docextracttest.Config{Seed: 8, Jobs: 3})
	must(t, s.sim.Knobs().Set("documents", "gone"))
	r := s.done(s.choice(), once)
	for _, j := range r.Jobs {
		if j.State != pipeline.ResubmitState(pipeline.OutcomeRejected) || !strings.Contains(j.Reason, "gone") {
			t.Errorf("%+v", j)
		}
	}
	must(t, s.sim.Knobs().Set("documents", "ok"))
	if again := s.done(s.choice(), once); len(r.Jobs) != 3 || again.Counts.Refused != 3 || s.posts() != 0 {
		t.Errorf("%d jobs, then %+v, %d submissions", len(r.Jobs), again.Counts, s.posts())
	}
}

func (s *shop) posts() int64 { return s.sim.RequestsByPath()["POST /v1/documents"] }

// What the host sends in place of a document is not sent on, and not remembered.
func TestResubmitDocumentUnfit(t *testing.T) {
	t.Parallel()
	s := newShop(t, docextracttest.Config{Seed: 9, Jobs: 3})
	for _, answer := range []string{"html", "empty", "truncated"} {
		must(t, s.sim.Knobs().Set("documents", answer))
		r := s.done(s.choice(), once)
		for _, j := range r.Jobs {
			if j.State != pipeline.StateFetch {
				t.Errorf("%s: %+v", answer, j)
			}
		}
		if len(r.Jobs) != 3 || !r.Partly() || s.posts() != 0 {
			t.Errorf("%s: %+v, %d submissions", answer, r, s.posts())
		}
	}
	must(t, s.sim.Knobs().Set("documents", "ok"))
	if r := s.done(s.choice(), once); r.Counts.Submitted != 3 {
		t.Errorf("%+v", r.Counts)
	}
}

func TestResubmitDocumentChanges(t *testing.T) {
	t.Parallel()
	s := newShop(t, docextracttest.Config{Seed: 10, Jobs: 1})
	services := s.ResubmitServices
	// Between intent and submission the spooled document is exchanged.
	services.Submitter = submitterFunc(func(ctx context.Context, in docextract.Submission) (docextract.Job, error) {
		for _, spooled := range s.spooled() {
			must(t, os.WriteFile(spooled, make([]byte, in.Size), 0o600))
		}
		return s.Submitter.Submit(ctx, in)
	})
	r, err := s.resubmit(t.Context(), services, s.choice(), once)
	if err != nil || len(r.Jobs) != 1 || r.Jobs[0].State != pipeline.ResubmitState(pipeline.OutcomeUnsent) || s.posts() != 0 {
		t.Fatalf("%v: %+v, %d submissions", err, r.Jobs, s.posts())
	}
	// At the next attempt the host has another document of the same size.
	must(t, s.sim.Knobs().Set("documents", "changing"))
	again := s.done(s.choice(), once)
	if len(again.Jobs) != 1 || again.Jobs[0].State != pipeline.ResubmitState(pipeline.OutcomeRejected) || s.posts() != 0 {
		t.Errorf("%+v, %d submissions", again.Jobs, s.posts())
	}
}

// spooled lists the documents in the spools of this test.
func (s *shop) spooled() []string {
	s.t.Helper()
	all, err := filepath.Glob(filepath.Join(filepath.Dir(s.t.TempDir()), "*", "document-*"))
	must(s.t, err)
	if len(all) == 0 {
		s.t.Error("no document is in the spool")
	}
	return all
}

func TestResubmitWithoutCredits(t *testing.T) {
	t.Parallel()
	s := newShop(t, docextracttest.Config{Seed: 11, Jobs: 30})
	must(t, s.sim.Knobs().Set("credits", "20"))
	limits := pipeline.ResubmitLimits{MaxAttempts: 1, Concurrency: 1}
	r := s.done(s.choice(), limits)
	if r.Counts.Left == 0 || !strings.Contains(r.Stopped, "credits") || !r.Partly() || s.sim.CreditsUsed() > 20 || s.posts() > 21 {
		t.Errorf("%+v, stopped %q, %d submissions", r.Counts, r.Stopped, s.posts())
	}
	must(t, s.sim.Knobs().Set("credits", "1000"))
	s.done(s.choice(), limits)
	if len(s.paid()) != 30 {
		t.Errorf("%d of 30 are submitted", len(s.paid()))
	}
	s.twice()
}

func TestResubmitRefusedKey(t *testing.T) {
	t.Parallel()
	s := newShop(t, docextracttest.Config{Seed: 12, Jobs: 20})
	must(t, s.sim.Knobs().Set("auth", "read_only"))
	r, err := s.resubmit(t.Context(), s.ResubmitServices, s.choice(), pipeline.ResubmitLimits{MaxAttempts: 1, Concurrency: 1})
	var api *docextract.Error
	if !errors.As(err, &api) || !api.Refused() || s.posts() != 1 || r.Counts.Left != 19 {
		t.Errorf("%v, %d submissions, %+v", err, s.posts(), r.Counts)
	}
}

// A rate limit that passes does not use up an attempt.
func TestResubmitRateLimited(t *testing.T) {
	t.Parallel()
	s := newShop(t, docextracttest.Config{Seed: 13, Jobs: 1})
	services, refusals := s.ResubmitServices, 2
	services.Submitter = submitterFunc(func(ctx context.Context, in docextract.Submission) (docextract.Job, error) {
		if refusals--; refusals >= 0 {
			return docextract.Job{}, &docextract.RejectedError{Err: &docextract.Error{Status: 429}, RetryAfter: time.Second}
		}
		return s.Submitter.Submit(ctx, in)
	})
	r, err := s.resubmit(t.Context(), services, s.choice(), once)
	if err != nil || r.Counts.Submitted != 1 || r.Jobs[0].Attempt != 1 {
		t.Errorf("%v: %+v", err, r)
	}
}

// Another program's resubmission counts, wherever its job is.
func TestResubmitSeesOthers(t *testing.T) {
	t.Parallel()
	s := newShop(t, docextracttest.Config{Seed: 14, Jobs: 2})
	services := s.ResubmitServices
	services.Attempts = nothingKept{s.ledger}
	if r, err := s.resubmit(t.Context(), services, s.choice(), once); err != nil || r.Counts.Submitted != 2 {
		t.Fatalf("%v: %+v", err, r)
	}
	s.later(time.Minute)
	if r := s.done(s.choice(), once); r.Counts.Done != 2 {
		t.Errorf("%+v", r)
	}
	s.twice()
}

// nothingKept is an archive that was lost after the run.
type nothingKept struct{ pipeline.Attempts }

func (nothingKept) Intend(context.Context, *pipeline.Intent) error { return nil }

func (nothingKept) Conclude(context.Context, *pipeline.Intent, *pipeline.Result) error { return nil }
