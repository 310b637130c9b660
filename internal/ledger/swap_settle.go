package ledger

import (
	"context"
	"errors"
	"fmt"

	"github.com/adteco/docarchive/internal/store"
	"github.com/adteco/docarchive/pipeline"
)

// doneMark is what the mark of a finished swap says.
type doneMark struct {
	Swap string `json:"swap_sha256"` // hash of the swap's bytes
}

// SettleSwaps brings the bucket to what the pipeline's swaps say: new files get
// their final names, then replaced ones are deleted, then the swap is marked as
// done. It may be repeated, by several processes at once. If all swaps are
// marked, it costs one listing.
func (l *Ledger) SettleSwaps(ctx context.Context, pipelineName string) error {
	if err := checkName("pipeline", pipelineName); err != nil {
		return err
	}
	_, undone, err := l.listSwaps(ctx, pipelineName)
	if err != nil || len(undone) == 0 {
		return err
	}
	k := l.swapsOf(pipelineName)
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.all(ctx); err != nil {
		return err
	}
	for _, seq := range undone {
		if err := k.settle(ctx, seq); err != nil {
			return err
		}
	}
	return nil
}

// finished settles a swap unless it is marked as done. Since no swap is written
// before the one below it is done, only the newest can have anything left, and
// none of its files can have been replaced. The caller holds the lock.
func (k *swaps) finished(ctx context.Context, seq int) error {
	if seq == 0 {
		return nil
	}
	_, err := k.ledger.store.Stat(ctx, doneKey(k.pipeline, seq))
	if errors.Is(err, store.ErrNotExist) {
		return k.settle(ctx, seq)
	}
	return err
}

// settle does all that is left to do for a swap. The caller holds the lock.
func (k *swaps) settle(ctx context.Context, seq int) error {
	l := k.ledger
	s, hash, _, err := l.readSwap(ctx, k.pipeline, seq)
	if err != nil {
		return err
	}
	if s == nil {
		return damaged(swapKey(k.pipeline, seq), "it is not there any more")
	}
	known, err := l.knownFiles(ctx, k.pipeline, s.Replaces, k.brought)
	if err != nil {
		return err
	}
	if err := k.publishNew(ctx, s); err != nil {
		return fmt.Errorf("publish the files of swap %d: %w", seq, err)
	}
	// What is still staged goes first, or the publication of a record could bring
	// a replaced file back.
	if err := k.deleteStaged(ctx, s, known); err != nil {
		return err
	}
	if err := l.each(ctx, len(s.Replaces), func(ctx context.Context, i int) error {
		return l.store.Delete(ctx, s.Replaces[i])
	}); err != nil {
		return fmt.Errorf("delete what swap %d replaced: %w", seq, err)
	}
	mark, err := encode(doneMark{Swap: hash})
	if err != nil {
		return err
	}
	return l.store.Put(ctx, doneKey(k.pipeline, seq), mark)
}

func (k *swaps) publishNew(ctx context.Context, s *pipeline.Swap) error {
	return k.ledger.each(ctx, len(s.Files), func(ctx context.Context, i int) error {
		done, err := k.ledger.inPlace(ctx, &s.Files[i])
		if done || err != nil {
			return err
		}
		_, err = k.ledger.copyInPlace(ctx, &s.Files[i])
		var missing *DamageError
		if !errors.As(err, &missing) {
			return err
		}
		// A slow process may come here when all was done, and undone by the next swap.
		if _, done := k.ledger.store.Stat(ctx, doneKey(k.pipeline, s.Seq)); done == nil {
			return nil
		}
		return err
	})
}

// deleteStaged deletes what still is staged of the swap's files, new and old.
func (k *swaps) deleteStaged(ctx context.Context, s *pipeline.Swap, known map[string]committedFile) error {
	staged := map[string]bool{}
	err := k.ledger.store.List(ctx, stagingDir, func(o store.Object) error {
		staged[o.Key] = true
		return nil
	})
	if err != nil {
		return err
	}
	var keys []string
	add := func(f *pipeline.File) {
		if key := stagingKey(f); staged[key] {
			keys = append(keys, key)
		}
	}
	for i := range s.Files {
		add(&s.Files[i])
	}
	for _, path := range s.Replaces {
		if f, ok := k.file(known, path); ok {
			add(&f)
		}
	}
	return k.ledger.each(ctx, len(keys), func(ctx context.Context, i int) error {
		return k.ledger.store.Delete(ctx, keys[i])
	})
}
