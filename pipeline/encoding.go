package pipeline

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/adteco/docarchive/internal/failpoint"
)

// encoding turns the batches of one commit record into the sinks' parts.
type encoding struct {
	run     *pipelineRun
	to      Destination // but for its dataset
	writers []sinkWriter
	parts   []Part
}

// sinkWriter is the writer of one dataset in one sink.
type sinkWriter struct {
	Writer
	sink    Sink
	dataset string
}

// write hands a batch to every sink.
func (e *encoding) write(ctx context.Context, b Batch) error {
	for _, sink := range e.run.Sinks {
		w, err := e.writer(ctx, sink, b.Dataset)
		if err == nil {
			err = w.Write(ctx, b.Record)
		}
		if err != nil {
			return fmt.Errorf("sink %s: %w", sink.Label(), err)
		}
	}
	return nil
}

func (e *encoding) writer(ctx context.Context, sink Sink, dataset string) (Writer, error) {
	for _, w := range e.writers {
		if w.sink == sink && w.dataset == dataset {
			return w, nil
		}
	}
	to := e.to
	to.Dataset = dataset
	w, err := sink.Begin(ctx, to)
	if err != nil {
		return nil, err
	}
	e.writers = append(e.writers, sinkWriter{w, sink, dataset})
	return w, nil
}

// commit finishes what the writers write. It may be repeated, after which
// nothing may be written.
func (e *encoding) commit(ctx context.Context) error {
	for _, w := range e.writers {
		parts, err := w.Commit(ctx)
		e.parts = append(e.parts, parts...)
		if err != nil {
			return fmt.Errorf("sink %s: %w", w.sink.Label(), err)
		}
	}
	e.writers = nil
	return nil
}

// check makes sure that every sink holds each job once, before anything says
// so.
func (e *encoding) check(jobs int64) error {
	for _, sink := range e.run.Sinks {
		var rows int64
		for _, p := range e.parts {
			if p.Kind == KindData && p.Sink == sink.Label() && p.Dataset == e.run.Spec.Name {
				rows += p.Rows
			}
		}
		if rows != jobs {
			return fmt.Errorf("sink %s holds %d rows of %d jobs", sink.Label(), rows, jobs)
		}
	}
	return nil
}

// stage uploads the parts to where no reader looks.
func (e *encoding) stage(ctx context.Context) (files []File, err error) {
	if err := failpoint.Hit(failpoint.StageBefore); err != nil {
		return nil, err
	}
	for _, part := range e.parts {
		if err := e.run.Stores.Shelf.Stage(ctx, part); err != nil {
			return nil, fmt.Errorf("stage %s: %w", part.Path, err)
		}
		files = append(files, part.File)
	}
	return files, failpoint.Hit(failpoint.StageAfter)
}

// discard gives up what is unfinished, and removes the local files. It may
// follow anything.
func (e *encoding) discard() error {
	var errs []error
	for _, w := range e.writers {
		errs = append(errs, w.Abort(context.Background()))
	}
	for _, p := range e.parts {
		if err := os.Remove(p.Spool); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, &SpoolError{err})
		}
	}
	e.writers, e.parts = nil, nil
	return errors.Join(errs...)
}
