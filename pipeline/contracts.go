package pipeline

import (
	"context"
	"errors"

	"github.com/apache/arrow/go/v17/arrow"

	"github.com/adteco/docarchive/docextract"
)

// Source is where jobs come from: the API, or the raw layer. It may be called
// by several goroutines at once.
type Source interface {
	// List makes exactly one listing request.
	List(ctx context.Context, q docextract.Query) (*docextract.Page, error)
	// Job fetches one job. A job that is gone is an error for which
	// [docextract.NotFound] is true.
	Job(ctx context.Context, id string) (docextract.Job, error)
}

// SeenSet names the set of ids that are archived in one window as of one
// commit record. It is never stale: another head is another set.
type SeenSet struct {
	ArchiveID string
	Pipeline  string
	Window    string
	Head      string // sha256 of the head record; empty before the first
	Base      string // on Mark: the head whose set is to be carried over; empty: none
	Count     int64  // how many ids the whole set has
}

// Seen remembers which ids are archived, so that the ledger's lists need not be
// read again. It is never the truth: it may forget everything at any time, and
// then says so.
type Seen interface {
	// Filter returns those of ids that the set does not hold, in their order.
	// known is false, and fresh nil, if the set is not held in full. An error
	// counts as not known.
	Filter(ctx context.Context, set SeenSet, ids []string) (fresh []string, known bool, err error)
	// Mark adds ids to the set after what they stand for was committed. Marking
	// twice is harmless.
	Mark(ctx context.Context, set SeenSet, ids []string) error
}

// Destination is what the names of a writer's parts follow from.
type Destination struct {
	Pipeline string
	Dataset  string // the pipeline's name, or that of a child table
	Window   Window
	Seq      int    // of the commit record that the parts will belong to
	Suffix   string // ends every name, before the extension; only a rebuild's is not empty
}

// Sink turns batches into parts. Begin may be called for several destinations
// at once.
type Sink interface {
	// Label names the sink in records and reports, such as parquet:invoices.
	Label() string
	Begin(ctx context.Context, d Destination) (Writer, error)
}

// Writer takes the batches of one destination, from one goroutine at a time.
// It has two ends, Commit and Abort; Abort may follow anything and be repeated.
type Writer interface {
	// Write encodes a batch and retains nothing of it. A batch may have columns
	// that earlier batches did not have.
	Write(ctx context.Context, batch arrow.Record) error
	// Commit finishes the parts. They stand in the local spool, where no reader
	// looks, until the ledger publishes them.
	Commit(ctx context.Context) ([]Part, error)
	Abort(ctx context.Context) error
}

// ErrConflict means that another writer was first. What was computed from the
// old state must be computed again.
var ErrConflict = errors.New("another run was first")

// Ledger is the append-only log of commit records.
type Ledger interface {
	// Load reads and folds the records of a window.
	Load(ctx context.Context, pipeline string, w Window) (*History, error)
	// ArchivedIDs calls yield with the ids that the history's records archived,
	// in slices of bounded size that yield must not keep.
	ArchivedIDs(ctx context.Context, h *History, yield func(ids []string) error) error
	// Append makes the record durable, or returns [ErrConflict] if its number is
	// taken by another's. It sets the record's link to its predecessor.
	Append(ctx context.Context, h *History, r *Record, ids []string) (*History, error)
}

// Shelf moves finished parts into the bucket.
type Shelf interface {
	// Stage uploads a part to a place where no reader looks. It may be repeated.
	Stage(ctx context.Context, p Part) error
	// Publish gives every file of a committed record its final name. It may be
	// repeated, and costs little when all is in place.
	Publish(ctx context.Context, r *Record) error
}

// SchemaLog keeps the versions of the datasets' union schemas.
type SchemaLog interface {
	// LatestSchema returns nil for a dataset without one.
	LatestSchema(ctx context.Context, dataset string) (*Schema, error)
	// AppendSchema makes the version durable, or returns [ErrConflict] if its
	// number is taken by another's.
	AppendSchema(ctx context.Context, s *Schema) error
}
