package main

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/internal/config"
	"github.com/adteco/docarchive/internal/ledger"
	"github.com/adteco/docarchive/internal/report"
	"github.com/adteco/docarchive/pipeline"
)

// periodBuilder puts a report over a period together.
type periodBuilder struct {
	*gathering
	app    *app
	ledger *ledger.Ledger
	period pipeline.Window
	model  *report.Model
}

// addPipeline measures a pipeline's jobs.
func (b *periodBuilder) addPipeline(ctx context.Context, p config.Pipeline, now time.Time) error {
	st, err := living(ctx, b.ledger, p, now)
	if err != nil {
		return err
	}
	one := report.Pipeline{Name: p.Name, Selection: selection(p), Sinks: []report.Sink{}, Standing: standingModel(&st)}
	if one.Selection != "" {
		b.note("%s", one.Selection)
	}
	settings, err := b.ledger.SettingsOf(ctx, p.Name)
	if err != nil {
		return err
	}
	before := b.measured
	switch {
	case settings.Window == 0:
		one.Standing = nil
		b.note("Pipeline %s has archived nothing yet.", p.Name)
	default:
		monitor := b.monitor(p.Name)
		err = pipeline.Archived(ctx, b.ledger, p.Name, settings.Window, b.period, func(job docextract.Job) error {
			b.add(monitor, &job)
			return b.app.goingOn()
		})
		if errors.Is(err, pipeline.ErrNoRaw) {
			b.note("Only %d jobs of pipeline %s were measured: %v.", b.measured-before, p.Name, err)
			err = nil
		}
	}
	one.Totals.Archived = b.measured - before
	b.model.Pipelines = append(b.model.Pipelines, one)
	b.model.Totals.Archived += one.Totals.Archived
	return err
}

// addRuns reads the reports that the runs of the period have left.
func (b *periodBuilder) addRuns(ctx context.Context, pipelines []config.Pipeline) error {
	unreadable := 0
	err := b.ledger.Reports(ctx, runIDAt(b.period.Start), runIDAt(b.period.End), func(kept ledger.Report) error {
		var r struct {
			Kind string `json:"kind"` // empty for a run
			pipeline.Report
		}
		if json.Unmarshal(kept.Data, &r) != nil {
			unreadable++
			return nil
		}
		if r.Kind == "" && !r.DryRun {
			b.addRun(&r.Report, pipelines)
		}
		return b.app.goingOn()
	})
	if unreadable > 0 {
		b.note("%d reports of runs could not be read.", unreadable)
	}
	return err
}

// addRun adds what a run did for the pipelines, if it had any of them.
func (b *periodBuilder) addRun(r *pipeline.Report, pipelines []config.Pipeline) {
	one := report.Run{ID: r.RunID, Started: r.Started.UTC(), Seconds: secondsOf(r)}
	mine := len(r.Pipelines) == 0 // it failed before it came to any
	for i := range r.Pipelines {
		p := &r.Pipelines[i]
		if !slices.ContainsFunc(pipelines, func(c config.Pipeline) bool { return c.Name == p.Name }) {
			continue
		}
		mine = true
		one.Archived += p.Jobs.New
		one.Problems += len(p.Problems)
	}
	if !mine {
		return
	}
	one.Requests = budgeted(r.Requests, r.Pace, one.Seconds)
	total := &b.model.Requests
	total.Made += one.Requests.Made
	switch {
	case len(b.model.Runs) == 0:
		total.Budget = one.Requests.Budget
	case total.Budget > 0 && one.Requests.Budget > 0:
		total.Budget += one.Requests.Budget
	default:
		total.Budget = 0 // that of some runs is not known
	}
	b.model.Totals.Seconds += one.Seconds
	b.model.Runs = append(b.model.Runs, one)
	for i := range r.Resubmit {
		b.addResubmission(resubmissionModel(&r.Resubmit[i]))
	}
}

// addResubmission adds what was submitted and paid to what earlier runs did for
// the pipeline. What is held or left is so as of the last.
func (b *periodBuilder) addResubmission(last report.Resubmission) {
	all := b.model.Resubmissions
	i := slices.IndexFunc(all, func(r report.Resubmission) bool { return r.Pipeline == last.Pipeline })
	if i < 0 {
		b.model.Resubmissions = append(all, last)
		return
	}
	last.Submitted += all[i].Submitted
	last.Credits += all[i].Credits
	all[i] = last
}

// holds reports whether a run began in the period.
func (b *periodBuilder) holds(runID string) bool {
	t, ok := runTime(runID)
	return ok && b.period.Contains(t)
}

// finish puts in what was gathered.
func (b *periodBuilder) finish(pipelines []config.Pipeline) *report.Model {
	m := b.model
	m.Days, m.Health, m.Schema = b.byDay(), b.health(), b.schema
	m.Alerts = alertMessages(b.breaches(pipelines))
	m.Notes = append(m.Notes, b.notes...)
	if len(m.Pipelines) > 1 {
		m.Notes = append(m.Notes, countedTwice)
	}
	return m
}

// runIDAt is how the ids of runs that begin at a time begin.
func runIDAt(t time.Time) string { return t.UTC().Format(runIDTime) }
