package report

import "time"

// Model is everything that a report shows. Empty parts are left out of the page,
// or said to be empty where that is news.
type Model struct {
	Subject       Subject        `json:"subject"`
	Totals        Totals         `json:"totals"`
	Requests      Requests       `json:"requests"`
	Days          []Day          `json:"days"` // by created_at, ascending, without gaps
	Pipelines     []Pipeline     `json:"pipelines"`
	Health        Health         `json:"health"`
	Alerts        []Message      `json:"alerts"`
	Schema        []SchemaChange `json:"schema_changes"`
	Resubmissions []Resubmission `json:"resubmissions"`
	Runs          []Run          `json:"runs"` // of a period, oldest first
	Problems      []Message      `json:"problems"`
	Notes         []string       `json:"notes"` // how the figures are to be read
}

// Kind says what a report is about.
type Kind string

// The kinds of reports.
const (
	KindRun    Kind = "run"
	KindPeriod Kind = "period"
)

// Outcome is how a run ended.
type Outcome string

// The outcomes of runs.
const (
	OutcomeDone   Outcome = "done"
	OutcomePartly Outcome = "partly" // something is left that a person should look at
	OutcomeFailed Outcome = "failed" // or was stopped
	OutcomeDry    Outcome = "dry_run"
)

// Subject is what a report is about.
type Subject struct {
	Kind        Kind      `json:"kind"`
	RunID       string    `json:"run_id,omitempty"`
	Outcome     Outcome   `json:"outcome,omitempty"` // of a run
	ArchiveID   string    `json:"archive_uuid"`
	ToolVersion string    `json:"tool_version"`
	From        time.Time `json:"from"` // of a run its begin and end, else of created_at
	To          time.Time `json:"to"`
	Made        time.Time `json:"made"`
}

// Totals are sums over the pipelines. A job that several pipelines take counts
// in each of them.
type Totals struct {
	Archived    int64   `json:"archived"`
	Read        int64   `json:"read"` // of a run
	Excluded    int64   `json:"excluded"`
	Open        int64   `json:"open"`
	Quarantined int64   `json:"quarantined"`
	Unfinished  int64   `json:"unfinished"`
	Rows        int64   `json:"rows"`
	Bytes       int64   `json:"bytes"`
	Seconds     float64 `json:"seconds"` // that runs took
}

// Requests compares the requests made with those that the rate limit allows.
type Requests struct {
	Made      int64 `json:"made"`
	PerMinute int64 `json:"per_minute,omitempty"` // that are allowed; 0: not known
	Budget    int64 `json:"budget,omitempty"`     // that were allowed in the minutes the runs took; 0: not known
}

// Day counts the jobs created on one UTC day.
type Day struct {
	Date      time.Time `json:"date"`
	Completed int64     `json:"completed"`
	Failed    int64     `json:"failed"`
}

// Pipeline is what was done for one pipeline, and where its archive stands.
type Pipeline struct {
	Name      string    `json:"name"`
	Selection string    `json:"selection,omitempty"` // what its filters leave out, if that bears on the figures
	Totals    Totals    `json:"totals"`
	Requests  int64     `json:"requests"`
	Windows   Windows   `json:"windows"`
	Sinks     []Sink    `json:"sinks"`
	Standing  *Standing `json:"standing,omitempty"` // nil: not known
}

// Windows counts a run's windows.
type Windows struct {
	Due      int `json:"due"`
	Read     int `json:"read"`
	Unproven int `json:"unproven"`
	Sealed   int `json:"sealed"`
}

// Sink counts what was added to one sink.
type Sink struct {
	Label string `json:"label"`
	Files int    `json:"files"`
	Rows  int64  `json:"rows"`
	Bytes int64  `json:"bytes"`
}

// Standing is how long jobs that are not archived still live.
type Standing struct {
	Reached  *time.Time `json:"reached,omitempty"`    // everything before it is accounted for
	Behind   *time.Time `json:"oldest_due,omitempty"` // the oldest created_at not accounted for
	DaysLeft *int       `json:"days_left,omitempty"`  // before jobs of that time expire; nil: nothing is due
}

// Health is how the jobs fared that were measured. It keeps the order in which
// its parts are to be read.
type Health struct {
	Measured   int64        `json:"measured"`                  // jobs
	Time       *Timing      `json:"processing_time,omitempty"` // of all of them
	Extractors []Extractor  `json:"extractors"`
	Times      []Bin        `json:"processing_times"` // ascending, without gaps
	Fields     []Field      `json:"fields"`           // least certain first
	Errors     []ErrorCount `json:"errors"`           // most frequent first
}

// Extractor is how the jobs of one extractor fared.
type Extractor struct {
	Pipeline  string  `json:"pipeline"`
	ID        string  `json:"extractor_id"`
	Completed int64   `json:"completed"`
	Failed    int64   `json:"failed"`
	Time      *Timing `json:"processing_time,omitempty"`
}

// Timing is how long jobs took, in milliseconds.
type Timing struct {
	Avg float64 `json:"avg_ms"`
	P50 float64 `json:"p50_ms"`
	P95 float64 `json:"p95_ms"`
	Max float64 `json:"max_ms"`
}

// Bin counts the jobs whose processing time is From or more and less than To,
// in milliseconds. A To of 0 means no bound.
type Bin struct {
	From float64 `json:"from_ms"`
	To   float64 `json:"to_ms,omitempty"`
	Jobs int64   `json:"jobs"`
}

// Field is the mean confidence of one field, 0 to 1.
type Field struct {
	Pipeline  string  `json:"pipeline"`
	Extractor string  `json:"extractor_id"`
	Name      string  `json:"field"`
	Jobs      int64   `json:"jobs"`
	Mean      float64 `json:"mean"`
}

// ErrorCount counts the failed jobs of one extractor with one error code.
type ErrorCount struct {
	Pipeline  string `json:"pipeline"`
	Extractor string `json:"extractor_id"`
	Code      string `json:"code"`
	Jobs      int64  `json:"jobs"`
}

// SchemaChange is a column that came to a dataset.
type SchemaChange struct {
	Dataset string `json:"dataset"`
	Column  string `json:"column"`
	Type    string `json:"type"`
	Source  string `json:"source,omitempty"` // JSON Pointer into the job
	RunID   string `json:"run_id"`
}

// Resubmission is what became of a pipeline's failed jobs that were submitted
// again.
type Resubmission struct {
	Pipeline  string    `json:"pipeline"`
	Failed    int       `json:"failed"`
	Submitted int       `json:"submitted"`
	Held      int       `json:"held"`
	Left      int       `json:"left"`
	Credits   float64   `json:"credits"` // at most
	Balance   *float64  `json:"balance,omitempty"`
	Stopped   string    `json:"stopped,omitempty"`
	Messages  []Message `json:"messages,omitempty"` // of what a person should look at
}

// Run is one run within a period.
type Run struct {
	ID       string    `json:"run_id"`
	Started  time.Time `json:"started"`
	Seconds  float64   `json:"seconds"`
	Archived int64     `json:"archived"`
	Requests Requests  `json:"requests"`
	Problems int       `json:"problems"`
}

// Message is a line about one pipeline, or a part of it.
type Message struct {
	Pipeline string `json:"pipeline,omitempty"`
	Place    string `json:"place,omitempty"` // a window or a job
	Text     string `json:"text"`
}
