package pipeline

import (
	"context"
	"fmt"

	"github.com/sourcegraph/conc/pool"
)

// dueJob is a job that may be submitted now.
type dueJob struct {
	failedJob
	attempt    int    // the number of the next attempt at it
	generation int    // of the new job
	sha256     string // of its document at an earlier attempt; empty if there was none
}

// verdictOn is what is decided of a failed job before anything is done.
type verdictOn struct {
	due    *dueJob // nil if it is not to be submitted now
	count  func(*ResubmitCount) *int
	reason string // why it is held
	at     int    // the attempt that holds it
}

func countDone(c *ResubmitCount) *int      { return &c.Done }
func countRefused(c *ResubmitCount) *int   { return &c.Refused }
func countExhausted(c *ResubmitCount) *int { return &c.Exhausted }

// decidedAtOnce is how many jobs are decided on before it is asked whether
// enough are due.
const decidedAtOnce = 100

// chooseDue decides on the candidates, oldest first, until enough are due.
func (r *resubmission) chooseDue(ctx context.Context) ([]dueJob, error) {
	all := r.survey.oldest()
	r.report.Counts.Failed = len(all)
	var due []dueJob
	credits := 0.0
	for len(all) > 0 {
		some := all[:min(len(all), decidedAtOnce)]
		all = all[len(some):]
		verdicts, err := r.decideAll(ctx, some)
		if err != nil {
			return nil, err
		}
		for i, v := range verdicts {
			switch {
			case v.count != nil:
				*v.count(&r.report.Counts)++
			case v.due == nil:
				r.hold(some[i].ID, v.at, v.reason)
			case r.limits.Max > 0 && len(due) == r.limits.Max:
				return due, nil
			case r.limits.MaxCredits > 0 && credits+v.due.credits > r.limits.MaxCredits:
				r.report.Stopped = fmt.Sprintf("the next job may cost %g credits, and %g of %g are taken", v.due.credits, credits, r.limits.MaxCredits)
				return due, nil
			default:
				credits += v.due.credits
				due = append(due, *v.due)
			}
		}
	}
	return due, nil
}

func (r *resubmission) decideAll(ctx context.Context, some []failedJob) ([]verdictOn, error) {
	verdicts := make([]verdictOn, len(some))
	work := pool.New().WithContext(ctx).WithMaxGoroutines(max(1, r.limits.Concurrency))
	for i := range some {
		work.Go(func(ctx context.Context) (err error) {
			verdicts[i], err = r.decide(ctx, &some[i])
			return err
		})
	}
	return verdicts, work.Wait()
}

// decide says whether a job may be submitted. It writes nothing.
func (r *resubmission) decide(ctx context.Context, f *failedJob) (verdictOn, error) {
	generation := r.survey.generation(f)
	switch {
	case len(r.survey.children[f.ID]) > 0:
		return verdictOn{count: countDone}, nil
	case generation >= r.limits.MaxAttempts:
		return verdictOn{count: countExhausted}, nil
	}
	history, err := r.Attempts.History(ctx, f.ID)
	if err != nil {
		return verdictOn{}, err
	}
	absent, sum := 0, ""
	for i := range history {
		a := &history[i]
		switch a.Outcome() {
		case OutcomeSubmitted:
			return verdictOn{count: countDone}, nil
		case OutcomeRejected:
			return verdictOn{count: countRefused}, nil
		case OutcomeAbsent:
			absent++
		case OutcomeUnsent:
		default:
			return verdictOn{at: a.Intent.Attempt, reason: "no answer came, or the run ended before it could be recorded"}, nil
		}
		if sum == "" {
			sum = a.Intent.SHA256
		}
	}
	switch {
	case absent > 0 && !r.limits.RetryAbsent:
		return verdictOn{at: len(history), reason: "no answer came, and no job is there: --retry-absent submits it again"}, nil
	case generation+absent >= r.limits.MaxAttempts:
		return verdictOn{count: countExhausted}, nil
	case r.survey.doubtful(f):
		return verdictOn{reason: "it could not be proven that no other job was made of it"}, nil
	}
	return verdictOn{due: &dueJob{
		failedJob: *f, attempt: len(history) + 1, generation: generation + absent + 1, sha256: sum,
	}}, nil
}
