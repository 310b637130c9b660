package sinks

import (
	"context"
	"errors"
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"

	"github.com/adteco/docarchive/pipeline"
)

var (
	errAborted   = errors.New("the writer was aborted")
	errCommitted = errors.New("the writer has committed already")
)

// fileWriter writes the files of one destination.
type fileWriter struct {
	sink        *File
	destination pipeline.Destination
	partitions  *partitioner
	open        map[string]*part // unfinished parts by folder
	clock       int64            // counts writes, to find the part unused for longest
	created     int              // parts so far, finished or not
	finished    []finishedPart   // whose files are complete
	order       orderTracker
	err         error // why no more can be written
}

var _ pipeline.Writer = (*fileWriter)(nil)

// Write encodes a batch. After an error, a cancelled context included, every
// spooled file is gone and the writer is of no more use.
func (w *fileWriter) Write(ctx context.Context, batch arrow.Record) (err error) {
	if w.err != nil {
		return w.err
	}
	defer func() { err = w.settle(recovered(err, recover())) }()
	w.order.observe(batch)
	groups, err := w.partitions.split(batch)
	if err != nil {
		return err
	}
	defer releaseGroups(groups)
	for _, g := range groups {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := w.append(g.folder, g.rows); err != nil {
			return fmt.Errorf("write to %s: %w", g.folder, err)
		}
	}
	return nil
}

// Commit finishes the files and hands them over, numbered in the order in which
// they were begun.
func (w *fileWriter) Commit(ctx context.Context) (parts []pipeline.Part, err error) {
	if w.err != nil {
		return nil, w.err
	}
	defer func() {
		if err = w.settle(recovered(err, recover())); err != nil {
			parts = nil
		}
	}()
	for len(w.open) > 0 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := w.finish(w.stalest()); err != nil {
			return nil, err
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	parts = make([]pipeline.Part, len(w.finished))
	for _, p := range w.finished {
		parts[p.number] = p.Part
	}
	w.finished = nil // the files are the caller's from here on
	w.err = fmt.Errorf("%s: %w", w.sink.Label(), errCommitted)
	return parts, nil
}

// Abort removes every spooled file that was not handed over by Commit.
func (w *fileWriter) Abort(context.Context) error {
	if w.err == nil {
		w.err = fmt.Errorf("%s: %w", w.sink.Label(), errAborted)
	}
	if err := w.discard(); err != nil {
		return fmt.Errorf("%s: remove the spooled files: %w", w.sink.Label(), err)
	}
	return nil
}

// settle ends the writer on an error, which it completes.
func (w *fileWriter) settle(err error) error {
	if err == nil {
		return nil
	}
	w.err = fmt.Errorf("%s: %w", w.sink.Label(), errors.Join(err, w.discard()))
	return w.err
}

// recovered makes an error of a panic: the libraries that encode panic on what
// they do not expect, and one batch must not take the whole run down.
func recovered(err error, panicked any) error {
	if panicked != nil {
		return fmt.Errorf("the encoder panicked: %v", panicked)
	}
	return err
}

func (w *fileWriter) discard() error {
	var failed []error
	for folder, p := range w.open {
		failed = append(failed, p.spool.remove())
		delete(w.open, folder)
	}
	for _, p := range w.finished {
		failed = append(failed, removeFile(p.Spool))
	}
	w.finished = nil
	return errors.Join(failed...)
}

// append writes rows of one partition, beginning new parts as the limits demand.
func (w *fileWriter) append(folder string, rows arrow.Record) error {
	limits := w.sink.options.Limits
	for start := int64(0); start < rows.NumRows(); {
		p, err := w.partFor(folder, rows)
		if err != nil {
			return err
		}
		end := min(rows.NumRows(), start+limits.Rows-p.rows)
		if err := p.write(rows, start, end); err != nil {
			return err
		}
		w.clock++
		p.used = w.clock
		start = end
		if p.rows >= limits.Rows || p.size() >= limits.Bytes {
			if err := w.finish(p); err != nil {
				return err
			}
		}
	}
	return w.shrink(folder)
}

// partFor returns the open part that takes rows of the batch's schema.
func (w *fileWriter) partFor(folder string, batch arrow.Record) (*part, error) {
	if p := w.open[folder]; p != nil {
		if p.takes(batch.Schema(), w.order.ascending) {
			return p, nil
		}
		if err := w.finish(p); err != nil {
			return nil, err
		}
	}
	for len(w.open) >= w.sink.options.Limits.Open {
		if err := w.finish(w.stalest()); err != nil {
			return nil, err
		}
	}
	o := &w.sink.options
	file, err := w.sink.create(o.Spool, "part-*."+o.extension())
	if err != nil {
		return nil, fmt.Errorf("create a file in the spool folder: %w", err)
	}
	p := &part{
		folder: folder, number: w.created, schema: batch.Schema(),
		sorted: w.order.ascending, spool: newSpool(file),
	}
	w.open[folder] = p // from here on, discard finds the file
	w.created++
	p.encoder, err = w.sink.newEncoder(p.spool, batch, fileInfo{dataset: w.destination.Dataset, sorted: p.sorted})
	return p, err
}

// shrink finishes parts until the writer's memory is within its limit. The part
// just written stays, whatever it holds.
func (w *fileWriter) shrink(current string) error {
	for len(w.open) > 1 {
		total := int64(0)
		for _, p := range w.open {
			total += p.encoder.Memory()
		}
		if total <= w.sink.options.Limits.Memory {
			return nil
		}
		oldest := w.stalest()
		if oldest.folder == current {
			return nil
		}
		if err := w.finish(oldest); err != nil {
			return err
		}
	}
	return nil
}

// stalest returns the open part that was written to least recently.
func (w *fileWriter) stalest() *part {
	var oldest *part
	for _, p := range w.open {
		if oldest == nil || p.used < oldest.used {
			oldest = p
		}
	}
	return oldest
}

// finish completes a part's file and checks it.
func (w *fileWriter) finish(p *part) error {
	sum, err := p.finish(w.sink.options.Format)
	if err != nil {
		return fmt.Errorf("finish part %d of %s: %w", p.number, p.folder, err)
	}
	delete(w.open, p.folder)
	w.finished = append(w.finished, finishedPart{
		number: p.number,
		Part: pipeline.Part{
			File: pipeline.File{
				Kind:    pipeline.KindData,
				Dataset: w.destination.Dataset,
				Sink:    w.sink.Label(),
				Path:    fileName(p.folder, w.destination, p.number, w.sink.options.extension()),
				SHA256:  sum,
				Size:    p.spool.size(),
				Rows:    p.rows,
			},
			Spool: p.spool.file.Name(),
		},
	})
	return nil
}
