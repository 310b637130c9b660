package sinks

import (
	"encoding/binary"
	"fmt"
	"math"
	"unicode/utf8"
	"unsafe"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
)

// jsonEncoder writes one object a row, either as the elements of one array or
// one a line.
type jsonEncoder struct {
	textFile
	keys  [][]byte // "name": of each column
	array bool
	any   bool // a row was written
}

func newJSONEncoder(text textFile, schema *arrow.Schema, asArray bool) (*jsonEncoder, error) {
	e := &jsonEncoder{textFile: text, array: asArray}
	for _, f := range schema.Fields() {
		e.keys = append(e.keys, append(appendJSONString(nil, f.Name), ':'))
	}
	if asArray {
		e.buf = append(e.buf, '[')
	}
	return e, nil
}

func (e *jsonEncoder) Write(batch arrow.Record) error {
	columns := make([]textColumn, batch.NumCols())
	for i, c := range batch.Columns() {
		var err error
		if columns[i], err = newTextColumn(c, jsonCell); err != nil {
			return fmt.Errorf("column %s: %w", batch.ColumnName(i), err)
		}
	}
	for row := range int(batch.NumRows()) {
		e.beginRow()
		buf := e.buf
		first := len(buf)
		for i := range columns {
			c := &columns[i]
			if !c.has(row) {
				continue
			}
			if len(buf) > first {
				buf = append(buf, ',')
			}
			buf = append(buf, e.keys[i]...)
			buf = c.cell(buf, row)
		}
		buf = append(buf, '}')
		if !e.array {
			buf = append(buf, '\n')
		}
		e.buf = buf
		if err := e.flush(textFlush); err != nil {
			return err
		}
	}
	return e.flush(0)
}

func (e *jsonEncoder) beginRow() {
	if e.array {
		if e.any {
			e.buf = append(e.buf, ',')
		}
		e.buf = append(e.buf, '\n')
	}
	e.buf = append(e.buf, '{')
	e.any = true
}

// Close ends the array.
func (e *jsonEncoder) Close() error {
	if e.array {
		if e.any {
			e.buf = append(e.buf, '\n')
		}
		e.buf = append(e.buf, "]\n"...)
	}
	if err := e.flush(0); err != nil {
		return err
	}
	return e.out.Close()
}

// jsonCell returns what appends a column's values as JSON.
func jsonCell(column arrow.Array) (cell, error) {
	switch a := column.(type) {
	case *array.String:
		return func(dst []byte, row int) []byte { return appendJSONString(dst, a.Value(row)) }, nil
	case *array.Float64:
		return func(dst []byte, row int) []byte { return appendJSONFloat(dst, a.Value(row)) }, nil
	case *array.List:
		return jsonListCell(a)
	}
	scalar, quote, err := scalarCell(column)
	if err != nil || !quote {
		return scalar, err
	}
	return func(dst []byte, row int) []byte {
		return append(scalar(append(dst, '"'), row), '"')
	}, nil
}

func jsonListCell(column *array.List) (cell, error) {
	elements := column.ListValues()
	element, err := jsonCell(elements)
	return func(dst []byte, row int) []byte {
		dst = append(dst, '[')
		first, last := column.ValueOffsets(row)
		for i := int(first); i < int(last); i++ {
			if i > int(first) {
				dst = append(dst, ',')
			}
			if elements.IsNull(i) {
				dst = append(dst, "null"...)
			} else {
				dst = element(dst, i)
			}
		}
		return append(dst, ']')
	}, err
}

// appendJSONFloat appends a number, or for what JSON has no number the text
// that most readers take for it.
func appendJSONFloat(dst []byte, v float64) []byte {
	switch {
	case math.IsNaN(v):
		return append(dst, `"NaN"`...)
	case math.IsInf(v, 1):
		return append(dst, `"Infinity"`...)
	case math.IsInf(v, -1):
		return append(dst, `"-Infinity"`...)
	default:
		return appendFloat(dst, v)
	}
}

// appendJSONString appends a quoted JSON string. Bytes that are not UTF-8
// become U+FFFD.
func appendJSONString(dst []byte, text string) []byte {
	dst = append(dst, '"')
	done := 0
	for i := plainPrefix(text); i < len(text); {
		c := text[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(text[i:])
			if r == utf8.RuneError && size == 1 {
				dst = append(dst, text[done:i]...)
				dst = append(dst, "\ufffd"...)
				done = i + 1
			}
			i += size
			continue
		}
		dst = append(dst, text[done:i]...)
		dst = appendEscaped(dst, c)
		i++
		done = i
	}
	dst = append(dst, text[done:]...)
	return append(dst, '"')
}

// plainPrefix is how many of the first bytes stand for themselves in a JSON
// string. It looks at eight at a time: subtracting borrows into the high bit of
// a byte that is too small; a borrow may reach bytes after such a one, which are
// looked at singly then.
func plainPrefix(text string) int {
	const ones, highs = 0x0101010101010101, 0x80 * 0x0101010101010101
	b, i := unsafe.Slice(unsafe.StringData(text), len(text)), 0
	for ; i+8 <= len(b); i += 8 {
		w := binary.LittleEndian.Uint64(b[i:])
		quote, escape := w^(ones*'"'), w^(ones*'\\')
		if (w|(quote-ones)&^quote|(escape-ones)&^escape|(w-ones*' ')&^w)&highs != 0 {
			break
		}
	}
	return i
}

func appendEscaped(dst []byte, c byte) []byte {
	const digits = "0123456789abcdef"
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	default:
		return append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
	}
}
