package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/adteco/docarchive/internal/store"
	"github.com/adteco/docarchive/pipeline"
)

var _ pipeline.SwapLog = (*Ledger)(nil)

func swapDir(pipelineName string) string { return swapsDir + pipelineName + "/" }

func swapKey(pipelineName string, seq int) string { return numbered(swapDir(pipelineName), seq) }

// doneKey is the key of the mark that nothing is left to do for a swap.
func doneKey(pipelineName string, seq int) string {
	return strings.TrimSuffix(swapKey(pipelineName, seq), jsonSuffix) + doneSuffix
}

// NextSwap is the number that the pipeline's next swap will bear.
func (l *Ledger) NextSwap(ctx context.Context, pipelineName string) (int, error) {
	if err := checkName("pipeline", pipelineName); err != nil {
		return 0, err
	}
	k := l.swapsOf(pipelineName)
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.newest(ctx); err != nil {
		return 0, err
	}
	return k.head + 1, nil
}

// AppendSwap makes s durable under its number. It fills in s's identity but for
// Pipeline, Seq, RunID and CommittedAt, which are the caller's, and sorts its
// files. The swap before it is settled first.
//
// On success, and only then, the swap is durable. It is [pipeline.ErrConflict]
// if its number is taken or a file that it replaces was replaced meanwhile. A
// swap whose files have a name that was ever used is refused, and one that
// compacts and has not the rows of what it replaces. Files that this ledger did
// not stage within the commit age are a [StaleError].
func (l *Ledger) AppendSwap(ctx context.Context, s *pipeline.Swap) error {
	key := swapKey(s.Pipeline, s.Seq)
	if err := checkName("pipeline", s.Pipeline); err != nil {
		return fmt.Errorf("append a swap: %w", err)
	}
	k := l.swapsOf(s.Pipeline)
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.all(ctx); err != nil {
		return err
	}
	switch {
	case s.Seq <= k.head:
		return fmt.Errorf("append %s: %w", key, pipeline.ErrConflict)
	case s.Seq > k.head+1:
		return fmt.Errorf("append %s: the pipeline's next swap is number %d", key, k.head+1)
	}
	l.completeSwap(s, k.headHash)
	if err := l.checkSwap(s, s.Pipeline, s.Seq); err != nil {
		return fmt.Errorf("append %s: the swap is wrong and was not written: %w", key, err)
	}
	if err := k.finished(ctx, k.head); err != nil {
		return fmt.Errorf("finish the swap before it: %w", err)
	}
	if err := k.fits(ctx, s); err != nil {
		return fmt.Errorf("append %s: %w", key, err)
	}
	if err := l.fresh(s.Files); err != nil {
		return err
	}
	stored, err := l.storeLists(ctx, s)
	if err != nil {
		return fmt.Errorf("append %s: %w", key, err)
	}
	hash, err := l.create(ctx, key, stored)
	if err != nil {
		return err
	}
	l.forget(s.Files)
	k.onTop(s, hash)
	return nil
}

// completeSwap fills in what the swap says of itself.
func (l *Ledger) completeSwap(s *pipeline.Swap, prev string) {
	s.Version, s.ArchiveID, s.Prev = pipeline.SwapVersion, l.identity.UUID, prev
	s.Nonce, s.ToolVersion = l.options.NewNonce(), l.options.ToolVersion
	s.CommittedAt = s.CommittedAt.UTC()
	slices.SortFunc(s.Files, func(a, b pipeline.File) int { return strings.Compare(a.Path, b.Path) })
	slices.Sort(s.Replaces)
}

// checkSwap compares a swap with its place, and with itself.
func (l *Ledger) checkSwap(s *pipeline.Swap, pipelineName string, seq int) error {
	switch {
	case s.Version != pipeline.SwapVersion:
		return fmt.Errorf("it has format version %d", s.Version)
	case s.ArchiveID != l.identity.UUID:
		return fmt.Errorf("it belongs to archive %q", s.ArchiveID)
	case s.Pipeline != pipelineName || s.Seq != seq:
		return fmt.Errorf("it calls itself swap %d of pipeline %q", s.Seq, s.Pipeline)
	case s.Reason != pipeline.SwapCompact && s.Reason != pipeline.SwapRebuild:
		return fmt.Errorf("it has the unknown reason %q", s.Reason)
	case len(s.Files) == 0 && len(s.Replaces) == 0:
		return errors.New("it changes nothing")
	case !ascending(s.Replaces):
		return errors.New("what it replaces is not in order, or twice there")
	}
	last := ""
	for i := range s.Files {
		f := &s.Files[i]
		if err := checkFile(pipelineName, f); err != nil {
			return err
		}
		if _, own := slices.BinarySearch(s.Replaces, f.Path); own || f.Kind != pipeline.KindData || f.Path <= last {
			return fmt.Errorf("file %s is no data, not in order, or replaced by itself", f.Path)
		}
		last = f.Path
	}
	for _, path := range s.Replaces {
		if err := store.CheckKey(path); err != nil || strings.HasPrefix(path, controlDir) {
			return fmt.Errorf("%s cannot be replaced: %w", path, errors.Join(err, errors.New("it is no data")))
		}
	}
	return nil
}

// fits compares the swap with the files that there are.
func (k *swaps) fits(ctx context.Context, s *pipeline.Swap) error {
	known, err := k.ledger.knownFiles(ctx, s.Pipeline, s.Replaces, k.brought)
	if err != nil {
		return err
	}
	for i := range s.Files {
		path := s.Files[i].Path
		_, committed := known[path]
		if _, brought := k.brought[path]; committed || brought {
			return fmt.Errorf("the name %s was used before", path)
		}
	}
	balance := map[[2]string]int64{}
	for _, path := range s.Replaces {
		if by, gone := k.replaced[path]; gone {
			return fmt.Errorf("%s was replaced by swap %d: %w", path, by, pipeline.ErrConflict)
		}
		f, ok := k.file(known, path)
		if !ok {
			return fmt.Errorf("no record of the pipeline committed %s", path)
		}
		balance[[2]string{f.Sink, f.Dataset}] -= f.Rows
	}
	for i := range s.Files {
		f := &s.Files[i]
		balance[[2]string{f.Sink, f.Dataset}] += f.Rows
	}
	if s.Reason != pipeline.SwapCompact {
		return nil
	}
	for of, rows := range balance {
		if rows != 0 {
			return fmt.Errorf("the new files of dataset %s for %s have %+d rows compared with the old ones", of[1], of[0], rows)
		}
	}
	return nil
}
