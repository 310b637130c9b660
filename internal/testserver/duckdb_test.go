//go:build unix

package testserver

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDuckDBReads(t *testing.T) {
	path := filepath.Join(t.TempDir(), "jobs.csv")
	if err := os.WriteFile(path, []byte("id,amount,note\na,1.50,\nb,12345678901234567.25,\"x\"\"y\"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	db := DuckDB(t)
	got := db.Query("SELECT id, amount::DECIMAL(20,2), note, [1, NULL], 9223372036854775807::BIGINT " +
		"FROM read_csv('" + path + "', types={'amount': 'DECIMAL(20,2)'}) ORDER BY id")
	want := [][]string{
		{"a", "1.50", "NULL", "[1,null]", "9223372036854775807"},
		{"b", "12345678901234567.25", `x"y`, "[1,null]", "9223372036854775807"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestDuckDBWrongSQLEndsTheTest(t *testing.T) {
	db := DuckDB(t)
	recorder := &outcome{TB: t}
	db.t = recorder
	recorder.run(func() { db.Query("SELECT nothing_here") })
	if recorder.what != "fatal" {
		t.Errorf("wrong SQL ended with %q", recorder.what)
	}
}
