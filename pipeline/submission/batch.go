package submission

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"
	"time"

	"github.com/sourcegraph/conc"
	"github.com/sourcegraph/conc/pool"

	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/pipeline"
)

// Keys of the metadata that every submission carries, by which its job can be
// found again.
const (
	MetaSubmission = "docarchive_submission" // the first 16 digits of the document's SHA-256
	MetaIntent     = "docarchive_intent"     // the id of the intent
	MetaBatch      = "batch_id"
	reserved       = "docarchive_"
)

// Outcome is what became of a document.
type Outcome string

// The outcomes.
const (
	Submitted Outcome = "submitted"
	Skipped   Outcome = "skipped" // a job of this content exists, or is being made
	Planned   Outcome = "planned" // would be submitted; nothing was sent
	Held      Outcome = "held"    // it may have made a job that was not found
	Refused   Outcome = "refused" // by a check here, or by the API
	Unsent    Outcome = "unsent"  // the API is away, or the batch was stopped
)

// Result is what became of one document.
type Result struct {
	File    string            `json:"file"`
	Outcome Outcome           `json:"outcome"`
	JobID   string            `json:"job_id,omitempty"`
	Status  docextract.Status `json:"status,omitempty"` // of the job, as last seen
	SHA256  string            `json:"sha256,omitempty"`
	Size    int64             `json:"size_bytes,omitempty"`
	MIME    string            `json:"mime_type,omitempty"`
	Reason  string            `json:"reason,omitempty"` // why it is not simply submitted
	Err     error             `json:"-"`                // behind the reason, if it is more than that
}

// Services are what a batch works with.
type Services struct {
	Journal *Journal
	// Submit makes one POST, as [docextract.Submitter.Submit] does.
	Submit func(context.Context, docextract.Submission) (docextract.Job, error)
	// Walk calls yield with the jobs of a listing.
	Walk func(ctx context.Context, q docextract.Query, yield func(docextract.Job) error) error
	// Wait returns a job when it is final; nil: nobody waits. What it returns
	// beside an error is the job as last seen.
	Wait  func(ctx context.Context, id string) (docextract.Job, error)
	Clock docextract.Clock // both functions must be set
	// Stopping is closed when nothing more is to be begun.
	Stopping <-chan struct{}
}

// Options say what is submitted, and how.
type Options struct {
	Extractor   string
	Metadata    Metadata // of all documents; an item's own goes before it
	MaxSize     int64    // of a document in bytes
	Concurrency int      // documents in hand at once; with Wait, jobs not final at once
	Again       bool     // submit what was submitted before, or may have been
	DryRun      bool     // send nothing
}

// batch is one execution of Run.
type batch struct {
	Services
	Options
	report func(Result)

	mu     sync.Mutex
	fatal  error // why nothing more is begun
	doubts map[string]Result
}

// Run submits the items and reports each, in the order in which they end, from
// one goroutine at a time. An error means that the batch ended early; what is
// wrong with one document is reported and is no error.
func Run(ctx context.Context, s Services, o Options, items iter.Seq2[Item, error], report func(Result)) error {
	b := &batch{Services: s, Options: o, doubts: map[string]Result{}}
	var reporting sync.Mutex
	b.report = func(r Result) {
		reporting.Lock()
		defer reporting.Unlock()
		report(r)
	}
	if !o.DryRun {
		if _, err := b.reconcile(ctx, b.Journal.Doubts(o.Extractor)); err != nil {
			return err
		}
	}
	sending, stop := context.WithCancelCause(ctx) // a POST that has begun does not heed it
	var watcher conc.WaitGroup
	watcher.Go(func() {
		select {
		case <-b.Stopping:
			stop(pipeline.ErrStopped)
		case <-sending.Done():
		}
	})
	workers := pool.New().WithMaxGoroutines(max(o.Concurrency, 1))
	for item, err := range items {
		if b.over(ctx) != nil {
			break
		}
		if err != nil {
			b.report(Result{File: item.Name, Outcome: Refused, Reason: err.Error()})
			continue
		}
		workers.Go(func() {
			if r, settled := b.item(sending, item); settled {
				b.report(r)
			}
		})
	}
	workers.Wait()
	err := b.settle(ctx, sending)
	stop(nil)
	watcher.Wait()
	return errors.Join(err, b.over(ctx))
}

// over is why nothing more is begun; nil if something may be.
func (b *batch) over(ctx context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fatal == nil {
		select {
		case <-b.Stopping:
			b.fatal = pipeline.ErrStopped
		case <-ctx.Done():
			b.fatal = context.Cause(ctx)
		default:
		}
	}
	return b.fatal
}

func (b *batch) end(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fatal == nil {
		b.fatal = err
	}
}

// item submits one document. It is not settled if it has to be looked for.
func (b *batch) item(ctx context.Context, item Item) (r Result, settled bool) {
	r = Result{File: item.Name, Outcome: Refused}
	doc, err := Inspect(item.Path, b.MaxSize)
	if err != nil {
		r.Reason = err.Error()
		return r, true
	}
	r.SHA256, r.Size, r.MIME = hex.EncodeToString(doc.SHA256[:]), doc.Size, doc.MIMEType
	if err := item.Metadata.check(); err != nil {
		r.Reason = err.Error()
		return r, true
	}
	key := Key{Extractor: b.Extractor, SHA256: doc.SHA256}
	if b.DryRun {
		r.Outcome = Planned
		if prior := b.Journal.Prior(key); prior.State != StateNew && !b.Again {
			r.answer(prior)
		}
		return r, true
	}
	if err := b.over(ctx); err != nil {
		r.Outcome, r.Reason, r.Err = Unsent, "not sent: "+err.Error(), err
		return r, true
	}
	in, prior, err := b.Journal.Begin(key, item.Name, b.Again)
	switch {
	case err != nil:
		b.end(err)
		r.Outcome, r.Reason, r.Err = Unsent, err.Error(), err
		return r, true
	case prior.State != StateNew:
		r.answer(prior)
		return r, true
	}
	metadata, err := b.metadata(item, in)
	if err != nil { // cannot be: its values are JSON
		r.Reason = err.Error()
		return r, true
	}
	return b.send(ctx, &attempt{doc: doc, in: in, metadata: metadata, result: r})
}

// answer says what stands against a submission.
func (r *Result) answer(p Prior) {
	at := p.At.Format(time.RFC3339)
	switch p.State {
	case StateDone:
		r.Outcome, r.JobID = Skipped, p.Job
		r.Reason = fmt.Sprintf("submitted before, at %s; --again submits it once more", at)
	case StateBusy:
		r.Outcome, r.Reason = Skipped, "has the same content as "+p.File
	case StateDoubt:
		r.Outcome = Held
		r.Reason = fmt.Sprintf("may have been charged at %s, and its job is not found; --again submits it once more", at)
	}
}

// check refuses metadata that would be taken for the program's own.
func (m Metadata) check() error {
	for key := range m {
		if strings.HasPrefix(key, reserved) {
			return fmt.Errorf("the metadata key %q is reserved; choose one that does not begin with %s", key, reserved)
		}
	}
	return nil
}

// metadata is what the job will carry.
func (b *batch) metadata(item Item, in Intent) (json.RawMessage, error) {
	all := Metadata{}
	for _, m := range []Metadata{b.Metadata, item.Metadata} {
		for key, value := range m {
			all[key] = value
		}
	}
	all.Set(MetaSubmission, hex.EncodeToString(in.SHA256[:8]))
	all.Set(MetaIntent, in.ID)
	return json.Marshal(all)
}

// settle looks once more for what became doubtful in this batch; waiting is how
// long the ends of jobs are waited for.
func (b *batch) settle(ctx, waiting context.Context) error {
	if len(b.doubts) == 0 {
		return nil
	}
	found := map[string]docextract.Job{}
	var err error
	if ctx.Err() == nil {
		var doubts []Intent
		for _, in := range b.Journal.Doubts(b.Extractor) {
			if _, mine := b.doubts[in.ID]; mine {
				doubts = append(doubts, in)
			}
		}
		found, err = b.reconcile(ctx, doubts)
	}
	for id, r := range b.doubts {
		if job, ok := found[id]; ok {
			r.Outcome, r.JobID, r.Status, r.Reason, r.Err = Submitted, job.ID, job.Status, "", nil
			b.await(waiting, &r)
		}
		b.report(r)
	}
	return err
}
