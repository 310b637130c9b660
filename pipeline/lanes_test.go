package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/adteco/docarchive/pipeline"
)

// TestLanesTogether: lanes run at once, one that fails keeps no other from its
// work, and they report as one run.
func TestLanesTogether(t *testing.T) {
	at := time.Date(2026, 11, 24, 2, 0, 0, 0, time.UTC)
	inner := errors.Join(errors.New("no such host"), errors.New("no such host, again"))
	lanes := []pipeline.Lane{
		{Key: "", Specs: []pipeline.Spec{{Name: "c"}, {Name: "a"}}}, {Key: "emea", Specs: []pipeline.Spec{{Name: "b"}}},
	}
	both := make(chan struct{}, len(lanes))
	report, err := pipeline.Together(t.Context(), lanes, []string{"a", "b", "c"}, func(ctx context.Context, l pipeline.Lane) (*pipeline.Report, error) {
		both <- struct{}{}
		for len(both) < cap(both) { // the other one is at work too
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
		}
		r := &pipeline.Report{RunID: "run", Requests: 3, Started: at, Finished: at.Add(time.Minute), AsOf: at, Warnings: []string{"the clock"}}
		for _, s := range l.Specs {
			r.Pipelines = append(r.Pipelines, pipeline.PipelineReport{Name: s.Name})
		}
		if l.Key == "emea" {
			r.Started, r.AsOf, r.Finished = at.Add(-time.Second), at.Add(-2*time.Second), at.Add(2*time.Minute)
			return r, errors.Join(errors.New("the key is refused"), &pipeline.FailedError{Pipeline: "b", Err: fmt.Errorf("away: %w", inner)})
		}
		return r, nil
	})
	want := &pipeline.Report{
		RunID: "run", Requests: 6, Started: at.Add(-time.Second), Finished: at.Add(2 * time.Minute), AsOf: at.Add(-2 * time.Second),
		Warnings: []string{"the clock"}, Pipelines: []pipeline.PipelineReport{{Name: "a"}, {Name: "b"}, {Name: "c"}},
	}
	names := func(r pipeline.PipelineReport) string { return r.Name }
	if diff := cmp.Diff(want, report, cmp.Transformer("names", names)); diff != "" {
		t.Error(diff)
	}
	const text = "API key emea: the key is refused\npipeline b: away: no such host\nno such host, again"
	if err == nil || err.Error() != text {
		t.Errorf("the error is %v, want %s", err, text)
	}
	var of *pipeline.FailedError
	if !errors.As(err, &of) || !errors.Is(err, inner) {
		t.Error("what failed is not in the error any more")
	}
}
