package main

import (
	"math"

	"github.com/adteco/docarchive/internal/config"
	"github.com/adteco/docarchive/internal/report"
	"github.com/adteco/docarchive/pipeline"
)

// countedTwice is said where there are several pipelines.
const countedTwice = "A job that several pipelines take counts in each of them."

// runModel is what the page of a run shows.
func runModel(r *pipeline.Report, pipelines []config.Pipeline, g *gathering, standings map[string]*standing, ended report.Outcome) *report.Model {
	m := &report.Model{
		Subject: report.Subject{
			Kind: report.KindRun, RunID: r.RunID, Outcome: ended, ArchiveID: r.ArchiveID, ToolVersion: r.ToolVersion,
			From: r.Started, To: r.Finished,
		},
		Days: g.byDay(), Health: g.health(), Schema: g.schema,
		Alerts: alertMessages(r.Alerts), Notes: append([]string{}, r.Warnings...),
		Problems: []report.Message{}, Pipelines: []report.Pipeline{}, Resubmissions: []report.Resubmission{}, Runs: []report.Run{},
	}
	m.Totals.Seconds = secondsOf(r)
	m.Requests = budgeted(r.Requests, r.Pace, m.Totals.Seconds)
	for i := range r.Pipelines {
		p := &r.Pipelines[i]
		one := pipelineModel(p)
		one.Standing = standingModel(standings[p.Name])
		m.Pipelines = append(m.Pipelines, one)
		m.Totals.Archived += one.Totals.Archived
		m.Totals.Read += one.Totals.Read
		m.Totals.Excluded += one.Totals.Excluded
		m.Totals.Open += one.Totals.Open
		m.Totals.Quarantined += one.Totals.Quarantined
		m.Totals.Unfinished += one.Totals.Unfinished
		m.Totals.Rows += one.Totals.Rows
		m.Totals.Bytes += one.Totals.Bytes
		for _, problem := range p.Problems {
			m.Problems = append(m.Problems, report.Message{Pipeline: p.Name, Place: problem.Window, Text: problem.Message})
		}
	}
	for i := range r.Resubmit {
		m.Resubmissions = append(m.Resubmissions, resubmissionModel(&r.Resubmit[i]))
	}
	m.Notes = append(m.Notes, g.notes...)
	if len(m.Pipelines) > 1 {
		m.Notes = append(m.Notes, countedTwice)
	}
	for i, p := range pipelines {
		if text := selection(p); text != "" {
			m.Notes = append(m.Notes, text)
			if i < len(m.Pipelines) && m.Pipelines[i].Name == p.Name {
				m.Pipelines[i].Selection = text
			}
		}
	}
	return m
}

// secondsOf is how long a run took. Where its clock stood still, as in a demo, it
// is how long its pipelines took by the machine's own.
func secondsOf(r *pipeline.Report) float64 {
	if wall := r.Finished.Sub(r.Started).Seconds(); wall > 0 {
		return wall
	}
	var sum float64
	for _, p := range r.Pipelines {
		sum += p.Seconds
	}
	return sum
}

// budgeted compares requests with what so many a minute allow in the minutes
// that were begun.
func budgeted(made, perMinute int64, seconds float64) report.Requests {
	return report.Requests{Made: made, PerMinute: perMinute, Budget: perMinute * int64(max(1, math.Ceil(seconds/60)))}
}

func pipelineModel(p *pipeline.PipelineReport) report.Pipeline {
	one := report.Pipeline{
		Name: p.Name, Requests: p.Requests,
		Totals: report.Totals{
			Archived: p.Jobs.New, Read: p.Jobs.Read, Excluded: p.Jobs.Excluded, Open: p.Jobs.Open,
			Quarantined: p.Jobs.Quarantined, Unfinished: p.Jobs.Unfinished, Seconds: p.Seconds,
		},
		Windows: report.Windows{Due: p.Windows.Due, Read: p.Windows.Read, Unproven: p.Windows.Unproven, Sealed: p.Windows.Sealed},
		Sinks:   []report.Sink{},
	}
	for _, s := range p.Sinks {
		one.Sinks = append(one.Sinks, report.Sink{Label: s.Label, Files: s.Files, Rows: s.Rows, Bytes: s.Bytes})
		one.Totals.Rows += s.Rows
		one.Totals.Bytes += s.Bytes
	}
	return one
}

func standingModel(st *standing) *report.Standing {
	if st == nil {
		return nil
	}
	return &report.Standing{Reached: st.Reached, Behind: st.Behind, DaysLeft: st.DaysLeft}
}

func alertMessages(all []pipeline.Breach) []report.Message {
	messages := []report.Message{}
	for i := range all {
		messages = append(messages, report.Message{Text: all[i].Message()})
	}
	return messages
}

func resubmissionModel(r *pipeline.ResubmitReport) report.Resubmission {
	one := report.Resubmission{
		Pipeline: r.Pipeline, Failed: r.Counts.Failed, Submitted: r.Counts.Submitted, Held: r.Counts.Held, Left: r.Counts.Left,
		Credits: r.Credits, Balance: r.Balance, Stopped: r.Stopped,
	}
	for _, j := range r.Jobs {
		text := string(j.State)
		if j.Reason != "" {
			text += ": " + j.Reason
		}
		one.Messages = append(one.Messages, report.Message{Pipeline: r.Pipeline, Place: j.Original, Text: text})
	}
	for _, p := range r.Problems {
		one.Messages = append(one.Messages, report.Message{Pipeline: r.Pipeline, Place: p.Window, Text: p.Message})
	}
	return one
}

// keptAttempts is how many attempts a run's report names of one pipeline.
const keptAttempts = 100

// shortened is a resubmission as a run's report keeps it: all is counted, and named
// is what did not go well.
func shortened(r *pipeline.ResubmitReport) pipeline.ResubmitReport {
	short := *r
	short.Jobs = []pipeline.Resubmitted{}
	for _, j := range r.Jobs {
		if j.State == pipeline.ResubmitState(pipeline.OutcomeSubmitted) {
			continue
		}
		if len(short.Jobs) == keptAttempts {
			break
		}
		short.Jobs = append(short.Jobs, j)
	}
	return short
}
