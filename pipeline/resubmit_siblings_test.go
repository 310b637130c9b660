package pipeline_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/docextract/docextracttest"
	"github.com/adteco/docarchive/pipeline"
)

// concluding tells when an attempt's result is recorded.
type concluding struct {
	pipeline.Attempts
	told func()
}

func (c concluding) Conclude(ctx context.Context, in *pipeline.Intent, r *pipeline.Result) error {
	err := c.Attempts.Conclude(ctx, in, r)
	c.told()
	return err
}

// TestOneFailureSparesItsSiblings refuses one of several submissions that are
// under way, for lack of credits, which ends the run. The others must not be
// broken off: each would turn a sure result into a doubtful one.
func TestOneFailureSparesItsSiblings(t *testing.T) {
	const jobs = 4
	s := newShop(t, docextracttest.Config{Seed: 5, Jobs: jobs})
	services := s.ResubmitServices
	submitter := s.Submitter
	var under sync.WaitGroup // submissions that are still to begin
	under.Add(jobs)
	var first sync.Once
	recorded := make(chan struct{})
	var record sync.Once
	services.Attempts = concluding{s.Attempts, func() { record.Do(func() { close(recorded) }) }}
	services.Submitter = submitterFunc(func(ctx context.Context, in docextract.Submission) (docextract.Job, error) {
		under.Done()
		under.Wait()
		fails := false
		first.Do(func() { fails = true })
		if fails {
			return docextract.Job{}, &docextract.RejectedError{Err: &docextract.Error{Status: 402, Code: "insufficient_credits"}}
		}
		select {
		case <-recorded:
		case <-time.After(20 * time.Second):
			t.Error("the failure was not recorded")
		}
		if err := ctx.Err(); err != nil {
			t.Errorf("a sibling was broken off: %v", err)
		}
		return submitter.Submit(ctx, in)
	})
	report, err := s.resubmit(t.Context(), services, s.choice(), pipeline.ResubmitLimits{MaxAttempts: 1, Concurrency: jobs})
	must(t, err)
	if report.Counts.Submitted != jobs-1 || report.Counts.Held != 0 || len(s.paid()) != jobs-1 {
		t.Errorf("%+v, %d paid", report.Counts, len(s.paid()))
	}
	s.twice()
	// What failed is attempted again, and nothing else.
	if again := s.done(s.choice(), pipeline.ResubmitLimits{MaxAttempts: 1, Concurrency: jobs}); again.Counts.Submitted != 1 {
		t.Errorf("%+v", again.Counts)
	}
	s.twice()
}
