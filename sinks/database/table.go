package database

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"unicode/utf8"

	"github.com/apache/arrow/go/v17/arrow"

	"github.com/adteco/docarchive/pipeline"
)

const (
	selectNotes  = `SELECT "column_name", "stored_as", "type", "archive_uuid" FROM %s WHERE "table_name" = ?`
	insertNote   = `INSERT INTO %s ("table_name", "column_name", "stored_as", "type", "archive_uuid") VALUES (?, ?, ?, ?, ?)`
	selectAnyRow = `SELECT 1 FROM %s LIMIT 1`
)

// layout is what stands in the database of a table: its columns as the catalog
// lists them, and as they were noted when they were made.
type layout struct {
	name    Name
	catalog map[string]string // stored name → type; empty: there is no such table
	notes   map[string]note   // column of the union schema → what it was made as
}

type note struct{ stored, typ, archive string }

// catalog returns the columns of a table, name → type; none if there is no such
// table.
func (c *conn) catalog(ctx context.Context, name Name) (map[string]string, error) {
	columns := map[string]string{}
	err := c.query(ctx, "read the layout of "+name.String(), func(scan func(...any) error) error {
		var column, typ string
		if err := scan(&column, &typ); err != nil {
			return err
		}
		columns[column] = typ
		return nil
	}, c.dialect.Text.Catalog, name.Schema, name.Table)
	return columns, err
}

// inspect reads a table's layout, and returns a [SchemaDriftError] if it is not
// what this archive left.
func (c *conn) inspect(ctx context.Context, name Name) (*layout, error) {
	catalog, err := c.catalog(ctx, name)
	if err != nil {
		return nil, err
	}
	l := &layout{name: name, catalog: catalog, notes: map[string]note{}}
	err = c.query(ctx, "read "+columnsTable, func(scan func(...any) error) error {
		var column string
		var n note
		if err := scan(&column, &n.stored, &n.typ, &n.archive); err != nil {
			return err
		}
		l.notes[column] = n
		return nil
	}, c.dialect.statement(selectNotes, name.beside(columnsTable)), name.Table)
	if err != nil {
		return nil, err
	}
	return l, l.check(ctx, c)
}

func (l *layout) drift(c *conn, remedy, problem string, args ...any) error {
	return &SchemaDriftError{c.Label(), l.name.String(), fmt.Sprintf(problem, args...), remedy}
}

// check compares what was made with what is there.
func (l *layout) check(ctx context.Context, c *conn) error {
	if len(l.notes) == 0 {
		return l.checkForeign(ctx, c)
	}
	again := fmt.Sprintf("to load everything again, drop the table and delete its rows from %s and %s", logTable, columnsTable)
	for _, n := range l.notes {
		if n.archive != c.options.ArchiveID {
			return l.drift(c, "choose another table, or drop this one and delete its rows from "+columnsTable, "it holds the archive %s, not %s", n.archive, c.options.ArchiveID)
		}
	}
	if len(l.catalog) == 0 {
		return l.drift(c, again, "it was loaded before and is gone")
	}
	for column, n := range l.notes {
		switch typ, has := l.catalog[n.stored]; {
		case !has:
			return l.drift(c, fmt.Sprintf("put it back with ALTER TABLE %s ADD COLUMN %s %s; %s", c.dialect.Table(l.name), c.dialect.Ident(n.stored), n.typ, again),
				"column %q was dropped or renamed", column)
		case typ != n.typ:
			return l.drift(c, "change it back; "+again, "column %q was made as %s and is %s now", column, n.typ, typ)
		}
	}
	return nil
}

// checkForeign refuses a table that nobody noted. Where a change of tables is no
// part of a transaction, an empty one may be left over from a load that ended
// before it was noted.
func (l *layout) checkForeign(ctx context.Context, c *conn) error {
	if len(l.catalog) == 0 {
		return nil
	}
	empty := c.dialect.DDLCommits
	if empty {
		err := c.query(ctx, "look into "+l.name.String(), func(func(...any) error) error {
			empty = false
			return nil
		}, c.dialect.statement(selectAnyRow, l.name))
		if err != nil {
			return err
		}
	}
	if empty {
		return nil
	}
	return l.drift(c, "choose another table in jobs.yaml, or rename that one", "it was not made by this program")
}

// plan returns the table for batches of the schema, or nil if it lacks columns.
func (l *layout) plan(c *conn, schema *arrow.Schema, jobs bool) (*Table, error) {
	t := &Table{Name: l.name, Columns: make([]Column, schema.NumFields()), Key: keyColumns(schema, jobs)}
	complete := true
	for i, f := range schema.Fields() {
		typ, err := c.dialect.Write.Type(f.Type, i < t.Key)
		if err != nil {
			return nil, fmt.Errorf("%s: table %s: column %s: %w", c.Label(), l.name, f.Name, err)
		}
		n, has := l.notes[f.Name]
		switch {
		case !has:
			complete = false
		case n.typ != typ:
			return nil, l.drift(c, "load the pipeline into a new table", "column %q is %s and would have to be %s", f.Name, n.typ, typ)
		}
		t.Columns[i] = Column{f.Name, n.stored, typ}
	}
	if !complete {
		return nil, nil
	}
	return t, nil
}

// keyColumns counts the columns at the beginning of a schema that identify a
// row: the job's id, and in a child table all columns that are not from the
// element.
func keyColumns(schema *arrow.Schema, jobs bool) int {
	if jobs {
		return 1
	}
	n := 0
	for _, f := range schema.Fields() {
		if group, _ := f.Metadata.GetValue(pipeline.MetaGroup); group != string(pipeline.GroupStandard) {
			break
		}
		n++
	}
	return n
}

// extend makes the table, or those of the schema's columns that it lacks.
func (c *conn) extend(ctx context.Context, name Name, schema *arrow.Schema, jobs bool) error {
	return c.exclusively(ctx, func() error {
		l, err := c.inspect(ctx, name) // another process may have been first
		if err != nil {
			return err
		}
		columns, missing, err := l.missing(c, schema, keyColumns(schema, jobs))
		if err != nil {
			return err
		}
		if total := len(l.catalog) + len(missing); total > c.dialect.MaxColumns {
			return &LimitError{c.Label(), name.String(), fmt.Sprintf("it would have %d columns, and %s holds %d", total, c.dialect.Database, c.dialect.MaxColumns)}
		}
		statements := c.add(name, missing)
		if len(l.catalog) == 0 {
			statements = c.create(name, missing, keyColumns(schema, jobs))
		}
		for _, statement := range statements {
			if err := c.exec(ctx, "lay out "+name.String(), statement); err != nil {
				return err
			}
		}
		for _, column := range columns {
			err := c.exec(ctx, "write "+columnsTable, c.dialect.statement(insertNote, name.beside(columnsTable)),
				name.Table, column.Name, column.Stored, column.Type, c.options.ArchiveID)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// missing returns the schema's columns that are not noted, and those of them
// that are not in the table either.
func (l *layout) missing(c *conn, schema *arrow.Schema, key int) (unnoted, absent []Column, err error) {
	taken := map[string]bool{}
	for stored := range l.catalog {
		taken[c.dialect.Write.Fold(stored)] = true
	}
	for i, f := range schema.Fields() {
		if _, has := l.notes[f.Name]; has {
			continue
		}
		typ, err := c.dialect.Write.Type(f.Type, i < key)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: table %s: column %s: %w", c.Label(), l.name, f.Name, err)
		}
		column := Column{f.Name, c.dialect.Write.Stored(f.Name), typ}
		if there, has := l.catalog[column.Stored]; has {
			if !c.dialect.DDLCommits || there != typ {
				return nil, nil, l.drift(c, "rename or drop that column", "column %q is there already, as %s, and was not made by this program", column.Stored, there)
			}
			unnoted = append(unnoted, column) // left over, like a table in checkForeign
			continue
		}
		if taken[c.dialect.Write.Fold(column.Stored)] {
			column.Stored = Suffixed(column.Stored, f.Name)
		}
		taken[c.dialect.Write.Fold(column.Stored)] = true
		unnoted, absent = append(unnoted, column), append(absent, column)
	}
	return unnoted, absent, nil
}

// add returns the statements that add columns to a table.
func (c *conn) add(name Name, columns []Column) []string {
	var statements []string
	alter := "ALTER TABLE " + c.dialect.Table(name) + " "
	for i, column := range columns {
		clause := "ADD COLUMN " + c.dialect.Ident(column.Stored) + " " + column.Type
		if i > 0 && c.dialect.Text.Add != "" {
			statements[0] += c.dialect.Text.Add + clause
		} else {
			statements = append(statements, alter+clause)
		}
	}
	return statements
}

// create returns the statements that make a table and its index.
func (c *conn) create(name Name, columns []Column, key int) []string {
	var keys []string
	create := "CREATE TABLE " + c.dialect.Table(name) + " ("
	for i, column := range columns {
		create += c.dialect.Ident(column.Stored) + " " + column.Type
		if i < key {
			create += " NOT NULL"
			keys = append(keys, column.Stored)
		}
		create += ", "
	}
	statements := []string{create + "PRIMARY KEY (" + c.dialect.Idents(keys) + "))" + c.dialect.Text.Options}
	for _, column := range columns {
		if column.Name == pipeline.ColumnCreatedAt && key == 1 {
			index := shorten(name.Table+"_"+column.Stored, name.Table)
			statements = append(statements, c.dialect.Write.Index(c.dialect, name, index, column.Stored))
		}
	}
	return statements
}

// shorten cuts a name that is too long, and appends a hash of what it stands
// for.
func shorten(name, meaning string) string {
	if len(name) <= MaxNameBytes {
		return name
	}
	return Suffixed(name, meaning)
}

// Suffixed appends a hash of what a name stands for to the name, within
// [MaxNameBytes].
func Suffixed(name, meaning string) string {
	sum := sha256.Sum256([]byte(meaning))
	suffix := "_" + hex.EncodeToString(sum[:4])
	keep := min(len(name), MaxNameBytes-len(suffix))
	for keep > 0 && keep < len(name) && !utf8.RuneStart(name[keep]) {
		keep--
	}
	return name[:keep] + suffix
}
