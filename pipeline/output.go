package pipeline

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/internal/failpoint"
)

// output turns the new jobs of one commit into parts: the sinks', the raw
// layer's and the quarantine's.
type output struct {
	run        *pipelineRun
	window     Window
	seq        int
	archivedAt time.Time
	flattener  *Flattener
	epochs     map[string]int // of the books, when the flattener began
	writers    []sinkWriter
	raw        *lines
	quarantine *lines
	ids        []string
	parts      []Part
}

// sinkWriter is the writer of one dataset in one sink.
type sinkWriter struct {
	Writer
	sink    Sink
	dataset string
}

func newOutput(p *pipelineRun, w Window, seq int) (*output, error) {
	o := &output{run: p, window: w, seq: seq, archivedAt: p.now(), epochs: map[string]int{}}
	for dataset, book := range p.books {
		o.epochs[dataset] = book.Epoch()
	}
	f, err := NewFlattener(p.flattening(p.books))
	if err != nil {
		return nil, err
	}
	o.flattener = f
	return o, nil
}

// flattening is how new jobs become rows of the books.
func (p *pipelineRun) flattening(books map[string]*Book) FlattenOptions {
	return FlattenOptions{
		Dataset: p.Spec.Name, Rules: p.Rules, HashKey: p.HashKey, Books: books,
		Frozen: p.Schema != SchemaEvolve, Memory: p.Memory,
	}
}

func (o *output) destination(dataset string) Destination {
	return Destination{Pipeline: o.run.Spec.Name, Dataset: dataset, Window: o.window, Seq: o.seq}
}

// jobs writes jobs, in their order, as one batch.
func (o *output) jobs(ctx context.Context, jobs []docextract.Job) error {
	if len(jobs) == 0 {
		return nil
	}
	for i := range jobs {
		job := &jobs[i]
		if err := o.flattener.Append(job); err != nil {
			return err
		}
		o.ids = append(o.ids, strings.Clone(job.ID))
		if !o.run.Spec.Raw {
			continue
		}
		if o.raw == nil {
			raw, err := newLines(o.run.Spool)
			if err != nil {
				return err
			}
			o.raw = raw
		}
		if err := o.raw.job(job.Raw); err != nil {
			return err
		}
	}
	batches, err := o.flattener.Batches(o.archivedAt, o.run.RunID)
	if err != nil {
		return err
	}
	for _, b := range batches {
		if err == nil {
			err = o.write(ctx, b)
		}
		b.Record.Release()
	}
	return err
}

// write hands a batch to every sink.
func (o *output) write(ctx context.Context, b Batch) error {
	for _, sink := range o.run.Sinks {
		w, err := o.writer(ctx, sink, b.Dataset)
		if err == nil {
			err = w.Write(ctx, b.Record)
		}
		if err != nil {
			return fmt.Errorf("sink %s: %w", sink.Label(), err)
		}
	}
	return nil
}

func (o *output) writer(ctx context.Context, sink Sink, dataset string) (Writer, error) {
	for _, w := range o.writers {
		if w.sink == sink && w.dataset == dataset {
			return w, nil
		}
	}
	w, err := sink.Begin(ctx, o.destination(dataset))
	if err != nil {
		return nil, err
	}
	o.writers = append(o.writers, sinkWriter{w, sink, dataset})
	return w, nil
}

func (o *output) malformed(m docextract.Malformed) error {
	if o.quarantine == nil {
		q, err := newLines(o.run.Spool)
		if err != nil {
			return err
		}
		o.quarantine = q
	}
	return o.quarantine.malformed(m)
}

// finish closes every part. It may be repeated, after which nothing may be
// written.
func (o *output) finish(ctx context.Context) error {
	for _, w := range o.writers {
		parts, err := w.Commit(ctx)
		o.parts = append(o.parts, parts...)
		if err != nil {
			return fmt.Errorf("sink %s: %w", w.sink.Label(), err)
		}
	}
	o.writers = nil
	d := o.destination(o.run.Spec.Name)
	if o.raw != nil {
		part, err := o.raw.finish(KindRaw, RawPath(d))
		o.raw = nil
		if err != nil {
			return err
		}
		o.parts = append(o.parts, part)
	}
	if o.quarantine != nil {
		part, err := o.quarantine.finish(KindQuarantine, QuarantinePath(d))
		o.quarantine = nil
		if err != nil {
			return err
		}
		o.parts = append(o.parts, part)
	}
	if err := o.check(); err != nil {
		return err
	}
	return failpoint.Hit(failpoint.EncodeFinish)
}

// check makes sure that every sink holds each job once, before the record says
// so.
func (o *output) check() error {
	for _, sink := range o.run.Sinks {
		var rows int64
		for _, p := range o.parts {
			if p.Kind == KindData && p.Sink == sink.Label() && p.Dataset == o.run.Spec.Name {
				rows += p.Rows
			}
		}
		if rows != int64(len(o.ids)) {
			return fmt.Errorf("sink %s holds %d rows of %d jobs", sink.Label(), rows, len(o.ids))
		}
	}
	return nil
}

// publishSchemas makes the schemas durable that the parts were written by.
func (o *output) publishSchemas(ctx context.Context) (map[string]int, error) {
	if len(o.ids) == 0 {
		return nil, nil
	}
	if err := failpoint.Hit(failpoint.SchemaBefore); err != nil {
		return nil, err
	}
	versions := map[string]int{}
	for dataset, book := range o.run.books {
		version, err := book.Publish(ctx, o.run.Stores.Schemas, o.epochs[dataset])
		if err != nil {
			return nil, fmt.Errorf("schema of %s: %w", dataset, err)
		}
		versions[dataset] = version
	}
	return versions, failpoint.Hit(failpoint.SchemaAfter)
}

// stage uploads the parts to where no reader looks.
func (o *output) stage(ctx context.Context) (files []File, err error) {
	if err := failpoint.Hit(failpoint.StageBefore); err != nil {
		return nil, err
	}
	for _, part := range o.parts {
		if err := o.run.Stores.Shelf.Stage(ctx, part); err != nil {
			return nil, fmt.Errorf("stage %s: %w", part.Path, err)
		}
		files = append(files, part.File)
	}
	return files, failpoint.Hit(failpoint.StageAfter)
}

// close frees what the output holds, and removes its local files. It may follow
// anything.
func (o *output) close() error {
	var errs []error
	for _, w := range o.writers {
		errs = append(errs, w.Abort(context.Background()))
	}
	for _, l := range []*lines{o.raw, o.quarantine} {
		if l != nil {
			l.abort()
		}
	}
	for _, p := range o.parts {
		if err := os.Remove(p.Spool); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, &SpoolError{err})
		}
	}
	o.writers, o.raw, o.quarantine, o.parts = nil, nil, nil, nil
	o.flattener.Release()
	return errors.Join(errs...)
}
