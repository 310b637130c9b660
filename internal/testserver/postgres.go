//go:build unix

package testserver

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Postgres gives a test a fresh database and returns its URL
// (postgres://…?sslmode=disable), whose account may do everything in it. The
// database is dropped when the test ends, open connections or not.
func Postgres(t testing.TB) string {
	t.Helper()
	admin := os.Getenv("TEST_POSTGRES_URL")
	if admin == "" {
		admin = postgresURL(shared(t, postgresProgram(t)).address())
	}
	location, err := url.Parse(admin)
	if err != nil {
		t.Fatal("TEST_POSTGRES_URL is not a URL") // not the URL itself: it may hold a password
	}
	name := freshName()
	execPostgres(t, admin, "CREATE DATABASE "+name)
	t.Cleanup(func() { execPostgres(t, admin, "DROP DATABASE "+name+" WITH (FORCE)") })
	location.Path = "/" + name
	return location.String()
}

// PostgresReplica starts a server of the test's own that is a hot standby, and
// returns its URL. It takes no write until somebody calls pg_promote().
func PostgresReplica(t testing.TB) string {
	t.Helper()
	p := postgresProgram(t)
	initialize := p.prepare
	p.prepare = func(s *server) error {
		if err := initialize(s); err != nil {
			return err
		}
		// Whoever owns the folder need not own the file, which is only looked for.
		return os.WriteFile(filepath.Join(s.dir, "data", "standby.signal"), nil, 0o644)
	}
	s, err := start(p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
	})
	s.explain(t)
	return postgresURL(s.address())
}

func postgresURL(address string) string {
	return "postgres://postgres@" + address + "/postgres?sslmode=disable"
}

// postgresProgram trades durability for speed: the data is scratch.
func postgresProgram(t testing.TB) program {
	t.Helper()
	bin := systemDirs()
	initdb := findBinary("initdb", bin...)
	postgres := findBinary("postgres", bin...)
	if initdb == "" || postgres == "" {
		missing(t, "postgres is not installed: run apt-get install postgresql, or make servers as root")
	}
	return program{
		name:    "postgres",
		account: "postgres",
		quit:    syscall.SIGQUIT, // immediate shutdown
		prepare: func(s *server) error {
			return s.run(initdb, "-D", filepath.Join(s.dir, "data"), "-U", "postgres",
				"--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
		},
		command: func(s *server) []string {
			return []string{
				postgres, "-D", filepath.Join(s.dir, "data"), "-p", strconv.Itoa(s.port),
				"-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=" + s.dir,
				"-c", "fsync=off", "-c", "full_page_writes=off", "-c", "synchronous_commit=off",
				"-c", "log_checkpoints=off",
			}
		},
		ready: func(ctx context.Context, address string) error {
			conn, err := pgx.Connect(ctx, postgresURL(address))
			if err != nil {
				return err
			}
			return conn.Close(ctx)
		},
	}
}

func execPostgres(t testing.TB, location, statement string) {
	t.Helper()
	ctx, cancel := requests()
	defer cancel()
	conn, err := pgx.Connect(ctx, location)
	if err != nil {
		t.Fatalf("connect to postgres: %v", err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}
