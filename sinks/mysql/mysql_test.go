package mysql_test

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	driver "github.com/go-sql-driver/mysql"

	"github.com/adteco/docarchive/internal/testserver"
	"github.com/adteco/docarchive/pipeline"
	"github.com/adteco/docarchive/sinks/database"
	"github.com/adteco/docarchive/sinks/database/databasetest"
	"github.com/adteco/docarchive/sinks/mysql"
)

func TestMain(m *testing.M) { testserver.Main(m) }

// fresh makes a database and returns its URL, its name and a connection.
func fresh(t testing.TB) (location, name string, db *sql.DB) {
	t.Helper()
	dsn := testserver.MariaDB(t)
	config, err := driver.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	db, err = sql.Open("mysql", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	u := url.URL{Scheme: "mysql", User: url.UserPassword(config.User, config.Passwd), Host: config.Addr, Path: "/" + config.DBName}
	return u.String(), config.DBName, db
}

func backquoted(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

func TestSuite(t *testing.T) {
	databasetest.Run(t, func(t *testing.T) *databasetest.Database {
		location, name, db := fresh(t)
		return &databasetest.Database{
			Open: func(o database.Options) (pipeline.Warehouse, error) {
				return mysql.Open(t.Context(), location, o)
			},
			Query:  func(statement string) ([][]any, error) { return databasetest.QuerySQL(t.Context(), db, statement) },
			Ident:  backquoted,
			Schema: name,
			Poison: []func(string) string{
				func(id string) string { return databasetest.Job(id+strings.Repeat("x", 300), `{}`) },
			},
			TooWide: []int{1000, 1100},
			Renamed: []string{"naive", "𝒳𝒴"},
		}
	})
}

// TestTooLong loads a value that is longer than a packet of the server's.
func TestTooLong(t *testing.T) {
	location, _, db := fresh(t)
	var packet int
	if err := db.QueryRow("SELECT @@max_allowed_packet").Scan(&packet); err != nil {
		t.Fatal(err)
	}
	w, err := mysql.Open(t.Context(), location, options())
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	f := databasetest.NewFlattener(t, nil)
	texts := []string{databasetest.Job("job_long", fmt.Sprintf(`{"text":%q}`, strings.Repeat("x", packet+1)))}
	for n := range 20 { // together longer than a packet
		texts = append(texts, databasetest.Job(fmt.Sprintf("job_%d", n), fmt.Sprintf(`{"text":%q}`, strings.Repeat("x", packet/8))))
	}
	loaded, err := w.Load(t.Context(), databasetest.Record(1), databasetest.Feed(f.Batches(texts...)...))
	if err != nil || loaded.Rows != 20 || len(loaded.Rejected) != 1 || loaded.Rejected[0].JobID != "job_long" {
		t.Errorf("%d rows, rejected %+v, %v", loaded.Rows, loaded.Rejected, err)
	}
}

// TestStrict loads into a server that cuts values by default.
func TestStrict(t *testing.T) {
	location, _, db := fresh(t)
	for _, statement := range []string{"SET @before = @@GLOBAL.sql_mode", "SET GLOBAL sql_mode = ''"} {
		if _, err := db.Exec(statement); err != nil {
			t.Skipf("%s: %v", statement, err)
		}
	}
	t.Cleanup(func() {
		if _, err := db.Exec("SET GLOBAL sql_mode = DEFAULT"); err != nil {
			t.Error(err)
		}
	})
	w, err := mysql.Open(t.Context(), location, options())
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	f := databasetest.NewFlattener(t, nil)
	id := "job_" + strings.Repeat("x", 300)
	loaded, err := w.Load(t.Context(), databasetest.Record(1), databasetest.Feed(f.Batches(databasetest.Job(id, `{}`))...))
	if err != nil || len(loaded.Rejected) != 1 {
		t.Errorf("an id that is too long: %+v, %v", loaded, err)
	}
}

func options() database.Options {
	return database.Options{Pipeline: "invoices", ArchiveID: databasetest.Record(1).ArchiveID, Tries: 1}
}

func TestURL(t *testing.T) {
	const secret = "s3cr3t"
	for _, location := range []string{
		"mysql://user:" + secret + "@host:port/db",
		"mysql://user:" + secret + "@host/db?allowAllFiles=true",
		"mysql://user:" + secret + "@host/db?tls=sometimes",
		"mysql://user:" + secret + "%zz@host/db",
		"mysql://user:" + secret + "@host/",
		"postgres://user:" + secret + "@host/db",
	} {
		_, err := mysql.Open(t.Context(), location, options())
		if err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("error %v", err)
		}
	}
	w, err := mysql.Open(t.Context(), "mysql://user:"+secret+"@127.0.0.1:1/db?tls=true", options())
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Loaded(t.Context(), "invoices")
	var away *database.AwayError
	if !errors.As(err, &away) || strings.Contains(err.Error(), secret) {
		t.Errorf("got %v, want an AwayError", err)
	}
}

func BenchmarkLoad(b *testing.B) {
	location, _, _ := fresh(b)
	databasetest.Benchmark(b, func(o database.Options) (pipeline.Warehouse, error) {
		return mysql.Open(b.Context(), location, o)
	})
}

// TestLeftOver goes on after a process that ended between a change of the
// tables and its note, which MySQL cannot do in one.
func TestLeftOver(t *testing.T) {
	location, _, db := fresh(t)
	w, err := mysql.Open(t.Context(), location, options())
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	f := databasetest.NewFlattener(t, nil)
	for n, interruption := range [][]string{
		{"DELETE FROM invoices", "DELETE FROM docarchive_columns"},    // after CREATE TABLE
		{"DELETE FROM docarchive_columns WHERE column_name = 'note'"}, // after ALTER TABLE
		nil,
	} {
		batches := f.Batches(databasetest.Job(fmt.Sprintf("job_%d", n), `{"note":"x"}`))
		loaded, err := w.Load(t.Context(), databasetest.Record(n+1), databasetest.Feed(batches...))
		if err != nil || loaded.Rows != 1 {
			t.Fatalf("load %d: %+v, %v", n, loaded, err)
		}
		for _, statement := range interruption {
			if _, err := db.Exec(statement); err != nil {
				t.Fatal(err)
			}
		}
	}
}
