package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/sourcegraph/conc"
)

// Lane is the pipelines that one API key serves. Lanes have nothing in common
// but the archive: each has a rate limit of its own.
type Lane struct {
	Key    string // its name, for messages
	Runner *Runner
	Specs  []Spec
}

// Together carries out the lanes at once, since one would only wait for its own
// rate limit, and returns their reports as one, with the pipelines in the order
// of names. An error of one lane leaves the others alone: what they do stands.
func Together(ctx context.Context, lanes []Lane, names []string, do func(context.Context, Lane) (*Report, error)) (*Report, error) {
	reports, errs := make([]*Report, len(lanes)), make([]error, len(lanes))
	var all conc.WaitGroup
	for i, lane := range lanes {
		all.Go(func() {
			reports[i], errs[i] = do(ctx, lane)
			if len(lanes) > 1 {
				errs[i] = lane.blame(errs[i])
			}
		})
	}
	all.Wait()
	whole := reports[0]
	for _, r := range reports[1:] {
		whole.merge(r)
	}
	slices.SortStableFunc(whole.Pipelines, func(a, b PipelineReport) int {
		return slices.Index(names, a.Name) - slices.Index(names, b.Name)
	})
	return whole, errors.Join(errs...)
}

// blame names the key in errors that do not name a pipeline.
func (l Lane) blame(err error) error {
	if several, is := err.(interface{ Unwrap() []error }); is {
		var each []error
		for _, one := range several.Unwrap() {
			each = append(each, l.blame(one))
		}
		return errors.Join(each...)
	}
	var of *FailedError
	if err == nil || errors.As(err, &of) {
		return err
	}
	return fmt.Errorf("API key %s: %w", cmp.Or(l.Key, "of the default"), err)
}

// merge adds what another runner of the same run did.
func (r *Report) merge(other *Report) {
	if other.Started.Before(r.Started) {
		r.Started = other.Started
	}
	if other.Finished.After(r.Finished) {
		r.Finished = other.Finished
	}
	if other.AsOf.Before(r.AsOf) {
		r.AsOf = other.AsOf
	}
	r.Requests += other.Requests
	r.Pipelines = append(r.Pipelines, other.Pipelines...)
	for _, warning := range other.Warnings {
		if !slices.Contains(r.Warnings, warning) {
			r.Warnings = append(r.Warnings, warning)
		}
	}
}
