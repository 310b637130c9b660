package main

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/adteco/docarchive/internal/config"
	"github.com/adteco/docarchive/pipeline"
)

// rollDay is when the tests' nights begin.
func rollDay() time.Time { return time.Date(2026, 11, 24, 2, 0, 0, 0, time.UTC) }

// worked is the report of a worker of the pipeline jobs that began so long after
// rollDay.
func worked(after time.Duration, index, count int) keptReport {
	at := rollDay().Add(after)
	r := keptReport{Report: pipeline.Report{Started: at, AsOf: at, Pipelines: []pipeline.PipelineReport{{Name: "jobs"}}}}
	if count > 1 {
		r.Shard = &pipeline.Shard{Index: index, Count: count}
	}
	return r
}

// finalized is the report of a finalize.
func finalized(after time.Duration, since time.Time, settled bool) keptReport {
	return keptReport{
		Kind: finalReportKind, Report: pipeline.Report{Started: rollDay().Add(after)}, Since: since, Settled: settled,
	}
}

// TestMuster: up to when each of two workers had to come.
func TestMuster(t *testing.T) {
	const night = -24 * time.Hour
	other := worked(time.Hour, 0, 1)
	other.Pipelines[0].Name = "others"
	dry := worked(2*time.Hour, 0, 1)
	dry.DryRun = true
	for name, c := range map[string]struct {
		reports []keptReport
		count   int
		want    map[int]time.Duration // after rollDay, by worker
	}{
		"nobody has run": {nil, 0, map[int]time.Duration{0: 5 * time.Hour}},
		"each by its own time": {
			[]keptReport{worked(0, 0, 2), worked(time.Hour, 1, 2)}, 2, map[int]time.Duration{0: 0, 1: time.Hour},
		},
		"the last report of each": {
			[]keptReport{worked(0, 0, 2), worked(time.Hour, 1, 2), worked(2*time.Hour, 0, 2)},
			2,
			map[int]time.Duration{0: 2 * time.Hour, 1: time.Hour},
		},
		"a worker that has not reported": {
			[]keptReport{worked(time.Hour, 0, 2)}, 2, map[int]time.Duration{0: time.Hour, 1: time.Hour},
		},
		"yesterday's worker does not stand for today's": {
			[]keptReport{worked(night, 0, 2), worked(night, 1, 2), finalized(night+time.Hour, time.Time{}, true), worked(0, 0, 2)},
			2,
			map[int]time.Duration{0: 0, 1: 0},
		},
		"a finalize that found them unfinished changes nothing": {
			[]keptReport{worked(0, 0, 2), finalized(time.Hour, time.Time{}, false), worked(2*time.Hour, 1, 2)},
			2,
			map[int]time.Duration{0: 0, 1: 2 * time.Hour},
		},
		"a finalize is repeated": {
			[]keptReport{
				worked(night, 0, 2), finalized(night+time.Hour, time.Time{}, true),
				worked(0, 0, 2), worked(0, 1, 2), finalized(time.Hour, rollDay().Add(night+time.Hour), true),
			},
			2,
			map[int]time.Duration{0: 0, 1: 0},
		},
		"another number of workers": {
			[]keptReport{worked(0, 0, 2), worked(0, 1, 2), worked(time.Hour, 0, 1)}, 1, map[int]time.Duration{0: time.Hour},
		},
		"a run of other pipelines, and a dry one": {
			[]keptReport{worked(0, 0, 2), worked(0, 1, 2), other, dry}, 2, map[int]time.Duration{0: 0, 1: 0},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := &roll{
				now: rollDay().Add(5 * time.Hour), since: sinceFinal(c.reports), byName: map[string]muster{},
				pipelines: []config.Pipeline{{Name: "jobs", Windows: config.Windows{Settle: 15 * time.Minute}}},
			}
			r.byName["jobs"] = r.call("jobs", c.reports)
			if got := r.byName["jobs"].count; got != c.count {
				t.Errorf("%d workers, want %d", got, c.count)
			}
			got := map[int]time.Duration{}
			for _, w := range pipeline.Windows(rollDay().Add(-10*24*time.Hour), rollDay(), 24*time.Hour) {
				till, worker := r.reached("jobs", w)
				got[worker.Index] = till.Add(15 * time.Minute).Sub(rollDay())
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
