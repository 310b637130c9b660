package sqlite_test

import (
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/adteco/docarchive/pipeline"
	"github.com/adteco/docarchive/sinks/database"
	"github.com/adteco/docarchive/sinks/database/databasetest"
	"github.com/adteco/docarchive/sinks/sqlite"
)

func TestSuite(t *testing.T) {
	databasetest.Run(t, func(t *testing.T) *databasetest.Database {
		path := filepath.Join(t.TempDir(), "new folder%3F", "a&b.db")
		return &databasetest.Database{
			Open: func(o database.Options) (pipeline.Warehouse, error) {
				return sqlite.Open(t.Context(), "sqlite://"+filepath.ToSlash(filepath.Dir(filepath.Dir(path)))+"/new%20folder%253F/a&b.db", o)
			},
			Query:  func(statement string) ([][]any, error) { return query(t, path, statement) },
			Ident:  databasetest.DoubleQuoted,
			Schema: "main",
			Poison: []func(string) string{
				func(id string) string { return databasetest.Job(id, `{}`) },
			},
			Guard:   []string{`CREATE TRIGGER guard BEFORE INSERT ON invoices WHEN NEW.job_id LIKE 'bad%' BEGIN SELECT RAISE(ABORT, 'refused'); END`},
			Renamed: []string{"rowid", "oid", "_rowid_"},
		}
	})
}

func query(t *testing.T, path, statement string) ([][]any, error) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	return databasetest.QuerySQL(t.Context(), db, statement)
}

func BenchmarkLoad(b *testing.B) {
	path := filepath.ToSlash(filepath.Join(b.TempDir(), "warehouse.db"))
	databasetest.Benchmark(b, func(o database.Options) (pipeline.Warehouse, error) {
		return sqlite.Open(b.Context(), "sqlite://"+path, o)
	})
}
