package pipeline

import "context"

// Warehouse is a database that the rows of commit records are loaded into. It
// keeps a log of its own in the same transaction as the rows, so that each
// record is loaded exactly once, and catches up after an outage.
type Warehouse interface {
	// Label names the warehouse in reports, such as postgres:invoices.
	Label() string
	// Loaded returns, for each window of the pipeline, the number of the last
	// record that is loaded. Records of a window are loaded in order.
	Loaded(ctx context.Context, pipeline string) (map[string]int, error)
	// Load writes the rows of one record and notes the record, in one
	// transaction. batches calls yield with the record's batches, which yield
	// must not keep; it may be called again after a transaction failed. Loading
	// a record that is loaded already does nothing.
	Load(ctx context.Context, r *Record, batches func(yield func(Batch) error) error) (Loaded, error)
	// Reload is Load for a record that may be loaded: the rows of its jobs are
	// removed, those of child tables included, and written again in the same
	// transaction. It may be repeated.
	Reload(ctx context.Context, r *Record, batches func(yield func(Batch) error) error) (Loaded, error)
	Close() error
}

// Loaded is what became of one record in a warehouse.
type Loaded struct {
	Rows     int64
	Rejected []RejectedRow // rows that the database cannot hold, noted in its log
}

// RejectedRow is a row that a database refused.
type RejectedRow struct {
	Dataset string
	JobID   string
	Reason  string
}
