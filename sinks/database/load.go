package database

import (
	"context"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"

	"github.com/adteco/docarchive/pipeline"
)

// maxInsert bounds the rows of one insert: what a database buffers of it, and
// what is repeated to find a bad row.
const maxInsert = 16384

// loading is one attempt to load a record.
type loading struct {
	*conn
	record   *pipeline.Record
	tables   map[string]*target // by dataset
	grow     bool               // a table lacks columns; nothing more is written
	again    bool               // what the record left is removed first
	family   []*layout          // the pipeline's tables that are there; only if again
	rows     int64
	refusals refusals
}

// target is where the rows of a dataset go.
type target struct {
	dataset string
	layout  *layout
	schema  *arrow.Schema // that table was made for
	table   *Table
	wanted  []arrow.Field // every column met
}

// load loads a record, unless it is loaded; again loads it in any case.
func (c *conn) load(ctx context.Context, r *pipeline.Record, again bool, batches func(yield func(pipeline.Batch) error) error) (pipeline.Loaded, error) {
	if err := c.prepare(ctx); err != nil {
		return pipeline.Loaded{}, err
	}
	if loaded, found, err := c.logged(ctx, r); err != nil || found && !again {
		return loaded, err
	}
	for {
		l := &loading{conn: c, record: r, tables: map[string]*target{}, again: again}
		taken, err := l.pass(ctx, batches)
		switch {
		case err != nil:
			return pipeline.Loaded{}, err
		case taken && again:
			return pipeline.Loaded{}, &fault{Again, "claim the record", errTaken}
		case taken:
			return c.lost(ctx, r)
		case !l.grow:
			return pipeline.Loaded{Rows: l.rows, Rejected: l.refusals.all}, nil
		}
		if err := l.growTables(ctx); err != nil {
			return pipeline.Loaded{}, err
		}
	}
}

// lost returns what the loader that was first wrote.
func (c *conn) lost(ctx context.Context, r *pipeline.Record) (pipeline.Loaded, error) {
	loaded, found, err := c.logged(ctx, r)
	if err == nil && !found {
		// It rolled back after all.
		return loaded, &fault{Again, "claim the record", errTaken}
	}
	return loaded, err
}

// pass goes through the record's batches in one transaction. It is rolled back
// if the record is taken or a table must grow.
func (l *loading) pass(ctx context.Context, batches func(yield func(pipeline.Batch) error) error) (taken bool, err error) {
	if err := l.exec(ctx, "begin", l.dialect.Begin); err != nil {
		return false, err
	}
	if l.again {
		if err := l.unclaim(ctx); err != nil {
			return false, err
		}
	}
	taken, err = l.claim(ctx, l.record)
	if err != nil {
		return false, err
	}
	if !taken {
		err = batches(func(b pipeline.Batch) error { return l.batch(ctx, b) })
	}
	switch {
	case err != nil:
		return false, err
	case taken || l.grow:
		return taken, l.exec(ctx, "roll back", "ROLLBACK")
	}
	if err := l.finish(ctx, l.record, l.rows, &l.refusals); err != nil {
		return false, err
	}
	return false, l.exec(ctx, "commit", "COMMIT")
}

// batch inserts a batch, or notes which columns its table lacks.
func (l *loading) batch(ctx context.Context, b pipeline.Batch) error {
	t, err := l.target(ctx, b.Dataset)
	if err != nil {
		return err
	}
	if err := t.fit(l.conn, b.Record.Schema()); err != nil {
		return err
	}
	if t.table == nil {
		l.grow = true
	}
	if l.grow {
		return nil
	}
	if l.again {
		if err := l.remove(ctx, t, b); err != nil {
			return err
		}
	}
	for from := int64(0); from < b.Record.NumRows(); from += maxInsert {
		if err := l.insert(ctx, t.table, b, from, min(from+maxInsert, b.Record.NumRows())); err != nil {
			return err
		}
	}
	return nil
}

// insert inserts the rows of a batch between from and to.
func (l *loading) insert(ctx context.Context, t *Table, b pipeline.Batch, from, to int64) error {
	part := b.Record.NewSlice(from, to)
	defer part.Release()
	refused, err := l.session.Insert(ctx, t, part)
	if err != nil {
		return l.fault("insert into "+t.Name.String(), err)
	}
	for _, row := range refused {
		l.refusals.add(pipeline.Batch{Dataset: b.Dataset, Record: part}, row)
	}
	l.rows += to - from - int64(len(refused))
	return nil
}

// target returns where a dataset's rows go.
func (l *loading) target(ctx context.Context, dataset string) (*target, error) {
	if t := l.tables[dataset]; t != nil {
		return t, nil
	}
	layout, err := l.inspect(ctx, l.tableOf(dataset))
	if err != nil {
		return nil, err
	}
	t := &target{dataset: dataset, layout: layout}
	l.tables[dataset] = t
	return t, nil
}

// tableOf names the table of a dataset: the pipeline's own, or a child's beside
// it.
func (w *Warehouse) tableOf(dataset string) Name {
	if dataset == w.options.Pipeline {
		return w.name
	}
	suffix, ours := strings.CutPrefix(dataset, w.options.Pipeline+"__")
	if !ours {
		suffix = dataset // its name was too long and cut
	}
	return w.name.beside(shorten(w.name.Table+"__"+suffix, dataset))
}

// fit makes t.table for batches of the schema, or nil if columns are missing.
func (t *target) fit(c *conn, schema *arrow.Schema) error {
	if t.schema == schema {
		return nil
	}
	t.want(schema)
	table, err := t.layout.plan(c, schema, t.dataset == c.options.Pipeline)
	if err != nil {
		return err
	}
	t.schema, t.table = schema, table
	return nil
}

// want notes the schema's columns. The latest schema gives the order.
func (t *target) want(schema *arrow.Schema) {
	fields := schema.Fields()
	for _, f := range t.wanted {
		if !schema.HasField(f.Name) {
			fields = append(fields, f)
		}
	}
	t.wanted = fields
}

func (l *loading) growTables(ctx context.Context) error {
	for _, t := range l.tables {
		schema := arrow.NewSchema(t.wanted, nil)
		table, err := t.layout.plan(l.conn, schema, t.dataset == l.options.Pipeline)
		if err != nil {
			return err
		}
		if table != nil {
			continue
		}
		if err := l.extend(ctx, t.layout.name, schema, t.dataset == l.options.Pipeline); err != nil {
			return err
		}
	}
	return nil
}
