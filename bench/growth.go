package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/adteco/docarchive/bench/workload"
)

const (
	// columnJobs and windowJobs are how many jobs are archived where something
	// else grows.
	columnJobs = 20_000
	windowJobs = 21_600
	// windowDays and shortest are over which time windows grow, and to what.
	windowDays = 90
	shortest   = 24 * windowDays
	// tolerance is how far above 1 a slope may lie by chance.
	tolerance = 1.1
	// memoryLimit is in megabytes.
	memoryLimit = 350
)

// growthSuite measures how time and memory grow.
func growthSuite(ctx context.Context, b *bench) error {
	for _, grow := range []func(context.Context) error{b.growJobs, b.growColumns, b.growWindows, b.growRecords} {
		if err := grow(ctx); err != nil {
			return err
		}
	}
	return nil
}

// measured makes a point of several samples.
func measured(x float64, samples []*sample) point {
	p := point{
		X:    x,
		Wall: medianOf(samples, func(s *sample) float64 { return s.Wall }),
		CPU:  medianOf(samples, (*sample).cpu),
	}
	for _, s := range samples {
		p.RSS = max(p.RSS, s.RSS)
	}
	return p
}

// grown reports a series, and holds it to being linear.
func (b *bench) grown(s series) {
	b.report.Growth = append(b.report.Growth, s)
	if len(s.Points) < 2 {
		return
	}
	b.report.aim("growth, "+s.Name+": slope of wall time", s.slope(wall), tolerance, "", "1 is linear")
	b.report.aim("growth, "+s.Name+": slope of memory", s.slope(rss), tolerance, "", "1 is linear, 0 is flat")
}

// archive archives a workload afresh, several times.
func (b *bench) archive(ctx context.Context, spec workload.Spec, rounds int) (samples []*sample, err error) {
	s, err := b.serve(ctx, spec, 0, b.work.gzip, "")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	for range rounds {
		m, err := b.fresh(ctx, s, spec, recipe{sink: parquetSink})
		if err != nil {
			return nil, err
		}
		samples = append(samples, m)
	}
	return samples, nil
}

func (b *bench) growJobs(ctx context.Context) error {
	out := series{Name: "jobs", Of: "jobs"}
	for _, n := range b.sizes.jobs {
		spec := b.spec()
		spec.Jobs = n
		samples, err := b.archive(ctx, spec, b.rounds)
		if err != nil {
			return err
		}
		out.Points = append(out.Points, measured(float64(n), samples))
		b.say("%d jobs: %s s, %.0f MB", n, number(out.Points[len(out.Points)-1].Wall), out.Points[len(out.Points)-1].RSS)
	}
	b.grown(out)
	b.memoryGoals(out)
	return nil
}

// memoryGoals holds the sizes from 200,000 jobs on to a limit, and to the same
// memory.
func (b *bench) memoryGoals(s series) {
	const from = 200_000
	least, most := math.Inf(1), 0.0
	large := 0
	for _, p := range s.Points {
		if p.X >= from {
			large++
			least, most = min(least, p.RSS), max(most, p.RSS)
		}
	}
	if large == 0 {
		b.report.skip("peak memory: no --grow-jobs of 200k or more")
		return
	}
	b.report.aim("peak memory from 200k jobs on", most, memoryLimit, " MB", fmt.Sprintf("largest of %d sizes", large))
	if large == 1 {
		b.report.skip("whether memory is flat: needs several --grow-jobs of 200k or more, such as 200k,1M,3M")
		return
	}
	b.report.aim("peak memory, largest / least from 200k jobs on", most/least, 1.1, "", "flat within a tenth")
}

func (b *bench) growColumns(ctx context.Context) error {
	out := series{Name: fmt.Sprintf("columns, %d jobs", columnJobs), Of: "columns"}
	for _, n := range b.sizes.columns {
		spec := b.spec()
		spec.Jobs, spec.Extra = columnJobs, max(0, n-workload.BaseColumns)
		samples, err := b.archive(ctx, spec, b.rounds)
		if err != nil {
			return err
		}
		out.Points = append(out.Points, measured(float64(spec.Extra+workload.BaseColumns), samples))
	}
	b.grown(out)
	return nil
}

// growWindows cuts the same 90 days into more and more windows; beyond hours,
// more pipelines have them.
func (b *bench) growWindows(ctx context.Context) error {
	first := series{Name: fmt.Sprintf("windows, first run of %d jobs", windowJobs), Of: "windows"}
	night := series{Name: "windows, empty night", Of: "windows audited"}
	for _, n := range b.sizes.windows {
		pipelines := max(1, n/shortest)
		hours := max(1, shortest/n)
		spec := b.spec()
		spec.Days, spec.Jobs = windowDays-1, windowJobs
		err := b.with(ctx, spec, recipe{sink: parquetSink, window: fmt.Sprintf("%dh", hours), pipelines: pipelines}, func(s *source, p *product) error {
			m, o, err := p.run(ctx, s)
			if err != nil {
				return err
			}
			due := 0
			for _, found := range o.Pipelines {
				due += found.Windows.Due
			}
			first.Points = append(first.Points, measured(float64(due), []*sample{m}))
			var nights []*sample
			for range b.rounds {
				m, _, err := p.run(ctx, s)
				if err != nil {
					return err
				}
				nights = append(nights, m)
			}
			night.Points = append(night.Points, measured(float64(due), nights))
			b.say("%d windows: %s s, an empty night %s s", due, number(m.Wall), number(night.Points[len(night.Points)-1].Wall))
			return nil
		})
		if err != nil {
			return err
		}
	}
	b.grown(first)
	b.grown(night)
	return nil
}

// growRecords runs again and again over the window of today, which gets a
// commit record whenever the clock has moved on by a second.
func (b *bench) growRecords(ctx context.Context) error {
	out := series{Name: "commit records of one window", Of: "records"}
	spec := b.spec()
	spec.Days, spec.Jobs = 1, 500
	today := spec.End.Format(time.DateOnly)
	err := b.with(ctx, spec, recipe{sink: parquetSink, since: today}, func(s *source, p *product) error {
		var recent []*sample
		have := 0
		for _, n := range b.sizes.records {
			for have < n {
				m, _, err := p.run(ctx, s)
				if err != nil {
					return err
				}
				records, err := filepath.Glob(filepath.Join(p.archive(), "_archive", "log", "jobs0", "*", "*.json"))
				if err != nil {
					return err
				}
				recent = append(recent, m)
				recent = recent[max(0, len(recent)-3):]
				have = len(records)
				if err := nextSecond(ctx); err != nil {
					return err
				}
			}
			out.Points = append(out.Points, measured(float64(have), recent))
			b.say("%d records: %s s", have, number(out.Points[len(out.Points)-1].Wall))
		}
		return nil
	})
	if err != nil {
		return err
	}
	b.grown(out)
	return nil
}

// nextSecond waits until the clock's seconds have changed.
func nextSecond(ctx context.Context) error {
	now := time.Now()
	timer := time.NewTimer(now.Truncate(time.Second).Add(time.Second + 20*time.Millisecond).Sub(now))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// reset removes what the product has written, as if it had never run.
func (p *product) reset() error {
	for _, sub := range []string{"archive", "spool", "home"} {
		dir := filepath.Join(p.dir, sub)
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
		if sub == "archive" {
			continue
		}
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
	}
	return nil
}
