package postgres

import (
	"context"
	"fmt"

	"github.com/adteco/docarchive/sinks/database"
)

// Examine implements [database.Examiner]. Connections go to primaries only, so
// a standby is met before.
func (*engine) Examine(ctx context.Context, s database.Session) (database.Health, error) {
	var version, encoding, readOnly string
	err := s.Query(ctx, func(scan func(dest ...any) error) error { return scan(&version, &encoding, &readOnly) },
		"SELECT current_setting('server_version'), current_setting('server_encoding'), current_setting('default_transaction_read_only')")
	h := database.Health{Server: "PostgreSQL " + version}
	if encoding != "UTF8" {
		h.Notes = append(h.Notes, fmt.Sprintf("the database is in %s, which cannot hold every text: rows with others are refused; use a database in UTF8", encoding))
	}
	if readOnly == "on" {
		h.Notes = append(h.Notes, "default_transaction_read_only is on: loads overrule it, but somebody seems to want no writes here")
	}
	return h, err
}
