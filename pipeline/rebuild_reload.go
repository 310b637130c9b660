package pipeline

import (
	"context"
	"fmt"
	"slices"
)

// reloadAll loads the rows of all records into the databases again that are not
// loaded yet.
func (b *rebuild) reloadAll(ctx context.Context) error {
	for i, warehouse := range b.Warehouses {
		// Databases of several servers may have one label.
		d := reloading{rebuild: b, warehouse: warehouse, mark: fmt.Sprintf("%d %s", i, warehouse.Label())}
		if err := d.all(ctx); err != nil {
			return fmt.Errorf("sink %s: %w", warehouse.Label(), err)
		}
	}
	return nil
}

// reloading loads a pipeline's records into one database again.
type reloading struct {
	*rebuild
	warehouse Warehouse
	mark      string // in the progress, for what is done
}

func (b reloading) all(ctx context.Context) error {
	loaded, err := b.warehouse.Loaded(ctx, b.Spec.Name)
	if err != nil {
		return err
	}
	for _, w := range b.ordered() {
		if b.halt(ctx) {
			return b.halted
		}
		err := b.safely(ctx, w.Window, func(ctx context.Context, _ Window) error {
			return b.window(ctx, w, loaded[w.Name()])
		})
		if err != nil {
			return &WindowError{w.Name(), err}
		}
		b.mu.Lock()
		b.progress(1)
		b.mu.Unlock()
	}
	return nil
}

// window loads a window's records again; those up to loaded were loaded before.
func (b reloading) window(ctx context.Context, w *rebuildWindow, loaded int) error {
	blocked := false
	return b.Stores.Library.Records(ctx, b.Spec.Name, w.Window, func(r *Record) error {
		if r.Seq > len(w.records) || r.Rows == 0 {
			return nil
		}
		known := &w.records[r.Seq-1]
		// The database takes the highest number for all those below.
		blocked = blocked || !known.raw && r.Seq > loaded
		if blocked && r.Seq > loaded || !known.due() || slices.Contains(known.Loaded, b.mark) {
			return nil
		}
		if r.Seq == len(w.records) {
			if err := b.Stores.Shelf.Publish(ctx, r); err != nil {
				return fmt.Errorf("publish what was committed: %w", err)
			}
		}
		done, err := b.warehouse.Reload(ctx, r, func(yield func(Batch) error) error {
			return replayer{b.pipelineRun}.batches(ctx, r, yield)
		})
		if err != nil {
			return err
		}
		known.Loaded = append(known.Loaded, b.mark)
		b.result.loaded(b.warehouse.Label(), r, done)
		return b.keep(ctx, w)
	})
}
