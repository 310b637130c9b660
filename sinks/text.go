package sinks

import (
	"math"
	"math/bits"
	"strconv"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/decimal128"
)

// cell appends the text of a row's value, which is not null.
type cell func(dst []byte, row int) []byte

// textColumn is a column of a batch that is written row by row.
type textColumn struct {
	validity
	cell cell
}

func newTextColumn(column arrow.Array, cellOf func(arrow.Array) (cell, error)) (textColumn, error) {
	c, err := cellOf(column)
	return textColumn{validityOf(column), c}, err
}

// scalarCell returns the cell of a column whose texts need no quotes in CSV:
// anything but texts and lists. inJSON says whether such a text must be quoted
// to be a JSON value.
func scalarCell(column arrow.Array) (c cell, inJSON bool, err error) {
	switch a := column.(type) {
	case *array.Int64:
		return func(dst []byte, row int) []byte { return strconv.AppendInt(dst, a.Value(row), 10) }, false, nil
	case *array.Float64:
		return func(dst []byte, row int) []byte { return appendFloat(dst, a.Value(row)) }, false, nil
	case *array.Boolean:
		return func(dst []byte, row int) []byte { return strconv.AppendBool(dst, a.Value(row)) }, false, nil
	case *array.Decimal128:
		scale := int(a.DataType().(*arrow.Decimal128Type).Scale)
		return func(dst []byte, row int) []byte { return appendDecimal(dst, a.Value(row), scale) }, false, nil
	case *array.Date32:
		return func(dst []byte, row int) []byte { return appendDate(dst, int64(a.Value(row))) }, true, nil
	case *array.Timestamp:
		return func(dst []byte, row int) []byte { return appendTimestamp(dst, int64(a.Value(row))) }, true, nil
	default:
		return nil, false, unsupported(column.DataType())
	}
}

// appendFloat appends the shortest decimal that reads back as v, as JSON
// writes it.
func appendFloat(dst []byte, v float64) []byte {
	if out, ok := appendShort(dst, v); ok {
		return out
	}
	if size := math.Abs(v); size != 0 && (size < 1e-6 || size >= 1e21) {
		return strconv.AppendFloat(dst, v, 'e', -1, 64)
	}
	return strconv.AppendFloat(dst, v, 'f', -1, 64)
}

// appendShort appends a number of few digits, at most four of them after the
// point, as most are. Of such a number the shortest form is plain: what has at
// most 15 digits and is the nearest decimal of its length is the shortest one.
func appendShort(dst []byte, v float64) ([]byte, bool) {
	const scale, most = 10_000, 1e10
	if !(math.Abs(v) < most) || v == 0 {
		return dst, false
	}
	scaled := math.Round(v * scale)
	if scaled/scale != v {
		return dst, false
	}
	digits := int64(scaled)
	if digits < 0 {
		dst, digits = append(dst, '-'), -digits
	}
	dst = strconv.AppendInt(dst, digits/scale, 10)
	fraction := uint64(digits % scale)
	if fraction == 0 {
		return dst, true
	}
	width := 4
	for ; fraction%10 == 0; width-- {
		fraction /= 10
	}
	return appendPadded(append(dst, '.'), fraction, width), true
}

// chunkDigits is how many decimal digits a uint64 surely holds.
const (
	chunkDigits = 19
	chunk       = 1e19
)

// appendDecimal appends all digits of a decimal, scale of them after the point.
func appendDecimal(dst []byte, v decimal128.Num, scale int) []byte {
	if v.Sign() < 0 {
		dst = append(dst, '-')
		v = v.Negate()
	}
	var buffer [2*chunkDigits + 1]byte
	digits := buffer[:0]
	// What has 38 digits is below 10^38 = chunk * chunk, so that the quotient
	// fits 64 bits.
	quotient, rest := bits.Div64(uint64(v.HighBits()), v.LowBits(), chunk)
	if quotient == 0 {
		digits = strconv.AppendUint(digits, rest, 10)
	} else {
		digits = strconv.AppendUint(digits, quotient, 10)
		digits = appendPadded(digits, rest, chunkDigits)
	}
	if scale == 0 {
		return append(dst, digits...)
	}
	point := len(digits) - scale
	if point <= 0 {
		dst = append(dst, "0."...)
		for range -point {
			dst = append(dst, '0')
		}
		return append(dst, digits...)
	}
	dst = append(dst, digits[:point]...)
	dst = append(dst, '.')
	return append(dst, digits[point:]...)
}

// appendPadded appends v with zeros in front to the given width.
func appendPadded(dst []byte, v uint64, width int) []byte {
	start := len(dst)
	for range width {
		dst = append(dst, '0')
	}
	for i := len(dst) - 1; i >= start && v > 0; i-- {
		dst[i] = byte('0' + v%10)
		v /= 10
	}
	return dst
}

// appendDate appends the date of a day since 1970.
func appendDate(dst []byte, days int64) []byte {
	year, month, day := civil(days)
	if year < 0 || year > 9999 {
		return time.Unix(days*secondsPerDay, 0).UTC().AppendFormat(dst, time.DateOnly)
	}
	dst = append(appendPadded(dst, uint64(year), 4), '-')
	dst = append(appendPadded(dst, uint64(month), 2), '-')
	return appendPadded(dst, uint64(day), 2)
}

const secondsPerDay = int64(24 * time.Hour / time.Second)

// appendTimestamp appends a time given in microseconds since 1970, in UTC.
func appendTimestamp(dst []byte, micros int64) []byte {
	days := floorDiv(micros, microsPerDay)
	rest := uint64(micros - days*microsPerDay)
	dst = append(appendDate(dst, days), 'T')
	dst = append(appendPadded(dst, rest/3_600_000_000, 2), ':')
	dst = append(appendPadded(dst, rest/60_000_000%60, 2), ':')
	dst = append(appendPadded(dst, rest/1_000_000%60, 2), '.')
	return append(appendPadded(dst, rest%1_000_000, 6), 'Z')
}

// civil returns the date of a day since 1970 in the Gregorian calendar. It
// counts in years that begin with March, whose months then begin on days that
// one formula gives, and in eras of 400 years, which all have equally many days.
func civil(days int64) (year int64, month, day int64) {
	const daysPerEra, epochSinceEra0 = 146_097, 719_468
	days += epochSinceEra0
	era := floorDiv(days, daysPerEra)
	inEra := days - era*daysPerEra
	yearOfEra := (inEra - inEra/1_460 + inEra/36_524 - inEra/146_096) / 365
	inYear := inEra - (365*yearOfEra + yearOfEra/4 - yearOfEra/100)
	fromMarch := (5*inYear + 2) / 153
	day = inYear - (153*fromMarch+2)/5 + 1
	year = yearOfEra + era*400
	if fromMarch < 10 {
		return year, fromMarch + 3, day
	}
	return year + 1, fromMarch - 9, day
}
