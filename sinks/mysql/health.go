package mysql

import (
	"context"
	"strings"

	"github.com/adteco/docarchive/sinks/database"
)

// Examine implements [database.Examiner].
func (*engine) Examine(ctx context.Context, s database.Session) (database.Health, error) {
	var version, session, global, readOnly string
	err := s.Query(ctx, func(scan func(dest ...any) error) error { return scan(&version, &session, &global, &readOnly) },
		"SELECT VERSION(), @@session.sql_mode, @@global.sql_mode, @@global.read_only")
	h := database.Health{Server: "MySQL " + version}
	if strings.Contains(version, "MariaDB") {
		h.Server = version
	}
	if err == nil {
		h.Notes = notes(session, global, readOnly)
	}
	return h, err
}

// notes judges the modes of a session and its server.
func notes(session, global, readOnly string) []string {
	var all []string
	switch {
	case !strings.Contains(session, "STRICT_ALL_TABLES"):
		all = append(all, "the session is not strict though that was asked for, so values may be cut: is there a proxy that drops settings? connect without it")
	case !strings.Contains(global, "STRICT_"):
		all = append(all, "the server is not strict: loads are, whatever it says, but what others write may be cut")
	}
	if strings.Contains("1 ON ", strings.ToUpper(readOnly)+" ") {
		all = append(all, "the server is read-only, but for accounts like this one: is it a replica? write to the primary")
	}
	return all
}
