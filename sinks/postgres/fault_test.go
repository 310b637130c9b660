package postgres_test

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/adteco/docarchive/internal/testserver"
	"github.com/adteco/docarchive/internal/testserver/faultproxy"
	"github.com/adteco/docarchive/pipeline"
	"github.com/adteco/docarchive/sinks/database"
	"github.com/adteco/docarchive/sinks/database/databasetest"
	"github.com/adteco/docarchive/sinks/postgres"
)

func options() database.Options {
	return database.Options{Pipeline: "invoices", ArchiveID: databasetest.Record(1).ArchiveID, Tries: 3}
}

// behindProxy returns a warehouse whose connections go through the proxy, and a
// connection that does not.
func behindProxy(t *testing.T, o database.Options) (pipeline.Warehouse, *faultproxy.Proxy, *pgx.Conn) {
	t.Helper()
	location := testserver.Postgres(t)
	u, err := url.Parse(location)
	if err != nil {
		t.Fatal(err)
	}
	proxy := faultproxy.New(t, u.Host)
	u.Host = proxy.Addr
	w, err := postgres.Open(t.Context(), u.String(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() }) // the proxy may have broken the connection
	return w, proxy, connect(t, location)
}

func count(t *testing.T, conn *pgx.Conn, table string) (n int) {
	t.Helper()
	if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM "+table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// holdCommits makes the server hold every COMMIT that has written to the log
// for as long as the test holds an advisory lock, though the client cancels it.
const holdCommits = `
CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN LOOP
BEGIN PERFORM pg_advisory_xact_lock(42); RETURN NULL; EXCEPTION WHEN query_canceled THEN NULL; END;
END LOOP; END $$;
CREATE CONSTRAINT TRIGGER hold AFTER INSERT ON docarchive_log DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION hold();`

// TestCommitInDoubt breaks the connection while the server carries out the
// COMMIT: the client is told nothing, and the commit succeeds.
func TestCommitInDoubt(t *testing.T) {
	w, proxy, conn := behindProxy(t, options())
	f := databasetest.NewFlattener(t, nil)
	if _, err := w.Load(t.Context(), databasetest.Record(1), databasetest.Feed(f.Batches(databasetest.Job("job_1", `{}`))...)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), holdCommits+"SELECT pg_advisory_lock(42);"); err != nil {
		t.Fatal(err)
	}
	batches := f.Batches(databasetest.Job("job_2", `{}`), databasetest.Job("job_3", `{}`))
	passes := 0
	type result struct {
		loaded pipeline.Loaded
		err    error
	}
	done := make(chan result)
	go func() {
		loaded, err := w.Load(t.Context(), databasetest.Record(2), func(yield func(pipeline.Batch) error) error {
			passes++
			return databasetest.Feed(batches...)(yield)
		})
		done <- result{loaded, err}
	}()
	waitFor(t, conn, "the COMMIT to wait", "SELECT count(*) = 1 FROM pg_stat_activity WHERE query = 'COMMIT' AND wait_event_type = 'Lock'")
	proxy.Down()
	proxy.Up()
	// The second attempt's claim waits for the first one's fate.
	waitFor(t, conn, "the next claim to wait", "SELECT count(*) = 1 FROM pg_stat_activity WHERE query LIKE 'INSERT INTO%docarchive_log%' AND wait_event_type = 'Lock'")
	if _, err := conn.Exec(t.Context(), "SELECT pg_advisory_unlock(42)"); err != nil {
		t.Fatal(err)
	}
	got := <-done
	if got.err != nil || got.loaded.Rows != 2 || len(got.loaded.Rejected) != 0 {
		t.Errorf("load: %+v, %v", got.loaded, got.err)
	}
	if passes != 1 {
		t.Errorf("the batches were read %d times, though the first transaction was committed", passes)
	}
	if jobs, records := count(t, conn, "invoices"), count(t, conn, "docarchive_log"); jobs != 3 || records != 2 {
		t.Errorf("%d jobs, %d records, want 3 and 2", jobs, records)
	}
}

// TestCommitUndone is the other outcome: the connection breaks and the server
// rolls back.
func TestCommitUndone(t *testing.T) {
	w, proxy, conn := behindProxy(t, options())
	f := databasetest.NewFlattener(t, nil)
	if _, err := w.Load(t.Context(), databasetest.Record(1), databasetest.Feed()); err != nil {
		t.Fatal(err)
	}
	batches := f.Batches(databasetest.Job("job_2", `{}`))
	passes := 0
	loaded, err := w.Load(t.Context(), databasetest.Record(2), func(yield func(pipeline.Batch) error) error {
		passes++
		if err := databasetest.Feed(batches...)(yield); err != nil {
			return err
		}
		if passes == 2 { // the first pass sees only that the table is missing
			proxy.Down()
			proxy.Up()
		}
		return nil
	})
	if err != nil || loaded.Rows != 1 || passes != 3 {
		t.Errorf("load: %+v, %v after %d passes, want 3", loaded, err, passes)
	}
	if n := count(t, conn, "invoices"); n != 1 {
		t.Errorf("%d jobs, want 1", n)
	}
}

// waitFor waits until the statement says true, within the test's own time.
func waitFor(t *testing.T, conn *pgx.Conn, what, statement string) {
	t.Helper()
	for range 20_000 {
		var done bool
		if err := conn.QueryRow(t.Context(), statement).Scan(&done); err != nil {
			t.Fatal(err)
		}
		if done {
			return
		}
		if _, err := conn.Exec(t.Context(), "SELECT pg_sleep(0.001)"); err != nil {
			t.Fatal(err)
		}
	}
	t.Fatalf("waited in vain for %s", what)
}

// TestAway finds no server, and one again.
func TestAway(t *testing.T) {
	o := options()
	o.Tries = 2
	w, proxy, _ := behindProxy(t, o)
	proxy.Down()
	_, err := w.Load(t.Context(), databasetest.Record(1), databasetest.Feed())
	var away *database.AwayError
	if !errors.As(err, &away) {
		t.Errorf("got %v, want an AwayError", err)
	}
	if _, err := w.Loaded(t.Context(), "invoices"); !errors.As(err, &away) {
		t.Errorf("Loaded: got %v, want an AwayError", err)
	}
	proxy.Up()
	if _, err := w.Load(t.Context(), databasetest.Record(1), databasetest.Feed()); err != nil {
		t.Errorf("after the server is back: %v", err)
	}
}

// TestRepeated lets the server break off a transaction for a reason that
// passes.
func TestRepeated(t *testing.T) {
	w, _, conn := behindProxy(t, options())
	f := databasetest.NewFlattener(t, nil)
	if _, err := w.Load(t.Context(), databasetest.Record(1), databasetest.Feed(f.Batches(databasetest.Job("job_1", `{}`))...)); err != nil {
		t.Fatal(err)
	}
	for i, code := range []string{"40001", "40P01", "55P03", "57P01", "53300", "53100", "25006"} {
		_, err := conn.Exec(t.Context(), strings.ReplaceAll(`
DROP TRIGGER IF EXISTS fail ON invoices;
DROP SEQUENCE IF EXISTS attempts;
CREATE SEQUENCE attempts; -- counts on though the transaction is undone
CREATE OR REPLACE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
IF nextval('attempts') < 3 THEN RAISE EXCEPTION 'passing' USING ERRCODE = '{code}'; END IF; RETURN NULL; END $$;
CREATE TRIGGER fail AFTER INSERT ON invoices FOR EACH STATEMENT EXECUTE FUNCTION fail();`, "{code}", code))
		if err != nil {
			t.Fatal(err)
		}
		id := "job_" + code
		loaded, err := w.Load(t.Context(), databasetest.Record(i+2), databasetest.Feed(f.Batches(databasetest.Job(id, `{}`))...))
		if err != nil || loaded.Rows != 1 || len(loaded.Rejected) != 0 {
			t.Errorf("%s: %+v, %v", code, loaded, err)
		}
		if n := count(t, conn, "invoices WHERE job_id = '"+id+"'"); n != 1 {
			t.Errorf("%s: %d rows", code, n)
		}
	}
}

// TestURL checks what is said of URLs that do not work.
func TestURL(t *testing.T) {
	const secret = "s3cr3t"
	for _, location := range []string{
		"postgres://user:" + secret + "@host:port/db",
		"postgres://user:" + secret + "@host/db?sslmode=sometimes",
		"postgres://user:" + secret + "%zz@host/db",
		"mysql://user:" + secret + "@host/db",
		"postgres://user@host/db?sslmode=sometimes&password=" + secret,
	} {
		_, err := postgres.Open(t.Context(), location, options())
		if err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("error %v", err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	w, err := postgres.Open(ctx, "postgres://user:"+secret+"@127.0.0.1:1/db", options())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Loaded(ctx, "invoices"); err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("error %v", err)
	}
	cancel()
	if _, err := w.Loaded(ctx, "invoices"); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestTrigger has rows left out by a trigger, of which the server says nothing.
func TestTrigger(t *testing.T) {
	w, _, conn := behindProxy(t, options())
	f := databasetest.NewFlattener(t, nil)
	if _, err := w.Load(t.Context(), databasetest.Record(1), databasetest.Feed(f.Batches(databasetest.Job("job_1", `{}`))...)); err != nil {
		t.Fatal(err)
	}
	_, err := conn.Exec(t.Context(), `
CREATE FUNCTION skip() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.job_id = 'job_3' THEN RETURN NULL; END IF; RETURN NEW; END $$;
CREATE TRIGGER skip BEFORE INSERT ON invoices FOR EACH ROW EXECUTE FUNCTION skip();`)
	if err != nil {
		t.Fatal(err)
	}
	var jobs []string
	for _, id := range []string{"job_1", "job_2", "job_3", "job_4"} {
		jobs = append(jobs, databasetest.Job(id, `{}`))
	}
	loaded, err := w.Load(t.Context(), databasetest.Record(2), databasetest.Feed(f.Batches(jobs...)...))
	if err != nil || loaded.Rows != 2 || len(loaded.Rejected) != 2 {
		t.Errorf("load: %+v, %v", loaded, err)
	}
	if n := count(t, conn, "invoices"); n != 3 {
		t.Errorf("%d jobs, want 3", n)
	}
}
