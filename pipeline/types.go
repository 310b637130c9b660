package pipeline

import (
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"
)

// Type is a column's type as it stands in jobs.yaml and in the schema file:
// utf8, float64, int64, bool, date32, timestamp, json (JSON text),
// decimal(P,S), or list(ELEMENT) of one of these.
type Type string

// The types without parameters.
const (
	TypeUTF8      Type = "utf8"
	TypeFloat64   Type = "float64"
	TypeInt64     Type = "int64"
	TypeBool      Type = "bool"
	TypeDate32    Type = "date32"
	TypeTimestamp Type = "timestamp" // microseconds, UTC
	TypeJSON      Type = "json"      // text of a JSON value, as received
)

// MaxPrecision is the greatest number of digits that a decimal column holds.
const MaxPrecision = 38

// Decimal returns the type of decimals with precision digits, scale of them
// after the point.
func Decimal(precision, scale int) Type {
	return Type(fmt.Sprintf("decimal(%d,%d)", precision, scale))
}

// Decimal returns the parameters of a decimal type.
func (t Type) Decimal() (precision, scale int32, ok bool) {
	n, err := fmt.Sscanf(string(t), "decimal(%d,%d)", &precision, &scale)
	ok = err == nil && n == 2 && precision >= 1 && precision <= MaxPrecision && scale >= 0 && scale <= precision &&
		t == Decimal(int(precision), int(scale))
	return precision, scale, ok
}

// Element returns the type of a list's elements.
func (t Type) Element() (Type, bool) {
	const open = "list("
	if len(t) > len(open)+1 && t[:len(open)] == open && t[len(t)-1] == ')' {
		return t[len(open) : len(t)-1], true
	}
	return "", false
}

// Arrow returns the Arrow type, or an error for a text that is no type.
func (t Type) Arrow() (arrow.DataType, error) {
	switch t {
	case TypeUTF8, TypeJSON:
		return arrow.BinaryTypes.String, nil
	case TypeFloat64:
		return arrow.PrimitiveTypes.Float64, nil
	case TypeInt64:
		return arrow.PrimitiveTypes.Int64, nil
	case TypeBool:
		return arrow.FixedWidthTypes.Boolean, nil
	case TypeDate32:
		return arrow.FixedWidthTypes.Date32, nil
	case TypeTimestamp:
		return arrow.FixedWidthTypes.Timestamp_us, nil
	}
	if p, s, ok := t.Decimal(); ok {
		return &arrow.Decimal128Type{Precision: p, Scale: s}, nil
	}
	if element, ok := t.Element(); ok {
		if _, nested := element.Element(); nested {
			return nil, fmt.Errorf("a list of lists is not a column type: %q", string(t))
		}
		dt, err := element.Arrow()
		if err != nil {
			return nil, err
		}
		return arrow.ListOf(dt), nil
	}
	return nil, fmt.Errorf("unknown type %q", string(t))
}
