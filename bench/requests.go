package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/adteco/docarchive/bench/workload"
)

const (
	day = 24 * time.Hour
	// modestDay is a number of jobs a day that is a little more than what the
	// proof reads in one walk.
	modestDay = 2500
	// auditedDays is how many windows the nightly run finds archived, all of
	// them too young to be sealed.
	auditedDays = 75
	// nightWindows is how many windows the empty night finds.
	nightWindows = 90
)

// requestsSuite counts requests and times what does not depend on the number of
// jobs.
func requestsSuite(ctx context.Context, b *bench) error {
	quiet := b.spec()
	modest := quiet
	modest.Jobs = modest.Days * modestDay
	for _, step := range []func() error{
		func() error { return b.listings(ctx, modest) },
		func() error { return b.listings(ctx, quiet) },
		func() error { return b.nightly(ctx) },
		func() error { return b.emptyNight(ctx) },
		func() error { return b.firstByte(ctx, quiet) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// with runs do with a server of the workload and a product configured for it.
func (b *bench) with(ctx context.Context, spec workload.Spec, r recipe, do func(s *source, p *product) error) (err error) {
	s, err := b.serve(ctx, spec, 0, false, "")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	p, err := b.newProduct(s, spec, r)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.remove()) }()
	return do(s, p)
}

// least is how few listing requests show all jobs of the days from the given
// one on, each day by itself.
func least(spec workload.Spec, from time.Time) (requests int) {
	jobs := map[time.Time]int{}
	for i := range spec.Jobs {
		if at := spec.CreatedAt(i); !at.Before(from) {
			jobs[at.Truncate(day)]++
		}
	}
	for _, n := range jobs {
		requests += (n + pageSize - 1) / pageSize
	}
	return requests
}

// listings compares the requests of a first run with the fewest possible.
func (b *bench) listings(ctx context.Context, spec workload.Spec) error {
	return b.with(ctx, spec, recipe{sink: parquetSink}, func(s *source, p *product) error {
		m, err := p.whole(ctx, s)
		if err != nil {
			return err
		}
		fewest := least(spec, spec.Start())
		b.report.aim(fmt.Sprintf("listing requests / the fewest possible, %d jobs a day", spec.Jobs/spec.Days),
			float64(m.Counters.Listings)/float64(fewest), 1.15, "", fmt.Sprintf("%d for %d days; %d would do", m.Counters.Listings, spec.Days, fewest))
		return nil
	})
}

// nightly archives all days but the last, and then that one.
func (b *bench) nightly(ctx context.Context) error {
	spec := b.spec()
	spec.Days, spec.Jobs = auditedDays, auditedDays*modestDay
	yesterday := spec.End.Add(-day)
	return b.with(ctx, spec, recipe{sink: parquetSink}, func(s *source, p *product) error {
		if _, _, err := p.run(ctx, s, "--until", yesterday.Format("2006-01-02")); err != nil {
			return err
		}
		m, o, err := p.run(ctx, s)
		if err != nil {
			return err
		}
		if len(o.Pipelines) != 1 || o.archived() == 0 {
			return errors.New("the nightly run found nothing")
		}
		fewest, audits := least(spec, yesterday), o.Pipelines[0].Windows.Due-o.Pipelines[0].Windows.Read
		b.report.add("docarchive, the night after 74 days", "HTTP", o.archived(), []*sample{m})
		b.report.aim("requests of a night above the fewest and one per window audited", float64(int(m.Counters.Requests)-fewest-audits), 5, "",
			fmt.Sprintf("%d requests: %d pages of the day, %d audits", m.Counters.Requests, fewest, audits))
		return nil
	})
}

// emptyNight times a run that finds nothing new in 90 windows.
func (b *bench) emptyNight(ctx context.Context) error {
	spec := b.spec()
	spec.Days, spec.Jobs = nightWindows, 100*nightWindows
	return b.with(ctx, spec, recipe{sink: parquetSink, since: "90d"}, func(s *source, p *product) error {
		if _, _, err := p.run(ctx, s); err != nil {
			return err
		}
		var samples []*sample
		var sealed int
		for range max(3, b.rounds) {
			m, o, err := p.run(ctx, s)
			if err != nil {
				return err
			}
			if o.archived() > 0 {
				return fmt.Errorf("the empty night found %d jobs", o.archived())
			}
			for _, found := range o.Pipelines {
				sealed = found.Windows.Sealed
			}
			samples = append(samples, m)
		}
		b.report.add("docarchive, an empty night over 90 windows", "HTTP", spec.Jobs, samples)
		b.report.aim("an empty night over 90 windows, wall", medianOf(samples, func(s *sample) float64 { return s.Wall }), 2, " s",
			fmt.Sprintf("%d sealed, %d requests", sealed, samples[0].Counters.Requests))
		return nil
	})
}

// firstByte times from the start of the process to the first data that it
// writes anywhere.
func (b *bench) firstByte(ctx context.Context, spec workload.Spec) error {
	return b.with(ctx, spec, recipe{sink: parquetSink}, func(s *source, p *product) error {
		var took []float64
		for range max(3, b.rounds) {
			first, err := p.firstByte(ctx, s)
			if err != nil {
				return err
			}
			took = append(took, first.Seconds())
			if err := p.reset(); err != nil {
				return err
			}
		}
		b.report.aim("from the start to the first byte written", median(took), 2, " s", "into the spool, the staging area or the archive")
		return nil
	})
}

// firstByte runs the product and watches its folders meanwhile.
func (p *product) firstByte(ctx context.Context, s *source) (first time.Duration, err error) {
	group, ctx := errgroup.WithContext(ctx)
	ended := make(chan struct{})
	begun := time.Now()
	group.Go(func() error {
		defer close(ended)
		_, err := p.whole(ctx, s)
		return err
	})
	group.Go(func() error {
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			if p.wrote() {
				first = time.Since(begun)
				return nil
			}
			select {
			case <-tick.C:
			case <-ended:
				return nil
			}
		}
	})
	if err := group.Wait(); err != nil {
		return 0, err
	}
	if first == 0 {
		return 0, errors.New("nothing was seen to be written")
	}
	return first, nil
}

// wrote reports whether a file with data is there. Files come and go while it
// looks, so errors mean nothing.
func (p *product) wrote() (found bool) {
	look := func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return nil
		}
		if info, err := entry.Info(); err == nil && info.Size() > 0 {
			found = true
			return fs.SkipAll
		}
		return nil
	}
	// The watcher answers no error, so neither does the walk.
	_ = filepath.WalkDir(filepath.Join(p.dir, "spool"), look)
	_ = filepath.WalkDir(filepath.Join(p.archive(), "_archive", "staging"), look)
	return found
}
