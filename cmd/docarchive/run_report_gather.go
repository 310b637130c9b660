package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/internal/config"
	"github.com/adteco/docarchive/internal/ledger"
	"github.com/adteco/docarchive/internal/report"
	"github.com/adteco/docarchive/pipeline"
)

// gathering measures archived jobs for a report. Its memory does not depend on how
// many there are.
type gathering struct {
	period   pipeline.Window
	monitors []gathered
	days     map[time.Time]*report.Day
	measured int64
	schema   []report.SchemaChange
	notes    []string
}

// gathered is one pipeline of a gathering.
type gathered struct {
	pipeline string
	*pipeline.Monitor
}

func newGathering(period pipeline.Window) *gathering {
	return &gathering{period: period, days: map[time.Time]*report.Day{}}
}

// monitor begins to measure a pipeline. What it archived it archived: its filter
// of today does not matter.
func (g *gathering) monitor(name string) *pipeline.Monitor {
	m := pipeline.NewMonitor(g.period, pipeline.Filter{})
	g.monitors = append(g.monitors, gathered{name, m})
	return m
}

func (g *gathering) note(format string, args ...any) {
	g.notes = append(g.notes, fmt.Sprintf(format, args...))
}

// mostDays bounds the days that are told apart, should windows lie far apart.
const mostDays = 20_000

func (g *gathering) add(m *pipeline.Monitor, job *docextract.Job) {
	g.measured++
	m.Add(job)
	date := job.CreatedAt.UTC().Truncate(24 * time.Hour)
	day := g.days[date]
	if day == nil {
		if len(g.days) == mostDays {
			return
		}
		day = &report.Day{Date: date}
		g.days[date] = day
	}
	if job.Status == docextract.StatusFailed {
		day.Failed++
	} else {
		day.Completed++
	}
}

// byDay lists the days from the first to the last with jobs.
func (g *gathering) byDay() []report.Day {
	var first, last time.Time
	for date := range g.days {
		if first.IsZero() || date.Before(first) {
			first = date
		}
		if date.After(last) {
			last = date
		}
	}
	var all []report.Day
	for date := first; !date.After(last) && len(g.days) > 0 && len(all) < mostDays; date = date.AddDate(0, 0, 1) {
		if day := g.days[date]; day != nil {
			all = append(all, *day)
		} else {
			all = append(all, report.Day{Date: date})
		}
	}
	return all
}

// timeEdges are the upper bounds of a distribution's bins, in milliseconds: six
// to each power of ten, from 10 ms to ten minutes and more.
func timeEdges() []float64 {
	var edges []float64
	for power := 10.0; power <= 1e5; power *= 10 {
		for _, m := range []float64{1, 1.5, 2, 3, 5, 7} {
			edges = append(edges, power*m)
		}
	}
	return edges
}

// health is what was measured, in the order in which it is to be read.
func (g *gathering) health() report.Health {
	h := report.Health{
		Measured: g.measured, Extractors: []report.Extractor{}, Times: []report.Bin{},
		Fields: []report.Field{}, Errors: []report.ErrorCount{},
	}
	var spread pipeline.Spread
	for _, m := range g.monitors {
		spread.Add(m.Monitor)
		for _, e := range m.Health() {
			one := report.Extractor{Pipeline: m.pipeline, ID: e.Extractor, Completed: e.Now.Completed, Failed: e.Now.Failed}
			if t := e.Now.Time; t != nil {
				one.Time = timing(t)
			}
			h.Extractors = append(h.Extractors, one)
			for _, f := range e.Now.Confidence {
				h.Fields = append(h.Fields, report.Field{Pipeline: m.pipeline, Extractor: e.Extractor, Name: f.Field, Jobs: f.Jobs, Mean: f.Mean})
			}
			for _, c := range e.Now.Codes {
				h.Errors = append(h.Errors, report.ErrorCount{Pipeline: m.pipeline, Extractor: e.Extractor, Code: c.Code, Jobs: c.Jobs})
			}
		}
	}
	slices.SortStableFunc(h.Extractors, func(a, b report.Extractor) int {
		return int(min(1, max(-1, b.Completed+b.Failed-a.Completed-a.Failed)))
	})
	slices.SortStableFunc(h.Fields, func(a, b report.Field) int {
		switch {
		case a.Mean < b.Mean:
			return -1
		case a.Mean > b.Mean:
			return 1
		}
		return strings.Compare(a.Name, b.Name)
	})
	slices.SortStableFunc(h.Errors, func(a, b report.ErrorCount) int { return int(min(1, max(-1, b.Jobs-a.Jobs))) })
	if whole := spread.Summary(); whole != nil {
		h.Time = timing(whole)
		edges, from := timeEdges(), 0.0
		for i, jobs := range spread.Counts(edges) {
			bin := report.Bin{From: from, Jobs: jobs}
			if i < len(edges) {
				bin.To = edges[i]
			}
			h.Times, from = append(h.Times, bin), bin.To
		}
	}
	return h
}

func timing(t *pipeline.ProcessingTime) *report.Timing {
	return &report.Timing{Avg: t.Avg, P50: t.P50, P95: t.P95, Max: t.Max}
}

// breaches compares what was measured with the pipelines' thresholds.
func (g *gathering) breaches(pipelines []config.Pipeline) []pipeline.Breach {
	var all []pipeline.Breach
	for _, m := range g.monitors {
		i := slices.IndexFunc(pipelines, func(p config.Pipeline) bool { return p.Name == m.pipeline })
		if i < 0 {
			continue
		}
		health := m.Health()
		for k := range health {
			all = append(all, thresholds(pipelines[i].Alerts).Breaches(m.pipeline, &health[k])...)
		}
	}
	return all
}

// readSchemas finds the columns that came by the runs that by accepts.
func (g *gathering) readSchemas(ctx context.Context, l *ledger.Ledger, pipelines []config.Pipeline, by func(runID string) bool) {
	g.schema = []report.SchemaChange{}
	for _, p := range pipelines {
		schemas, err := latestSchemas(ctx, l, p)
		if err != nil {
			g.note("The schema changes of pipeline %s could not be read: %v.", p.Name, err)
		}
		for _, s := range schemas {
			for _, c := range s.Columns {
				if c.Group == pipeline.GroupStandard || !by(c.FirstSeen) {
					continue
				}
				g.schema = append(g.schema, report.SchemaChange{
					Dataset: s.Dataset, Column: c.Name, Type: string(c.Type), Source: c.Source, RunID: c.FirstSeen,
				})
			}
		}
	}
}
