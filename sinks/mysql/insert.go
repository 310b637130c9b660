package mysql

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/go-sql-driver/mysql"

	"github.com/adteco/docarchive/sinks/database"
)

// Bounds of one INSERT. The driver keeps it under the server's packet size by
// sending long values one by one.
const (
	maxRows       = 256
	maxParameters = 65_535
)

// session is one connection.
type session struct {
	*database.SQL
	engine   *engine
	prepared map[*database.Table]*sql.Stmt // of the transaction: an INSERT of as many rows as it takes
	args     []any
}

// Exec implements [database.Session].
func (s *session) Exec(ctx context.Context, statement string, args ...any) (int64, error) {
	if statement == begin {
		if err := s.forget(); err != nil {
			return 0, err
		}
	}
	return s.SQL.Exec(ctx, statement, args...)
}

// Close implements [database.Session].
func (s *session) Close() error { return errors.Join(s.forget(), s.SQL.Close()) }

func (s *session) forget() error {
	var errs []error
	for _, stmt := range s.prepared {
		errs = append(errs, stmt.Close())
	}
	clear(s.prepared)
	return errors.Join(errs...)
}

// Insert implements [database.Session]. A statement that fails leaves nothing
// behind and the transaction as it was.
func (s *session) Insert(ctx context.Context, t *database.Table, rows arrow.Record) ([]database.Refusal, error) {
	size := max(1, min(maxRows, maxParameters/len(t.Columns)))
	var refused []database.Refusal
	for from := 0; from < int(rows.NumRows()); from += size {
		part := rows.NewSlice(int64(from), min(int64(from+size), rows.NumRows()))
		bad, err := database.Bisect(part, func(part arrow.Record, _ int) error {
			return s.insert(ctx, t, part, size)
		}, database.Reason(s.engine))
		part.Release()
		if err != nil {
			return nil, err
		}
		for _, row := range bad {
			row.Row += from
			refused = append(refused, row)
		}
	}
	return refused, nil
}

// insert inserts a part of at most size rows.
func (s *session) insert(ctx context.Context, t *database.Table, part arrow.Record, size int) (err error) {
	if err := s.bind(t, part); err != nil {
		return err
	}
	stmt := s.prepared[t]
	if stmt == nil || int(part.NumRows()) < size {
		stmt, err = s.Conn.PrepareContext(ctx, s.statement(t, int(part.NumRows())))
		if err != nil {
			return err
		}
		if int(part.NumRows()) == size {
			s.prepared[t] = stmt
		} else {
			defer func() { err = errors.Join(err, stmt.Close()) }()
		}
	}
	_, err = stmt.ExecContext(ctx, s.args...)
	var answer *mysql.MySQLError
	if errors.As(err, &answer) && answer.Number == 1118 {
		return &database.ValueError{Column: t.Name.String(), Reason: err.Error()} // it is this row that is too large
	}
	return err
}

// statement returns the INSERT of so many rows.
func (s *session) statement(t *database.Table, rows int) string {
	d := s.engine.Dialect()
	row := "(?" + strings.Repeat(", ?", len(t.Columns)-1) + ")"
	return "INSERT INTO " + d.Table(t.Name) + " (" + d.Idents(t.Stored()) + ") VALUES " + row + strings.Repeat(", "+row, rows-1)
}

// bind puts the part's values into args, row by row.
func (s *session) bind(t *database.Table, part arrow.Record) error {
	s.args = s.args[:0]
	for row := range int(part.NumRows()) {
		for i, a := range part.Columns() {
			v, err := database.Value(a, row, timeText)
			if err != nil {
				var bad *database.ValueError
				if errors.As(err, &bad) {
					bad.Column = t.Columns[i].Name
				}
				return err
			}
			s.args = append(s.args, v)
		}
	}
	return nil
}
