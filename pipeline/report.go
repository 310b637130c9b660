package pipeline

import (
	"fmt"
	"time"
)

// Report is what a run did. It is advisory: the ledger is the truth.
type Report struct {
	RunID       string           `json:"run_id"`
	ToolVersion string           `json:"tool_version"`
	ArchiveID   string           `json:"archive_uuid"`
	Started     time.Time        `json:"started"`
	Finished    time.Time        `json:"finished"`
	DryRun      bool             `json:"dry_run,omitempty"`
	Requests    int64            `json:"requests"`
	Pipelines   []PipelineReport `json:"pipelines"`
	Warnings    []string         `json:"warnings,omitempty"`
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

func (p *PipelineReport) add(files []File) {
	for _, f := range files {
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
