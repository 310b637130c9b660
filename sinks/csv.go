package sinks

import (
	"fmt"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
)

// csvEncoder writes RFC 4180.
type csvEncoder struct {
	textFile
	escapeFormulas bool
	scratch        []byte // the JSON of a list before it is quoted
}

// csvFormula begins what a spreadsheet may take for a formula. The quote is
// not such, but must be guarded as well, or the guard could not be undone.
const csvFormula = "=+-@\t\r'"

func newCSVEncoder(text textFile, schema *arrow.Schema, escapeFormulas bool) (*csvEncoder, error) {
	e := &csvEncoder{textFile: text, escapeFormulas: escapeFormulas}
	for i, f := range schema.Fields() {
		if i > 0 {
			e.buf = append(e.buf, ',')
		}
		e.buf = e.appendText(e.buf, f.Name)
	}
	e.buf = append(e.buf, "\r\n"...)
	return e, nil
}

func (e *csvEncoder) Write(batch arrow.Record) error {
	columns := make([]textColumn, batch.NumCols())
	for i, c := range batch.Columns() {
		var err error
		if columns[i], err = newTextColumn(c, e.cellOf); err != nil {
			return fmt.Errorf("column %s: %w", batch.ColumnName(i), err)
		}
	}
	for row := range int(batch.NumRows()) {
		buf := e.buf
		for i := range columns {
			if i > 0 {
				buf = append(buf, ',')
			}
			if c := &columns[i]; c.has(row) {
				buf = c.cell(buf, row)
			}
		}
		e.buf = append(buf, "\r\n"...)
		if err := e.flush(textFlush); err != nil {
			return err
		}
	}
	return e.flush(0)
}

func (e *csvEncoder) cellOf(column arrow.Array) (cell, error) {
	switch a := column.(type) {
	case *array.String:
		return func(dst []byte, row int) []byte { return e.appendText(dst, a.Value(row)) }, nil
	case *array.List:
		list, err := jsonCell(a)
		return func(dst []byte, row int) []byte {
			e.scratch = list(e.scratch[:0], row)
			return appendQuoted(dst, string(e.scratch))
		}, err
	default:
		c, _, err := scalarCell(column)
		return c, err
	}
}

// appendText appends a field that reads as a text, even if it is empty.
func (e *csvEncoder) appendText(dst []byte, text string) []byte {
	guard := e.escapeFormulas && text != "" && strings.IndexByte(csvFormula, text[0]) >= 0
	if text == "" || hasCSVSpecial(text) {
		if guard {
			text = "'" + text
		}
		return appendQuoted(dst, text)
	}
	if guard {
		dst = append(dst, '\'')
	}
	return append(dst, text...)
}

// hasCSVSpecial reports whether a field must be quoted: for a comma, a quote or
// a line break in it.
func hasCSVSpecial(text string) bool {
	for i := range len(text) {
		// All of them stand below the letters and digits.
		if c := text[i]; c <= ',' && (c == ',' || c == '"' || c == '\r' || c == '\n') {
			return true
		}
	}
	return false
}

func appendQuoted(dst []byte, text string) []byte {
	dst = append(dst, '"')
	for {
		i := strings.IndexByte(text, '"')
		if i < 0 {
			break
		}
		dst = append(dst, text[:i+1]...)
		dst = append(dst, '"')
		text = text[i+1:]
	}
	dst = append(dst, text...)
	return append(dst, '"')
}

// Close writes what is left; a CSV file has no end of its own.
func (e *csvEncoder) Close() error {
	if err := e.flush(0); err != nil {
		return err
	}
	return e.out.Close()
}
