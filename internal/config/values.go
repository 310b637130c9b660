package config

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Since is where the first run of a pipeline starts: a span back from then, or a
// moment.
type Since struct {
	Ago time.Duration // zero where At is set
	At  time.Time     // UTC; zero where Ago is set
}

// Start is the moment meant, in UTC, for a first run at now.
func (s Since) Start(now time.Time) time.Time {
	if s.At.IsZero() {
		return now.UTC().Add(-s.Ago)
	}
	return s.At
}

// ParseSince reads a moment as jobs.yaml writes it: a duration back from now
// (90d), a UTC date or an RFC 3339 time.
func ParseSince(text string) (Since, error) {
	for _, layout := range []string{time.DateOnly, time.RFC3339Nano} {
		if at, err := time.Parse(layout, text); err == nil {
			return Since{At: at.UTC()}, nil
		}
	}
	ago, err := parseDuration(text)
	if err != nil || ago == 0 {
		return Since{}, errors.New("must be a duration such as 90d, a date such as 2026-01-31 or an RFC 3339 time")
	}
	return Since{Ago: ago}, nil
}

// parseDuration reads Go's durations with days (d) and weeks (w) besides, as in
// 90d or 1d12h; none is negative.
func parseDuration(text string) (time.Duration, error) {
	failed := errors.New("must be a duration with its unit, such as 90d, 24h, 15m or 10s")
	var total time.Duration
	rest := text
	for _, unit := range []struct {
		name string
		span time.Duration
	}{{"w", 7 * 24 * time.Hour}, {"d", 24 * time.Hour}} {
		before, after, found := strings.Cut(rest, unit.name)
		if !found {
			continue
		}
		n, err := strconv.ParseUint(before, 10, 32)
		if err != nil || time.Duration(n) > (math.MaxInt64-total)/unit.span {
			return 0, failed
		}
		total += time.Duration(n) * unit.span
		rest = after
	}
	if rest == "" && text != "" {
		return total, nil
	}
	if strings.ContainsAny(rest, "+-") {
		return 0, failed
	}
	small, err := time.ParseDuration(rest)
	if err != nil || small > math.MaxInt64-total {
		return 0, failed
	}
	return total + small, nil
}

// The kinds of [FieldType].
const (
	KindUTF8      = "utf8"
	KindFloat64   = "float64"
	KindInt64     = "int64"
	KindBool      = "bool"
	KindDate32    = "date32"
	KindTimestamp = "timestamp"
	KindDecimal   = "decimal"
	KindList      = "list"  // a typed list
	KindTable     = "table" // a child table
	KindJSON      = "json"  // JSON text
	KindDrop      = "drop"  // not kept
	KindHash      = "hash"  // a keyed hash in its place
)

// FieldType says how a field is kept. Precision and Scale are those of a decimal,
// with 1 ≤ Precision ≤ 38 and 0 ≤ Scale ≤ Precision, and zero otherwise.
type FieldType struct {
	Kind             string
	Precision, Scale int
}

// String is the type as it is written in the file.
func (t FieldType) String() string {
	if t.Kind == KindDecimal {
		return fmt.Sprintf("decimal(%d,%d)", t.Precision, t.Scale)
	}
	return t.Kind
}

// fieldTypes are the names a field's type may be given by, decimal aside.
func fieldTypes() []string {
	return []string{
		KindUTF8, "text", KindFloat64, "number", KindInt64, KindBool, "boolean", KindDate32, "date",
		KindTimestamp, KindList, KindTable, KindJSON, KindDrop, KindHash,
	}
}

func parseFieldType(text string) (FieldType, error) {
	switch text {
	case "text":
		return FieldType{Kind: KindUTF8}, nil
	case "number":
		return FieldType{Kind: KindFloat64}, nil
	case "boolean":
		return FieldType{Kind: KindBool}, nil
	case "date":
		return FieldType{Kind: KindDate32}, nil
	}
	if arguments, ok := strings.CutPrefix(text, KindDecimal); ok {
		return parseDecimal(arguments)
	}
	for _, name := range fieldTypes() {
		if text == name {
			return FieldType{Kind: name}, nil
		}
	}
	return FieldType{}, errors.New("is not a type: " + hint(text, append(fieldTypes(), "decimal(18,2)")))
}

// parseDecimal reads the "(p,s)" of a decimal.
func parseDecimal(arguments string) (FieldType, error) {
	inner, opened := strings.CutPrefix(arguments, "(")
	inner, closed := strings.CutSuffix(inner, ")")
	if opened && !closed {
		return FieldType{}, errors.New(`is cut off at its comma: inside { } quote it, as in "decimal(18,2)"`)
	}
	p, s, both := strings.Cut(inner, ",")
	precision, errP := strconv.Atoi(strings.TrimSpace(p))
	scale, errS := strconv.Atoi(strings.TrimSpace(s))
	switch {
	case !opened || !both || errP != nil || errS != nil:
		return FieldType{}, errors.New("needs precision and scale, such as decimal(18,2)")
	case precision < 1 || precision > 38 || scale < 0 || scale > precision:
		return FieldType{}, errors.New("must have a precision of 1 to 38 and a scale from 0 to the precision")
	}
	return FieldType{Kind: KindDecimal, Precision: precision, Scale: scale}, nil
}
