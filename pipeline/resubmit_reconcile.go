package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// searched is the slice of created_at in which an intent's job must be, if there
// is one.
func searched(in *Intent) Window {
	return Window{Start: in.Created.Add(-skewAllowed), End: in.PostNotAfter.Add(acceptance + skewAllowed)}
}

// ripe reports whether an intent's job would be listed by now, if there is one.
func (r *resubmission) ripe(in *Intent) bool {
	return !r.base.Before(searched(in).End.Add(visibility))
}

// reconcile finds out what became of intents without a result, as far as that
// can be known by now. It reads the listing of all extractors: what was asked
// for when the intent was made need not be what is asked for now.
func (r *resubmission) reconcile(ctx context.Context, open []Attempt) error {
	slices.SortFunc(open, func(a, b Attempt) int { return a.Intent.Created.Compare(b.Intent.Created) })
	prover := NewProver(r.Source, "", r.Paging.Size, r.Paging.InFlight)
	for len(open) > 0 {
		n, w := r.together(open)
		proven, err := r.survey.prove(ctx, prover, w, false)
		if err != nil {
			return fmt.Errorf("look for jobs of unanswered submissions: %w", err)
		}
		for i := range open[:n] {
			if err := r.judge(ctx, &open[i].Intent, proven); err != nil {
				return err
			}
		}
		open = open[n:]
	}
	return nil
}

// together returns how many of the first intents are looked for in one slice,
// and the slice. Those that are ripe and those that are not never share one: a
// slice into which jobs still come cannot be proven.
func (r *resubmission) together(open []Attempt) (n int, w Window) {
	first := &open[0].Intent
	w = searched(first)
	for n = 1; n < len(open); n++ {
		next := searched(&open[n].Intent)
		if next.Start.After(w.End) || next.End.Sub(w.Start) > day || r.ripe(&open[n].Intent) != r.ripe(first) {
			break
		}
		if next.End.After(w.End) {
			w.End = next.End
		}
	}
	if now := r.base.Add(widening); w.End.After(now) {
		w.End = now
	}
	return n, w
}

// judge concludes an intent, or holds it.
func (r *resubmission) judge(ctx context.Context, in *Intent, proven bool) error {
	c, found := r.survey.byToken(in)
	switch {
	case found && c.id == "":
		r.hold(in.Original, in.Attempt, "its job is listed, and cannot be read")
		return nil
	case found:
		return r.settle(ctx, in, &Result{Outcome: OutcomeSubmitted, JobID: c.id, Reason: "found in the listing"})
	case !r.timed:
		r.hold(in.Original, in.Attempt, "no answer came, and the API does not tell its time by which its job could be looked for")
		return nil
	case !r.ripe(in):
		wait := searched(in).End.Add(visibility).Sub(r.base).Round(time.Minute)
		r.hold(in.Original, in.Attempt, fmt.Sprintf("no answer came, and its job may still appear: run again in %v", max(wait, time.Minute)))
		return nil
	case r.base.Sub(in.Created) >= Retention-day:
		r.hold(in.Original, in.Attempt, "no answer came, and the API does not keep jobs for as long as it was not looked for")
		return nil
	case !proven:
		r.hold(in.Original, in.Attempt, "no answer came, and the listing could not be read completely")
		return nil
	}
	return r.settle(ctx, in, &Result{Outcome: OutcomeAbsent, Reason: "no answer came, and a complete listing holds no job of it"})
}

// settle records what was found out.
func (r *resubmission) settle(ctx context.Context, in *Intent, result *Result) error {
	if r.DryRun {
		r.hold(in.Original, in.Attempt, fmt.Sprintf("a run would record that it is %s: %s", result.Outcome, result.Reason))
		return nil
	}
	result.RunID, result.Concluded = r.RunID, r.Now().UTC()
	switch err := r.Attempts.Conclude(ctx, in, result); {
	case errors.Is(err, ErrConflict):
		return nil // another run was first; its result is read with the history
	case err != nil:
		return fmt.Errorf("record the result of attempt %d at job %s: %w", in.Attempt, in.Original, err)
	}
	r.Log.Info("an unanswered submission was cleared up", "pipeline", r.choice.Pipeline,
		"original", in.Original, "outcome", result.Outcome, "job", result.JobID)
	if result.Outcome == OutcomeSubmitted {
		r.add(Resubmitted{
			Original: in.Original, Attempt: in.Attempt, State: ResubmitState(OutcomeSubmitted), JobID: result.JobID,
			Reason: "submitted by run " + in.RunID + ", " + result.Reason,
		})
	}
	return nil
}

// hold reports an attempt that is not decided, once.
func (r *resubmission) hold(original string, attempt int, reason string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, j := range r.report.Jobs {
		if j.Original == original && j.State == StateHeld {
			return
		}
	}
	r.report.Counts.Held++
	r.report.Jobs = append(r.report.Jobs, Resubmitted{Original: original, Attempt: attempt, State: StateHeld, Reason: reason})
}

// add reports what became of a job.
func (r *resubmission) add(j Resubmitted) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.report.Jobs = append(r.report.Jobs, j)
}
