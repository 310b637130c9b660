package ledger

import (
	"context"
	"sync"

	"github.com/adteco/docarchive/pipeline"
)

// swaps is what is known of one pipeline's swaps. A swap never changes, and a
// file's name is never used a second time. So what was read stays true, in
// whatever order it was read: a file that was replaced once is so for ever.
type swaps struct {
	ledger   *Ledger
	pipeline string

	mu       sync.Mutex               // held while swaps are read, too
	looked   bool                     // the storage was asked which swaps there are
	head     int                      // the highest number that is known to exist
	headHash string                   // of its bytes, once they are read
	lowest   int                      // it and those above are read
	below    string                   // hash of the one below the lowest, as that one says
	replaced map[string]int           // path → number of the swap that replaced it
	brought  map[string]pipeline.File // path → file, also one that was replaced since
}

// swapsOf returns what is known of a pipeline's swaps.
func (l *Ledger) swapsOf(pipelineName string) *swaps {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := l.swaps[pipelineName]
	if k == nil {
		k = &swaps{
			ledger: l, pipeline: pipelineName, lowest: 1,
			replaced: map[string]int{}, brought: map[string]pipeline.File{},
		}
		l.swaps[pipelineName] = k
	}
	return k
}

// replacedBy returns the number of the swap that replaced a file, 0 if it is
// current. It reads from the newest swap backwards, as far as it must: what a
// run asks about was replaced lately. The caller does not hold the lock.
func (k *swaps) replacedBy(ctx context.Context, path string) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if seq, ok := k.replaced[path]; ok {
		return seq, nil
	}
	if err := k.newest(ctx); err != nil {
		return 0, err
	}
	for k.replaced[path] == 0 && k.lowest > 1 {
		if err := k.down(ctx); err != nil {
			return 0, err
		}
	}
	return k.replaced[path], nil
}

// readAll is all for a caller that does not hold the lock.
func (k *swaps) readAll(ctx context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.all(ctx)
}

// all reads every swap that is not read yet.
func (k *swaps) all(ctx context.Context) error {
	if err := k.newest(ctx); err != nil {
		return err
	}
	for k.lowest > 1 {
		if err := k.down(ctx); err != nil {
			return err
		}
	}
	return nil
}

// newest makes sure that the newest swap is known and read. A listing is where
// it begins to look, and need not be right.
func (k *swaps) newest(ctx context.Context) error {
	if !k.looked {
		highest, _, err := k.ledger.listSwaps(ctx, k.pipeline)
		if err != nil {
			return err
		}
		k.looked = true
		if highest > k.head {
			k.head, k.lowest = highest, highest+1
		}
	}
	if k.head > 0 && k.headHash == "" {
		if err := k.down(ctx); err != nil {
			return err
		}
	}
	for {
		s, hash, _, err := k.ledger.readSwap(ctx, k.pipeline, k.head+1)
		if err != nil || s == nil {
			return err
		}
		if s.Prev != k.headHash {
			return damaged(swapKey(k.pipeline, s.Seq), "its predecessor is not the one it was written after")
		}
		k.onTop(s, hash)
	}
}

// onTop takes note of the swap after the newest that was known.
func (k *swaps) onTop(s *pipeline.Swap, hash string) {
	k.head, k.headHash = s.Seq, hash
	k.note(s)
}

// down reads the swap below the lowest that is read.
func (k *swaps) down(ctx context.Context) error {
	key := swapKey(k.pipeline, k.lowest-1)
	s, hash, _, err := k.ledger.readSwap(ctx, k.pipeline, k.lowest-1)
	switch {
	case err != nil:
		return err
	case s == nil:
		return damaged(key, "it is missing, and later ones exist up to %d", k.head)
	case k.lowest > k.head:
		k.headHash = hash
	case hash != k.below:
		return damaged(key, "it is not the one that its successor was written after")
	}
	k.lowest, k.below = s.Seq, s.Prev
	k.note(s)
	return nil
}

func (k *swaps) note(s *pipeline.Swap) {
	for _, path := range s.Replaces {
		k.replaced[path] = s.Seq
	}
	for _, f := range s.Files {
		k.brought[f.Path] = f
	}
}

// file returns the entry of a file that a record or a swap committed.
func (k *swaps) file(known map[string]committedFile, path string) (pipeline.File, bool) {
	if f, ok := k.brought[path]; ok {
		return f, true
	}
	f, ok := known[path]
	return f.File, ok
}
