package ledger

import (
	"context"
	"fmt"

	"github.com/klauspost/compress/zstd"

	"github.com/adteco/docarchive/internal/store"
	"github.com/adteco/docarchive/pipeline"
)

const (
	// inlineFiles is how many files a swap may name itself, new and old ones.
	inlineFiles = 1000
	// mostListed bounds the bytes of a list of files, compressed, and
	// mostListedPlain once it is not.
	mostListed      = 128 << 20
	mostListedPlain = 1 << 30
)

// storedSwap is a swap as it is stored.
type storedSwap struct {
	pipeline.Swap
	Lists string `json:"lists_sha256,omitempty"` // names _archive/files/SHA256.json.zst, where files and replaces are then
}

// swapLists are the files of a swap that names many.
type swapLists struct {
	Files    []pipeline.File `json:"files,omitempty"`
	Replaces []string        `json:"replaces,omitempty"`
}

// storeLists returns the form in which s is stored. If it names many files,
// their list is stored first.
func (l *Ledger) storeLists(ctx context.Context, s *pipeline.Swap) (*storedSwap, error) {
	stored := &storedSwap{Swap: *s}
	if len(s.Files)+len(s.Replaces) <= inlineFiles {
		return stored, nil
	}
	sum, err := l.putNamed(ctx, filesDir, swapLists{Files: s.Files, Replaces: s.Replaces})
	stored.Files, stored.Replaces, stored.Lists = nil, nil, sum
	return stored, err
}

// readSwap reads one swap and returns the hash of its bytes, and the name of its
// list of files if there is one. It is nil if it does not exist.
func (l *Ledger) readSwap(ctx context.Context, pipelineName string, seq int) (s *pipeline.Swap, hash, lists string, err error) {
	key := swapKey(pipelineName, seq)
	stored := new(storedSwap)
	hash, err = l.read(ctx, key, store.MaxCreate, pipeline.SwapVersion, stored)
	if err != nil || hash == "" {
		return nil, "", "", err
	}
	if stored.Lists != "" {
		if len(stored.Files)+len(stored.Replaces) > 0 {
			return nil, "", "", damaged(key, "it lists files and names a list of them")
		}
		if err := l.readLists(ctx, key, stored); err != nil {
			return nil, "", "", err
		}
	}
	if err := l.checkSwap(&stored.Swap, pipelineName, seq); err != nil {
		return nil, "", "", damaged(key, "%v", err)
	}
	return &stored.Swap, hash, stored.Lists, nil
}

// readLists completes a stored swap.
func (l *Ledger) readLists(ctx context.Context, swapKey string, stored *storedSwap) error {
	key := namedKey(filesDir, stored.Lists)
	data, err := l.store.Get(ctx, key, mostListed)
	if err != nil {
		if gone, err := l.absent(ctx, err); err != nil || !gone {
			return err
		}
		return damaged(key, "it is missing, and %s names it", swapKey)
	}
	if hashOf(data) != stored.Lists {
		return damaged(key, "its checksum is not its name")
	}
	z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(mostListedPlain))
	if err != nil {
		return fmt.Errorf("read %s: %w", key, err)
	}
	defer z.Close()
	var lists swapLists
	plain, err := z.DecodeAll(data, nil)
	if err == nil {
		err = decode(plain, &lists)
	}
	if err != nil {
		return damaged(key, "%v", err)
	}
	stored.Files, stored.Replaces = lists.Files, lists.Replaces
	return nil
}

// walkSwaps calls fn with a pipeline's swaps in order, each checked.
func (l *Ledger) walkSwaps(ctx context.Context, pipelineName string, fn func(s *pipeline.Swap, hash, lists string) error) error {
	prev := ""
	for seq := 1; ; seq++ {
		s, hash, lists, err := l.readSwap(ctx, pipelineName, seq)
		if err != nil || s == nil {
			return err
		}
		if s.Prev != prev {
			return damaged(swapKey(pipelineName, seq), "its predecessor is not the one it was written after")
		}
		prev = hash
		if err := fn(s, hash, lists); err != nil {
			return err
		}
	}
}

// listSwaps returns the highest number of a swap that a listing shows, and which
// ones are not marked as done.
func (l *Ledger) listSwaps(ctx context.Context, pipelineName string) (highest int, undone []int, err error) {
	written, done := map[int]bool{}, map[int]bool{}
	dir := swapDir(pipelineName)
	err = l.store.List(ctx, dir, func(o store.Object) error {
		name := o.Key[len(dir):]
		if seq, ok := number(name); ok {
			written[seq] = true
			highest = max(highest, seq)
		} else if seq, ok := doneNumber(name); ok {
			done[seq] = true
		}
		return nil
	})
	for seq := 1; seq <= highest; seq++ {
		if written[seq] && !done[seq] {
			undone = append(undone, seq)
		}
	}
	return highest, undone, err
}
