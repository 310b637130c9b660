package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// suffixDigits is how much of the fingerprint stands in the files' names.
const suffixDigits = 12

// encodeAll stages the rows of all records that are not staged yet.
func (b *rebuild) encodeAll(ctx context.Context) error {
	windows := b.ordered()
	phases := len(b.Warehouses)
	if len(b.Sinks) > 0 {
		phases++
	}
	b.report.Windows.Due = phases * len(windows)
	b.progress(0)
	if len(b.Sinks) == 0 {
		return nil
	}
	return b.eachWindow(ctx, windows, b.encodeWindow)
}

// eachWindow works on windows, a few at a time, and begins none after a failure:
// without one of them nothing can be exchanged.
func (b *rebuild) eachWindow(ctx context.Context, windows []*rebuildWindow, work func(context.Context, *rebuildWindow) error) error {
	err := b.each(ctx, len(windows), func(ctx context.Context, i int) error {
		if b.halt(ctx) {
			return nil
		}
		err := b.safely(ctx, windows[i].Window, func(ctx context.Context, _ Window) error { return work(ctx, windows[i]) })
		b.mu.Lock()
		defer b.mu.Unlock()
		b.progress(1)
		if err == nil || b.halted != nil {
			return nil
		}
		b.halted = &WindowError{windows[i].Name(), err}
		return nil
	})
	b.mu.Lock()
	defer b.mu.Unlock()
	return errors.Join(err, b.halted)
}

// staged reports whether the rows of all records stand in the staging folder.
func (w *rebuildWindow) staged() bool {
	return !slices.ContainsFunc(w.records, func(r rebuildRecord) bool { return r.due() && len(r.Files) == 0 })
}

// encodeWindow stages the rows of those of a window's records that are not
// staged yet.
func (b *rebuild) encodeWindow(ctx context.Context, w *rebuildWindow) error {
	if w.staged() {
		return nil
	}
	return b.Stores.Library.Records(ctx, b.Spec.Name, w.Window, func(r *Record) error {
		if r.Seq > len(w.records) {
			return nil // it came later
		}
		known := &w.records[r.Seq-1]
		if !known.due() || len(known.Files) > 0 {
			return nil
		}
		if r.Seq == len(w.records) {
			// Its run may have died before, or be just about to.
			if err := b.Stores.Shelf.Publish(ctx, r); err != nil {
				return fmt.Errorf("publish what was committed: %w", err)
			}
		}
		files, err := b.encodeRecord(ctx, w.Window, r)
		if err != nil {
			return err
		}
		known.Files = files
		b.mu.Lock()
		b.report.Jobs.Read += r.Rows
		b.report.Jobs.New += r.Rows
		b.progress(0)
		b.mu.Unlock()
		return b.keep(ctx, w)
	})
}

// encodeRecord stages the rows of one record. If a run has changed the schema
// meanwhile, they are made again.
func (b *rebuild) encodeRecord(ctx context.Context, w Window, r *Record) (files []File, err error) {
	for try := 1; ; try++ {
		files, err = b.encodeOnce(ctx, w, r)
		if !errors.Is(err, ErrConflict) || try == raceTries || ctx.Err() != nil {
			return files, err
		}
	}
}

func (b *rebuild) encodeOnce(ctx context.Context, w Window, r *Record) (files []File, err error) {
	e := &encoding{run: b.pipelineRun, to: Destination{
		Pipeline: b.Spec.Name, Window: w, Seq: r.Seq, Suffix: "-r" + b.fingerprint[:suffixDigits],
	}}
	defer func() { err = errors.Join(err, e.discard()) }()
	err = replayer{b.pipelineRun}.batches(ctx, r, func(batch Batch) error { return e.write(ctx, batch) })
	if err != nil {
		return nil, err
	}
	if err := e.commit(ctx); err != nil {
		return nil, err
	}
	if err := e.check(r.Rows); err != nil {
		return nil, err
	}
	return e.stage(ctx)
}

// keep notes what is done of a window.
func (b *rebuild) keep(ctx context.Context, w *rebuildWindow) error {
	progress := &Rebuilt{Window: w.Name()}
	for i := range w.records {
		if r := &w.records[i]; len(r.Files) > 0 || len(r.Loaded) > 0 {
			progress.Records = append(progress.Records, r.RebuiltRecord)
		}
	}
	if err := b.options.Progress.KeepProgress(ctx, b.Spec.Name, b.fingerprint, progress); err != nil {
		return fmt.Errorf("keep the rebuild's progress: %w", err)
	}
	return nil
}
