package submission

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/adteco/docarchive/docextract"
)

// attempt is one document on its way.
type attempt struct {
	doc      Document
	in       Intent
	metadata json.RawMessage
	result   Result
}

const (
	// patience is for how long one intent is tried while the API says for sure
	// that it took nothing.
	patience = 15 * time.Minute
	// firstPause and longestPause lie between two tries where the API does not
	// say how long to wait.
	firstPause   = time.Second
	longestPause = 30 * time.Second
	// connections is how often in a row the API may be out of reach.
	connections = 4
)

// send makes the POST, again only where the last one surely made no job. It is
// not settled if the job has to be looked for.
func (b *batch) send(ctx context.Context, t *attempt) (r Result, settled bool) {
	begun, pause, unreached := b.Clock.Now(), firstPause, 0
	for {
		job, err := b.Submit(ctx, docextract.Submission{
			ExtractorID: t.in.Extractor, Size: t.doc.Size, MIMEType: t.doc.MIMEType, Metadata: t.metadata,
			Open: func() (io.ReadCloser, error) { return t.doc.open() },
		})
		if err == nil {
			return b.done(ctx, t, job)
		}
		var refused *docextract.RejectedError
		var unsent *docextract.NotSentError
		wait := pause
		switch {
		case errors.As(err, &refused):
			unreached = 0
			if !tooMany(err) {
				return b.void(t, Refused, err)
			}
			wait = max(wait, refused.RetryAfter)
		case errors.As(err, &unsent):
			if local(err) {
				return b.void(t, Refused, err)
			}
			unreached++
		default:
			return b.doubt(t, err)
		}
		switch {
		case ctx.Err() != nil, unreached == connections, b.Clock.Now().Add(wait).Sub(begun) > patience:
			return b.void(t, Unsent, err)
		}
		if b.Clock.Sleep(ctx, wait) != nil {
			return b.void(t, Unsent, context.Cause(ctx))
		}
		pause = min(2*pause, longestPause)
	}
}

// void notes that an intent made no job.
func (b *batch) void(t *attempt, outcome Outcome, err error) (Result, bool) {
	r := t.result
	r.Outcome, r.Reason, r.Err = outcome, err.Error(), err
	if local(err) {
		r.Err = nil
	}
	var api *docextract.Error
	var redirect *docextract.RedirectError
	switch {
	case errors.As(err, &api) && api.Refused(), errors.As(err, &redirect):
		b.end(err) // the next would fare no better
	case errors.As(err, &api) && (api.Status == http.StatusPaymentRequired || api.Code == "insufficient_credits"):
		r.Reason = "not enough credits: " + r.Reason
	}
	if err := b.Journal.Void(t.in, r.Reason); err != nil {
		b.end(err)
	}
	return r, true
}

// doubt notes that an intent may have made a job, which is looked for when the
// batch is through.
func (b *batch) doubt(t *attempt, err error) (Result, bool) {
	r := t.result
	r.Outcome, r.Reason, r.Err = Held, err.Error(), err
	if err := b.Journal.Doubt(t.in, r.Reason); err != nil {
		b.end(err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.doubts[t.in.ID] = r
	return r, false
}

func tooMany(err error) bool {
	var api *docextract.Error
	return errors.As(err, &api) && api.Status == http.StatusTooManyRequests
}

// local reports whether the document itself is what failed.
func local(err error) bool {
	var at *os.PathError
	return errors.Is(err, errChanged) || errors.As(err, &at)
}

func (b *batch) done(ctx context.Context, t *attempt, job docextract.Job) (Result, bool) {
	r := t.result
	r.Outcome, r.JobID, r.Status = Submitted, job.ID, job.Status
	if err := b.Journal.Done(t.in, job.ID); err != nil {
		b.end(err)
	}
	b.await(ctx, &r)
	return r, true
}

// await waits for the job's end where that is wanted.
func (b *batch) await(ctx context.Context, r *Result) {
	if b.Wait == nil {
		return
	}
	job, err := b.Wait(ctx, r.JobID)
	if job.Status != "" {
		r.Status = job.Status
	}
	if err != nil {
		r.Reason, r.Err = err.Error(), err
	}
}
