package database

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
)

// Engine is one kind of database, and how to reach the one that is meant.
type Engine interface {
	Dialect() *Dialect
	// Connect opens a connection. Its error holds no secret.
	Connect(ctx context.Context) (Session, error)
	// Classify tells the kind of an error of the engine's sessions.
	Classify(err error) Kind
}

// Session is one connection. It is used by one goroutine at a time.
type Session interface {
	// Exec carries out a statement and returns how many rows it touched. The
	// COMMIT of a transaction that the database gave up is an error.
	Exec(ctx context.Context, statement string, args ...any) (int64, error)
	// Query calls each for every row of the answer.
	Query(ctx context.Context, each func(scan func(dest ...any) error) error, statement string, args ...any) error
	// Insert adds the rows to the table, within the transaction that was begun,
	// except those that the database refuses. After an error the transaction is
	// worth nothing. It retains nothing of rows.
	Insert(ctx context.Context, t *Table, rows arrow.Record) ([]Refusal, error)
	// Close ends the connection, and whatever it was doing is undone.
	Close() error
}

// Refusal is a row that was left out, by its place in the batch.
type Refusal struct {
	Row    int
	Reason string
}

// ReasonExists is the reason of a row whose key is in the table already.
const ReasonExists = "job_id exists already"

// Table is a table and those of its columns that a batch fills.
type Table struct {
	Name    Name
	Columns []Column // one for each column of the batch, in its order
	Key     int      // so many of the columns, the first ones, are the key
}

// Column is a column of a batch and of a table.
type Column struct {
	Name   string // in the union schema
	Stored string // in the database
	Type   string // in the database, as its catalog writes it
}

// Dialect is what one database writes differently from the others.
type Dialect struct {
	Database   string // as in labels and messages: postgres
	Quote      byte   // around identifiers
	Numbered   bool   // parameters are $1, $2, …, not ?
	Begin      string // begins a transaction that writes
	DDLCommits bool   // a change of tables cannot be part of a transaction
	MaxColumns int    // of a table
	Lock       Lock
	Text       Text
	Write      Writing
}

// Lock holds the statements around a change of tables. They let in one session
// at a time.
type Lock struct{ Before, After []string }

// Text holds texts of statements.
type Text struct {
	Catalog string // asks for name and type of a table's columns; parameters: schema or "", table
	Options string // follows a CREATE TABLE
	KeyText string // type of texts in keys of the log
	Time    string // layout of times that the database reads
	NUL     bool   // texts may hold the NUL character
	Add     string // separates the columns that one ALTER TABLE adds; empty: it takes one
}

// Writing holds what cannot be said in a constant.
type Writing struct {
	// Type is the type of a column, as the catalog writes it.
	Type func(t arrow.DataType, key bool) (string, error)
	// Stored is the name of a column in the database, where it cannot be the
	// same as in the union schema.
	Stored func(name string) string
	// Fold is the same for names that the database cannot tell apart.
	Fold func(name string) string
	// Index is the statement that makes an index of one column.
	Index func(d *Dialect, t Name, name, column string) string
}

// Ident quotes an identifier.
func (d *Dialect) Ident(name string) string {
	q := string(d.Quote)
	return q + strings.ReplaceAll(name, q, q+q) + q
}

// Table quotes the name of a table.
func (d *Dialect) Table(n Name) string {
	if n.Schema == "" {
		return d.Ident(n.Table)
	}
	return d.Ident(n.Schema) + "." + d.Ident(n.Table)
}

// Idents quotes identifiers and separates them by commas.
func (d *Dialect) Idents(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = d.Ident(name)
	}
	return strings.Join(quoted, ", ")
}

// statement translates a statement of this package: identifiers in double
// quotes, parameters as question marks, %s for the name of a table.
func (d *Dialect) statement(template string, table Name) string {
	text := strings.ReplaceAll(template, `"`, string(d.Quote))
	if d.Numbered {
		var b strings.Builder
		n := 0
		for _, r := range text {
			if r == '?' {
				n++
				b.WriteString("$" + strconv.Itoa(n))
				continue
			}
			b.WriteRune(r)
		}
		text = b.String()
	}
	return fmt.Sprintf(text, d.Table(table))
}

// Stored returns the columns' names in the database.
func (t *Table) Stored() []string {
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = c.Stored
	}
	return names
}
