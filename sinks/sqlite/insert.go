package sqlite

import (
	"context"
	"errors"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"

	"github.com/adteco/docarchive/sinks/database"
)

// Insert implements [database.Session]. A row that fails leaves the transaction
// and the other rows as they are.
func (s *session) Insert(ctx context.Context, t *database.Table, rows arrow.Record) ([]database.Refusal, error) {
	if err := s.prepare(ctx, t); err != nil {
		return nil, err
	}
	reason := database.Reason(s.engine)
	// A context that can end makes the driver start a goroutine for each row.
	quiet := context.WithoutCancel(ctx)
	var refused []database.Refusal
	for row := range int(rows.NumRows()) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		err := s.bind(t, rows, row)
		if err == nil {
			_, err = s.insert.stmt.ExecContext(quiet, s.insert.args...)
		}
		if err == nil {
			continue
		}
		text, own := reason(err)
		if !own {
			return nil, s.disk(err)
		}
		refused = append(refused, database.Refusal{Row: row, Reason: text})
	}
	return refused, nil
}

// prepare makes the statement that inserts a row.
func (s *session) prepare(ctx context.Context, t *database.Table) error {
	if s.insert.table == t {
		return nil
	}
	if s.insert.stmt != nil {
		if err := s.insert.stmt.Close(); err != nil {
			return err
		}
		s.insert.stmt, s.insert.table = nil, nil
	}
	d := s.engine.Dialect()
	stmt, err := s.Conn.PrepareContext(ctx, "INSERT INTO "+d.Table(t.Name)+" ("+d.Idents(t.Stored())+
		") VALUES (?"+strings.Repeat(", ?", len(t.Columns)-1)+")")
	if err != nil {
		return err
	}
	s.insert.table, s.insert.stmt, s.insert.args = t, stmt, make([]any, len(t.Columns))
	return nil
}

func (s *session) bind(t *database.Table, rows arrow.Record, row int) error {
	for i, a := range rows.Columns() {
		v, err := database.Value(a, row, database.TimeText)
		if err != nil {
			var bad *database.ValueError
			if errors.As(err, &bad) {
				bad.Column = t.Columns[i].Name
			}
			return err
		}
		s.insert.args[i] = v
	}
	return nil
}
