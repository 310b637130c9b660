package pipeline

import (
	"fmt"
	"slices"
	"time"
)

// Report is what a run did. It is advisory: the ledger is the truth.
type Report struct {
	RunID       string           `json:"run_id"`
	ToolVersion string           `json:"tool_version"`
	ArchiveID   string           `json:"archive_uuid"`
	Started     time.Time        `json:"started"`
	Finished    time.Time        `json:"finished"`
	AsOf        time.Time        `json:"as_of,omitzero"` // jobs created before, and settled then, were looked for
	DryRun      bool             `json:"dry_run,omitempty"`
	Shard       *Shard           `json:"shard,omitempty"` // which of several workers; nil: there was one
	Requests    int64            `json:"requests"`
	Pipelines   []PipelineReport `json:"pipelines"`
	Warnings    []string         `json:"warnings,omitempty"`
	Aftermath
}

// Aftermath is what was found and done once the pipelines were archived. Whoever
// runs the Runner fills it in.
type Aftermath struct {
	Pace     int64            `json:"requests_per_minute,omitempty"` // that were allowed; 0: not known
	Alerts   []Breach         `json:"alerts,omitempty"`              // of the jobs that the run archived
	Resubmit []ResubmitReport `json:"resubmit,omitempty"`            // by pipeline; attempts that went well are only counted
}

// PipelineReport is what a run did for one pipeline.
type PipelineReport struct {
	Name     string         `json:"name"`
	Windows  WindowCounts   `json:"windows"`
	Jobs     JobCounts      `json:"jobs"`
	Requests int64          `json:"requests"`
	Sinks    []SinkReport   `json:"sinks"`
	Schema   map[string]int `json:"schema_versions"` // dataset → version
	Seconds  float64        `json:"seconds"`
	Problems []Problem      `json:"problems,omitempty"`
	Unproven []string       `json:"unproven,omitempty"` // windows that were read, and are not proven to be complete

	raw         []File
	windowsDone int
	begun       time.Time // by the clock that commits bear
}

// WindowCounts counts the windows that a run was to look after.
type WindowCounts struct {
	Due      int `json:"due"`
	Read     int `json:"read"`     // of which something was listed or polled, audits aside
	Changed  int `json:"changed"`  // for which a record was committed
	Unproven int `json:"unproven"` // left open, in part or whole
	Sealed   int `json:"sealed"`   // closed for ever
}

// JobCounts counts jobs.
type JobCounts struct {
	Read        int64 `json:"read"` // distinct jobs seen in the windows read
	New         int64 `json:"new"`  // archived by this run
	Excluded    int64 `json:"excluded"`
	Open        int64 `json:"open"` // not final yet
	Quarantined int64 `json:"quarantined"`
	Unfinished  int64 `json:"unfinished"`
	Documents   int64 `json:"documents,omitempty"`   // archived with their jobs
	NoDocument  int64 `json:"no_document,omitempty"` // jobs whose document could not be had
}

// SinkReport counts what a run added to one sink.
type SinkReport struct {
	Label string `json:"label"`
	Files int    `json:"files"`
	Rows  int64  `json:"rows"`
	Bytes int64  `json:"bytes"`
}

// Problem is something that keeps a run from being complete.
type Problem struct {
	Window  string `json:"window,omitempty"`
	Message string `json:"message"`
}

// Partly reports whether the run left something undone that a repetition alone
// does not mend.
func (r *Report) Partly() bool {
	for _, p := range r.Pipelines {
		if p.Windows.Unproven > 0 || p.Jobs.Quarantined > 0 || p.Jobs.Unfinished > 0 {
			return true
		}
	}
	return false
}

// New is the number of jobs archived by the run.
func (r *Report) New() int64 {
	var n int64
	for _, p := range r.Pipelines {
		n += p.Jobs.New
	}
	return n
}

// leftOpen notes a window that could not be proven to be complete.
func (p *PipelineReport) leftOpen(w Window) {
	p.Windows.Unproven++
	p.Unproven = append(p.Unproven, w.Name())
}

// RawFiles are the files of the raw layer that the run committed, which hold the
// jobs that it archived. They do not outlive the process: the ledger has them.
func (p *PipelineReport) RawFiles() []File { return p.raw }

func (p *PipelineReport) add(files []File) {
	for _, f := range files {
		if f.Kind == KindRaw {
			p.raw = append(p.raw, f)
		}
		if f.Kind != KindData {
			continue
		}
		i := 0
		for ; i < len(p.Sinks) && p.Sinks[i].Label != f.Sink; i++ {
		}
		if i == len(p.Sinks) {
			p.Sinks = append(p.Sinks, SinkReport{Label: f.Sink})
		}
		p.Sinks[i].Files++
		p.Sinks[i].Rows += f.Rows
		p.Sinks[i].Bytes += f.Size
	}
}

// more ends a message that names the first of several.
func more(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" (and %d more)", n)
}

// With adds what a worker did to what is known of the pipeline as a whole: its
// due and sealed windows and its open jobs are not added, since they are counted
// already.
func (p PipelineReport) With(worker PipelineReport) PipelineReport {
	p.Windows.Read += worker.Windows.Read
	p.Windows.Changed += worker.Windows.Changed
	p.Windows.Unproven += worker.Windows.Unproven
	p.Jobs.Read += worker.Jobs.Read
	p.Jobs.New += worker.Jobs.New
	p.Jobs.Excluded += worker.Jobs.Excluded
	p.Jobs.Quarantined += worker.Jobs.Quarantined
	p.Jobs.Unfinished += worker.Jobs.Unfinished
	p.Jobs.Documents += worker.Jobs.Documents
	p.Jobs.NoDocument += worker.Jobs.NoDocument
	p.Requests += worker.Requests
	p.Seconds = max(p.Seconds, worker.Seconds)
	p.Sinks = append([]SinkReport(nil), p.Sinks...)
	for _, s := range worker.Sinks {
		i := slices.IndexFunc(p.Sinks, func(own SinkReport) bool { return own.Label == s.Label })
		if i < 0 {
			p.Sinks = append(p.Sinks, s)
			continue
		}
		p.Sinks[i].Files += s.Files
		p.Sinks[i].Rows += s.Rows
		p.Sinks[i].Bytes += s.Bytes
	}
	return p
}
