package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/adteco/docarchive/docextract/docextracttest"
	"github.com/adteco/docarchive/internal/testserver"
)

// examined runs doctor with the settings that take the place of the small
// configuration's, and returns the status and the states by area and check.
func examined(t *testing.T, bucket, cache, database string) (status int, states map[string]checkup) {
	t.Helper()
	sim, err := docextracttest.New(docextracttest.Config{Jobs: 20, Key: scriptKey}).Start()
	if err != nil {
		t.Fatal(err)
	}
	defer sim.Close()
	dir := t.TempDir()
	text := "api: {key: \"${DOCEXTRACT_API_KEY}\", base_url: " + sim.URL + "}\ncache: " + cache + "\narchive: " + bucket +
		"\npipelines:\n  jobs:\n    sinks:\n      - {type: parquet}\n"
	if database != "" {
		text += "      - {type: database, url: \"" + database + "\"}\n"
	}
	path := filepath.Join(dir, "jobs.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	status = run(system{
		args: []string{"doctor", "-o", "json", "-c", path},
		getenv: func(name string) (string, bool) {
			if name == "DOCEXTRACT_API_KEY" {
				return scriptKey, true
			}
			return dir, name == "DOCARCHIVE_CACHE_DIR" || name == "DOCARCHIVE_SPOOL"
		},
		stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr, exit: func(int) {},
	})
	var got struct{ Checks []checkup }
	if err := json.Unmarshal(stdout.Bytes(), &got); err != nil {
		t.Fatalf("%v in %q, %s", err, stdout.String(), stderr.String())
	}
	states = map[string]checkup{}
	for _, c := range got.Checks {
		states[c.Area+"/"+c.Check] = c
	}
	return status, states
}

// wantState checks what one check found.
func wantState(t *testing.T, states map[string]checkup, check, state, found string) {
	t.Helper()
	if got := states[check]; got.State != state || !strings.Contains(got.Found, found) {
		t.Errorf("%s is %+v, want %s with %q", check, got, state, found)
	}
}

// TestDoctorS3 examines a bucket that is in order, and one that takes no writes.
func TestDoctorS3(t *testing.T) {
	bucket := testserver.S3(t)
	status, states := examined(t, bucket, "embedded", "")
	wantState(t, states, "bucket/conditional writes", healthOK, "")
	wantState(t, states, "bucket/copy, list, delete", healthOK, "")
	if _, has := states["bucket/unfinished uploads"]; !has || status != 0 {
		t.Errorf("status %d, %+v", status, states)
	}
	u, err := url.Parse(bucket)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	target, err := url.Parse(q.Get("endpoint"))
	if err != nil {
		t.Fatal(err)
	}
	forward := &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(target); r.Out.Host = r.In.Host },
		Transport: &http.Transport{DisableKeepAlives: true},
	}
	readOnly := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte("<Error><Code>AccessDenied</Code></Error>"))
			return
		}
		forward.ServeHTTP(w, r)
	}))
	defer readOnly.Close()
	q.Set("endpoint", readOnly.URL)
	u.RawQuery = q.Encode()
	status, states = examined(t, u.String(), "embedded", "")
	wantState(t, states, "bucket/archive", healthOK, "no archive yet")
	wantState(t, states, "bucket/conditional writes", healthFail, "refuses access")
	if status != exitRefused {
		t.Errorf("status %d", status)
	}
}

// TestDoctorRedis examines one that drops what it likes, and one that is away.
func TestDoctorRedis(t *testing.T) {
	server := testserver.Redis(t, testserver.Args("--maxmemory", "50mb", "--maxmemory-policy", "allkeys-lru"))
	status, states := examined(t, "mem://", server.URL, "")
	wantState(t, states, "redis/reachable", healthOK, "master")
	wantState(t, states, "redis/memory", healthWarn, "allkeys-lru")
	if status != exitDone {
		t.Errorf("status %d", status)
	}
	status, states = examined(t, "mem://", "redis://127.0.0.1:1/0", "")
	wantState(t, states, "redis/reachable", healthWarn, "")
	if status != exitDone {
		t.Errorf("away: status %d", status)
	}
}

// TestDoctorPostgres examines a database in which tables may be made, and one in
// which they may not. None is left in either.
func TestDoctorPostgres(t *testing.T) {
	location := testserver.Postgres(t)
	conn, err := pgx.Connect(t.Context(), location)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	status, states := examined(t, "mem://", "embedded", location)
	wantState(t, states, "database of jobs/tables", healthOK, "PostgreSQL")
	if status != exitDone {
		t.Errorf("status %d", status)
	}
	if _, err := conn.Exec(t.Context(), "DROP ROLE IF EXISTS doctor_reader"); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "CREATE ROLE doctor_reader LOGIN PASSWORD 's3cr3t-of-reader'"); err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = conn.Exec(context.Background(), "DROP ROLE doctor_reader") }()
	u, err := url.Parse(location)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword("doctor_reader", "s3cr3t-of-reader")
	status, states = examined(t, "mem://", "embedded", u.String())
	wantState(t, states, "database of jobs/tables", healthFail, "permission denied")
	if got := states["database of jobs/tables"]; status != exitConfig || strings.Contains(got.Found, "s3cr3t") {
		t.Errorf("status %d, %+v", status, got)
	}
	var tables int
	if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").Scan(&tables); err != nil || tables != 0 {
		t.Errorf("%d tables are left, %v", tables, err)
	}
}
