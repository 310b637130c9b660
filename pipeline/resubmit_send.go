package pipeline

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/sourcegraph/conc/pool"

	"github.com/adteco/docarchive/docextract"
)

const (
	// silences is after how many submissions in a row that brought no answer a
	// resubmission gives up: each of them leaves an attempt that is held.
	silences = 8
	// recording is for how long a result is tried to be recorded, whatever the
	// context says: without it the attempt is held.
	recording = 30 * time.Second
)

// errNoCredits means that the balance does not cover another document.
var errNoCredits = errors.New("the balance does not cover the next document: buy credits, and run again")

// errSilence means that the API does not answer submissions.
var errSilence = fmt.Errorf("%d submissions in a row were not answered: the rest is left to a later run", silences)

// submitAll attempts the jobs. One that fails does not stop those in work: to
// break off would turn sure results into doubtful ones.
func (r *resubmission) submitAll(ctx context.Context, due []dueJob) {
	work := pool.New().WithMaxGoroutines(max(1, r.limits.Concurrency))
	for i := range due {
		if r.halting(ctx) {
			r.mu.Lock()
			r.report.Counts.Left += len(due) - i
			r.mu.Unlock()
			break
		}
		work.Go(func() { r.safely(ctx, &due[i]) })
	}
	work.Wait()
}

// halting reports whether no more jobs are to be begun.
func (r *resubmission) halting(ctx context.Context) bool {
	select {
	case <-r.Stopping:
		r.halt(ErrStopped)
	case <-ctx.Done():
		r.halt(context.Cause(ctx))
	default:
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.halted != nil
}

// told reports whether the run was told to begin nothing more.
func (r *resubmission) told() bool {
	select {
	case <-r.Stopping:
		return true
	default:
		return false
	}
}

func (r *resubmission) halt(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.halted == nil {
		r.halted = err
	}
}

// safely turns a panic, which would take the other jobs with it, into a report.
func (r *resubmission) safely(ctx context.Context, d *dueJob) {
	defer func() {
		if v := recover(); v != nil {
			r.Log.Debug("panic", "value", v, "stack", string(debug.Stack()))
			r.hold(d.ID, d.attempt, fmt.Sprintf("internal error: %v", v))
		}
	}()
	if r.halting(ctx) {
		r.mu.Lock()
		r.report.Counts.Left++
		r.mu.Unlock()
		return
	}
	r.attempt(ctx, d)
}

// attempt submits one job again.
func (r *resubmission) attempt(ctx context.Context, d *dueJob) {
	document, err := r.fetch(ctx, d)
	if document != nil {
		defer document.remove()
	}
	var refused *refusedError
	switch {
	case errors.As(err, &refused):
		r.refuse(ctx, d, refused)
		return
	case errors.Is(err, errNotFailed):
		r.add(d.became(StateTaken, err.Error()))
		return
	case err != nil:
		r.unread(d, err)
		return
	}
	// Both ends of the deadline are set before the intent says it.
	deadline := time.Now().Add(postWithin)
	in := r.intent(d)
	in.SHA256, in.Size = document.sum, document.size
	if !r.intend(ctx, d, in) {
		return
	}
	sending, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	job, err := r.post(sending, docextract.Submission{
		ExtractorID: d.ExtractorID, Open: document.open, Size: document.size, MIMEType: document.mimeType,
		Metadata: d.linked(d.generation, in.Token),
	})
	r.conclude(ctx, d, in, job, err)
}

func (r *resubmission) intent(d *dueJob) *Intent {
	now := r.Now().UTC()
	return &Intent{
		AttemptIdentity: AttemptIdentity{
			Pipeline: r.choice.Pipeline, Original: d.ID, Attempt: d.attempt, Token: r.NewToken(), RunID: r.RunID,
		},
		Created: now, PostNotAfter: now.Add(postWithin),
	}
}

// intend records the intent, and reports whether the document may be sent.
func (r *resubmission) intend(ctx context.Context, d *dueJob, in *Intent) bool {
	err := r.Attempts.Intend(ctx, in)
	switch {
	case errors.Is(err, ErrConflict):
		r.add(d.became(StateTaken, "another run attempts it"))
		return false
	case err != nil:
		// It may stand there all the same; then it is found absent later.
		r.halt(fmt.Errorf("record an intent: %w", err))
		r.add(d.became(StateTrouble, err.Error()))
		return false
	}
	return true
}

// refuse records that a document cannot be submitted, so that no later run tries.
func (r *resubmission) refuse(ctx context.Context, d *dueJob, why *refusedError) {
	in := r.intent(d)
	in.Refusal = why.Error()
	if r.intend(ctx, d, in) {
		r.add(d.became(ResubmitState(OutcomeRejected), in.Refusal))
	}
}

// unread reports a job whose document could not be fetched this time.
func (r *resubmission) unread(d *dueJob, err error) {
	var unavailable *docextract.UnavailableError
	var spool *SpoolError
	var api *docextract.Error
	switch {
	case errors.As(err, &unavailable), errors.As(err, &spool), errors.Is(err, context.Canceled),
		errors.As(err, &api) && api.Refused():
		r.halt(err)
	}
	r.add(d.became(StateFetch, err.Error()))
}

// post submits until it is known whether a job was made, or not. Only what
// surely made none is repeated, while the intent lasts.
func (r *resubmission) post(ctx context.Context, in docextract.Submission) (docextract.Job, error) {
	for try := 1; ; try++ {
		job, err := r.Submitter.Submit(ctx, in)
		wait, again := repeatable(err)
		if !again || try == 10 {
			return job, err
		}
		if wait <= 0 {
			wait = time.Duration(try) * time.Second
		}
		if end, ok := ctx.Deadline(); ok && time.Until(end) < wait {
			return job, err
		}
		if r.Sleep(ctx, wait) != nil || r.told() {
			return job, err
		}
	}
}

// repeatable reports whether a submission made no job for a reason that passes.
func repeatable(err error) (wait time.Duration, again bool) {
	var rejected *docextract.RejectedError
	var api *docextract.Error
	if errors.As(err, &rejected) && errors.As(rejected.Err, &api) {
		return rejected.RetryAfter, api.Status == http.StatusTooManyRequests
	}
	var document *documentError
	var unsent *docextract.NotSentError
	return 0, errors.As(err, &unsent) && !errors.As(err, &document)
}

// conclude records what came of a submission.
func (r *resubmission) conclude(ctx context.Context, d *dueJob, in *Intent, job docextract.Job, err error) {
	result := &Result{Concluded: r.Now().UTC()}
	result.RunID = r.RunID
	result.Outcome, result.Reason = judged(err)
	switch {
	case err == nil:
		result.JobID = job.ID
		r.answered()
	case result.Outcome == "":
		r.silent()
		r.hold(d.ID, in.Attempt, err.Error())
		return
	default:
		r.answered()
		r.haltAfter(err)
	}
	recordCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recording)
	defer cancel()
	j := d.became(ResubmitState(result.Outcome), result.Reason)
	j.JobID = result.JobID
	// A conflict is another run that found the answer in the listing first.
	if failed := r.Attempts.Conclude(recordCtx, in, result); failed != nil && !errors.Is(failed, ErrConflict) {
		// The listing will tell what became of it.
		r.halt(fmt.Errorf("record the result of attempt %d at job %s: %w", in.Attempt, d.ID, failed))
		j.Reason = "its result could not be recorded: " + failed.Error()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		if cost := readFailed(job); job.Raw != nil && cost.credits != dearest {
			d.credits = cost.credits
		}
		j.Credits = d.credits
		r.report.Counts.Submitted++
		r.report.Credits += d.credits
	}
	r.report.Jobs = append(r.report.Jobs, j)
}

// judged says what a submission's error proves; nothing if it is ambiguous.
func judged(err error) (Outcome, string) {
	var rejected *docextract.RejectedError
	var unsent *docextract.NotSentError
	var api *docextract.Error
	switch {
	case err == nil:
		return OutcomeSubmitted, ""
	case errors.As(err, &rejected):
		if !errors.As(rejected.Err, &api) {
			return OutcomeUnsent, err.Error() // a redirect
		}
		switch api.Status {
		case http.StatusUnauthorized, http.StatusPaymentRequired, http.StatusForbidden, http.StatusTooManyRequests:
			return OutcomeUnsent, err.Error()
		}
		return OutcomeRejected, err.Error()
	case errors.As(err, &unsent):
		return OutcomeUnsent, err.Error()
	}
	return "", ""
}

// haltAfter stops the run where no other job can fare better.
func (r *resubmission) haltAfter(err error) {
	var api *docextract.Error
	switch {
	case errors.As(err, &api) && api.Status == http.StatusPaymentRequired:
		r.halt(errNoCredits)
	case fatal(err):
		r.halt(err)
	}
}

func (r *resubmission) answered() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lost = 0
}

func (r *resubmission) silent() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lost++; r.lost >= silences && r.halted == nil {
		r.halted = errSilence
	}
}

// became reports the job in a state.
func (d *dueJob) became(state ResubmitState, reason string) Resubmitted {
	return Resubmitted{Original: d.ID, Code: d.code, Attempt: d.attempt, State: state, Reason: reason}
}
