package pipeline

import "context"

// Merger is a sink whose files may be merged.
type Merger interface {
	Sink
	// Merges reports whether the sink's format allows it.
	Merges() bool
	// Merge makes one file of several. It stands in the local spool and is the
	// caller's to remove; the sources are left alone.
	Merge(ctx context.Context, m Merge) (Part, error)
}

// Merge says which files become one.
type Merge struct {
	Schema  *Schema  // of the dataset, with every column that a source has
	Path    string   // final key of the new file
	Sources []string // local copies, in the order in which rows that have no time of their own shall stand
	Rows    int64    // of the sources together
}
