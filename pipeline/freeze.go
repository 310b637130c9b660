package pipeline

import (
	"context"
	"errors"
	"fmt"

	"github.com/adteco/docarchive/docextract"
)

// SchemaPolicy says what becomes of a field that a dataset's schema does not
// have. The first run of a pipeline makes the schema, under every policy. A value
// that does not fit the column of a known field is no new field: it stands in the
// text column beside it.
type SchemaPolicy int

// The policies.
const (
	SchemaEvolve     SchemaPolicy = iota // it becomes a column
	SchemaFreeze                         // it stops the run before anything is written
	SchemaQuarantine                     // its job is set aside
)

// NewFieldError means that a job has a field that a frozen schema does not have.
type NewFieldError struct {
	Dataset string
	Source  string // JSON Pointer into the job
}

func (e *NewFieldError) Error() string {
	return fmt.Sprintf("%s is a new field, and the schema of %s is frozen: "+
		"drop it under fields, or run once with schema: evolve to take it in", e.Source, e.Dataset)
}

// unforeseen reports whether the error is a new field in a frozen schema.
func unforeseen(err error) bool {
	var field *NewFieldError
	return errors.As(err, &field)
}

// frozen reports whether a new field stops the run.
func (p *pipelineRun) frozen() bool {
	return p.Schema == SchemaFreeze && p.books[p.Spec.Name].settled
}

// gathering is a reading that is not committed yet.
type gathering struct {
	*reading
	complete bool // all of the plan was carried out
	ready    bool // the parts wait in the spool
}

// archiveTogether reads all windows before it commits the first, so that a new
// field is met while nothing is written. What was read waits in the spool.
func (p *pipelineRun) archiveTogether(ctx context.Context, windows []Window) (err error) {
	gathered := make([]*gathering, len(windows))
	defer func() {
		for _, g := range gathered {
			if g != nil {
				err = errors.Join(err, g.close())
			}
		}
	}()
	err = p.each(ctx, len(windows), func(ctx context.Context, i int) error {
		return p.guarded(ctx, windows[i], func(ctx context.Context, w Window) error {
			gathered[i] = &gathering{reading: &reading{pipelineRun: p, window: w}}
			return gathered[i].gather(ctx)
		})
	})
	if unforeseen(p.halted) || ctx.Err() != nil {
		return err
	}
	return errors.Join(err, p.each(ctx, len(windows), func(ctx context.Context, i int) error {
		g := gathered[i]
		if g == nil || !g.ready {
			return nil
		}
		// What was read is committed even if the API has gone away meanwhile.
		err := p.safely(ctx, windows[i], func(ctx context.Context, w Window) error {
			err := g.commit(ctx, g.complete)
			if errors.Is(err, ErrConflict) && ctx.Err() == nil {
				gathered[i] = nil
				return errors.Join(g.collect.output.close(), p.window(ctx, w))
			}
			return err
		})
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.failed(windows[i], err)
	}))
}

// gather reads what is due and leaves it ready to be committed.
func (g *gathering) gather(ctx context.Context) error {
	if err := g.prepare(ctx); err != nil || g.collect == nil {
		return err
	}
	read := g.read(ctx)
	if read != nil && !progressKept(ctx, read) {
		return read
	}
	g.complete = read == nil
	err := g.collect.flush()
	if err == nil {
		err = g.collect.output.finish(ctx)
	}
	g.ready = err == nil
	return errors.Join(read, err)
}

func (g *gathering) close() error {
	g.account()
	if g.collect == nil {
		return nil
	}
	return g.collect.output.close()
}

// sift sets aside the jobs that have a field which the schema does not have, and
// returns the others. The jobs are tried on columns of their own, so that those
// set aside leave no trace in the table.
func (c *collector) sift(jobs []docextract.Job) (kept []docextract.Job, err error) {
	books := map[string]*Book{}
	for dataset, book := range c.run.books {
		books[dataset] = book.scratch()
	}
	f, err := NewFlattener(c.run.flattening(books))
	if err != nil {
		return nil, err
	}
	defer func() { f.Release() }()
	kept = jobs[:0]
	for _, job := range jobs {
		err := f.Append(&job)
		var field *NewFieldError
		switch {
		case err == nil:
			kept = append(kept, job)
			continue
		case !errors.As(err, &field):
			return nil, err
		}
		reason := fmt.Sprintf("%s is a new field: schema: quarantine sets its job aside", field.Source)
		if err := c.setAside(job.ID, docextract.Malformed{Raw: job.Raw, Reason: reason}); err != nil {
			return nil, err
		}
		next, err := NewFlattener(c.run.flattening(books))
		if err != nil {
			return nil, err
		}
		f.Release() // having failed, it is fit for nothing else
		f = next
	}
	return kept, nil
}
