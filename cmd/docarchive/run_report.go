package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/internal/config"
	"github.com/adteco/docarchive/internal/report"
	"github.com/adteco/docarchive/pipeline"
)

// What the page of a run may take: looking at the archive for its figures, and
// then writing it. A run that failed, or that a signal stopped, is not held up.
const (
	pageTime  = 30 * time.Second
	pageHurry = 3 * time.Second
	pageWrite = 5 * time.Second
)

// keptAlerts is how many alerts a run's report names.
const keptAlerts = 200

// chronicle measures what a run has archived, tells its report what is past a
// threshold, and writes the report as a page for people. It is the last thing
// that a run does; that it cannot be done is only warned of.
func (a *app) chronicle(ctx context.Context, w *workplace, r *pipeline.Report, pipelines []config.Pipeline, o runOptions, ended error) {
	g := newGathering(everything(w.now()))
	standings := map[string]*standing{}
	if !r.DryRun {
		limit := pageTime
		if failed := ended != nil && !errors.Is(ended, errPartly) && !errors.Is(ended, pipeline.ErrStopped); failed || a.stop.received() != nil {
			limit = pageHurry
		}
		look, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
		defer cancel()
		g.readRun(look, w.ledger, r)
		for _, p := range pipelines {
			st, err := living(look, w.ledger, p, w.now())
			if err != nil {
				a.log.Warn("the run's page does not say how many days are left", "pipeline", p.Name, "error", err)
				continue
			}
			standings[p.Name] = &st
		}
		r.Alerts = g.breaches(pipelines)
		if n := len(r.Alerts) - keptAlerts; n > 0 {
			r.Alerts = r.Alerts[:keptAlerts]
			g.note("%d more measures are past a threshold.", n)
		}
		if len(r.Alerts)+len(r.Resubmit) > 0 {
			if err := w.keepReport(ctx, r); err != nil {
				a.log.Warn("the run's report in the archive lacks its alerts and resubmissions", "error", err)
			}
		}
		g.readSchemas(look, w.ledger, pipelines, func(run string) bool { return run == r.RunID })
	}
	m := runModel(r, pipelines, g, standings, outcomeOf(r, ended))
	m.Subject.Made = w.now().UTC()
	if ended != nil && !errors.Is(ended, errPartly) {
		for _, line := range distinct(ended) {
			m.Problems = append([]report.Message{{Text: line}}, m.Problems...)
		}
	}
	if err := a.putPage(ctx, w, m, o); err != nil {
		a.log.Warn("the run's page was not written", "error", err)
	}
}

// putPage writes a run's page beside its report, and where --report says.
func (a *app) putPage(ctx context.Context, w *workplace, m *report.Model, o runOptions) error {
	page, err := a.render(m)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), pageWrite)
	defer cancel()
	if !o.dryRun {
		err = w.ledger.PutPage(ctx, m.Subject.RunID, page)
	}
	if o.page != "" {
		err = errors.Join(err, writePage(o.page, page))
	}
	return err
}

// render makes a page without secrets of a model.
func (a *app) render(m *report.Model) ([]byte, error) {
	var b bytes.Buffer
	if err := report.Render(a.hide.writer(&b), m); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func writePage(path string, page []byte) error {
	return replaceFile(path, func(out io.Writer) error {
		_, err := out.Write(page)
		return err
	})
}

// outcomeOf is how a run ended.
func outcomeOf(r *pipeline.Report, ended error) report.Outcome {
	switch {
	case r.DryRun:
		return report.OutcomeDry
	case errors.Is(ended, errPartly):
		return report.OutcomePartly
	case ended != nil:
		return report.OutcomeFailed
	}
	return report.OutcomeDone
}

// pace is how many requests a minute the accounts of the pipelines may make
// together; 0 if that is not known of all.
func (w *workplace) pace(pipelines []config.Pipeline) int64 {
	var sum float64
	for _, g := range w.byAccount(pipelines) {
		pace := g.pace()
		if pace <= 0 {
			return 0
		}
		sum += pace
	}
	return int64(sum)
}

// readRun measures the jobs that a run has archived, the latest windows first:
// if the time is up, these are of more interest.
func (g *gathering) readRun(ctx context.Context, lib pipeline.Library, r *pipeline.Report) {
	for i := range r.Pipelines {
		p := &r.Pipelines[i]
		before := g.measured
		monitor := g.monitor(p.Name)
		files := p.RawFiles()
		var err error
		for k := len(files) - 1; k >= 0 && err == nil; k-- {
			one := pipeline.Record{Content: pipeline.Content{Files: files[k : k+1], Rows: files[k].Rows}}
			err = pipeline.RawJobs(ctx, lib, &one, func(job docextract.Job) error {
				g.add(monitor, &job)
				return nil
			})
		}
		measured := g.measured - before
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			g.note("Only %d of the %d jobs of pipeline %s were measured: there was no time for more.", measured, p.Jobs.New, p.Name)
		case err != nil:
			g.note("Only %d of the %d jobs of pipeline %s were measured: %v.", measured, p.Jobs.New, p.Name, err)
		case measured < p.Jobs.New && measured == 0:
			g.note("The jobs of pipeline %s were not measured: it keeps no raw layer (raw: false).", p.Name)
		}
	}
}

// everything is a period that holds every job the API may have, and whose weeks
// before hold none.
func everything(now time.Time) pipeline.Window {
	return pipeline.Window{Start: now.AddDate(-10, 0, 0), End: now.AddDate(1, 0, 0)}
}

// selection says what of a pipeline's jobs its filters leave out, where the
// figures would mislead without it.
func selection(p config.Pipeline) string {
	text := ""
	if len(p.Status) == 1 {
		text = fmt.Sprintf("Pipeline %s archives %s jobs only", p.Name, p.Status[0])
	}
	if p.MinConfidence > 0 {
		if text == "" {
			text = fmt.Sprintf("Pipeline %s archives jobs", p.Name)
		}
		text += fmt.Sprintf(", from a confidence of %g on", p.MinConfidence)
	}
	if text == "" {
		return ""
	}
	return text + ": what is measured says nothing of the others."
}
