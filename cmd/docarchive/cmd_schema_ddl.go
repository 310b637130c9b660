package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/adteco/docarchive/pipeline"
)

// ddlDialect is how an engine writes CREATE TABLE for the archive's tables.
type ddlDialect struct {
	quote  func(name string) string
	types  map[pipeline.Type]string
	list   string // of a list, with %s for the element's type
	number func(precision, scale int32) string
	suffix string // after the closing parenthesis
}

// ddlDialects returns the dialects by name. The types are those as which the
// engine reads the archive's Parquet files.
func ddlDialects() map[string]ddlDialect {
	standard := func(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
	decimal := func(word string) func(precision, scale int32) string {
		return func(precision, scale int32) string { return fmt.Sprintf("%s(%d,%d)", word, precision, scale) }
	}
	return map[string]ddlDialect{
		"duckdb": {
			quote: standard, list: "%s[]", number: decimal("DECIMAL"),
			types: ddlTypes("VARCHAR", "DOUBLE", "BIGINT", "BOOLEAN", "DATE", "TIMESTAMP WITH TIME ZONE"),
		},
		"postgres": {
			quote: standard, list: "%s[]", number: decimal("numeric"),
			types: ddlTypes("text", "double precision", "bigint", "boolean", "date", "timestamp with time zone"),
		},
		"spark": {
			quote: func(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" },
			list:  "ARRAY<%s>", number: decimal("DECIMAL"), suffix: " USING PARQUET",
			types: ddlTypes("STRING", "DOUBLE", "BIGINT", "BOOLEAN", "DATE", "TIMESTAMP"),
		},
		"bigquery": {
			quote: func(name string) string { return "`" + strings.NewReplacer(`\`, `\\`, "`", "\\`").Replace(name) + "`" },
			list:  "ARRAY<%s>", number: bigQueryDecimal,
			types: ddlTypes("STRING", "FLOAT64", "INT64", "BOOL", "DATE", "TIMESTAMP"),
		},
	}
}

func ddlTypes(text, float, integer, boolean, date, timestamp string) map[pipeline.Type]string {
	return map[pipeline.Type]string{
		pipeline.TypeUTF8: text, pipeline.TypeJSON: text, pipeline.TypeFloat64: float, pipeline.TypeInt64: integer,
		pipeline.TypeBool: boolean, pipeline.TypeDate32: date, pipeline.TypeTimestamp: timestamp,
	}
}

// bigQueryDecimal chooses the smaller type if it holds the digits.
func bigQueryDecimal(precision, scale int32) string {
	if scale <= 9 && precision-scale <= 29 {
		return fmt.Sprintf("NUMERIC(%d,%d)", precision, scale)
	}
	return fmt.Sprintf("BIGNUMERIC(%d,%d)", precision, scale)
}

func ddlNames() string {
	return strings.Join(slices.Sorted(maps.Keys(ddlDialects())), ", ")
}

func printDDL(out io.Writer, schemas []*pipeline.Schema, d ddlDialect) error {
	var b strings.Builder
	for i, s := range schemas {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "CREATE TABLE %s (", d.quote(s.Dataset))
		for i, c := range s.Columns {
			t, err := d.columnType(c.Type)
			if err != nil {
				return fmt.Errorf("column %s of %s: %w", c.Name, s.Dataset, err)
			}
			if i > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, "\n  %s %s", d.quote(c.Name), t)
			if c.Name == pipeline.ColumnJobID {
				b.WriteString(" NOT NULL")
			}
		}
		fmt.Fprintf(&b, "\n)%s;\n", d.suffix)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

func (d ddlDialect) columnType(t pipeline.Type) (string, error) {
	if name, ok := d.types[t]; ok {
		return name, nil
	}
	if precision, scale, ok := t.Decimal(); ok {
		return d.number(precision, scale), nil
	}
	if element, ok := t.Element(); ok {
		inner, err := d.columnType(element)
		return fmt.Sprintf(d.list, inner), err
	}
	return "", fmt.Errorf("type %s is unknown to this version", t)
}
