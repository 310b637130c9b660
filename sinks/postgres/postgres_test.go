package postgres_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/adteco/docarchive/internal/testserver"
	"github.com/adteco/docarchive/pipeline"
	"github.com/adteco/docarchive/sinks/database"
	"github.com/adteco/docarchive/sinks/database/databasetest"
	"github.com/adteco/docarchive/sinks/postgres"
)

func TestMain(m *testing.M) { testserver.Main(m) }

func TestSuite(t *testing.T) {
	databasetest.Run(t, func(t *testing.T) *databasetest.Database {
		location := testserver.Postgres(t)
		conn := connect(t, location)
		if _, err := conn.Exec(t.Context(), `CREATE SCHEMA "Bill's"`); err != nil {
			t.Fatal(err)
		}
		return &databasetest.Database{
			Open: func(o database.Options) (pipeline.Warehouse, error) {
				return postgres.Open(t.Context(), location, o)
			},
			Query:  func(statement string) ([][]any, error) { return query(t.Context(), conn, statement) },
			Ident:  databasetest.DoubleQuoted,
			Schema: "Bill's",
			Poison: []func(string) string{
				func(id string) string { return databasetest.Job(id, `{"note":"a\u0000b"}`) },
			},
			TooWide: []int{1600},
			Renamed: []string{"xmin", "xmax", "ctid", "tableoid"},
		}
	})
}

func connect(t testing.TB, location string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), location)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) }) // the test's own context has ended
	return conn
}

// query carries out a statement without preparing it, since tables change
// between two of the same text.
func query(ctx context.Context, conn *pgx.Conn, statement string) ([][]any, error) {
	rows, err := conn.Query(ctx, statement, pgx.QueryExecModeExec)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) ([]any, error) {
		values, err := row.Values()
		for i, v := range values {
			values[i] = plain(v)
		}
		return values, err
	})
}

// plain writes numbers as text, also within lists.
func plain(v any) any {
	switch v := v.(type) {
	case pgtype.Numeric:
		text, err := v.Value()
		if err != nil {
			return err.Error()
		}
		return text
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	}
	return v
}

func BenchmarkLoad(b *testing.B) {
	location := testserver.Postgres(b)
	databasetest.Benchmark(b, func(o database.Options) (pipeline.Warehouse, error) {
		return postgres.Open(b.Context(), location, o)
	})
}
