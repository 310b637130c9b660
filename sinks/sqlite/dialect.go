package sqlite

import (
	"fmt"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"

	"github.com/adteco/docarchive/sinks/database"
)

func dialect() *database.Dialect {
	return &database.Dialect{
		Database:   "sqlite",
		Quote:      '"',
		Begin:      "BEGIN IMMEDIATE", // waits for other writers here, and not in the middle
		MaxColumns: 2000,              // SQLITE_MAX_COLUMN
		Lock:       database.Lock{Before: []string{"BEGIN IMMEDIATE"}, After: []string{"COMMIT"}},
		Text: database.Text{
			Catalog: "SELECT name, type FROM pragma_table_info(?2, COALESCE(NULLIF(?1, ''), 'main'))",
			KeyText: "TEXT",
			NUL:     true,
			Time:    database.TimeText,
		},
		Write: database.Writing{
			Type:   columnType,
			Stored: stored,
			Fold:   strings.ToLower,
			Index:  createIndex,
		},
	}
}

func columnType(t arrow.DataType, _ bool) (string, error) {
	switch t.ID() {
	case arrow.STRING, arrow.DATE32, arrow.TIMESTAMP, arrow.DECIMAL128, arrow.LIST:
		return "TEXT", nil
	case arrow.FLOAT64:
		return "REAL", nil
	case arrow.INT64:
		return "INTEGER", nil
	case arrow.BOOL:
		return "BOOLEAN", nil
	}
	return "", fmt.Errorf("no type for %s", t)
}

// createIndex names the schema with the index: SQLite keeps an index beside its
// table.
func createIndex(d *database.Dialect, t database.Name, name, column string) string {
	return fmt.Sprintf("CREATE INDEX IF NOT EXISTS %s ON %s (%s)",
		d.Table(database.Name{Schema: t.Schema, Table: name}), d.Ident(t.Table), d.Ident(column))
}

// stored renames what SQLite takes for its own row number.
func stored(name string) string {
	switch strings.ToLower(name) {
	case "rowid", "oid", "_rowid_":
		return database.Suffixed(name, name)
	}
	return name
}
