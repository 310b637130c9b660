package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/sourcegraph/conc/pool"

	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/internal/words"
)

const (
	// Retention is how long the API keeps a job.
	Retention = 90 * day
	// lastCallAge is the age from which on a window is read in full once more,
	// and sealed.
	lastCallAge = 80 * day
	// maxSkew is how far the local clock and the server's may differ.
	maxSkew = time.Hour
	// raceTries is how often a window is computed in all where other runs were
	// first. Whenever one loses, another has got on, so many runs need many tries.
	raceTries = 25
	// windowsAtOnce bounds how many windows are read at a time. Each holds a
	// batch and its sinks' buffers; more of them would cost memory and bring no
	// speed, since the pages of each are read ahead.
	windowsAtOnce = 2
	// outages is after how many windows in a row that the API's absence stopped
	// a pipeline gives up.
	outages = 3
)

// Spec is a pipeline as a run needs it.
type Spec struct {
	Name   string
	Filter Filter
	From   time.Time // the windows that hold it and what follows are due
	Until  time.Time // windows that begin later are not; zero: no limit
	Window time.Duration
	Settle time.Duration
	Keep
	Rules   Rules
	HashKey []byte
	Schema  SchemaPolicy
	Sinks   []Sink

	Warehouses []Warehouse
}

// Keep says what is kept beside the rows.
type Keep struct {
	Raw       bool            // the jobs as received
	Documents *DocumentKeeper // nil: the documents are not archived
}

// Paging says how listings are asked for.
type Paging struct {
	Size     int // jobs a page
	InFlight int // listing requests at once
}

// Stores are what a run writes to and remembers with.
type Stores struct {
	ArchiveID string
	Ledger    Ledger
	Shelf     Shelf
	Schemas   SchemaLog

	Definitions DefinitionLog // may be nil if there is no catalog

	Library Library
	Swaps   SwapLog // nil: nothing is replaced
	Seen    Seen
	Leases  Leases // nil: no other run is minded
}

// Identity says which run this is.
type Identity struct {
	RunID       string
	ToolVersion string
	DryRun      bool
	Shard       Shard // the windows that it looks after, and whose records it loads into databases
}

// Runner archives pipelines, one after another.
type Runner struct {
	Identity
	Source   Source
	Catalog  Catalog      // may be nil: extractors declare nothing
	Requests func() int64 // HTTP requests made so far
	Stores   Stores
	Paging   Paging
	Spool    string // local folder for files in the making
	Now      func() time.Time
	Log      *slog.Logger
	Progress func(Progress)  // may be nil; called from several goroutines
	Stopping <-chan struct{} // once closed, no new window is begun; may be nil
	Memory   memory.Allocator
}

// Progress is how far a pipeline has come.
type Progress struct {
	Pipeline      string
	Windows, Done int
	Read, New     int64
}

// Run archives the pipelines and reports on each. The error, if any, is what
// keeps the run from being done, the gravest if there were several; the report
// holds what was achieved nevertheless.
func (r *Runner) Run(ctx context.Context, specs []Spec) (*Report, error) {
	report := &Report{
		RunID: r.RunID, ToolVersion: r.ToolVersion, ArchiveID: r.Stores.ArchiveID,
		Started: r.Now().UTC(), DryRun: r.DryRun, Shard: r.shard(),
	}
	defer func() { report.Finished = r.Now().UTC() }()
	before := r.Requests()
	base, warning, err := r.cutoffBase(ctx)
	report.AsOf = base
	if warning != "" {
		report.Warnings = append(report.Warnings, warning)
		r.Log.Warn(warning)
	}
	var failed []error
	if err != nil {
		failed = append(failed, err)
		specs = nil
	}
	declared := &declarations{Runner: r, known: map[string][]*Definition{}, warn: func(message string) {
		report.Warnings = append(report.Warnings, message)
		r.Log.Warn(message)
	}}
	for _, spec := range specs {
		p := &pipelineRun{Runner: r, Spec: spec, base: base, started: time.Now()}
		err := p.run(ctx, declared)
		report.Pipelines = append(report.Pipelines, p.report)
		if err != nil {
			failed = append(failed, &FailedError{spec.Name, err})
			if ctx.Err() != nil || fatal(err) {
				break
			}
		}
	}
	report.Requests = r.Requests() - before
	return report, errors.Join(failed...)
}

// ErrStopped means that the run was told to begin nothing more. What was
// committed stands.
var ErrStopped = errors.New("stopped before all windows were read; progress is kept")

// fatal reports whether no other pipeline can do better.
func fatal(err error) bool {
	var redirect *docextract.RedirectError
	return docextract.KeyRefused(err) || errors.As(err, &redirect)
}

// SkewError means that the local clock and the API's are too far apart to say
// which jobs are settled.
type SkewError struct{ Skew time.Duration }

func (e *SkewError) Error() string {
	return fmt.Sprintf("the local clock and the API's differ by %s: set the local clock", words.Duration(e.Skew.Round(time.Second)))
}

// cutoffBase returns the earlier of the local time and the server's.
func (r *Runner) cutoffBase(ctx context.Context) (base time.Time, warning string, err error) {
	page, err := r.Source.List(ctx, docextract.Query{Limit: 1})
	if err != nil {
		return time.Time{}, "", err
	}
	now := r.Now().UTC()
	if page.Date.IsZero() {
		return now, "the API does not tell its time: jobs are judged by the local clock", nil
	}
	skew := now.Sub(page.Date)
	switch {
	case skew.Abs() > maxSkew:
		return time.Time{}, "", &SkewError{skew}
	case skew.Abs() > 5*time.Minute:
		warning = fmt.Sprintf("the local clock and the API's differ by %s", words.Duration(skew.Round(time.Second)))
	}
	if page.Date.Before(now) {
		now = page.Date
	}
	return now, warning, nil
}

// pipelineRun is one pipeline in one run.
type pipelineRun struct {
	*Runner
	Spec
	base    time.Time // the earlier of the local and the server's time
	started time.Time // on the machine's own clock, to measure by
	prover  *Prover
	books   map[string]*Book
	memory  memory.Allocator // of batches

	mu     sync.Mutex
	report PipelineReport
	away   int   // windows in a row that the API's absence stopped
	halted error // why no more windows are begun
	warned map[string]bool
}

func (p *pipelineRun) run(ctx context.Context, declared *declarations) (err error) {
	p.report.Name, p.report.begun = p.Spec.Name, p.Now()
	p.warned = map[string]bool{}
	before := p.Requests()
	defer func() {
		p.report.Requests = p.Requests() - before
		p.report.Seconds = time.Since(p.started).Seconds()
	}()
	if p.Rules, err = declared.rules(ctx, &p.Spec); err != nil {
		return err
	}
	if err := p.settleSwaps(ctx); err != nil {
		return err
	}
	if err := p.openBooks(ctx); err != nil {
		return err
	}
	if err := p.checkFirstRun(); err != nil {
		return err
	}
	recycled := newRecycler(p.Memory)
	defer recycled.close()
	p.memory = recycled
	source := &gate{Source: p.Source, slots: make(chan struct{}, max(1, p.Paging.InFlight))}
	p.prover = NewProver(source, p.Filter.ExtractorID, p.Paging.Size, p.Paging.InFlight)
	windows := p.due()
	p.report.Windows.Due = len(windows)
	p.progress(0)
	if p.frozen() {
		err = p.archiveTogether(ctx, windows)
	} else {
		err = p.archiveApart(ctx, windows)
	}
	if !p.DryRun {
		err = errors.Join(err, p.loadWarehouses(ctx))
	}
	err = errors.Join(p.halted, err)
	p.noteSchemas()
	return err
}

// each calls do for the numbers below n, a few at a time.
func (p *pipelineRun) each(ctx context.Context, n int, do func(ctx context.Context, i int) error) error {
	work := pool.New().WithContext(ctx).WithMaxGoroutines(min(max(1, p.Paging.InFlight), windowsAtOnce))
	for i := range n {
		work.Go(func(ctx context.Context) error { return do(ctx, i) })
	}
	return work.Wait()
}

func (p *pipelineRun) openBooks(ctx context.Context) error {
	p.books = map[string]*Book{}
	paths := p.Rules.Children(p.Spec.Name)
	paths[p.Spec.Name] = ""
	for dataset, path := range paths {
		latest, err := p.Stores.Schemas.LatestSchema(ctx, dataset)
		if err != nil {
			return err
		}
		p.books[dataset] = NewBook(dataset, FixedColumns(p.Rules, path), latest, p.RunID)
	}
	return nil
}

// guarded does the work on a window, unless the run has lost the API.
func (p *pipelineRun) guarded(ctx context.Context, w Window, work func(context.Context, Window) error) error {
	if p.halt(ctx) {
		return nil
	}
	err := p.safely(ctx, w, work)
	var unavailable *docextract.UnavailableError
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case err == nil:
		p.away = 0
	case errors.As(err, &unavailable):
		p.away++
		p.report.Windows.Unproven++
	}
	if err = p.failed(w, err); err != nil && (fatal(err) || unforeseen(err) || p.away >= outages) {
		// The others would meet the same.
		p.halted, err = err, nil
	}
	return err
}

// failed notes what kept a window from being done, if anything did. The caller
// holds the lock.
func (p *pipelineRun) failed(w Window, err error) error {
	if err == nil {
		return nil
	}
	p.report.Problems = append(p.report.Problems, Problem{Window: w.Name(), Message: err.Error()})
	return &WindowError{w.Name(), err}
}

// halt reports whether no more windows are to be begun.
func (p *pipelineRun) halt(ctx context.Context) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.halted != nil {
		return true
	}
	select {
	case <-p.Stopping:
		p.halted = ErrStopped
	case <-ctx.Done():
		p.halted = context.Cause(ctx)
	default:
	}
	return p.halted != nil
}

// safely turns a panic, which would take the other windows with it, into an
// error.
func (p *pipelineRun) safely(ctx context.Context, w Window, work func(context.Context, Window) error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			p.Log.Debug("panic", "value", r, "stack", string(debug.Stack()))
			err = fmt.Errorf("internal error: %v", r)
		}
	}()
	return work(ctx, w)
}

// progress tells that so many more windows are done. The caller holds the lock,
// or is alone.
func (p *pipelineRun) progress(done int) {
	p.report.windowsDone += done
	if p.Progress != nil {
		p.Progress(Progress{
			Pipeline: p.Spec.Name, Windows: p.report.Windows.Due, Done: p.report.windowsDone,
			Read: p.report.Jobs.Read, New: p.report.Jobs.New,
		})
	}
}

// warnOnce logs a warning the first time that its key comes.
func (p *pipelineRun) warnOnce(key, message string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.warned[key] {
		p.warned[key] = true
		p.Log.Warn(message, append(args, "pipeline", p.Spec.Name)...)
	}
}

// gate bounds the requests in flight.
type gate struct {
	Source
	slots chan struct{}
}

func (g *gate) List(ctx context.Context, q docextract.Query) (*docextract.Page, error) {
	if err := g.enter(ctx); err != nil {
		return nil, err
	}
	defer g.leave()
	return g.Source.List(ctx, q)
}

func (g *gate) Job(ctx context.Context, id string) (docextract.Job, error) {
	if err := g.enter(ctx); err != nil {
		return docextract.Job{}, err
	}
	defer g.leave()
	return g.Source.Job(ctx, id)
}

func (g *gate) enter(ctx context.Context) error {
	select {
	case g.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (g *gate) leave() { <-g.slots }
