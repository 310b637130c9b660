package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/adteco/docarchive/sinks/database"
)

// rowColumn numbers the rows in the temporary table. No column of the union
// schema can have such a name.
const rowColumn = "row #"

// Insert implements [database.Session].
func (s *session) Insert(ctx context.Context, t *database.Table, rows arrow.Record) ([]database.Refusal, error) {
	staging, err := s.stage(ctx, t)
	if err != nil {
		return nil, err
	}
	m := &merge{session: s, table: t, staging: staging}
	refused, err := database.Bisect(rows, func(part arrow.Record, from int) error {
		return m.part(ctx, part, from)
	}, database.Reason(s.engine))
	return append(refused, m.existing...), err
}

// stage returns the temporary table of the transaction for t.
func (s *session) stage(ctx context.Context, t *database.Table) (string, error) {
	if name := s.staging[t]; name != "" {
		return name, nil
	}
	d := s.engine.Dialect()
	name := d.Ident(fmt.Sprintf("docarchive_staging_%d", len(s.staging)))
	_, err := s.Exec(ctx, "CREATE TEMPORARY TABLE "+name+" ON COMMIT DROP AS SELECT 0 AS "+d.Ident(rowColumn)+", "+
		d.Idents(t.Stored())+" FROM "+d.Table(t.Name)+" WITH NO DATA")
	if err != nil {
		return "", err
	}
	s.staging[t] = name
	return name, nil
}

// merge brings the parts of a batch into a table.
type merge struct {
	session  *session
	table    *database.Table
	staging  string // quoted
	existing []database.Refusal
}

// part merges a part, or leaves everything as it was.
func (m *merge) part(ctx context.Context, part arrow.Record, from int) error {
	if err := m.exec(ctx, "SAVEPOINT part"); err != nil {
		return err
	}
	existing, err := m.insert(ctx, part, from)
	if err != nil {
		if failed := m.exec(ctx, "ROLLBACK TO SAVEPOINT part"); failed != nil {
			return failed
		}
		return err
	}
	for _, row := range existing {
		m.existing = append(m.existing, database.Refusal{Row: row, Reason: database.ReasonExists})
	}
	return m.exec(ctx, "RELEASE SAVEPOINT part", "TRUNCATE "+m.staging)
}

func (m *merge) exec(ctx context.Context, statements ...string) error {
	for _, statement := range statements {
		if _, err := m.session.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// insert copies the part and inserts it. If the table has some of the rows, it
// leaves them out and returns their places.
func (m *merge) insert(ctx context.Context, part arrow.Record, from int) ([]int, error) {
	if err := m.copy(ctx, part, from); err != nil {
		return nil, err
	}
	d := m.session.engine.Dialect()
	columns := d.Idents(m.table.Stored())
	insert := "INSERT INTO " + d.Table(m.table.Name) + " (" + columns + ") SELECT " + columns + " FROM " + m.staging
	n, err := m.session.Exec(ctx, insert+" ON CONFLICT DO NOTHING")
	if err != nil || n == part.NumRows() {
		return nil, err
	}
	if err := m.exec(ctx, "ROLLBACK TO SAVEPOINT part"); err != nil {
		return nil, err
	}
	if err := m.copy(ctx, part, from); err != nil {
		return nil, err
	}
	existing, err := m.separate(ctx)
	if err != nil {
		return nil, err
	}
	n, err = m.session.Exec(ctx, insert) // a job that the part has twice is an error here
	if err == nil && n != part.NumRows()-int64(len(existing)) {
		err = &database.ValueError{Column: m.table.Name.String(), Reason: "a trigger of the database leaves it out"}
	}
	return existing, err
}

// separate takes the rows that the table has out of the temporary table.
func (m *merge) separate(ctx context.Context) ([]int, error) {
	d := m.session.engine.Dialect()
	var same []string
	for _, c := range m.table.Columns[:m.table.Key] {
		same = append(same, "s."+d.Ident(c.Stored)+" = t."+d.Ident(c.Stored))
	}
	var existing []int
	err := m.session.Query(ctx, func(scan func(...any) error) error {
		var row int
		err := scan(&row)
		existing = append(existing, row)
		return err
	}, "DELETE FROM "+m.staging+" s USING "+d.Table(m.table.Name)+" t WHERE "+strings.Join(same, " AND ")+" RETURNING s."+d.Ident(rowColumn))
	return existing, err
}

// copy copies the part into the temporary table.
func (m *merge) copy(ctx context.Context, part arrow.Record, from int) error {
	conn := m.session.conn
	columns := append([]string{rowColumn}, m.table.Stored()...)
	_, err := conn.CopyFrom(ctx, pgx.Identifier{strings.Trim(m.staging, `"`)}, columns, newSource(m.table, part, from))
	var answer *pgconn.PgError
	if err == nil || errors.As(err, &answer) || conn.IsClosed() {
		return m.session.lost(err)
	}
	if ctx.Err() != nil {
		return err
	}
	return &database.ValueError{Column: m.table.Name.String(), Reason: err.Error()} // it could not be encoded
}
