package sqlite

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/adteco/docarchive/sinks/database"
	"github.com/adteco/docarchive/sinks/database/databasetest"
)

func options() database.Options {
	return database.Options{Pipeline: "invoices", ArchiveID: databasetest.Record(1).ArchiveID, Tries: 2}
}

// TestLocked meets a file that another process holds, and lets go.
func TestLocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "warehouse.db")
	w, err := database.New(&engine{path, time.Millisecond}, options())
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if _, err := w.Load(t.Context(), databasetest.Record(1), databasetest.Feed()); err != nil {
		t.Fatal(err)
	}
	other, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	other.SetMaxOpenConns(1)
	if _, err := other.Exec("BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	_, err = w.Load(t.Context(), databasetest.Record(2), databasetest.Feed())
	var away *database.AwayError
	if !errors.As(err, &away) {
		t.Errorf("got %v, want an AwayError", err)
	}
	if _, err := other.Exec("ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Load(t.Context(), databasetest.Record(2), databasetest.Feed()); err != nil {
		t.Errorf("after the other process let go: %v", err)
	}
}

// TestDiskFull fills the file up to a limit of its own.
func TestDiskFull(t *testing.T) {
	path := filepath.Join(t.TempDir(), "warehouse.db")
	e := &engine{path, patience}
	s, err := e.Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, statement := range []string{"CREATE TABLE t (x)", "PRAGMA max_page_count = 10"} {
		if _, err := s.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	_, err = s.Exec(t.Context(), "INSERT INTO t VALUES (?)", strings.Repeat("x", 1<<20))
	if !errors.Is(err, syscall.ENOSPC) || e.Classify(err) != database.Broken {
		t.Errorf("got %v, kind %d, want ENOSPC, which waiting does not help", err, e.Classify(err))
	}
}

// TestNoDatabase finds something else where the file should be.
func TestNoDatabase(t *testing.T) {
	folder := t.TempDir()
	text := filepath.Join(folder, "text")
	if err := os.WriteFile(text, []byte(strings.Repeat("no database", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{folder, text, filepath.Join(text, "warehouse.db")} {
		w, err := Open(t.Context(), scheme+path, options())
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.Load(t.Context(), databasetest.Record(1), databasetest.Feed())
		var away *database.AwayError
		if err == nil || errors.As(err, &away) || !strings.Contains(err.Error(), folder) {
			t.Errorf("%s: got %v, want an error that names the file and does not tell to wait", path, err)
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestParse(t *testing.T) {
	for location, want := range map[string]string{
		"sqlite://./archive/warehouse.db": "./archive/warehouse.db",
		"sqlite://archive/warehouse.db":   "archive/warehouse.db",
		"sqlite:///data/a%20b%3F.db":      "/data/a b?.db",
		"sqlite://":                       "",
		"sqlite://:memory:":               "",
		"sqlite:///data/":                 "",
		"sqlite://a.db?mode=ro":           "",
		"sqlite:a.db":                     "",
		"sqlite://%zz":                    "",
	} {
		got, err := parse(location)
		if filepath.ToSlash(got) != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v", location, got, err)
		}
	}
}
