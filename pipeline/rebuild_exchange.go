package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// errTwin means that another process has finished this very rebuild.
var errTwin = errors.New("another process has finished the same rebuild")

// exchange puts the staged files in the place of the old ones, with those of
// records that came meanwhile, and brings the bucket to that state.
func (b *rebuild) exchange(ctx context.Context) error {
	if len(b.Sinks) == 0 && !b.options.Prune {
		return nil
	}
	for try := 1; ; try++ {
		err := b.exchangeOnce(ctx)
		switch {
		case errors.Is(err, errTwin):
			b.warn(err.Error() + ": its files were taken, and nothing was left to do")
			err = nil
		case errors.Is(err, ErrConflict) && try < raceTries && ctx.Err() == nil:
			b.Log.Info("files were replaced meanwhile, what is to be replaced is determined again", "pipeline", b.Spec.Name)
			continue
		}
		if err != nil {
			return err
		}
		if err := b.Stores.Swaps.SettleSwaps(ctx, b.Spec.Name); err != nil {
			return fmt.Errorf("put the new files into place: %w", err)
		}
		return nil
	}
}

// exchangeOnce is one attempt. The swaps are looked at first: what is in files
// that they brought was committed before, and stands in the records read then.
func (b *rebuild) exchangeOnce(ctx context.Context) error {
	number, err := b.Stores.Swaps.NextSwap(ctx, b.Spec.Name)
	if err != nil {
		return err
	}
	if err := b.catchUp(ctx); err != nil {
		return err
	}
	swap := &Swap{
		SwapIdentity: SwapIdentity{Pipeline: b.Spec.Name, Seq: number, RunID: b.RunID, CommittedAt: b.now()},
		Reason:       SwapRebuild, Schemas: map[string]int{}, Files: b.files(), Note: b.fingerprint,
	}
	if swap.Replaces, err = b.replaced(ctx); err != nil {
		return err
	}
	if len(swap.Files) == 0 && len(swap.Replaces) == 0 {
		return nil
	}
	for dataset, book := range b.books {
		if version := book.Durable(); version > 0 {
			swap.Schemas[dataset] = version
		}
	}
	if b.halt(ctx) {
		return b.halted
	}
	if err := b.Stores.Swaps.AppendSwap(ctx, swap); err != nil {
		return fmt.Errorf("replace the files: %w", err)
	}
	b.result.Swap, b.result.Replaced = number, len(swap.Replaces)
	return nil
}

// catchUp stages the records that were committed since, and those whose files
// are gone from the staging folder, until nothing is left.
func (b *rebuild) catchUp(ctx context.Context) error {
	if len(b.Sinks) == 0 {
		return nil
	}
	for {
		news, err := b.survey(ctx)
		if err != nil {
			return err
		}
		lost, err := b.lost(ctx)
		if err != nil || !news && !lost {
			return err
		}
		if b.result.MissingRaw.Jobs > 0 && !b.options.SkipMissingRaw {
			return &MissingRawError{Pipeline: b.Spec.Name, Windows: b.result.MissingRaw.Windows, Jobs: b.result.MissingRaw.Jobs}
		}
		behind := slices.DeleteFunc(b.ordered(), (*rebuildWindow).staged)
		b.report.Windows.Due += len(behind)
		if err := b.eachWindow(ctx, behind, b.encodeWindow); err != nil {
			return err
		}
	}
}

// lost forgets the files of records that are not staged any more, and reports
// whether there are any.
func (b *rebuild) lost(ctx context.Context) (any bool, err error) {
	for _, w := range b.ordered() {
		for i := range w.records {
			r := &w.records[i]
			whole, err := b.adopt(ctx, r.Files)
			if err != nil {
				return any, err
			}
			if !whole {
				r.Files, any = nil, true
			}
		}
	}
	return any, nil
}

// files are all that are staged.
func (b *rebuild) files() (files []File) {
	for _, w := range b.windows {
		for i := range w.records {
			files = append(files, w.records[i].Files...)
		}
	}
	return files
}

// replaced lists the current files whose jobs stand in the new ones, and with
// prune those of sinks that are not configured. A file that a swap brought may
// hold the jobs of any record.
func (b *rebuild) replaced(ctx context.Context) (paths []string, err error) {
	of := b.ownership()
	current := map[string]bool{}
	merged := false
	err = b.Stores.Swaps.CurrentFiles(ctx, b.Spec.Name, func(window string, f File) error {
		current[f.Path] = true
		switch {
		case of.staged[f.Path]:
			return errTwin
		case !slices.Contains(b.options.Configured, f.Sink):
			if b.options.Prune {
				paths = append(paths, f.Path)
			}
		case !of.labels[f.Sink]:
		case window == "":
			merged = true
			paths = append(paths, f.Path)
		case of.rebuilt[f.Path]:
			paths = append(paths, f.Path)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, path := range of.kept {
		if merged && !current[path] {
			return nil, errMerged
		}
	}
	return paths, nil
}

// ownership tells files apart by what the rebuild has to do with them.
type ownership struct {
	labels  map[string]bool // sinks that are rebuilt
	staged  map[string]bool // paths of new files
	rebuilt map[string]bool // paths of the files of records that are rebuilt
	kept    []string        // paths of the files of records that cannot be
}

func (b *rebuild) ownership() ownership {
	o := ownership{labels: map[string]bool{}, staged: map[string]bool{}, rebuilt: map[string]bool{}}
	for _, s := range b.Sinks {
		o.labels[s.Label()] = true
	}
	for _, w := range b.windows {
		for i := range w.records {
			r := &w.records[i]
			for _, f := range r.Files {
				o.staged[f.Path] = true
			}
			for _, f := range r.data {
				switch {
				case r.raw:
					o.rebuilt[f.path] = true
				case o.labels[f.sink]:
					o.kept = append(o.kept, f.path)
				}
			}
		}
	}
	return o
}

// describe completes the report.
func (b *rebuild) describe() {
	counted := PipelineReport{Sinks: b.result.Sinks}
	counted.add(b.files())
	b.result.Sinks = counted.Sinks
	b.result.Schema = map[string]int{}
	for dataset, book := range b.books {
		b.result.Schema[dataset] = book.Durable()
	}
	for _, rule := range b.Rules {
		if rule.Mode == ModeDrop || rule.Mode == ModeHash {
			b.warn("the raw layer still holds in clear what fields: drops or hashes; only the sinks were written again")
			return
		}
	}
}
