package database

import (
	"context"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/adteco/docarchive/pipeline"
)

// Warehouse is a [pipeline.Warehouse] over one table of a database and its
// child tables. It holds one connection, made when it is first needed; calls
// that come at once wait for one another.
type Warehouse struct {
	engine  Engine
	dialect *Dialect
	options Options
	name    Name
	turn    chan struct{} // holds a token while nobody uses session
	session Session       // nil: to be connected
	ready   bool          // the warehouse's own tables exist
}

var _ pipeline.Warehouse = (*Warehouse)(nil)

// New returns the warehouse of a pipeline. It does not connect yet: a database
// that is away must not hold up the archive.
func New(e Engine, o Options) (*Warehouse, error) {
	o = o.withDefaults()
	name, err := parseName(o.Table)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", e.Dialect().Database, err)
	}
	w := &Warehouse{engine: e, dialect: e.Dialect(), options: o, name: name, turn: make(chan struct{}, 1)}
	w.turn <- struct{}{}
	return w, nil
}

// Label implements [pipeline.Warehouse].
func (w *Warehouse) Label() string { return w.dialect.Database + ":" + w.options.Table }

// Loaded implements [pipeline.Warehouse]. It makes no tables.
func (w *Warehouse) Loaded(ctx context.Context, name string) (map[string]int, error) {
	var last map[string]int
	err := w.repeat(ctx, func(c *conn) (err error) {
		last, err = c.loaded(ctx, name)
		return err
	})
	return last, err
}

// Load implements [pipeline.Warehouse]. Its errors are [AwayError],
// [SchemaDriftError] or [LimitError] where one of these fits; an error of
// batches is returned as it is.
func (w *Warehouse) Load(ctx context.Context, r *pipeline.Record, batches func(yield func(pipeline.Batch) error) error) (pipeline.Loaded, error) {
	return w.write(ctx, r, false, batches)
}

// Reload implements [pipeline.Warehouse]. Its errors are those of Load.
func (w *Warehouse) Reload(ctx context.Context, r *pipeline.Record, batches func(yield func(pipeline.Batch) error) error) (pipeline.Loaded, error) {
	return w.write(ctx, r, true, batches)
}

// write loads a record, or loads it again.
func (w *Warehouse) write(ctx context.Context, r *pipeline.Record, again bool, batches func(yield func(pipeline.Batch) error) error) (pipeline.Loaded, error) {
	if r.ArchiveID != w.options.ArchiveID {
		return pipeline.Loaded{}, fmt.Errorf("%s: record %d of window %s is of the archive %q, and the warehouse was opened for %q",
			w.Label(), r.Seq, r.Window, r.ArchiveID, w.options.ArchiveID)
	}
	var loaded pipeline.Loaded
	err := w.repeat(ctx, func(c *conn) (err error) {
		loaded, err = c.load(ctx, r, again, batches)
		return err
	})
	if err != nil {
		return pipeline.Loaded{}, err
	}
	if n := len(loaded.Rejected); n > 0 {
		w.options.Log.Warn("rows refused by the database, noted in "+logTable, "database", w.Label(),
			"window", r.Window, "seq", r.Seq, "rows", n, "first", loaded.Rejected[0].JobID, "reason", loaded.Rejected[0].Reason)
	}
	return loaded, nil
}

// Close ends the connection.
func (w *Warehouse) Close() error {
	<-w.turn
	defer func() { w.turn <- struct{}{} }()
	return w.drop()
}

func (w *Warehouse) drop() error {
	if w.session == nil {
		return nil
	}
	err := w.session.Close()
	w.session = nil
	if err != nil {
		return fmt.Errorf("%s: close the connection: %w", w.Label(), err)
	}
	return nil
}

// repeat calls do with a connection, again and with another one while the
// database is away or busy.
func (w *Warehouse) repeat(ctx context.Context, do func(*conn) error) error {
	select {
	case <-w.turn:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { w.turn <- struct{}{} }()
	pauses := backoff.NewExponentialBackOff()
	pauses.InitialInterval = 200 * time.Millisecond
	pauses.MaxInterval = 5 * time.Second
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		err := w.once(ctx, do)
		if k := kindOf(err); err != nil && k != Again && k != Away {
			err = backoff.Permanent(err)
		}
		return struct{}{}, err
	}, backoff.WithBackOff(pauses), backoff.WithMaxTries(w.options.Tries), backoff.WithMaxElapsedTime(0),
		backoff.WithNotify(func(err error, pause time.Duration) {
			w.options.Log.Info("database is away or busy, trying again", "database", w.Label(), "pause", pause, "error", err)
		}))
	return w.explain(ctx, err)
}

// once calls do. After an error the connection is given up, which undoes
// whatever was begun on it.
func (w *Warehouse) once(ctx context.Context, do func(*conn) error) error {
	if w.session == nil {
		s, err := w.engine.Connect(ctx)
		if err != nil {
			return w.fault("connect", err)
		}
		w.session = s
	}
	err := do(&conn{Warehouse: w, session: w.session})
	if err != nil {
		if failed := w.drop(); failed != nil {
			w.options.Log.Debug("connection given up", "database", w.Label(), "error", failed)
		}
	}
	return err
}

// conn is the warehouse with the connection that is in use. Its methods return
// classified errors.
type conn struct {
	*Warehouse
	session Session
}

func (c *conn) exec(ctx context.Context, op, statement string, args ...any) error {
	_, err := c.session.Exec(ctx, statement, args...)
	return c.fault(op, err)
}

func (c *conn) query(ctx context.Context, op string, each func(scan func(dest ...any) error) error, statement string, args ...any) error {
	return c.fault(op, c.session.Query(ctx, each, statement, args...))
}

// exclusively lets do change tables while nobody else does.
func (c *conn) exclusively(ctx context.Context, do func() error) error {
	for _, statement := range c.dialect.Lock.Before {
		if err := c.exec(ctx, "lock the tables' layout", statement); err != nil {
			return err
		}
	}
	if err := do(); err != nil {
		return err
	}
	for _, statement := range c.dialect.Lock.After {
		if err := c.exec(ctx, "unlock the tables' layout", statement); err != nil {
			return err
		}
	}
	return nil
}
