package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/adteco/docarchive/docextract"
)

// Resubmission spends money through an API that knows no idempotency keys. It
// rests on these rules:
//
//	intent    an attempt is recorded before its document is sent, and only who
//	          recorded it may send, once, within postWithin
//	result    what came of it is recorded after; an answer that does not tell
//	          leaves the intent without a result
//	next      the next attempt at a job needs a result of the one before by which
//	          nothing was charged
//	reconcile an intent without a result is looked for in the listing, by its
//	          token, when it must be there if it ever will be
//	survey    no job is attempted that another job says it was made from
//
// What is left open by these is a process that stands still between its last
// look at the clock and the socket for longer than acceptance and visibility
// together.
const (
	postWithin  = time.Minute      // after the intent, the time to send in
	acceptance  = 15 * time.Minute // from the sending until the server accepts, at most
	visibility  = 15 * time.Minute // from then until listings show the job, at most
	skewAllowed = 5 * time.Minute  // between the clock that wrote an intent and the server's
)

// Submitter submits a document in one request, which is never repeated. It
// tells by the type of its error what is known: [*docextract.NotSentError],
// [*docextract.RejectedError] or [*docextract.AmbiguousError].
type Submitter interface {
	Submit(ctx context.Context, in docextract.Submission) (docextract.Job, error)
}

// Documents fetches documents. It never sends the API's key.
type Documents interface {
	Download(ctx context.Context, url string, w io.Writer) (docextract.Document, error)
}

// KeptDocuments opens archived documents. Reading one to its end fails if its
// bytes are not those that the checksum names.
type KeptDocuments interface {
	OpenDocument(ctx context.Context, sha256 string, size int64) (io.ReadCloser, error)
}

// Purse tells what there is to spend.
type Purse interface {
	Credits(ctx context.Context) (docextract.Credits, error)
}

// ResubmitServices are what a resubmission works with.
type ResubmitServices struct {
	Source    Source
	Library   Library
	Attempts  Attempts
	Documents Documents
	Kept      KeptDocuments // nil: none are archived
	Purse     Purse
	Submitter Submitter // not used in a dry run
}

// ResubmitLimits bound what one resubmission does.
type ResubmitLimits struct {
	MaxAttempts int     // submissions of one document after the first, whoever made them
	Concurrency int     // jobs in work at once
	Max         int     // jobs to submit; 0: all
	MaxCredits  float64 // to spend; 0: no limit
	RetryAbsent bool    // attempt again what was proven not to have arrived
	Wait        bool    // until the new jobs are final
}

// Resubmitter submits failed jobs again.
type Resubmitter struct {
	Identity
	ResubmitServices
	Paging   Paging
	Spool    string // local folder for documents
	NewToken func() string
	Now      func() time.Time
	Sleep    func(ctx context.Context, d time.Duration) error
	Log      *slog.Logger
	Stopping <-chan struct{} // once closed, no new job is begun; may be nil
}

// resubmission is one call of Run.
type resubmission struct {
	*Resubmitter
	choice Choice
	limits ResubmitLimits
	survey *survey
	base   time.Time // the earlier of the local and the server's time
	timed  bool      // the server told its time

	mu     sync.Mutex
	report ResubmitReport
	lost   int   // answers in a row that told nothing
	halted error // why no more jobs are begun
}

// Run submits the chosen jobs that are due, oldest first, and reports on each.
// The error is what kept it from going on; the report holds what was done.
// Whatever is held is in the report, and no error.
func (r *Resubmitter) Run(ctx context.Context, c Choice, l ResubmitLimits) (*ResubmitReport, error) {
	run := &resubmission{
		Resubmitter: r, choice: c, limits: l, survey: newSurvey(&c),
		report: ResubmitReport{Pipeline: c.Pipeline, RunID: r.RunID, DryRun: r.DryRun, Jobs: []Resubmitted{}},
	}
	err := run.run(ctx)
	run.report.finish(run.halted)
	return &run.report, err
}

func (r *resubmission) run(ctx context.Context) error {
	if err := r.readClock(ctx); err != nil {
		return err
	}
	var open []Attempt
	if err := r.Attempts.Unresolved(ctx, r.choice.Pipeline, func(a Attempt) error {
		open = append(open, a)
		return nil
	}); err != nil {
		return err
	}
	if err := r.survey.readArchive(ctx, r.Library); err != nil {
		return err
	}
	if err := r.reconcile(ctx, open); err != nil {
		return err
	}
	if err := r.readListing(ctx); err != nil {
		return err
	}
	r.report.Problems = append(r.report.Problems, r.survey.problems...)
	due, err := r.chooseDue(ctx)
	if err != nil {
		return err
	}
	r.report.Counts.Due = len(due)
	r.readBalance(ctx)
	if r.DryRun {
		r.tellDue(due)
		return nil
	}
	r.submitAll(ctx, due)
	ended := r.halted
	if errors.Is(ended, errNoCredits) || errors.Is(ended, errSilence) {
		ended = nil // the report says it, and only a person can help
	}
	if r.limits.Wait && ctx.Err() == nil {
		ended = errors.Join(ended, r.waitForAll(ctx))
	}
	return ended
}

// readClock compares the clocks. Money is not spent on a clock that is wrong:
// the other runs' intents could not be judged by it.
func (r *resubmission) readClock(ctx context.Context) error {
	page, err := r.Source.List(ctx, docextract.Query{Limit: 1})
	if err != nil {
		return err
	}
	now := r.Now().UTC()
	r.base, r.timed = now, !page.Date.IsZero()
	if !r.timed {
		return nil
	}
	if skew := now.Sub(page.Date); skew.Abs() > skewAllowed {
		return &SkewError{skew}
	}
	if page.Date.Before(now) {
		r.base = page.Date
	}
	return nil
}

// readListing reads from the API what the raw layer does not hold: it must be
// known of every candidate whether it was submitted again already.
func (r *resubmission) readListing(ctx context.Context) error {
	prover := NewProver(r.Source, r.choice.Filter.ExtractorID, r.Paging.Size, r.Paging.InFlight)
	from := r.choice.Since
	if oldest := r.base.Add(-Retention); from.Before(oldest) {
		from = oldest
	}
	if !r.choice.FromAPI {
		candidates := r.survey.oldest()
		if len(candidates) == 0 {
			return nil
		}
		from = candidates[0].CreatedAt
	}
	settled := r.base.Add(-visibility)
	slices := []Window{{Start: from, End: settled}}
	if !r.choice.FromAPI {
		slices = r.survey.uncovered(from, settled)
	}
	for _, w := range slices {
		proven, err := r.survey.prove(ctx, prover, w, r.choice.FromAPI)
		if err != nil {
			return err
		}
		if !proven {
			r.survey.gaps = append(r.survey.gaps, w)
			r.report.Problems = append(r.report.Problems, Problem{
				Message: fmt.Sprintf("the listing of %s could not be read completely: jobs that failed before its end are held", w),
			})
		}
	}
	// Jobs still come into this part: what is seen counts, its end does not.
	recent := Window{Start: settled, End: r.base.Add(widening)}
	if recent.Start.Before(from) {
		recent.Start = from
	}
	_, err := r.survey.prove(ctx, prover, recent, false)
	return err
}

// readBalance asks what there is to spend. A key that may not ask can submit.
func (r *resubmission) readBalance(ctx context.Context) {
	credits, err := r.Purse.Credits(ctx)
	if err != nil {
		r.Log.Warn("the balance could not be read", "pipeline", r.choice.Pipeline, "error", err)
		return
	}
	r.report.Balance = &credits.Balance
}

// tellDue reports what a run would submit.
func (r *resubmission) tellDue(due []dueJob) {
	for i := range due {
		d := &due[i]
		r.report.Credits += d.credits
		r.report.Jobs = append(r.report.Jobs, Resubmitted{
			Original: d.ID, Code: d.code, Attempt: d.attempt, State: StateDue, Credits: d.credits,
		})
	}
}
