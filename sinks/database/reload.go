package database

import (
	"context"
	"strings"

	"github.com/apache/arrow/go/v17/arrow/array"

	"github.com/adteco/docarchive/pipeline"
)

// Statements by which a record's rows are removed.
const (
	deleteLogged    = `DELETE FROM %s` + ofRecord
	selectKeyed     = `SELECT "table_name" FROM %s WHERE "archive_uuid" = ? AND "column_name" = ?`
	selectLogTables = `SELECT DISTINCT "table_name" FROM %s WHERE "archive_uuid" = ?`
	deleteJobs      = `DELETE FROM %s WHERE {job} IN (?`
)

// maxDelete bounds the parameters of one DELETE.
const maxDelete = 1000

// unclaim removes the record's log row, if there is one, and finds the tables
// that may hold rows of its jobs. Another loader of the record waits here.
func (l *loading) unclaim(ctx context.Context) (err error) {
	if l.family, err = l.relatives(ctx); err != nil {
		return err
	}
	return l.exec(ctx, "write "+logTable, l.onLog(deleteLogged), l.recordKey(l.record)...)
}

// relatives returns the pipeline's own table and its child tables, also those
// that its rules do not ask for any more.
func (c *conn) relatives(ctx context.Context) ([]*layout, error) {
	names, err := c.names(ctx, columnsTable, selectKeyed, c.options.ArchiveID, pipeline.ColumnJobID)
	if err != nil {
		return nil, err
	}
	owners, err := c.names(ctx, logTable, selectLogTables, c.options.ArchiveID)
	if err != nil {
		return nil, err
	}
	var family []*layout
	for _, name := range names {
		if !related(name, c.name.Table, owners) {
			continue
		}
		there, err := c.catalog(ctx, c.name.beside(name))
		if err != nil {
			return nil, err
		}
		if len(there) == 0 {
			continue // dropped by somebody: it holds nothing
		}
		l, err := c.inspect(ctx, c.name.beside(name))
		if err != nil {
			return nil, err
		}
		family = append(family, l)
	}
	return family, nil
}

func (c *conn) names(ctx context.Context, table, statement string, args ...any) (names []string, err error) {
	err = c.query(ctx, "read "+table, func(scan func(...any) error) error {
		var name string
		err := scan(&name)
		names = append(names, name)
		return err
	}, c.dialect.statement(statement, c.name.beside(table)), args...)
	return names, err
}

// related reports whether a table is the pipeline's own or one of its children.
// owners are the tables of all pipelines: one whose name begins with another's
// has children of its own.
func related(name, own string, owners []string) bool {
	if name == own {
		return true
	}
	if !strings.HasPrefix(name, own+"__") {
		return false
	}
	for _, owner := range owners {
		if len(owner) > len(own) && (name == owner || strings.HasPrefix(name, owner+"__")) {
			return false
		}
	}
	return true
}

// remove deletes the rows that are there of a batch's jobs: with the jobs' own
// rows everything that belongs to them, with child rows what stands in a table
// that was not known to be one.
func (l *loading) remove(ctx context.Context, t *target, b pipeline.Batch) error {
	ids := l.jobIDs(b)
	if b.Dataset == l.options.Pipeline {
		for _, member := range l.family {
			if err := l.deleteJobs(ctx, member, ids); err != nil {
				return err
			}
		}
		return nil
	}
	for _, member := range l.family {
		if member.name == t.layout.name {
			return nil // gone with the jobs' own rows
		}
	}
	return l.deleteJobs(ctx, t.layout, ids)
}

func (l *loading) deleteJobs(ctx context.Context, table *layout, ids []any) error {
	column := l.dialect.Ident(table.notes[pipeline.ColumnJobID].stored)
	template := strings.Replace(deleteJobs, "{job}", column, 1)
	for len(ids) > 0 {
		n := min(len(ids), maxDelete)
		statement := l.dialect.statement(template+strings.Repeat(", ?", n-1)+")", table.name)
		if err := l.exec(ctx, "delete from "+table.name.String(), statement, ids[:n]...); err != nil {
			return err
		}
		ids = ids[n:]
	}
	return nil
}

// jobIDs returns the distinct ids of a batch, whose rows come job by job. An id
// that the database cannot hold has no rows.
func (l *loading) jobIDs(b pipeline.Batch) []any {
	indices := b.Record.Schema().FieldIndices(pipeline.ColumnJobID)
	if len(indices) == 0 {
		return nil
	}
	column, ok := b.Record.Column(indices[0]).(*array.String)
	if !ok {
		return nil
	}
	ids := make([]any, 0, column.Len())
	for i := range column.Len() {
		id := column.Value(i)
		if i > 0 && id == column.Value(i-1) || !l.dialect.Text.NUL && strings.ContainsRune(id, 0) {
			continue
		}
		ids = append(ids, strings.Clone(id))
	}
	return ids
}
