package pipeline

import "context"

// RebuiltVersion is the version of the format of a rebuild's progress.
const RebuiltVersion = 1

// Rebuilt is how far a rebuild has come with one window. It saves work, and
// nothing depends on it: once the rebuild is done it is removed.
type Rebuilt struct {
	Version int             `json:"v"`
	Window  string          `json:"window"`
	Records []RebuiltRecord `json:"records"`
}

// RebuiltRecord is what was done for one commit record.
type RebuiltRecord struct {
	Seq    int      `json:"seq"`
	Nonce  string   `json:"nonce"`            // the record's
	Files  []File   `json:"files,omitempty"`  // staged
	Loaded []string `json:"loaded,omitempty"` // labels of the warehouses that its rows were loaded into again
}

// RebuildLog keeps the progress of rebuilds. A rebuild is told from others by
// the fingerprint of what decides its output.
type RebuildLog interface {
	// Progress returns what was kept of a rebuild, by window. What cannot be read
	// counts as nothing.
	Progress(ctx context.Context, pipeline, fingerprint string) (map[string]*Rebuilt, error)
	// KeepProgress puts the progress with a window in place of an earlier one.
	KeepProgress(ctx context.Context, pipeline, fingerprint string, r *Rebuilt) error
	// DropProgress removes all that was kept of a rebuild. It may be repeated.
	DropProgress(ctx context.Context, pipeline, fingerprint string) error
	// Adopt takes a file that was staged for a rebuild for staged by this process,
	// as [SwapLog.AppendSwap] demands, and renews it if it is old. It reports
	// whether the file is there. spool is a local folder for files in the making.
	Adopt(ctx context.Context, f File, spool string) (bool, error)
}
