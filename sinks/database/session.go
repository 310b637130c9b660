package database

import (
	"context"
	"database/sql"
	"errors"
)

// SQL is one connection of a database/sql driver. It holds a pool of its own,
// so that closing it closes the connection, whatever state that is in.
type SQL struct {
	Conn *sql.Conn
	pool *sql.DB
}

// ConnectSQL takes the pool over and opens its one connection.
func ConnectSQL(ctx context.Context, pool *sql.DB) (*SQL, error) {
	pool.SetMaxOpenConns(1)
	c, err := pool.Conn(ctx)
	if err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	return &SQL{c, pool}, nil
}

// Exec implements [Session].
func (s *SQL) Exec(ctx context.Context, statement string, args ...any) (int64, error) {
	result, err := s.Conn.ExecContext(ctx, statement, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// Query implements [Session].
func (s *SQL) Query(ctx context.Context, each func(scan func(dest ...any) error) error, statement string, args ...any) (err error) {
	rows, err := s.Conn.QueryContext(ctx, statement, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := each(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Close implements [Session].
func (s *SQL) Close() error { return errors.Join(s.Conn.Close(), s.pool.Close()) }
