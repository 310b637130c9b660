package docextract

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/adteco/docarchive/internal/rawjson"
)

// SubmitterOptions configures a [Submitter].
type SubmitterOptions struct {
	BaseURL   string  // DefaultBaseURL if empty
	Key       string  // sent as a bearer token, to the base URL's host only
	UserAgent string  // docarchive if empty
	Limiter   Limiter // a [Budget] of its own if nil; to be shared with the clients of the same key
	// Timeout is for one submission, from the connection to the end of the
	// answer; if 0, 30 s and a second for each MiB of the document.
	Timeout time.Duration
	Clock   Clock
}

// Submitter submits documents, which costs credits. Whoever must not spend is
// not given one. It is safe for concurrent use.
//
// A submission is one POST and never more: it goes over a connection of its own,
// by HTTP/1.1, is not redirected, and has neither a body that could be sent
// again nor an idempotency key, which would let the transport repeat it.
type Submitter struct {
	endpoint
	http    *http.Client
	limiter Limiter
	timeout time.Duration
	clock   Clock
}

// NewSubmitter returns a submitter. The error says what is wrong with the base
// URL or the key.
func NewSubmitter(o SubmitterOptions) (*Submitter, error) {
	at, err := newEndpoint(o.BaseURL, o.Key, o.UserAgent)
	if err != nil {
		return nil, err
	}
	transport := newTransport(Timeouts{}.withDefaults(0))
	transport.DisableKeepAlives = true
	transport.Protocols = new(http.Protocols)
	transport.Protocols.SetHTTP1(true)
	s := &Submitter{
		endpoint: at, limiter: o.Limiter, timeout: o.Timeout, clock: o.Clock.withDefaults(),
		http: &http.Client{Transport: transport, CheckRedirect: unfollowed},
	}
	if s.limiter == nil {
		s.limiter = NewBudget(0, s.clock)
	}
	return s, nil
}

// Submit submits a document once. Every error is a [*NotSentError], a
// [*RejectedError] or an [*AmbiguousError].
//
// Until the first byte leaves, ctx ends the submission, and its deadline is a
// moment past which none leaves, even if this process stood still in between.
// From then on ctx is not heeded, since to break off would turn a sure result
// into a doubtful one.
//
// The job may lack whatever the answer lacks but its id.
func (s *Submitter) Submit(ctx context.Context, in Submission) (Job, error) {
	sending, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(nil)
	detach := context.AfterFunc(ctx, func() { cancel(context.Cause(ctx)) })
	defer detach()
	body, err := in.body(func() error {
		if err := over(ctx); err != nil {
			return err
		}
		if !detach() {
			return context.Cause(ctx)
		}
		return nil
	})
	if err != nil {
		return Job{}, &NotSentError{Err: err}
	}
	if err := s.limiter.Wait(ctx); err != nil {
		_ = body.Close() // nothing was read
		return Job{}, &NotSentError{Err: err}
	}
	limit := s.timeout
	if limit == 0 {
		limit = 30*time.Second + time.Duration(in.Size>>20)*time.Second
	}
	sending, stop := context.WithTimeoutCause(sending, limit, &TimeoutError{"the submission was not over", limit})
	defer stop()
	return s.post(sending, body)
}

// over returns why nothing may be sent any more; nil if it may. Both clocks
// count: the monotonic one stands still while a machine is suspended.
func over(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	now := time.Now()
	if end, ok := ctx.Deadline(); ok && !(now.Before(end) && now.Round(0).Before(end.Round(0))) {
		return context.DeadlineExceeded
	}
	return nil
}

// post makes the request and tells what is known of it.
func (s *Submitter) post(ctx context.Context, body *submissionBody) (Job, error) {
	req, err := s.request(ctx, http.MethodPost, []string{"documents"}, nil, body)
	if err != nil {
		s.limiter.Failed()
		_ = body.Close() // nothing was read
		return Job{}, &NotSentError{Err: err}
	}
	req.ContentLength = body.length
	req.Header.Set("Content-Type", "application/json")
	resp, err := s.http.Do(req)
	if err != nil {
		s.limiter.Failed()
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		err = s.failure(err)
		if why := body.unsent(err); why != nil {
			return Job{}, &NotSentError{Err: s.key.redact(why)}
		}
		return Job{}, &AmbiguousError{Err: err}
	}
	defer resp.Body.Close()
	s.limiter.Observe(resp.StatusCode, resp.Header)
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxSubmitAnswer+1))
	if err == nil && len(text) > maxSubmitAnswer {
		err = &TooLargeError{Limit: maxSubmitAnswer}
	}
	if err != nil {
		err = s.failure(err)
	}
	return s.judge(&answer{status: resp.StatusCode, header: resp.Header, body: text}, err)
}

// maxSubmitAnswer bounds the answer to a submission, in bytes.
const maxSubmitAnswer = 1 << 20

// judge tells what an answer means. lost is why its body is not whole.
func (s *Submitter) judge(a *answer, lost error) (Job, error) {
	switch {
	case a.status >= 200 && a.status < 300 && lost != nil:
		return Job{}, &AmbiguousError{Err: lost}
	case a.status >= 200 && a.status < 300:
		job, err := submittedJob(a.body)
		if err != nil {
			return Job{}, &AmbiguousError{Err: &MalformedError{Prefix: s.key.beginning(a.body), Err: s.key.redact(err)}}
		}
		return job, nil
	case a.status == http.StatusMovedPermanently, a.status == http.StatusTemporaryRedirect, a.status == http.StatusPermanentRedirect:
		// These say that the request is to be made elsewhere, so it was not met.
		return Job{}, &RejectedError{Err: s.redirect(a.header.Get("Location"))}
	case a.status >= 300 && a.status < 400:
		return Job{}, &AmbiguousError{Err: s.redirect(a.header.Get("Location"))}
	}
	problem := s.parseError(a)
	if !problem.definite() {
		return Job{}, &AmbiguousError{Err: problem}
	}
	return Job{}, &RejectedError{Err: problem, RetryAfter: s.retryAfter(a)}
}

// definite reports whether an answer to a submission says for sure that it made
// no job. A status that can also mean that somebody on the way lost sight of
// the request does not; one that does not settle it needs the API's own error
// beside it.
func (e *Error) definite() bool {
	switch e.Status {
	case http.StatusRequestTimeout, http.StatusConflict, http.StatusTooEarly:
		return false
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusPaymentRequired, http.StatusForbidden,
		http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusLengthRequired, http.StatusRequestEntityTooLarge,
		http.StatusRequestURITooLong, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity,
		http.StatusTooManyRequests, http.StatusRequestHeaderFieldsTooLarge:
		return true
	}
	return e.Status < 500 && e.Code != ""
}

// retryAfter is how long a 429 asks to wait; 0 if it does not say.
func (s *Submitter) retryAfter(a *answer) time.Duration {
	if a.status != http.StatusTooManyRequests {
		return 0
	}
	now := s.clock.Now()
	if wait, ok := retryAfter(a.header, now); ok {
		return wait
	}
	wait, _, ok := untilReset(a.header, now)
	if !ok {
		return 0
	}
	return wait
}

// submittedJob reads the answer to a submission. Only the id must be there.
func submittedJob(body []byte) (Job, error) {
	scanner := rawjson.NewScanner(body)
	job, problem, err := scanJob(scanner)
	if err == nil {
		err = scanner.End()
	}
	switch {
	case err != nil:
		return Job{}, err
	case job.ID == "" || strings.ContainsRune(job.ID, utf8.RuneError):
		return Job{}, fmt.Errorf("not a job: %s", problem)
	}
	return job, nil
}

// NotSentError means that a submission did not reach the API, or not whole: it
// made no job and may be repeated.
type NotSentError struct{ Err error }

func (e *NotSentError) Error() string { return "submission not sent: " + e.Err.Error() }

func (e *NotSentError) Unwrap() error { return e.Err }

// RejectedError means that the API refused a submission: it made no job, and
// nothing was charged.
type RejectedError struct {
	Err        error         // an [*Error], with status 402 if credits are lacking, or a [*RedirectError]
	RetryAfter time.Duration // of a 429, which may be repeated then; 0 if it did not say
}

func (e *RejectedError) Error() string { return "submission refused: " + e.Err.Error() }

func (e *RejectedError) Unwrap() error { return e.Err }

// AmbiguousError means that a submission may have made a job and may have been
// charged. It must not be repeated before a listing has shown which.
type AmbiguousError struct{ Err error }

func (e *AmbiguousError) Error() string {
	return "submission may have been charged and must not be repeated before its job was looked for: " + e.Err.Error()
}

func (e *AmbiguousError) Unwrap() error { return e.Err }
