package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/adteco/docarchive/internal/words"
)

// RebuildOptions say what a rebuild is to do, beside the sinks of its [Spec].
type RebuildOptions struct {
	Progress RebuildLog
	// Output is whatever decides the bytes that the sinks write, apart from the
	// rules: formats, folders, partitions. It holds no secret.
	Output []string
	// Configured are the labels of all file sinks that the pipeline has, also of
	// those that are not to be rebuilt.
	Configured     []string
	Prune          bool // files of sinks that are not configured are removed
	SkipMissingRaw bool // records without the raw layer are left as they are
	DryRun         bool // nothing is written
}

// MissingRawError means that jobs were archived without the raw layer, so that
// their rows cannot be written again.
type MissingRawError struct {
	Pipeline string
	Windows  []string // their names, oldest first
	Jobs     int64
}

func (e *MissingRawError) Error() string {
	const named = 3
	return fmt.Sprintf("pipeline %s: %s of %s cannot be written again, archived with raw: false (first %v): "+
		"nothing was done; --skip-missing-raw leaves their files as they are", e.Pipeline, words.Count(e.Jobs, "job"),
		words.Count(len(e.Windows), "window"), e.Windows[:min(len(e.Windows), named)])
}

// Rebuild writes the sinks of the spec again from the raw layer, by the spec's
// rules. It makes no request to the API. Its stores must have swaps. Databases are loaded again record by
// record; files are staged, and take the place of the old ones all at once, at
// the end. What an interrupted rebuild has done is not done again. The report
// tells what was done even if there is an error.
func (r *Runner) Rebuild(ctx context.Context, spec Spec, o RebuildOptions) (*RebuildReport, error) {
	begun := time.Now()
	b := &rebuild{
		pipelineRun: &pipelineRun{Runner: r, Spec: spec, started: begun, warned: map[string]bool{}},
		options:     o, windows: map[string]*rebuildWindow{},
		result: &RebuildReport{Pipeline: spec.Name, RunID: r.RunID, DryRun: o.DryRun},
	}
	b.pipelineRun.report.Name = spec.Name
	err := b.do(ctx)
	b.result.Seconds = time.Since(begun).Seconds()
	if err != nil {
		err = &FailedError{spec.Name, err}
	}
	return b.result, err
}

// rebuild is one rebuild of a pipeline.
type rebuild struct {
	*pipelineRun
	options     RebuildOptions
	fingerprint string

	windows map[string]*rebuildWindow // by name
	result  *RebuildReport
}

// rebuildWindow is what is known of one window's records.
type rebuildWindow struct {
	Window
	sealed  bool // no more records come
	records []rebuildRecord
}

// rebuildRecord is a commit record, and what became of it.
type rebuildRecord struct {
	RebuiltRecord
	rows int64
	raw  bool  // the raw layer holds its jobs
	size int64 // of its raw files
	data []sinkFile
}

// sinkFile is a data file of a record.
type sinkFile struct{ path, sink string }

// due reports whether the record's rows are to be written again.
func (r *rebuildRecord) due() bool { return r.rows > 0 && r.raw }

func (b *rebuild) do(ctx context.Context) error {
	if err := b.prepare(ctx); err != nil {
		return err
	}
	if _, err := b.survey(ctx); err != nil {
		return err
	}
	if err := b.refuse(ctx); err != nil || b.options.DryRun {
		return err
	}
	if err := b.resume(ctx); err != nil {
		return err
	}
	if err := b.encodeAll(ctx); err != nil {
		return err
	}
	if err := b.reloadAll(ctx); err != nil {
		return err
	}
	if err := b.exchange(ctx); err != nil {
		return err
	}
	b.describe()
	if err := b.options.Progress.DropProgress(ctx, b.Spec.Name, b.fingerprint); err != nil {
		return fmt.Errorf("the rebuild is done, but its progress could not be removed: %w", err)
	}
	return nil
}

// prepare finds out by which rules and under which fingerprint the rebuild
// works.
func (b *rebuild) prepare(ctx context.Context) (err error) {
	asked := b.Rules
	if b.Stores.Definitions != nil {
		if b.Rules, err = asked.WithKept(ctx, b.Stores.Definitions, b.Filter.ExtractorID); err != nil {
			return fmt.Errorf("what the extractors declare: %w", err)
		}
	}
	if err := b.openBooks(ctx); err != nil {
		return err
	}
	for _, clash := range clashes(asked, b.books) {
		b.warn(clash)
	}
	next, err := b.Stores.Swaps.NextSwap(ctx, b.Spec.Name)
	if err != nil {
		return err
	}
	b.fingerprint, err = fingerprint(&b.Spec, b.options.Output, next)
	b.result.Fingerprint = b.fingerprint
	return err
}

func (b *rebuild) warn(message string) {
	b.result.Warnings = append(b.result.Warnings, message)
	b.Log.Warn(message, "pipeline", b.Spec.Name)
}

// survey reads the records of all windows that may have new ones, and reports
// whether there was any that was not known.
func (b *rebuild) survey(ctx context.Context) (news bool, err error) {
	names, err := b.Stores.Library.Windows(ctx, b.Spec.Name)
	if err != nil {
		return false, err
	}
	before := b.count()
	var open []*rebuildWindow
	for _, name := range names {
		w := b.windows[name]
		if w == nil {
			window, err := ParseWindow(name, b.Spec.Window)
			if err != nil {
				return false, err
			}
			w = &rebuildWindow{Window: window}
			b.windows[name] = w
		}
		if !w.sealed {
			open = append(open, w)
		}
	}
	err = b.each(ctx, len(open), func(ctx context.Context, i int) error { return b.look(ctx, open[i]) })
	b.tally()
	return b.count() > before, err
}

// look reads those of a window's records that are not known.
func (b *rebuild) look(ctx context.Context, w *rebuildWindow) error {
	return b.Stores.Library.Records(ctx, b.Spec.Name, w.Window, func(r *Record) error {
		w.sealed = r.State == StateSealed
		if r.Seq <= len(w.records) {
			return nil
		}
		known := rebuildRecord{RebuiltRecord: RebuiltRecord{Seq: r.Seq, Nonce: r.Nonce}, rows: r.Rows}
		var jobs int64
		for _, f := range r.Files {
			switch f.Kind {
			case KindRaw:
				jobs += f.Rows
				known.size += f.Size
			case KindData:
				known.data = append(known.data, sinkFile{f.Path, f.Sink})
			}
		}
		known.raw = jobs == r.Rows
		w.records = append(w.records, known)
		return nil
	})
}

// count is how many records are known.
func (b *rebuild) count() (n int) {
	for _, w := range b.windows {
		n += len(w.records)
	}
	return n
}

// ordered returns the windows, oldest first.
func (b *rebuild) ordered() []*rebuildWindow {
	all := make([]*rebuildWindow, 0, len(b.windows))
	for _, w := range b.windows {
		all = append(all, w)
	}
	slices.SortFunc(all, func(x, y *rebuildWindow) int { return x.Start.Compare(y.Start) })
	return all
}

// tally counts what is known for the report.
func (b *rebuild) tally() {
	scope := RebuildScope{Windows: len(b.windows)}
	for _, w := range b.ordered() {
		lacks := false
		for i := range w.records {
			r := &w.records[i]
			if r.rows > 0 && !r.raw {
				lacks = true
				scope.MissingRaw.Jobs += r.rows
			}
			if r.due() {
				scope.Jobs += r.rows
				scope.RawBytes += r.size
			}
		}
		if lacks {
			scope.MissingRaw.Windows = append(scope.MissingRaw.Windows, w.Name())
		}
	}
	for _, s := range b.Sinks {
		scope.Targets = append(scope.Targets, s.Label())
	}
	for _, w := range b.Warehouses {
		scope.Targets = append(scope.Targets, w.Label())
	}
	b.result.RebuildScope = scope
}

// errMerged means that a file holds jobs that can be written again together
// with some that cannot.
var errMerged = errors.New("jobs without the raw layer were merged with others, so that neither can be replaced: " +
	"leave these sinks as they are, and rebuild others with --sink")

// refuse keeps the rebuild from beginning what it could not finish.
func (b *rebuild) refuse(ctx context.Context) error {
	missing := b.result.MissingRaw
	switch {
	case missing.Jobs == 0:
		return nil
	case !b.options.SkipMissingRaw && !b.options.DryRun:
		return &MissingRawError{Pipeline: b.Spec.Name, Windows: missing.Windows, Jobs: missing.Jobs}
	}
	for _, name := range missing.Windows {
		b.result.Problems = append(b.result.Problems, Problem{Window: name, Message: "archived with raw: false: its jobs cannot be written again"})
	}
	if len(b.Sinks) == 0 {
		return nil
	}
	_, err := b.replaced(ctx)
	return err
}

// resume takes over what an interrupted rebuild has done.
func (b *rebuild) resume(ctx context.Context) error {
	kept, err := b.options.Progress.Progress(ctx, b.Spec.Name, b.fingerprint)
	if err != nil {
		return fmt.Errorf("what an earlier rebuild has done: %w", err)
	}
	for name, was := range kept {
		w := b.windows[name]
		if w == nil {
			continue
		}
		for _, done := range was.Records {
			if done.Seq < 1 || done.Seq > len(w.records) || w.records[done.Seq-1].Nonce != done.Nonce {
				continue
			}
			r := &w.records[done.Seq-1]
			whole, err := b.adopt(ctx, done.Files)
			if err != nil {
				return err
			}
			r.Loaded = done.Loaded
			if whole && len(done.Files) > 0 {
				r.Files = done.Files
				b.result.Resumed += r.rows
			}
		}
	}
	if b.result.Resumed > 0 {
		b.Log.Info("going on with a rebuild that was interrupted", "pipeline", b.Spec.Name, "jobs", b.result.Resumed)
	}
	return nil
}

// adopt makes sure that staged files can be committed, and reports whether all
// are there.
func (b *rebuild) adopt(ctx context.Context, files []File) (bool, error) {
	for _, f := range files {
		there, err := b.options.Progress.Adopt(ctx, f, b.Spool)
		if err != nil {
			return false, fmt.Errorf("staged file of %s: %w", f.Path, err)
		}
		if !there {
			return false, nil
		}
	}
	return true, nil
}
