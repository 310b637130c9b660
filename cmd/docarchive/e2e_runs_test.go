package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/adteco/docarchive/internal/testserver"
)

const runsConfig = `
api: {base_url: API, key: sk_test_adversary}
archive: ARCHIVE
pipelines:
  all:
    since: 3d
    extractor: ext_invoice
    sinks:
      - type: parquet
      - {type: database, url: "DATABASE", table: invoices}
`

// redefined stands before the simulator and says of ext_invoice what it is told.
func redefined(t *testing.T, a *adversary) (base string, fields *atomic.Value) {
	t.Helper()
	target, err := url.Parse(a.running.URL)
	if err != nil {
		t.Fatal(err)
	}
	fields = new(atomic.Value)
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: target.Scheme, Host: target.Host})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/extractors/ext_invoice") {
			proxy.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		if _, err := io.WriteString(w, fmt.Sprintf(
			`{"id":"ext_invoice","name":"Invoices","document_type":"invoice","is_active":true,"field_definitions":%s}`, fields.Load())); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL + target.Path, fields
}

// TestTwoRunsReadAsOne has two runs archive documents that contradict one
// another: a field of another type, new fields, another definition. One query
// reads both, in DuckDB from the files and in PostgreSQL from the table.
func TestTwoRunsReadAsOne(t *testing.T) {
	a := newAdversary(t, 0, nil, nil)
	base, fields := redefined(t, a)
	database := testserver.Postgres(t)
	config := strings.NewReplacer("API", base, "DATABASE", database).Replace(runsConfig)

	fields.Store(`[{"name":"net","type":"currency"},{"name":"due","type":"date"}]`)
	a.add("job_a", 26*time.Hour, `{"net":10.5,"due":"2026-12-01","ref":"A-1"}`)
	a.add("job_b", 25*time.Hour, `{"net":-0.0001,"due":"soon","ref":"A-2"}`)
	mustRun := func(args ...string) string {
		t.Helper()
		status, stdout, stderr := a.run(config, args...)
		if status != exitDone {
			t.Fatalf("%v: exit %d\n%s%s", args, status, stdout, stderr)
		}
		return stdout
	}
	mustRun("run")
	a.now = a.now.Add(2 * time.Hour)
	fields.Store(`[{"name":"net","type":"text"},{"name":"due","type":"date"},{"name":"delivered","type":"date"}]`)
	a.add("job_c", 24*time.Hour, `{"net":"ten","due":"2027-01-31","ref":7,"delivered":"2026-11-20","extra":{"checked":true}}`)
	a.add("job_d", 23*time.Hour, `{"net":1e-9,"ref":["B"],"delivered":1}`)
	mustRun("run")

	const columns = "job_id, net, net__text, due, due__text, ref, ref__text, delivered, delivered__text, extra__checked"
	want := [][]string{
		{"job_a", "10.5000", "NULL", "2026-12-01", "NULL", "A-1", "NULL", "NULL", "NULL", "NULL"},
		{"job_b", "-0.0001", "NULL", "NULL", "soon", "A-2", "NULL", "NULL", "NULL", "NULL"},
		{"job_c", "NULL", "ten", "2027-01-31", "NULL", "NULL", "7", "2026-11-20", "NULL", "true"},
		{"job_d", "NULL", "1e-9", "NULL", "NULL", "NULL", `["B"]`, "NULL", "1", "NULL"},
	}
	duck := testserver.DuckDB(t)
	both := fmt.Sprintf("read_parquet('%s/all/*.parquet', union_by_name=true)", a.archive())
	if diff := cmp.Diff(want, duck.Query("SELECT "+columns+" FROM "+both+" ORDER BY job_id")); diff != "" {
		t.Errorf("DuckDB (-want +got): %s", diff)
	}
	if diff := cmp.Diff(want, query(t, database, "SELECT "+columns+" FROM invoices ORDER BY job_id")); diff != "" {
		t.Errorf("PostgreSQL (-want +got): %s", diff)
	}
	// A file that is newer than a column has it, so that a query of such files
	// alone needs no union.
	alone := 0
	for _, name := range parquetBelow(t, filepath.Join(a.archive(), "all")) {
		if strings.Contains(name, "-000002-") {
			alone += len(duck.Query("SELECT " + columns + " FROM '" + name + "'"))
		}
	}
	if alone != 2 {
		t.Errorf("%d rows in the files of the second run", alone)
	}
	a.checkTwoSchemas(mustRun)
	a.checkDDL(mustRun("schema", "all", "--ddl", "postgres"), database, columns, want)
	for version, field := range map[string]string{"000001": `"currency"`, "000002": `"delivered"`} {
		data, err := os.ReadFile(filepath.Join(a.archive(), "_archive/extractors/ext_invoice", version+".json"))
		if err != nil || !strings.Contains(string(data), field) {
			t.Errorf("definition %s has no %s: %v\n%s", version, field, err, data)
		}
	}
}

// checkTwoSchemas compares what schema --diff says with what changed.
func (a *adversary) checkTwoSchemas(mustRun func(...string) string) {
	a.t.Helper()
	runs := a.runIDs()
	var changes []schemaChange
	if err := json.Unmarshal([]byte(mustRun("schema", "all", "--diff", runs[0], runs[1], "-o", "json")), &changes); err != nil {
		a.t.Fatal(err)
	}
	added := map[string]string{}
	for _, c := range changes[0].Added {
		added[c.Name] = string(c.Type)
	}
	want := map[string]string{
		"net__text": "utf8", "ref__text": "utf8", "delivered": "date32", "delivered__text": "utf8", "extra__checked": "bool",
	}
	if diff := cmp.Diff(want, added); diff != "" || len(changes) != 1 || len(changes[0].Removed) > 0 {
		a.t.Errorf("schema --diff: %d datasets, %d columns removed, added (-want +got): %s", len(changes), len(changes[0].Removed), diff)
	}
	table := mustRun("schema", "all", "--diff", runs[0], runs[1])
	for name, kind := range want {
		if line := fmt.Sprintf(" %s ", name); !strings.Contains(table, line) || !strings.Contains(table, kind) {
			a.t.Errorf("schema --diff does not show %s %s:\n%s", name, kind, table)
		}
	}
	if strings.Contains(table, " job_id ") {
		a.t.Errorf("schema --diff shows what did not change:\n%s", table)
	}
}

// checkDDL makes the table that schema --ddl describes and fills it from the one
// that the runs loaded.
func (a *adversary) checkDDL(ddl, database, columns string, want [][]string) {
	a.t.Helper()
	for _, line := range []string{
		`CREATE TABLE "all" (`, `"job_id" text NOT NULL`, `"net" numeric(18,4)`, `"net__text" text`, `"delivered" date`,
		`"extra__checked" boolean`, `"created_at" timestamp with time zone`,
	} {
		if !strings.Contains(ddl, line) {
			a.t.Errorf("schema --ddl postgres has no %s:\n%s", line, ddl)
		}
	}
	query(a.t, database, ddl)
	query(a.t, database, fmt.Sprintf(`INSERT INTO "all" (%s) SELECT %s FROM invoices`, columns, columns))
	if diff := cmp.Diff(want, query(a.t, database, `SELECT `+columns+` FROM "all" ORDER BY job_id`)); diff != "" {
		a.t.Errorf("the table of schema --ddl (-want +got): %s", diff)
	}
}

// query executes one statement in PostgreSQL and returns its rows as text.
func query(t *testing.T, database, statement string) [][]string {
	t.Helper()
	c, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := c.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	results, err := c.PgConn().Exec(t.Context(), statement).ReadAll()
	if err != nil {
		t.Fatalf("%v\n%s", err, statement)
	}
	var rows [][]string
	for _, values := range results[len(results)-1].Rows {
		row := make([]string, len(values))
		for i, value := range values {
			row[i] = "NULL"
			if value != nil {
				row[i] = string(value)
			}
			if row[i] == "t" { // as DuckDB writes it
				row[i] = "true"
			}
		}
		rows = append(rows, row)
	}
	return rows
}
