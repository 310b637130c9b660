package main

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/adteco/docarchive/internal/config"
	"github.com/adteco/docarchive/internal/ledger"
	"github.com/adteco/docarchive/pipeline"
)

// roll is the workers whose work a finalize judges, as their reports tell. The
// reports say how far each had to come, never how far it came: that is the
// ledger's to say.
type roll struct {
	now       time.Time
	since     time.Time
	pipelines []config.Pipeline
	byName    map[string]muster
}

// muster is the last workers of one pipeline.
type muster struct {
	count    int // of workers; 0: none has reported
	reports  map[int]*pipeline.Report
	earliest time.Time
}

// keptReport is what all reports in the archive have in common.
type keptReport struct {
	Kind string `json:"kind"`
	pipeline.Report
	Since   time.Time `json:"workers_since"`
	Settled bool      `json:"settled"`
}

// rollAge is how long ago a worker may have begun for finalize to know of it.
const rollAge = 72 * time.Hour

// muster calls the workers that have reported since the last finalize which
// found them done. Where none has, that finalize is repeated, and counts the
// same ones.
func (w *workplace) muster(ctx context.Context, pipelines []config.Pipeline) (*roll, error) {
	reports, err := w.keptReports(ctx)
	if err != nil {
		return nil, err
	}
	r := &roll{now: w.now(), since: sinceFinal(reports), pipelines: pipelines, byName: map[string]muster{}}
	for _, p := range pipelines {
		r.byName[p.Name] = r.call(p.Name, reports)
	}
	return r, nil
}

// keptReports reads the reports of the last days, oldest first.
func (w *workplace) keptReports(ctx context.Context) ([]keptReport, error) {
	const everything = "~" // after every run id
	var all []keptReport
	from := w.now().Add(-rollAge).UTC().Format(runIDTime)
	err := w.ledger.Reports(ctx, from, everything, func(kept ledger.Report) error {
		var r keptReport
		if err := json.Unmarshal(kept.Data, &r); err != nil {
			w.log.Warn("the report of a run cannot be read, and does not count", "run", kept.RunID, "error", err)
			return nil
		}
		all = append(all, r)
		return nil
	})
	slices.SortStableFunc(all, func(a, b keptReport) int { return a.Started.Compare(b.Started) })
	return all, err
}

// sinceFinal is when the last finalize that found its workers done had begun, or
// what it counted from if none has reported since.
func sinceFinal(reports []keptReport) time.Time {
	ran := false
	for _, r := range slices.Backward(reports) {
		switch {
		case r.Kind == "" && !r.AsOf.IsZero():
			ran = true
		case r.Kind == finalReportKind && r.Settled && ran:
			return r.Started
		case r.Kind == finalReportKind && r.Settled:
			return r.Since
		}
	}
	return time.Time{}
}

// call finds the workers of a pipeline: those of the same number as the last
// one, and of each the last report.
func (r *roll) call(name string, reports []keptReport) muster {
	m := muster{reports: map[int]*pipeline.Report{}}
	for _, kept := range slices.Backward(reports) {
		report := &kept.Report
		worked := slices.ContainsFunc(report.Pipelines, func(p pipeline.PipelineReport) bool { return p.Name == name })
		if kept.Kind != "" || report.DryRun || report.AsOf.IsZero() || !worked || !report.Started.After(r.since) {
			continue
		}
		is := pipeline.Shard{Count: 1}
		if report.Shard != nil {
			is = *report.Shard
		}
		if m.count == 0 {
			m.count = is.Count
		}
		if is.Count != m.count || m.reports[is.Index] != nil {
			continue
		}
		m.reports[is.Index] = report
		if m.earliest.IsZero() || report.AsOf.Before(m.earliest) {
			m.earliest = report.AsOf
		}
	}
	return m
}

// reached implements [pipeline.Reached]. A worker that has left no report had to
// come as far as the first of the others; if there is none at all, to this
// moment.
func (r *roll) reached(name string, w pipeline.Window) (till time.Time, worker pipeline.Shard) {
	m := r.byName[name]
	worker, till = pipeline.Owner(name, w, m.count), m.earliest
	switch report := m.reports[worker.Index]; {
	case report != nil:
		till = report.AsOf
	case m.count == 0:
		till = r.now
	}
	for _, p := range r.pipelines {
		if p.Name == name {
			till = till.Add(-p.Settle)
		}
	}
	return till, worker
}

// unproven reports whether the worker of a window that is behind has read it,
// and could not prove that it has all.
func (r *roll) unproven(b pipeline.Behind) bool {
	m := r.byName[b.Pipeline]
	at := 0
	if b.Worker != nil {
		at = b.Worker.Index
	}
	report := m.reports[at]
	return report != nil && slices.ContainsFunc(report.Pipelines, func(p pipeline.PipelineReport) bool {
		return p.Name == b.Pipeline && slices.Contains(p.Unproven, b.Window)
	})
}

// workerReport is what finalize tells of one worker's last report.
type workerReport struct {
	RunID       string          `json:"run_id"`
	Worker      *pipeline.Shard `json:"worker,omitempty"` // nil: there is one
	Started     time.Time       `json:"started"`
	Finished    time.Time       `json:"finished"`
	Requests    int64           `json:"requests"`
	New         int64           `json:"new"`
	Quarantined int64           `json:"quarantined"`
	Unfinished  int64           `json:"unfinished"`

	report *pipeline.Report
}

// workers lists the reports that count, each once, in the order of the workers.
func (r *roll) workers() []workerReport {
	all := []workerReport{}
	for _, m := range r.byName {
		for _, report := range m.reports {
			if slices.ContainsFunc(all, func(w workerReport) bool { return w.RunID == report.RunID }) {
				continue
			}
			one := workerReport{
				RunID: report.RunID, Worker: report.Shard, Started: report.Started, Finished: report.Finished,
				Requests: report.Requests, report: report,
			}
			for _, p := range report.Pipelines {
				one.New += p.Jobs.New
				one.Quarantined += p.Jobs.Quarantined
				one.Unfinished += p.Jobs.Unfinished
			}
			all = append(all, one)
		}
	}
	slices.SortFunc(all, func(a, b workerReport) int { return a.index() - b.index() })
	return all
}

func (w *workerReport) index() int {
	if w.Worker == nil {
		return 0
	}
	return w.Worker.Index
}
