package pipeline

import (
	"context"
	"fmt"
	"time"

	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/internal/failpoint"
)

// output turns the new jobs of one commit into parts: the sinks', the raw
// layer's, the quarantine's and the list of documents.
type output struct {
	encoding
	archivedAt time.Time
	flattener  *Flattener
	epochs     map[string]int // of the books, when the flattener began
	raw        *lines
	quarantine *lines
	kept       *lines // the list of documents
	found      documentTally
	ids        []string
}

func newOutput(p *pipelineRun, w Window, seq int) (*output, error) {
	o := &output{
		encoding:   encoding{run: p, to: Destination{Pipeline: p.Spec.Name, Window: w, Seq: seq}},
		archivedAt: p.now(), epochs: map[string]int{},
	}
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
	mem := p.memory
	if mem == nil { // nothing is recycled
		mem = p.Memory
	}
	return FlattenOptions{
		Dataset: p.Spec.Name, Rules: p.Rules, HashKey: p.HashKey, Books: books,
		Frozen: p.Schema != SchemaEvolve, Memory: mem,
	}
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
		o.ids = append(o.ids, job.ID)
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
	if o.run.Documents != nil && !o.run.DryRun {
		if err := o.documents(ctx, jobs); err != nil {
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
	if err := o.commit(ctx); err != nil {
		return err
	}
	if o.raw != nil {
		part, err := o.raw.finish(KindRaw, RawPath(o.to))
		o.raw = nil
		if err != nil {
			return err
		}
		o.parts = append(o.parts, part)
	}
	if o.quarantine != nil {
		part, err := o.quarantine.finish(KindQuarantine, QuarantinePath(o.to))
		o.quarantine = nil
		if err != nil {
			return err
		}
		o.parts = append(o.parts, part)
	}
	if err := o.finishDocuments(); err != nil {
		return err
	}
	if err := o.check(int64(len(o.ids))); err != nil {
		return err
	}
	return failpoint.Hit(failpoint.EncodeFinish)
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

// close frees what the output holds, and removes its local files. It may follow
// anything.
func (o *output) close() error {
	for _, l := range []*lines{o.raw, o.quarantine, o.kept} {
		if l != nil {
			l.abort()
		}
	}
	o.raw, o.quarantine, o.kept = nil, nil, nil
	o.flattener.Release()
	return o.discard()
}
