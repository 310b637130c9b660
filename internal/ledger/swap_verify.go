package ledger

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/adteco/docarchive/internal/store"
	"github.com/adteco/docarchive/pipeline"
)

// swapped is what the swaps say of a pipeline's files, for verification.
type swapped struct {
	damaged  bool // the swaps end before they should
	reasons  map[int]pipeline.SwapReason
	replaced map[string]int           // path → number of the swap that replaced it
	brought  map[string]int           // path → number of the swap that brought it
	entries  map[string]pipeline.File // of what swaps brought, and of what they replaced once records named it
}

// readSwaps reads the swaps, checks their chain and their marks, and takes note
// of the schemas that they name.
func (v *verification) readSwaps(ctx context.Context) error {
	x := &v.swapped
	x.reasons, x.replaced = map[int]pipeline.SwapReason{}, map[string]int{}
	x.brought, x.entries = map[string]int{}, map[string]pipeline.File{}
	highest, undone, err := v.ledger.listSwaps(ctx, v.pipeline)
	if err != nil {
		return err
	}
	last := 0
	var own error
	err = v.ledger.walkSwaps(ctx, v.pipeline, func(s *pipeline.Swap, hash, _ string) error {
		last = s.Seq
		x.reasons[s.Seq] = s.Reason
		for _, path := range s.Replaces {
			x.replaced[path] = s.Seq
		}
		for _, f := range s.Files {
			x.brought[f.Path], x.entries[f.Path] = s.Seq, f
			v.roots[root(f.Path)] = struct{}{}
		}
		for dataset, version := range s.Schemas {
			v.datasets[dataset] = max(v.datasets[dataset], version)
		}
		own = v.foundSwap(v.mark(ctx, s.Seq, hash, slices.Contains(undone, s.Seq)), s.Seq)
		return own
	})
	if own != nil {
		return own
	}
	if err == nil && highest > last {
		err = damaged(swapKey(v.pipeline, last+1), "it is missing, and later ones exist up to %d", highest)
	}
	x.damaged = err != nil
	return v.foundSwap(err, last+1)
}

// foundSwap is found for a swap.
func (v *verification) foundSwap(err error, seq int) error {
	var damage *DamageError
	if !errors.As(err, &damage) {
		return err
	}
	return v.report(Finding{Pipeline: v.pipeline, Swap: seq, Path: damage.Key, Problem: damage.Reason})
}

// mark checks whether a swap is marked as done, and rightly.
func (v *verification) mark(ctx context.Context, seq int, hash string, undone bool) error {
	if undone {
		return damaged(swapKey(v.pipeline, seq), "its files are not all in place yet: the next `run` or `compact` sees to it")
	}
	key := doneKey(v.pipeline, seq)
	var mark doneMark
	found, err := v.ledger.read(ctx, key, smallFile, unversioned, &mark)
	if err != nil || found == "" {
		return err // it became done after the listing, or is looked at the next time
	}
	if mark.Swap != hash {
		return damaged(key, "it is the mark of another swap")
	}
	return nil
}

// leftAlone reports whether a swap has replaced a file of a record, whose
// absence is right then.
func (v *verification) leftAlone(f *pipeline.File) bool {
	if v.swapped.replaced[f.Path] == 0 {
		return false
	}
	v.swapped.entries[f.Path] = *f
	return true
}

// sinceReplaced passes on what is wrong with a file of a record, unless a swap
// has replaced it since the verification began.
func (v *verification) sinceReplaced(ctx context.Context, f *pipeline.File, err error) error {
	var damage *DamageError
	if !errors.As(err, &damage) || v.swapped.damaged {
		return err
	}
	if replaced, swapErr := v.ledger.replaced(ctx, v.pipeline, f); replaced || swapErr != nil {
		return swapErr
	}
	return err
}

// swaps checks the files that swaps brought and the rows of those that merge.
func (v *verification) swaps(ctx context.Context) error {
	x := &v.swapped
	for _, path := range slices.Sorted(maps.Keys(x.brought)) {
		if x.replaced[path] > 0 {
			continue
		}
		f := x.entries[path]
		err := v.sinceReplaced(ctx, &f, v.file(ctx, &f))
		if err := v.foundSwap(err, x.brought[path]); err != nil {
			return err
		}
	}
	if x.damaged || v.broken {
		return nil // what was replaced is not known in full
	}
	for _, seq := range slices.Sorted(maps.Keys(x.reasons)) {
		if err := v.foundSwap(v.balance(seq), seq); err != nil {
			return err
		}
	}
	return nil
}

// balance compares the rows of a swap's new files with those of the old ones.
func (v *verification) balance(seq int) error {
	x, key := &v.swapped, swapKey(v.pipeline, seq)
	rows := map[string]int64{}
	for path, by := range x.replaced {
		f, known := x.entries[path]
		switch {
		case by != seq:
		case !known:
			return damaged(key, "it replaces %s, which nothing committed", path)
		default:
			rows[f.Sink+" "+f.Dataset] -= f.Rows
		}
	}
	for path, by := range x.brought {
		if f := x.entries[path]; by == seq {
			rows[f.Sink+" "+f.Dataset] += f.Rows
		}
	}
	if x.reasons[seq] != pipeline.SwapCompact {
		return nil
	}
	for _, of := range slices.Sorted(maps.Keys(rows)) {
		if rows[of] != 0 {
			return damaged(key, "its files for %s have %+d rows compared with those that they replace", of, rows[of])
		}
	}
	return nil
}

// SwapFile returns the entry of a file that a swap brought.
func (l *Ledger) SwapFile(ctx context.Context, pipelineName string, seq int, path string) (pipeline.File, bool, error) {
	s, _, _, err := l.readSwap(ctx, pipelineName, seq)
	if err != nil || s == nil {
		return pipeline.File{}, false, err
	}
	i, ok := slices.BinarySearchFunc(s.Files, path, func(f pipeline.File, path string) int { return strings.Compare(f.Path, path) })
	if !ok {
		return pipeline.File{}, false, nil
	}
	return s.Files[i], true, nil
}

// swapPipelines lists the pipelines that have swaps.
func (l *Ledger) swapPipelines(ctx context.Context) ([]string, error) {
	names := map[string]struct{}{}
	err := l.store.List(ctx, swapsDir, func(o store.Object) error {
		name, _, _ := strings.Cut(strings.TrimPrefix(o.Key, swapsDir), "/")
		names[name] = struct{}{}
		return nil
	})
	return slices.Sorted(maps.Keys(names)), err
}

// views returns what is known of the swaps of all pipelines, read to the end.
func (l *Ledger) views(ctx context.Context) ([]*swaps, error) {
	names, err := l.swapPipelines(ctx)
	if err != nil {
		return nil, err
	}
	var all []*swaps
	for _, name := range names {
		k := l.swapsOf(name)
		if err := k.readAll(ctx); err != nil {
			return nil, err
		}
		all = append(all, k)
	}
	return all, nil
}
