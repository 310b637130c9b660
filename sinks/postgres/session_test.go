package postgres

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/adteco/docarchive/internal/testserver"
)

// TestCommitRolledBack commits a transaction that the server has given up. It
// answers ROLLBACK, and no error.
func TestCommitRolledBack(t *testing.T) {
	config, err := pgx.ParseConfig(testserver.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	s, err := (&engine{config}).Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Exec(t.Context(), begin); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Exec(t.Context(), "SELECT 1/0"); err == nil {
		t.Fatal("no error")
	}
	if _, err := s.Exec(t.Context(), "COMMIT"); err == nil {
		t.Error("the commit of a transaction that failed is taken for done")
	}
}
