//go:build unix

package testserver

import (
	"context"
	"database/sql"
	"testing"

	"github.com/jackc/pgx/v5"
)

// session is what the test needs of either database.
type session interface {
	exec(ctx context.Context, statement string) error
	text(ctx context.Context, query string) (string, error)
}

type postgresSession struct{ *pgx.Conn }

func (s postgresSession) exec(ctx context.Context, statement string) error {
	_, err := s.Exec(ctx, statement)
	return err
}

func (s postgresSession) text(ctx context.Context, query string) (got string, err error) {
	return got, s.QueryRow(ctx, query).Scan(&got)
}

type mariadbSession struct{ *sql.DB }

func (s mariadbSession) exec(ctx context.Context, statement string) error {
	_, err := s.ExecContext(ctx, statement)
	return err
}

func (s mariadbSession) text(ctx context.Context, query string) (got string, err error) {
	return got, s.QueryRowContext(ctx, query).Scan(&got)
}

func openPostgres(t *testing.T, location string) (session, error) {
	conn, err := pgx.Connect(t.Context(), location)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return postgresSession{conn}, nil
}

func openMariaDB(t *testing.T, dsn string) (session, error) {
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = db.Close() })
	return mariadbSession{db}, db.PingContext(t.Context())
}

func TestDatabases(t *testing.T) {
	servers := map[string]struct {
		fresh func(testing.TB) string
		open  func(*testing.T, string) (session, error)
	}{
		"postgres": {Postgres, openPostgres},
		"mariadb":  {MariaDB, openMariaDB},
	}
	for name, server := range servers {
		t.Run(name, func(t *testing.T) {
			var ended string
			t.Run("fresh database", func(t *testing.T) {
				ctx := t.Context()
				ended = server.fresh(t)
				var last session
				for _, location := range []string{ended, server.fresh(t)} { // the same table twice: they are apart
					s, err := server.open(t, location)
					if err != nil {
						t.Fatal(err)
					}
					if err := s.exec(ctx, "CREATE TABLE jobs (id TEXT)"); err != nil {
						t.Fatal(err)
					}
					last = s
				}
				if err := last.exec(ctx, "INSERT INTO jobs VALUES ('é😀')"); err != nil {
					t.Fatal(err)
				}
				if got, err := last.text(ctx, "SELECT id FROM jobs"); got != "é😀" || err != nil {
					t.Errorf("read back %q, %v", got, err)
				}
			})
			if _, err := server.open(t, ended); err == nil {
				t.Error("the database outlived its test")
			}
		})
	}
}

func TestPostgresEnds(t *testing.T) { checkEnds(t, postgresProgram(t)) }
func TestMariaDBEnds(t *testing.T)  { checkEnds(t, mariadbProgram(t)) }
