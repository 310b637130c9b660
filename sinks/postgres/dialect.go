package postgres

import (
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"

	"github.com/adteco/docarchive/sinks/database"
)

// begin sees what others have committed, whatever the server's default is: a
// claim that waited for another loader must see its log row.
const begin = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"

func dialect() *database.Dialect {
	return &database.Dialect{
		Database:   "postgres",
		Quote:      '"',
		Numbered:   true,
		Begin:      begin,
		MaxColumns: 1599, // one less than a table can have: the temporary table has one more
		Lock: database.Lock{
			// A change of a table waits for its readers, and everybody else waits
			// behind it: not for ever.
			Before: []string{begin, "SET LOCAL lock_timeout = '60s'", "SELECT pg_advisory_xact_lock(7237109345)"}, // a number of our own
			After:  []string{"COMMIT"},
		},
		Text: database.Text{
			Catalog: "SELECT a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_attribute a " +
				"JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace " +
				"WHERE n.nspname = COALESCE(NULLIF($1, ''), current_schema()) AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped",
			KeyText: "text",
			Time:    database.TimeText,
			Add:     ", ",
		},
		Write: database.Writing{
			Type:   columnType,
			Stored: stored,
			Fold:   func(name string) string { return name },
			Index:  createIndex,
		},
	}
}

func columnType(t arrow.DataType, key bool) (string, error) {
	switch t := t.(type) {
	case *arrow.StringType:
		return "text", nil
	case *arrow.Float64Type:
		return "double precision", nil
	case *arrow.Int64Type:
		return "bigint", nil
	case *arrow.BooleanType:
		return "boolean", nil
	case *arrow.Date32Type:
		return "date", nil
	case *arrow.TimestampType:
		return "timestamp with time zone", nil
	case *arrow.Decimal128Type:
		return fmt.Sprintf("numeric(%d,%d)", t.Precision, t.Scale), nil
	case *arrow.ListType:
		element, err := columnType(t.Elem(), key)
		return element + "[]", err
	}
	return "", fmt.Errorf("no type for %s", t)
}

// stored renames the columns that every table has already.
func stored(name string) string {
	switch name {
	case "ctid", "xmin", "xmax", "cmin", "cmax", "tableoid":
		return database.Suffixed(name, name)
	}
	return name
}

func createIndex(d *database.Dialect, t database.Name, name, column string) string {
	return fmt.Sprintf("CREATE INDEX IF NOT EXISTS %s ON %s (%s)", d.Ident(name), d.Table(t), d.Ident(column))
}
