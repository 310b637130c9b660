package pipeline

import (
	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/decimal128"

	"github.com/adteco/docarchive/internal/rawjson"
)

// value is a JSON value as it stands in a job.
type value struct {
	kind  rawjson.Kind
	raw   []byte
	plain bool // a string that is its own text: ASCII without escapes
}

// form is how a column takes values and holds them.
type form int

const (
	formText    form = iota // strings
	formJSON                // the text of arrays and objects
	formAny                 // anything as text, for values that do not fit elsewhere
	formFloat               // and in words, as are the next four
	formInt                 //
	formBool                //
	formTime                // microseconds
	formDate                // days
	formDecimal             // 128 bits
	formList                // a column of elements
)

// column collects one column's values of the batch in the making: those that
// are there, and the rows that they stand in. The Arrow array, which has a place
// for nulls too, is made of them when the batch ends. Their memory is kept for
// the next batch.
type column struct {
	Column
	form     form
	dataType arrow.DataType
	rows     []int32 // of the values, ascending
	store
	precision, scale int32   // of decimals
	element          *column // of lists; its rows are places among all elements
}

// store holds values in one of the ways, by the column's form.
type store struct {
	words []uint64
	text  []byte
	ends  []int32 // of each value in text, or among a list's elements
	wide  []decimal128.Num
}

func newColumn(c Column) (*column, error) {
	dt, err := c.Type.Arrow()
	if err != nil {
		return nil, err
	}
	col := &column{Column: c, dataType: dt}
	switch {
	case c.TextOf != "":
		col.form = formAny
	case c.Type == TypeJSON:
		col.form = formJSON
	case c.Type == TypeUTF8:
		col.form = formText
	case c.Type == TypeFloat64:
		col.form = formFloat
	case c.Type == TypeInt64:
		col.form = formInt
	case c.Type == TypeBool:
		col.form = formBool
	case c.Type == TypeTimestamp:
		col.form = formTime
	case c.Type == TypeDate32:
		col.form = formDate
	}
	if precision, scale, ok := c.Type.Decimal(); ok {
		col.form, col.precision, col.scale = formDecimal, precision, scale
	}
	if element, ok := c.Type.Element(); ok {
		col.form = formList
		col.element, err = newColumn(Column{Type: element, Group: c.Group})
	}
	return col, err
}

// put makes v the value of a row later than those before, or reports that it
// does not fit losslessly.
func (c *column) put(row int, v value) bool {
	switch c.form {
	case formText:
		return c.putText(row, v)
	case formJSON:
		// Anything but arrays and objects would be told apart from a string only
		// by a guess.
		if v.kind != rawjson.Array && v.kind != rawjson.Object {
			return false
		}
		c.text = rawjson.AppendPrintable(c.text, v.raw)
		c.endText(row)
		return true
	case formAny:
		// A string stands as it is, anything else, and a string that UTF-8 cannot
		// hold, as its JSON text.
		if !c.putText(row, v) {
			c.text = rawjson.AppendPrintable(c.text, v.raw)
			c.endText(row)
		}
		return true
	case formList:
		return c.putList(row, v)
	case formDecimal:
		if v.kind != rawjson.Number {
			return false
		}
		d, ok := exactDecimal(v.raw, c.precision, c.scale)
		if ok {
			c.wide = append(c.wide, d)
			c.rows = append(c.rows, int32(row))
		}
		return ok
	}
	word, ok := c.word(v)
	if ok {
		c.putWord(row, word)
	}
	return ok
}

// word returns the value as a column of words holds it.
func (c *column) word(v value) (word uint64, ok bool) {
	switch {
	case v.kind == rawjson.Number && c.form == formFloat:
		return exactFloatBits(v.raw)
	case v.kind == rawjson.Number && c.form == formInt:
		i, ok := exactInt(v.raw)
		return uint64(i), ok
	case (v.kind == rawjson.True || v.kind == rawjson.False) && c.form == formBool:
		if v.kind == rawjson.True {
			word = 1
		}
		return word, true
	case v.kind == rawjson.String && c.form == formTime:
		// Another offset than that of UTC is part of what a field says.
		at, ok := exactTime(v, c.Group == GroupStandard)
		return uint64(at), ok
	case v.kind == rawjson.String && c.form == formDate:
		day, ok := exactDate(v)
		return uint64(day), ok
	}
	return 0, false
}

func (c *column) putWord(row int, word uint64) {
	c.words = append(c.words, word)
	c.rows = append(c.rows, int32(row))
}

// putText puts a string that UTF-8 can hold.
func (c *column) putText(row int, v value) bool {
	if v.kind != rawjson.String {
		return false
	}
	if v.plain {
		c.text = append(c.text, v.raw[1:len(v.raw)-1]...)
		c.endText(row)
		return true
	}
	start := len(c.text)
	text, exact := rawjson.AppendText(c.text, v.raw)
	c.text = text
	if !exact {
		c.text = text[:start]
		return false
	}
	c.endText(row)
	return true
}

// putString puts a text that is UTF-8.
func (c *column) putString(row int, text string) {
	c.text = append(c.text, text...)
	c.endText(row)
}

func (c *column) endText(row int) {
	c.ends = append(c.ends, int32(len(c.text)))
	c.rows = append(c.rows, int32(row))
}

// elements is how many elements the lists so far have.
func (c *column) elements() int {
	if len(c.ends) == 0 {
		return 0
	}
	return int(c.ends[len(c.ends)-1])
}

// putList puts an array whose elements all fit the element type; null is an
// element like others.
func (c *column) putList(row int, v value) bool {
	if v.kind != rawjson.Array {
		return false
	}
	before, count := c.element.mark(), c.elements()
	s := rawjson.NewScanner(v.raw)
	fits := true
	err := s.Array(func() error {
		element, err := next(s)
		if err == nil && fits && element.kind != rawjson.Null {
			fits = c.element.put(count, element)
		}
		count++
		return err
	})
	if err != nil || !fits {
		c.element.back(before) // no half of a list stays behind
		return false
	}
	c.ends = append(c.ends, int32(count))
	c.rows = append(c.rows, int32(row))
	return true
}

// mark is how far a column is filled.
type mark struct{ rows, words, text, ends, wide int }

func (c *column) mark() mark {
	return mark{len(c.rows), len(c.words), len(c.text), len(c.ends), len(c.wide)}
}

// back takes away what was put since the mark.
func (c *column) back(m mark) {
	c.rows, c.words, c.text = c.rows[:m.rows], c.words[:m.words], c.text[:m.text]
	c.ends, c.wide = c.ends[:m.ends], c.wide[:m.wide]
}
