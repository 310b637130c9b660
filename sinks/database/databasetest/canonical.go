package databasetest

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/adteco/docarchive/pipeline"
)

// null is what no value can be mistaken for.
const null = "\x00null"

// canonical writes a value that was read from a column of type t, or the
// decoded JSON that was archived, so that both are the same text.
func canonical(t pipeline.Type, v any) string {
	if v == nil {
		return null
	}
	if bytes, ok := v.([]byte); ok {
		v = string(bytes)
	}
	if element, ok := t.Element(); ok {
		return canonicalList(element, v)
	}
	if _, _, ok := t.Decimal(); ok {
		return rational(v)
	}
	switch t {
	case pipeline.TypeBool:
		return canonicalBool(v)
	case pipeline.TypeFloat64:
		f, err := strconv.ParseFloat(fmt.Sprint(v), 64)
		if err != nil {
			return fmt.Sprintf("no float: %v", v)
		}
		return strconv.FormatFloat(f+0, 'g', -1, 64) // -0 is 0: SQLite does not keep the sign
	case pipeline.TypeDate32:
		return canonicalTime(v, time.DateOnly)
	case pipeline.TypeTimestamp:
		return canonicalTime(v, time.RFC3339Nano)
	}
	return fmt.Sprint(v)
}

func rational(v any) string {
	r, ok := new(big.Rat).SetString(fmt.Sprint(v))
	if !ok {
		return fmt.Sprintf("no number: %v", v)
	}
	return r.RatString()
}

func canonicalBool(v any) string {
	switch fmt.Sprint(v) {
	case "1", "true":
		return "true"
	case "0", "false":
		return "false"
	}
	return fmt.Sprintf("no bool: %v", v)
}

func canonicalTime(v any, layout string) string {
	if t, ok := v.(time.Time); ok {
		return t.UTC().Format(layout)
	}
	for _, known := range []string{time.RFC3339Nano, "2006-01-02 15:04:05.999999", time.DateOnly} {
		if t, err := time.Parse(known, fmt.Sprint(v)); err == nil {
			return t.UTC().Format(layout)
		}
	}
	return fmt.Sprintf("no time: %v", v)
}

// canonicalList takes a slice, or the JSON text of an array.
func canonicalList(element pipeline.Type, v any) string {
	if text, ok := v.(string); ok {
		decoder := json.NewDecoder(strings.NewReader(text))
		decoder.UseNumber()
		var elements []any
		if err := decoder.Decode(&elements); err != nil {
			return fmt.Sprintf("no list: %v", v)
		}
		v = elements
	}
	elements, ok := v.([]any)
	if !ok {
		return fmt.Sprintf("no list: %T %v", v, v)
	}
	parts := make([]string, len(elements))
	for i, e := range elements {
		parts[i] = strconv.Quote(canonical(element, e))
	}
	return "[" + strings.Join(parts, " ") + "]"
}

// decode reads a JSON literal without rounding its numbers.
func decode(literal string) any {
	decoder := json.NewDecoder(strings.NewReader(literal))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		panic(err) // the suite's own literals are JSON
	}
	return v
}
