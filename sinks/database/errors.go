package database

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Kind says what can be done about an error of a database.
type Kind int

// The kinds of errors.
const (
	Broken  Kind = iota // nothing is known to help
	BadRow              // a value or a row is refused
	Exists              // a row with the same key is there already
	Again               // the transaction may succeed when it is repeated
	Away                // the database does not answer, or takes nothing now
	Drifted             // the tables are not as they were left
	Limited             // the database cannot hold such a table
)

// AwayError means that the database could not be reached, or was too busy, for
// as long as was tried. Nothing is lost: the record is loaded by a later run.
type AwayError struct {
	Database string // the warehouse's label
	Err      error
}

func (e *AwayError) Error() string {
	// Drivers lay out several attempts on several lines.
	return fmt.Sprintf("%s is not available, a later run makes up for it: %s",
		e.Database, strings.Join(strings.Fields(e.Err.Error()), " "))
}

// Unwrap returns what the database or the network said last.
func (e *AwayError) Unwrap() error { return e.Err }

// SchemaDriftError means that the database is not as this archive left it.
// Nothing is written until somebody has decided what is right.
type SchemaDriftError struct {
	Database string
	Table    string
	Problem  string
	Remedy   string
}

func (e *SchemaDriftError) Error() string {
	return fmt.Sprintf("%s: table %s: %s; %s", e.Database, e.Table, e.Problem, e.Remedy)
}

// LimitError means that the database cannot hold a table of that shape.
type LimitError struct {
	Database string
	Table    string
	Problem  string
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("%s: table %s: %s; keep fields out of it with drop, or together in one column with json, under fields in jobs.yaml",
		e.Database, e.Table, e.Problem)
}

// ValueError is a value that the database's column cannot hold. It has the kind
// [BadRow].
type ValueError struct {
	Column string
	Reason string
}

func (e *ValueError) Error() string { return e.Column + ": " + e.Reason }

// fault is an error of the database, classified where it arose: an error of the
// archive, which is read meanwhile, must not be taken for one.
type fault struct {
	kind Kind
	op   string
	err  error
}

func (f *fault) Error() string { return f.op + ": " + f.err.Error() }
func (f *fault) Unwrap() error { return f.err }

// classify is the engine's classification with what is the same for all.
func classify(e Engine, err error) Kind {
	var bad *ValueError
	if errors.As(err, &bad) {
		return BadRow
	}
	return e.Classify(err)
}

func (w *Warehouse) fault(op string, err error) error {
	if err == nil {
		return nil
	}
	return &fault{classify(w.engine, err), op, err}
}

// kindOf returns the kind of a fault; other errors are Broken.
func kindOf(err error) Kind {
	var f *fault
	if errors.As(err, &f) {
		return f.kind
	}
	return Broken
}

// explain makes an error of this package's interface of a fault.
func (w *Warehouse) explain(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return cause
	}
	var f *fault
	if !errors.As(err, &f) {
		return err
	}
	switch f.kind {
	case Again, Away:
		return &AwayError{w.Label(), f}
	case Drifted:
		return &SchemaDriftError{w.Label(), w.name.String(), f.Error(), "compare it with " + columnsTable + " and undo what was changed by hand"}
	case Limited:
		return &LimitError{w.Label(), w.name.String(), f.Error()}
	}
	return fmt.Errorf("%s: %w", w.Label(), f)
}

// errTaken means that another loader held a record and then gave it up.
var errTaken = errors.New("another loader held it")
