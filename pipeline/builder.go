package pipeline

import (
	"strings"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/adteco/docarchive/internal/rawjson"
)

// value is a JSON value as it stands in a job.
type value struct {
	kind rawjson.Kind
	raw  []byte
}

// column collects one column's values of the batch in the making. Rows that
// were skipped are filled with nulls when the next value comes.
type column struct {
	Column
	builder array.Builder
	put     func(v value) bool // appends v, or reports that it does not fit losslessly
	scratch []byte
}

func newColumn(c Column, mem memory.Allocator) (*column, error) {
	dt, err := c.Type.Arrow()
	if err != nil {
		return nil, err
	}
	col := &column{Column: c, builder: array.NewBuilder(mem, dt)}
	if c.TextOf != "" {
		b := col.builder.(*array.StringBuilder)
		col.put = func(v value) bool { col.appendAnyText(b, v); return true }
		return col, nil
	}
	col.put = col.putter(c.Type, col.builder)
	return col, nil
}

// pad appends nulls until the column has rows rows.
func (c *column) pad(rows int) {
	if n := rows - c.builder.Len(); n > 0 {
		c.builder.AppendNulls(n)
	}
}

// putter returns the function that appends values of type t to b.
func (c *column) putter(t Type, b array.Builder) func(value) bool {
	switch b := b.(type) {
	case *array.StringBuilder:
		if t == TypeJSON {
			return func(v value) bool { return c.putJSON(b, v) }
		}
		return func(v value) bool { return c.putText(b, v) }
	case *array.Float64Builder:
		return func(v value) bool {
			if v.kind != rawjson.Number {
				return false
			}
			f, ok := exactFloat(v.raw)
			if ok {
				b.Append(f)
			}
			return ok
		}
	case *array.Int64Builder:
		return func(v value) bool {
			if v.kind != rawjson.Number {
				return false
			}
			i, ok := exactInt(v.raw)
			if ok {
				b.Append(i)
			}
			return ok
		}
	case *array.BooleanBuilder:
		return func(v value) bool {
			ok := v.kind == rawjson.True || v.kind == rawjson.False
			if ok {
				b.Append(v.kind == rawjson.True)
			}
			return ok
		}
	case *array.TimestampBuilder:
		return func(v value) bool {
			at, ok := exactTime(v)
			if ok && c.Group != GroupStandard {
				_, offset := at.Zone()
				ok = offset == 0 // another offset is part of what the field says
			}
			if ok {
				b.Append(arrow.Timestamp(at.UnixMicro()))
			}
			return ok
		}
	case *array.Date32Builder:
		return func(v value) bool {
			at, ok := exactDate(v)
			if ok {
				b.Append(arrow.Date32FromTime(at))
			}
			return ok
		}
	case *array.Decimal128Builder:
		precision, scale, _ := t.Decimal()
		return func(v value) bool {
			if v.kind != rawjson.Number {
				return false
			}
			d, ok := exactDecimal(v.raw, precision, scale)
			if ok {
				b.Append(d)
			}
			return ok
		}
	case *array.ListBuilder:
		element, _ := t.Element()
		return func(v value) bool { return c.putList(b, element, v) }
	}
	return func(value) bool { return false }
}

// putText appends a string that UTF-8 can hold.
func (c *column) putText(b *array.StringBuilder, v value) bool {
	if v.kind != rawjson.String {
		return false
	}
	text, exact := rawjson.AppendText(c.scratch[:0], v.raw)
	c.scratch = text
	if exact {
		b.BinaryBuilder.Append(text)
	}
	return exact
}

// putJSON appends the text of an array or an object. Anything else would be
// told apart from a string only by a guess.
func (c *column) putJSON(b *array.StringBuilder, v value) bool {
	if v.kind != rawjson.Array && v.kind != rawjson.Object {
		return false
	}
	c.scratch = rawjson.AppendPrintable(c.scratch[:0], v.raw)
	b.BinaryBuilder.Append(c.scratch)
	return true
}

// appendAnyText appends any value: a string as it is, anything else, and a
// string that UTF-8 cannot hold, as its JSON text.
func (c *column) appendAnyText(b *array.StringBuilder, v value) {
	if v.kind == rawjson.String && c.putText(b, v) {
		return
	}
	c.scratch = rawjson.AppendPrintable(c.scratch[:0], v.raw)
	b.BinaryBuilder.Append(c.scratch)
}

// putList appends an array whose elements all fit the element type; null is an
// element like others.
func (c *column) putList(b *array.ListBuilder, element Type, v value) bool {
	if v.kind != rawjson.Array {
		return false
	}
	// The elements are tried on a builder of their own, so that an element that
	// does not fit leaves no half of a list behind.
	dt, err := element.Arrow()
	if err != nil {
		return false
	}
	trial := array.NewBuilder(memory.DefaultAllocator, dt)
	defer trial.Release()
	if !eachElement(v.raw, trial, c.putter(element, trial)) {
		return false
	}
	b.Append(true)
	return eachElement(v.raw, b.ValueBuilder(), c.putter(element, b.ValueBuilder()))
}

func eachElement(raw []byte, b array.Builder, put func(value) bool) bool {
	s := rawjson.NewScanner(raw)
	fits := true
	err := s.Array(func() error {
		kind := s.Peek()
		text, err := s.Value()
		if err != nil {
			return err
		}
		if kind == rawjson.Null {
			b.AppendNull()
		} else if fits {
			fits = put(value{kind, text})
		}
		return nil
	})
	return err == nil && fits
}

// exactTime reads an RFC 3339 time that microseconds can hold.
func exactTime(v value) (time.Time, bool) {
	if v.kind != rawjson.String {
		return time.Time{}, false
	}
	text, exact := rawjson.Text(v.raw)
	at, err := time.Parse(time.RFC3339Nano, text)
	return at, exact && err == nil && !finerThanMicro(text) && at.Year() >= 1 && at.Year() <= 9999
}

// finerThanMicro reports whether the second of an RFC 3339 time has digits other
// than 0 after the sixth of its fraction. The parsed time does not tell: it ends
// at the ninth.
func finerThanMicro(text string) bool {
	point := strings.IndexAny(text, ".,")
	if point < 0 {
		return false
	}
	for i, c := range text[point+1:] {
		if c < '0' || c > '9' {
			break
		}
		if i >= 6 && c != '0' {
			return true
		}
	}
	return false
}

// exactDate reads an ISO 8601 calendar date.
func exactDate(v value) (time.Time, bool) {
	if v.kind != rawjson.String {
		return time.Time{}, false
	}
	text, exact := rawjson.Text(v.raw)
	at, err := time.Parse(time.DateOnly, text)
	return at, exact && err == nil && at.Year() >= 1
}
