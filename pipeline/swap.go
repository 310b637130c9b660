package pipeline

import (
	"context"
	"fmt"
	"time"
)

// SwapVersion is the version of the swap's format.
const SwapVersion = 1

// SwapReason says why files were replaced.
type SwapReason string

// The reasons for a swap.
const (
	SwapCompact SwapReason = "compact" // many files merged into few
	SwapRebuild SwapReason = "rebuild" // written again from the raw layer
)

// Swap states, for ever, that some of a pipeline's committed files are replaced
// by others that hold the same jobs. It changes nothing of which jobs are
// archived: only in which files they stand. The swaps of a pipeline are numbered
// from 1 without gaps and chained by hash, and a swap counts as a whole or not
// at all. See docs/FORMAT.md for its JSON.
type Swap struct {
	SwapIdentity
	Reason   SwapReason     `json:"reason"`
	Schemas  map[string]int `json:"schemas,omitempty"`  // dataset → version of its union schema
	Files    []File         `json:"files,omitempty"`    // the new ones; kind data only
	Replaces []string       `json:"replaces,omitempty"` // final paths of the old ones
	Note     string         `json:"note,omitempty"`     // for rebuild: the fingerprint of what it was written by
}

// SwapIdentity says which swap this is and who wrote it.
type SwapIdentity struct {
	Version     int       `json:"v"`
	ArchiveID   string    `json:"archive_uuid"`
	Pipeline    string    `json:"pipeline"`
	Seq         int       `json:"seq"` // from 1, per pipeline
	Prev        string    `json:"prev_sha256,omitempty"`
	Nonce       string    `json:"nonce"`
	RunID       string    `json:"run_id"`
	ToolVersion string    `json:"tool_version"`
	CommittedAt time.Time `json:"committed_at"`
}

// SwapLog replaces committed files.
type SwapLog interface {
	// NextSwap is the number that the pipeline's next swap will bear: the names of
	// its files follow from it.
	NextSwap(ctx context.Context, pipeline string) (int, error)
	// CurrentFiles calls yield with every data file of the pipeline as its records
	// and swaps leave them, in the order of their paths. The window is that of the
	// record which committed the file, or empty for one that a swap brought.
	CurrentFiles(ctx context.Context, pipeline string, yield func(window string, f File) error) error
	// AppendSwap makes the swap durable, or returns [ErrConflict] if its number is
	// taken by another's, or if a file that it replaces is not current any more.
	// Its files must be staged.
	AppendSwap(ctx context.Context, s *Swap) error
	// SettleSwaps brings the bucket to what the swaps say: new files get their
	// final names, then replaced ones are deleted. It may be repeated, by several
	// processes at once, and costs one request when nothing is left to do.
	SettleSwaps(ctx context.Context, pipeline string) error
}

// settleSwaps finishes what a replacement of files that was stopped has left.
func (p *pipelineRun) settleSwaps(ctx context.Context) error {
	if p.Stores.Swaps == nil || p.DryRun {
		return nil
	}
	if err := p.Stores.Swaps.SettleSwaps(ctx, p.Spec.Name); err != nil {
		return fmt.Errorf("finish a replacement of files: %w", err)
	}
	return nil
}
