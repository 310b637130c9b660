package main

import (
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/adteco/docarchive/internal/store"
	"github.com/adteco/docarchive/internal/testserver"
	"github.com/adteco/docarchive/internal/testserver/gcs"
)

// TestEveryStore archives twice into each kind of object store and compares
// what stands there with the truth.
func TestEveryStore(t *testing.T) {
	for name, open := range map[string]func(testing.TB) string{
		"s3": testserver.S3, "gcs": gcs.Bucket, "azure": testserver.Azure,
	} {
		t.Run(name, func(t *testing.T) {
			bucket := open(t)
			redis := testserver.Redis(t)
			a := newAdversary(t, 1500, nil, nil)
			config := strings.Replace(wholeConfig, "archive: ARCHIVE", fmt.Sprintf("archive: %q\ncache: %s", bucket, redis.URL), 1)
			for range 2 {
				if status, stdout, stderr := a.run(config, "run"); status != exitDone {
					t.Fatalf("exit %d\n%s%s", status, stdout, stderr)
				}
				a.now = a.now.Add(30 * time.Hour)
			}
			a.now = a.now.Add(-30 * time.Hour)
			if status, stdout, stderr := a.run(config, "verify"); status != exitDone {
				t.Errorf("verify: exit %d\n%s%s", status, stdout, stderr)
			}
			download(t, bucket, a.archive())
			a.compare("all", a.truth(15*time.Minute))
		})
	}
}

// download copies a bucket into a folder.
func download(t *testing.T, bucket, dir string) {
	t.Helper()
	s, err := store.Open(t.Context(), bucket, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	err = s.List(t.Context(), "", func(o store.Object) (err error) {
		r, err := s.Open(t.Context(), o.Key)
		if err != nil {
			return err
		}
		defer r.Close()
		path := filepath.Join(dir, filepath.FromSlash(o.Key))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		return writeFile(path, func(w io.Writer) error {
			_, err := io.Copy(w, r)
			return err
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestEveryDatabase loads each kind of database beside Parquet files and
// compares the counts, also after an outage that the next run makes up for.
func TestEveryDatabase(t *testing.T) {
	for name, open := range map[string]func(testing.TB) string{
		"postgres": testserver.Postgres, "mysql": mysqlURL,
		"sqlite": func(t testing.TB) string { return "sqlite://" + filepath.Join(t.TempDir(), "warehouse.db") },
	} {
		t.Run(name, func(t *testing.T) {
			database := open(t)
			a := newAdversary(t, 1200, nil, nil)
			with := func(url string) string {
				return strings.Replace(wholeConfig, "sinks: [", fmt.Sprintf("sinks: [{type: database, url: %q}, ", url), 1)
			}
			if status, _, stderr := a.run(wholeConfig, "run"); status != exitDone {
				t.Fatalf("exit %d\n%s", status, stderr)
			}
			a.now = a.now.Add(30 * time.Hour)
			status, stdout, stderr := a.run(with(database), "run", "-o", "json")
			if status != exitDone {
				t.Fatalf("exit %d\n%s%s", status, stdout, stderr)
			}
			truth := a.truth(15 * time.Minute)
			if want := fmt.Sprintf(`"rows": %d,`, len(truth)); !strings.Contains(stdout, want) {
				t.Errorf("no sink took %d rows, the late database included:\n%s", len(truth), stdout)
			}
			a.compare("all", truth)
		})
	}
}

// mysqlURL turns the test server's DSN into a URL.
func mysqlURL(t testing.TB) string {
	t.Helper()
	dsn := testserver.MariaDB(t)
	user, rest, _ := strings.Cut(dsn, "@tcp(")
	host, name, _ := strings.Cut(rest, ")/")
	u := url.URL{Scheme: "mysql", Host: host, Path: "/" + name, User: url.User(user)}
	if name, password, has := strings.Cut(user, ":"); has {
		u.User = url.UserPassword(name, password)
	}
	return u.String()
}
