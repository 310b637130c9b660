package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Behind is a window that is not accounted for as far as it should be.
type Behind struct {
	Pipeline string    `json:"pipeline"`
	Window   string    `json:"window"`
	Covered  time.Time `json:"covered_to"`
	Due      time.Time `json:"due_to"`
	Worker   *Shard    `json:"worker,omitempty"` // whose window it is; nil: there is one worker
}

// Reached says up to when the worker that owns a window should have accounted
// for it, and which that is; the zero time: the window was nobody's to do.
type Reached func(pipeline string, w Window) (till time.Time, worker Shard)

// Finalize does once what several workers leave to be done when all have ended:
// it publishes what a killed worker had committed, finishes replacements of
// files, loads the databases, and lists the windows that are behind, oldest
// first. It may be repeated, and beside anything. The report counts the windows
// that are due and the rows that were loaded.
func (r *Runner) Finalize(ctx context.Context, specs []Spec, reached Reached) (*Report, []Behind, error) {
	report := &Report{
		RunID: r.RunID, ToolVersion: r.ToolVersion, ArchiveID: r.Stores.ArchiveID, Started: r.Now().UTC(),
	}
	defer func() { report.Finished = r.Now().UTC() }()
	before := r.Requests()
	declared := &declarations{Runner: r, known: map[string][]*Definition{}, warn: func(message string) {
		report.Warnings = append(report.Warnings, message)
		r.Log.Warn(message)
	}}
	var behind []Behind
	var failed []error
	for _, spec := range specs {
		p := &pipelineRun{Runner: r, Spec: spec, base: report.Started, started: time.Now(), warned: map[string]bool{}}
		p.report.Name, p.report.begun = spec.Name, p.Now()
		open, err := p.finalize(ctx, declared, reached)
		p.report.Seconds = time.Since(p.started).Seconds()
		report.Pipelines = append(report.Pipelines, p.report)
		behind = append(behind, open...)
		if err != nil {
			failed = append(failed, &FailedError{spec.Name, err})
		}
		if ctx.Err() != nil {
			break
		}
	}
	report.Requests = r.Requests() - before
	return report, behind, errors.Join(failed...)
}

func (p *pipelineRun) finalize(ctx context.Context, declared *declarations, reached Reached) (behind []Behind, err error) {
	if p.Rules, err = declared.rules(ctx, &p.Spec); err != nil {
		return nil, err
	}
	if err := p.openBooks(ctx); err != nil {
		return nil, err
	}
	windows := p.due()
	p.report.Windows.Due = len(windows)
	p.progress(0)
	var mu sync.Mutex
	err = p.each(ctx, len(windows), func(ctx context.Context, i int) error {
		if p.halt(ctx) {
			return nil
		}
		late, err := p.settleWindow(ctx, windows[i], reached)
		mu.Lock()
		defer mu.Unlock()
		if late != nil {
			behind = append(behind, *late)
		}
		if err != nil {
			return &WindowError{windows[i].Name(), err}
		}
		return nil
	})
	slices.SortFunc(behind, func(a, b Behind) int { return a.Covered.Compare(b.Covered) })
	err = errors.Join(err, p.settleSwaps(ctx), p.loadWarehouses(ctx))
	p.noteSchemas()
	return behind, errors.Join(p.halted, err)
}

// settleWindow publishes what is committed of a window, and says if it is
// behind.
func (p *pipelineRun) settleWindow(ctx context.Context, w Window, reached Reached) (*Behind, error) {
	h, err := p.Stores.Ledger.Load(ctx, p.Spec.Name, w)
	if err != nil {
		return nil, err
	}
	if h.Head != nil {
		if err := p.Stores.Shelf.Publish(ctx, h.Head); err != nil {
			return nil, fmt.Errorf("publish what was committed: %w", err)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	defer p.progress(1)
	p.report.Jobs.Open += int64(len(h.Open()))
	if h.Sealed() {
		p.report.Windows.Sealed++
		return nil, nil
	}
	till, worker := reached(p.Spec.Name, w)
	if till.After(w.End) {
		till = w.End
	}
	if !till.After(w.Start) || !h.CoveredTo().Before(till) {
		return nil, nil
	}
	late := &Behind{Pipeline: p.Spec.Name, Window: w.Name(), Covered: h.CoveredTo(), Due: till}
	if !worker.Alone() {
		late.Worker = &worker
	}
	return late, nil
}

// noteSchemas tells the versions of the schemas in the report.
func (p *pipelineRun) noteSchemas() {
	for dataset, book := range p.books {
		if s := book.Schema(); s.Version > 0 {
			if p.report.Schema == nil {
				p.report.Schema = map[string]int{}
			}
			p.report.Schema[dataset] = book.Durable()
		}
	}
}
