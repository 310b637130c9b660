//go:build unix

package testserver

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/go-sql-driver/mysql"
)

// MariaDB gives a test a fresh database and returns its DSN for go-sql-driver
// (USER@tcp(HOST:PORT)/NAME), whose account may do everything in it. The
// database is dropped when the test ends.
func MariaDB(t testing.TB) string {
	t.Helper()
	admin := os.Getenv("TEST_MYSQL_DSN")
	if admin == "" {
		admin = mariadbDSN(shared(t, mariadbProgram(t)).address())
	}
	config, err := mysql.ParseDSN(admin)
	if err != nil {
		t.Fatal("TEST_MYSQL_DSN is not a DSN") // not the DSN itself: it may hold a password
	}
	name := freshName()
	execMariaDB(t, admin, "CREATE DATABASE "+name+" CHARACTER SET utf8mb4")
	t.Cleanup(func() { execMariaDB(t, admin, "DROP DATABASE "+name) })
	config.DBName = name
	return config.FormatDSN()
}

func mariadbDSN(address string) string { return "root@tcp(" + address + ")/" }

// mariadbProgram trades durability for speed: the data is scratch.
func mariadbProgram(t testing.TB) program {
	t.Helper()
	install := systemBinary(t, "mariadb-install-db", "mariadb-server")
	mariadbd := systemBinary(t, "mariadbd", "mariadb-server")
	return program{
		name:    "mariadb",
		account: "mysql",
		quit:    syscall.SIGTERM,
		prepare: func(s *server) error {
			return s.run(install, "--no-defaults", "--datadir="+filepath.Join(s.dir, "data"),
				"--auth-root-authentication-method=normal", "--skip-test-db")
		},
		command: func(s *server) []string {
			return []string{
				mariadbd, "--no-defaults", "--datadir=" + filepath.Join(s.dir, "data"),
				"--bind-address=127.0.0.1", "--port=" + strconv.Itoa(s.port),
				"--socket=" + filepath.Join(s.dir, "socket"), "--pid-file=" + filepath.Join(s.dir, "pid"),
				"--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=64M",
				"--innodb-fast-shutdown=2", "--skip-log-bin",
			}
		},
		ready: func(ctx context.Context, address string) error {
			return withMariaDB(mariadbDSN(address), func(db *sql.DB) error { return db.PingContext(ctx) })
		},
	}
}

func execMariaDB(t testing.TB, dsn, statement string) {
	t.Helper()
	ctx, cancel := requests()
	defer cancel()
	err := withMariaDB(dsn, func(db *sql.DB) error {
		_, err := db.ExecContext(ctx, statement)
		return err
	})
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// withMariaDB opens a connection for one call. The driver is told to be quiet:
// it prints a line for every connection that is refused while the server starts.
func withMariaDB(dsn string, do func(*sql.DB) error) error {
	config, err := mysql.ParseDSN(dsn)
	if err != nil {
		return err
	}
	config.Logger = &mysql.NopLogger{}
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return err
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	return do(db)
}
