package postgres_test

import (
	"context"
	"errors"
	"net/url"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/adteco/docarchive/internal/testserver"
	"github.com/adteco/docarchive/pipeline"
	"github.com/adteco/docarchive/sinks/database"
	"github.com/adteco/docarchive/sinks/database/databasetest"
	"github.com/adteco/docarchive/sinks/postgres"
)

func execute(t *testing.T, conn *pgx.Conn, statement string) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// TestReadOnlyReplica is what a client meets whose address leads to the replica
// until that is promoted.
func TestReadOnlyReplica(t *testing.T) {
	location := testserver.PostgresReplica(t)
	w, err := postgres.Open(t.Context(), location, options())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	batches := databasetest.NewFlattener(t, nil).Batches(databasetest.Job("job_1", `{}`))
	_, err = w.Load(t.Context(), databasetest.Record(1), databasetest.Feed(batches...))
	var away *database.AwayError
	if !errors.As(err, &away) {
		t.Errorf("got %v, want an AwayError", err)
	}
	conn := connect(t, location)
	execute(t, conn, "SELECT pg_promote()")
	if loaded, err := w.Load(t.Context(), databasetest.Record(1), databasetest.Feed(batches...)); err != nil || loaded.Rows != 1 {
		t.Errorf("afterwards: %+v, %v", loaded, err)
	}
	if n := count(t, conn, "invoices"); n != 1 {
		t.Errorf("%d jobs, want 1", n)
	}
}

// TestTooManyConnections uses an account that may have one connection, which
// somebody else has.
func TestTooManyConnections(t *testing.T) {
	location := testserver.Postgres(t)
	owner := connect(t, location)
	account := "one_" + owner.Config().Database
	name := pgx.Identifier{account}.Sanitize()
	execute(t, owner, "CREATE ROLE "+name+" LOGIN CONNECTION LIMIT 1; GRANT ALL ON SCHEMA public TO "+name)
	t.Cleanup(func() { dropRole(t, location, name) })
	u, err := url.Parse(location)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.User(account)
	other, err := pgx.Connect(t.Context(), u.String())
	if err != nil {
		t.Fatal(err)
	}
	f := databasetest.NewFlattener(t, nil)
	load := func() (pipeline.Loaded, error) {
		w, err := postgres.Open(t.Context(), u.String(), options())
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := w.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		}()
		return w.Load(t.Context(), databasetest.Record(1), databasetest.Feed(f.Batches(databasetest.Job("job_1", `{}`))...))
	}
	_, err = load()
	var away *database.AwayError
	if !errors.As(err, &away) {
		t.Errorf("got %v, want an AwayError", err)
	}
	if err := other.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	// The server notices it a little later than the client.
	waitFor(t, owner, "the connection to end", "SELECT count(*) = 0 FROM pg_stat_activity WHERE usename = '"+account+"'")
	if loaded, err := load(); err != nil || loaded.Rows != 1 {
		t.Errorf("afterwards: %+v, %v", loaded, err)
	}
}

// dropRole removes an account and what it owns. It has a context of its own:
// that of the test has ended.
func dropRole(t *testing.T, location, name string) {
	ctx := context.WithoutCancel(t.Context())
	conn, err := pgx.Connect(ctx, location)
	if err == nil {
		_, err = conn.Exec(ctx, "DROP OWNED BY "+name+"; DROP ROLE "+name)
		err = errors.Join(err, conn.Close(ctx))
	}
	if err != nil {
		t.Error(err)
	}
}
