package pipeline_test

import (
	"context"
	"errors"
	"sync"

	"github.com/apache/arrow/go/v17/arrow"

	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/internal/store/storetest"
	"github.com/adteco/docarchive/pipeline"
)

// mode is how a call goes wrong.
type mode string

const (
	unharmed mode = ""
	before   mode = "not done"
	after    mode = "done, and the reply lost"
	away     mode = "not done, as the other side is away"
	cancel   mode = "done, and the run told to end"
)

var errInjected = errors.New("injected")

// faults makes one call go wrong and counts all.
type faults struct {
	at   int // number of the call, from 0
	mode mode
	stop context.CancelFunc // of the run in hand

	mu    sync.Mutex
	calls []string // their names, in order
	met   string   // the name of the call that went wrong
}

// around does a call, unless it is the one.
func (f *faults) around(name string, call func() error) error {
	f.mu.Lock()
	due := f.mode != unharmed && len(f.calls) == f.at
	f.calls = append(f.calls, name)
	if due {
		f.met = name
	}
	f.mu.Unlock()
	switch {
	case due && f.mode == before:
		return errInjected
	case due && f.mode == away:
		return &docextract.UnavailableError{Attempts: 1, Err: errInjected}
	case due && f.mode == cancel:
		defer f.stop()
	}
	err := call()
	if due && f.mode == after && err == nil {
		err = errInjected
	}
	return err
}

// storage returns hooks by which each attempt at an operation is a call.
func (f *faults) storage() storetest.Hooks {
	fail := func(when mode, op storetest.Op) error {
		f.mu.Lock()
		defer f.mu.Unlock()
		if when == before {
			f.calls = append(f.calls, "store."+string(op))
		}
		if len(f.calls)-1 != f.at || f.met != "" {
			return nil
		}
		switch {
		case f.mode == cancel && when == after:
			f.met = f.calls[f.at]
			f.stop()
		case f.mode == when:
			f.met = f.calls[f.at]
			return errInjected
		}
		return nil
	}
	return storetest.Hooks{
		Before: func(op storetest.Op, _ string) error { return fail(before, op) },
		After:  func(op storetest.Op, _ string) error { return fail(after, op) },
	}
}

type faultySource struct {
	pipeline.Source
	*faults
}

func (s faultySource) List(ctx context.Context, q docextract.Query) (page *docextract.Page, err error) {
	err = s.around("source.list", func() (err error) { page, err = s.Source.List(ctx, q); return err })
	return page, err
}

func (s faultySource) Job(ctx context.Context, id string) (job docextract.Job, err error) {
	err = s.around("source.job", func() (err error) { job, err = s.Source.Job(ctx, id); return err })
	return job, err
}

type faultyLedger struct {
	pipeline.Ledger
	*faults
}

func (l faultyLedger) Load(ctx context.Context, name string, w pipeline.Window) (h *pipeline.History, err error) {
	err = l.around("ledger.load", func() (err error) { h, err = l.Ledger.Load(ctx, name, w); return err })
	return h, err
}

func (l faultyLedger) ArchivedIDs(ctx context.Context, h *pipeline.History, yield func([]string) error) error {
	return l.around("ledger.ids", func() error { return l.Ledger.ArchivedIDs(ctx, h, yield) })
}

func (l faultyLedger) Append(ctx context.Context, h *pipeline.History, r *pipeline.Record, ids []string) (next *pipeline.History, err error) {
	err = l.around("ledger.append", func() (err error) { next, err = l.Ledger.Append(ctx, h, r, ids); return err })
	return next, err
}

type faultyShelf struct {
	pipeline.Shelf
	*faults
}

func (s faultyShelf) Stage(ctx context.Context, p pipeline.Part) error {
	return s.around("shelf.stage", func() error { return s.Shelf.Stage(ctx, p) })
}

func (s faultyShelf) Publish(ctx context.Context, r *pipeline.Record) error {
	return s.around("shelf.publish", func() error { return s.Shelf.Publish(ctx, r) })
}

type faultySchemas struct {
	pipeline.SchemaLog
	*faults
}

func (s faultySchemas) LatestSchema(ctx context.Context, dataset string) (schema *pipeline.Schema, err error) {
	err = s.around("schemas.latest", func() (err error) { schema, err = s.SchemaLog.LatestSchema(ctx, dataset); return err })
	return schema, err
}

func (s faultySchemas) AppendSchema(ctx context.Context, schema *pipeline.Schema) error {
	return s.around("schemas.append", func() error { return s.SchemaLog.AppendSchema(ctx, schema) })
}

type faultySeen struct {
	pipeline.Seen
	*faults
}

func (s faultySeen) Filter(ctx context.Context, set pipeline.SeenSet, ids []string) (fresh []string, known bool, err error) {
	err = s.around("seen.filter", func() (err error) { fresh, known, err = s.Seen.Filter(ctx, set, ids); return err })
	return fresh, known, err
}

func (s faultySeen) Mark(ctx context.Context, set pipeline.SeenSet, ids []string) error {
	return s.around("seen.mark", func() error { return s.Seen.Mark(ctx, set, ids) })
}

type faultySink struct {
	pipeline.Sink
	*faults
}

func (s faultySink) Begin(ctx context.Context, d pipeline.Destination) (pipeline.Writer, error) {
	var w pipeline.Writer
	err := s.around("sink.begin", func() (err error) { w, err = s.Sink.Begin(ctx, d); return err })
	if err != nil {
		return nil, err // nothing is held by a writer that only began
	}
	return faultyWriter{w, s.faults}, nil
}

type faultyWriter struct {
	pipeline.Writer
	*faults
}

func (w faultyWriter) Write(ctx context.Context, batch arrow.Record) error {
	return w.around("writer.write", func() error { return w.Writer.Write(ctx, batch) })
}

// Commit returns the parts even with an error, as their files exist.
func (w faultyWriter) Commit(ctx context.Context) (parts []pipeline.Part, err error) {
	err = w.around("writer.commit", func() (err error) { parts, err = w.Writer.Commit(ctx); return err })
	return parts, err
}
