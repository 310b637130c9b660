package ledger

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/adteco/docarchive/internal/store"
	"github.com/adteco/docarchive/pipeline"
)

// Where resubmissions are recorded: a folder for each failed job, named by the
// hash of its id, with a pair of files for each attempt.
const (
	resubmitDir  = controlDir + "resubmit/"
	intentSuffix = ".intent.json"
	resultSuffix = ".result.json"
)

var _ pipeline.Attempts = (*Ledger)(nil)

func attemptKey(original string, attempt int, suffix string) string {
	return resubmitDir + hashOf([]byte(original)) + "/" + strconv.Itoa(attempt) + suffix
}

// Intend makes an intent durable, and completes its identity. Only if it
// returns nil is the attempt the caller's; with [store.ErrUnknown] it must not
// be acted upon, and may stand there nevertheless.
func (l *Ledger) Intend(ctx context.Context, in *pipeline.Intent) error {
	l.sign(&in.AttemptIdentity)
	in.Created, in.PostNotAfter = in.Created.UTC(), in.PostNotAfter.UTC()
	key := attemptKey(in.Original, in.Attempt, intentSuffix)
	if err := l.checkAttempt(&in.AttemptIdentity, in.Original, in.Attempt); err != nil {
		return fmt.Errorf("write %s: %w", key, err)
	}
	_, err := l.create(ctx, key, in)
	return err
}

// Conclude makes the result of an intent durable, and completes its identity.
func (l *Ledger) Conclude(ctx context.Context, in *pipeline.Intent, r *pipeline.Result) error {
	run := r.RunID
	r.AttemptIdentity = in.AttemptIdentity
	r.RunID = run
	l.sign(&r.AttemptIdentity)
	r.Concluded = r.Concluded.UTC()
	key := attemptKey(in.Original, in.Attempt, resultSuffix)
	if err := l.checkAttempt(&r.AttemptIdentity, in.Original, in.Attempt); err != nil {
		return fmt.Errorf("write %s: %w", key, err)
	}
	if err := checkResult(in, r); err != nil {
		return fmt.Errorf("write %s: %w", key, err)
	}
	_, err := l.create(ctx, key, r)
	return err
}

func (l *Ledger) sign(id *pipeline.AttemptIdentity) {
	id.Version, id.ArchiveID, id.ToolVersion = pipeline.AttemptVersion, l.identity.UUID, l.options.ToolVersion
}

// History returns the attempts at a job in their order.
func (l *Ledger) History(ctx context.Context, original string) ([]pipeline.Attempt, error) {
	var all []pipeline.Attempt
	for n := 1; ; n++ {
		a, err := l.attempt(ctx, original, n)
		if err != nil || a == nil {
			return all, err
		}
		all = append(all, *a)
	}
}

// attempt reads one attempt; nil if there is none of that number.
func (l *Ledger) attempt(ctx context.Context, original string, n int) (*pipeline.Attempt, error) {
	var a pipeline.Attempt
	key := attemptKey(original, n, intentSuffix)
	found, err := l.readAttempt(ctx, key, &a.Intent)
	if err != nil || !found {
		return nil, err
	}
	if err := l.checkAttempt(&a.Intent.AttemptIdentity, original, n); err != nil {
		return nil, damaged(key, "%v", err)
	}
	var r pipeline.Result
	key = attemptKey(original, n, resultSuffix)
	found, err = l.readAttempt(ctx, key, &r)
	if err != nil || !found {
		return &a, err
	}
	err = l.checkAttempt(&r.AttemptIdentity, original, n)
	if err == nil {
		err = checkResult(&a.Intent, &r)
	}
	if err != nil {
		return nil, damaged(key, "%v", err)
	}
	a.Result = &r
	return &a, nil
}

// readAttempt reads an intent or a result, and reports whether there is one.
func (l *Ledger) readAttempt(ctx context.Context, key string, v any) (found bool, err error) {
	hash, err := l.read(ctx, key, smallFile, pipeline.AttemptVersion, v)
	return hash != "", err
}

// checkAttempt compares an intent or a result with its place.
func (l *Ledger) checkAttempt(id *pipeline.AttemptIdentity, original string, n int) error {
	switch {
	case id.Version != pipeline.AttemptVersion:
		return fmt.Errorf("it has format version %d", id.Version)
	case id.ArchiveID != l.identity.UUID:
		return fmt.Errorf("it belongs to archive %q", id.ArchiveID)
	case id.Original == "" || id.Original != original || id.Attempt < 1 || id.Attempt != n:
		return fmt.Errorf("it calls itself attempt %d at job %q", id.Attempt, id.Original)
	case id.Token == "" || id.Pipeline == "":
		return errors.New("it has no token or no pipeline")
	}
	return nil
}

// checkResult compares a result with its intent.
func checkResult(in *pipeline.Intent, r *pipeline.Result) error {
	switch r.Outcome {
	case pipeline.OutcomeSubmitted, pipeline.OutcomeRejected, pipeline.OutcomeUnsent, pipeline.OutcomeAbsent:
	default:
		return fmt.Errorf("it has the unknown outcome %q", r.Outcome)
	}
	switch {
	case r.Token != in.Token:
		return errors.New("it is the result of another intent")
	case (r.Outcome == pipeline.OutcomeSubmitted) != (r.JobID != ""):
		return errors.New("a job and its outcome do not go together")
	}
	return nil
}

// Unresolved calls yield with the pipeline's attempts without a result. It goes
// by a listing.
func (l *Ledger) Unresolved(ctx context.Context, pipelineName string, yield func(pipeline.Attempt) error) error {
	open := map[string]bool{}
	if err := l.listAttempts(ctx, func(stem string, result bool) {
		open[stem] = open[stem] || result
	}); err != nil {
		return err
	}
	stems := make([]string, 0, len(open))
	for stem, concluded := range open {
		if !concluded {
			stems = append(stems, stem)
		}
	}
	slices.Sort(stems)
	for _, stem := range stems {
		a, err := l.attemptAt(ctx, stem)
		if err != nil {
			return err
		}
		if a == nil || a.Outcome() != "" || a.Intent.Pipeline != pipelineName {
			continue
		}
		if err := yield(*a); err != nil {
			return err
		}
	}
	return nil
}

// listAttempts calls fn with the stem of every listed file of an attempt.
func (l *Ledger) listAttempts(ctx context.Context, fn func(stem string, result bool)) error {
	return l.store.List(ctx, resubmitDir, func(o store.Object) error {
		if stem, ok := strings.CutSuffix(o.Key, intentSuffix); ok {
			fn(stem, false)
		} else if stem, ok := strings.CutSuffix(o.Key, resultSuffix); ok {
			fn(stem, true)
		}
		return nil
	})
}

// attemptAt reads an attempt by the common stem of its keys; nil if it is gone.
func (l *Ledger) attemptAt(ctx context.Context, stem string) (*pipeline.Attempt, error) {
	n, err := strconv.Atoi(path.Base(stem))
	if err != nil {
		return nil, damaged(stem+intentSuffix, "its name has no number")
	}
	var in pipeline.Intent
	found, err := l.readAttempt(ctx, stem+intentSuffix, &in)
	if err != nil || !found {
		return nil, err
	}
	if attemptKey(in.Original, n, "") != stem {
		return nil, damaged(stem+intentSuffix, "it calls itself attempt %d at job %q", in.Attempt, in.Original)
	}
	return l.attempt(ctx, in.Original, n)
}

// MadeFrom returns the attempt that made a job; nil if none is recorded. It
// reads every result, going by a listing, and is for people.
func (l *Ledger) MadeFrom(ctx context.Context, jobID string) (*pipeline.Attempt, error) {
	var stems []string
	if err := l.listAttempts(ctx, func(stem string, result bool) {
		if result {
			stems = append(stems, stem)
		}
	}); err != nil {
		return nil, err
	}
	for _, stem := range stems {
		var r pipeline.Result
		found, err := l.readAttempt(ctx, stem+resultSuffix, &r)
		if err != nil {
			return nil, err
		}
		if found && r.JobID == jobID {
			return l.attempt(ctx, r.Original, r.Attempt)
		}
	}
	return nil, nil
}
