package sqlite

import (
	"context"

	"github.com/adteco/docarchive/sinks/database"
)

// Examine implements [database.Examiner].
func (*engine) Examine(ctx context.Context, s database.Session) (database.Health, error) {
	var version string
	err := s.Query(ctx, func(scan func(dest ...any) error) error { return scan(&version) }, "SELECT sqlite_version()")
	return database.Health{Server: "SQLite " + version}, err
}

// Path is the file that a URL names; see [Open].
func Path(location string) (string, error) { return parse(location) }
