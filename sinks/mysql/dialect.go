package mysql

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/apache/arrow/go/v17/arrow"
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/adteco/docarchive/sinks/database"
)

const (
	begin = "START TRANSACTION"
	// timeText is the layout of times. Sessions are in UTC.
	timeText = "2006-01-02 15:04:05.000000"
	// maxScale is how many digits after the point every version holds.
	maxScale = 30
)

func dialect() *database.Dialect {
	return &database.Dialect{
		Database:   "mysql",
		Quote:      '`',
		Begin:      begin,
		DDLCommits: true,
		MaxColumns: 1017, // InnoDB's
		Lock: database.Lock{
			Before: []string{"SELECT GET_LOCK('docarchive', 60)"},
			After:  []string{"SELECT RELEASE_LOCK('docarchive')"},
		},
		Text: database.Text{
			// MariaDB writes bigint with a width, MySQL without.
			Catalog: "SELECT column_name, CASE data_type WHEN 'bigint' THEN 'bigint' ELSE column_type END " +
				"FROM information_schema.columns WHERE table_schema = COALESCE(NULLIF(?, ''), DATABASE()) AND table_name = ?",
			Options: " ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
			KeyText: "varchar(128)",
			NUL:     true,
			Time:    timeText,
			Add:     ", ",
		},
		Write: database.Writing{
			Type:   columnType,
			Stored: stored,
			Fold:   fold,
			Index:  createIndex,
		},
	}
}

func columnType(t arrow.DataType, key bool) (string, error) {
	switch t := t.(type) {
	case *arrow.StringType:
		if key {
			return "varchar(255)", nil // a text in a key has a length
		}
		return "longtext", nil
	case *arrow.ListType:
		return "longtext", nil
	case *arrow.Float64Type:
		return "double", nil
	case *arrow.Int64Type:
		return "bigint", nil
	case *arrow.BooleanType:
		return "tinyint(1)", nil
	case *arrow.Date32Type:
		return "date", nil
	case *arrow.TimestampType:
		return "datetime(6)", nil
	case *arrow.Decimal128Type:
		if t.Scale > maxScale {
			return "varchar(42)", nil
		}
		return fmt.Sprintf("decimal(%d,%d)", t.Precision, t.Scale), nil
	}
	return "", fmt.Errorf("no type for %s", t)
}

// stored replaces what names cannot hold: letters outside the basic plane, and
// a space at the end.
func stored(name string) string {
	kept := strings.TrimRight(strings.Map(func(r rune) rune {
		if r > 0xffff {
			return '_'
		}
		return r
	}, name), " ")
	if kept == name {
		return name
	}
	return database.Suffixed(kept, name)
}

// fold is the same for names that differ in case and accents only, which MySQL
// takes for the same.
func fold(name string) string {
	name = strings.NewReplacer("ß", "s", "ẞ", "s", "ı", "i").Replace(name)
	return cases.Fold().String(strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFD.String(name)))
}

func createIndex(d *database.Dialect, t database.Name, name, column string) string {
	return fmt.Sprintf("CREATE INDEX %s ON %s (%s)", d.Ident(name), d.Table(t), d.Ident(column))
}
