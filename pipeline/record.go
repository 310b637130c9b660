package pipeline

import "time"

// RecordVersion is the version of the commit record's format.
const RecordVersion = 1

// Record is a commit record: what one run states, for ever, about one window of
// one pipeline. The records of a window are numbered from 1 without gaps and
// chained by hash; folded in order they say what is archived. See
// docs/FORMAT.md for its JSON.
type Record struct {
	RecordIdentity
	Content
	Coverage
}

// RecordIdentity says which record this is and who wrote it.
type RecordIdentity struct {
	Version     int       `json:"v"`
	ArchiveID   string    `json:"archive_uuid"`
	Pipeline    string    `json:"pipeline"`
	Window      string    `json:"window"` // the window's name
	Seq         int       `json:"seq"`    // from 1
	Prev        string    `json:"prev_sha256,omitempty"`
	Nonce       string    `json:"nonce"` // tells the writer's own record from another's
	RunID       string    `json:"run_id"`
	ToolVersion string    `json:"tool_version"`
	CommittedAt time.Time `json:"committed_at"` // archived_at of the rows
}

// Content says what the record added.
type Content struct {
	Schemas  map[string]int `json:"schemas,omitempty"` // dataset → version of its union schema
	Files    []File         `json:"files,omitempty"`
	Rows     int64          `json:"rows"`                 // jobs archived by this record
	IDs      []string       `json:"ids,omitempty"`        // theirs, sorted; empty if they stand in IDsFile
	IDsFile  string         `json:"ids_sha256,omitempty"` // names _archive/ids/SHA256.json.zst
	Rejected []string       `json:"rejected,omitempty"`   // ids, or sha256:HEX of what has none, put into quarantine
	Released []string       `json:"released,omitempty"`   // ids that were in quarantine and are archived by this record, sorted
}

// Coverage says how much of the window is known, and how that was proven.
type Coverage struct {
	CoveredTo  time.Time `json:"covered_to"`         // everything created before, in this window, is accounted for
	Open       []string  `json:"open,omitempty"`     // ids of jobs seen in the window that are not final yet
	Excluded   int64     `json:"excluded,omitempty"` // final jobs that the pipeline's own filters leave out
	Baseline   int64     `json:"baseline"`           // the listing's total of the whole window; UnknownTotal if not known
	Proof      Proof     `json:"proof"`
	State      State     `json:"state"`
	Gone       []string  `json:"gone,omitempty"`       // jobs that were open and that the API no longer has
	Unfinished []string  `json:"unfinished,omitempty"` // jobs that were still not final when the window was sealed
}

// State is where a window stands.
type State string

// A window is open while jobs may still be found in it, and sealed after its
// last call.
const (
	StateOpen   State = "open"
	StateSealed State = "sealed"
)

// Proof is the evidence that a part of a window was read completely.
type Proof struct {
	Method   string    `json:"method"`   // union, snapshot, poll, or none
	Total    int64     `json:"total"`    // what the server counted, neighbours at the widened bounds included
	Unique   int64     `json:"unique"`   // distinct ids seen inside the bounds
	Requests int       `json:"requests"` // spent on it
	Cutoff   time.Time `json:"cutoff"`   // jobs created later were left to a later run
}

// Kind tells what a file of a record is.
type Kind string

// The kinds of file.
const (
	KindData       Kind = "data"       // a sink's part
	KindRaw        Kind = "raw"        // jobs as received, zstd JSON lines
	KindQuarantine Kind = "quarantine" // what could not be read as a job, JSON lines
	KindDocuments  Kind = "documents"  // which document each job has, zstd JSON lines
)

// File is one immutable object that a record commits. Its staged name and its
// final name follow from the record alone.
type File struct {
	Kind    Kind   `json:"kind"`
	Dataset string `json:"dataset,omitempty"`
	Sink    string `json:"sink,omitempty"` // the sink's label, such as parquet:invoices
	Path    string `json:"path"`           // final key in the bucket
	SHA256  string `json:"sha256"`
	Size    int64  `json:"size"` // in bytes
	Rows    int64  `json:"rows"`
}

// Part is a finished file in the local spool that waits to be staged. Whoever
// receives it owns the spooled file and removes it.
type Part struct {
	File
	Spool string // path of the local file
}

// History is what the ledger knows about one window: its records, folded.
type History struct {
	Pipeline string
	Window   Window
	Head     *Record // the latest record; nil if there is none
	HeadHash string  // sha256 of the head's bytes, in hex
	Archived int64   // distinct jobs archived so far
	Excluded int64
	Rejected []string
}

// NextSeq is the number that the window's next record bears.
func (h *History) NextSeq() int {
	if h.Head == nil {
		return 1
	}
	return h.Head.Seq + 1
}

// CoveredTo is the time up to which the window is accounted for.
func (h *History) CoveredTo() time.Time {
	if h.Head == nil {
		return h.Window.Start
	}
	return h.Head.CoveredTo
}

// Sealed reports whether nothing will be read for the window again.
func (h *History) Sealed() bool { return h.Head != nil && h.Head.State == StateSealed }

// Open returns the ids of the window's jobs that were not final when last seen.
func (h *History) Open() []string {
	if h.Head == nil {
		return nil
	}
	return h.Head.Open
}
