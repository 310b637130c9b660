package pipeline

import (
	"context"
	"time"
)

// AttemptVersion is the version of the format of intents and results.
const AttemptVersion = 1

// The keys that a resubmission adds to the metadata of its original.
const (
	MetadataFrom    = "reprocessed_from"  // id of the failed job
	MetadataAttempt = "reprocess_attempt" // submissions of the document after the first, this one included
	MetadataToken   = "reprocess_token"   // the intent's token
)

// Outcome is what came of an attempt.
type Outcome string

// The outcomes of an attempt. One without an outcome may have been charged.
const (
	// OutcomeSubmitted: the API made a job of it.
	OutcomeSubmitted Outcome = "submitted"
	// OutcomeRejected: the document cannot be had, or the API does not take it.
	// Nothing was charged, and another attempt would meet the same.
	OutcomeRejected Outcome = "rejected"
	// OutcomeUnsent: nothing was charged, for a reason that may pass.
	OutcomeUnsent Outcome = "unsent"
	// OutcomeAbsent: no answer came, and a complete listing holds no job of it.
	OutcomeAbsent Outcome = "absent"
)

// Intent says, before a document is submitted, that it will be. Only who made
// it may submit, once, and until its time is over.
type Intent struct {
	AttemptIdentity
	Created      time.Time `json:"created"`
	PostNotAfter time.Time `json:"post_not_after"`
	SHA256       string    `json:"document_sha256,omitempty"`
	Size         int64     `json:"document_bytes,omitempty"`
	Refusal      string    `json:"refusal,omitempty"` // why nothing is going to be submitted
}

// AttemptIdentity says which attempt it is, and whose.
type AttemptIdentity struct {
	Version     int    `json:"v"`
	ArchiveID   string `json:"archive_uuid"`
	Pipeline    string `json:"pipeline"`
	Original    string `json:"original"` // id of the failed job
	Attempt     int    `json:"attempt"`  // of this job, from 1
	Token       string `json:"token"`    // stands in the new job's metadata
	RunID       string `json:"run_id"`
	ToolVersion string `json:"tool_version"`
}

// Result says what came of an intent.
type Result struct {
	AttemptIdentity
	Concluded time.Time `json:"concluded"`
	Outcome   Outcome   `json:"outcome"`
	JobID     string    `json:"job_id,omitempty"` // of the job that was made
	Reason    string    `json:"reason,omitempty"`
}

// Attempt is one attempt at one failed job.
type Attempt struct {
	Intent Intent
	Result *Result // nil as long as it is not known
}

// Outcome is what came of the attempt; empty if that is not known.
func (a *Attempt) Outcome() Outcome {
	switch {
	case a.Intent.Refusal != "":
		return OutcomeRejected
	case a.Result != nil:
		return a.Result.Outcome
	}
	return ""
}

// JobID is the job that the attempt made; empty if none is known.
func (a *Attempt) JobID() string {
	if a.Result == nil {
		return ""
	}
	return a.Result.JobID
}

// Reason is why the attempt came to nothing, if it did.
func (a *Attempt) Reason() string {
	if a.Result == nil {
		return a.Intent.Refusal
	}
	return a.Result.Reason
}

// Attempts is the durable memory of resubmissions. What it keeps never changes.
type Attempts interface {
	// History returns the attempts at a job in their order. It reads them by
	// name, so that none is overlooked.
	History(ctx context.Context, original string) ([]Attempt, error)
	// Unresolved calls yield with attempts of which nothing is known but their
	// intent. It goes by a listing, which may lack some.
	Unresolved(ctx context.Context, pipeline string, yield func(Attempt) error) error
	// Intend makes the intent durable, and completes its identity; only on
	// success may the document be submitted. It returns [ErrConflict] if the
	// attempt is another's.
	Intend(ctx context.Context, in *Intent) error
	// Conclude makes an attempt's result durable. It returns [ErrConflict] if
	// there is another one.
	Conclude(ctx context.Context, in *Intent, r *Result) error
}
