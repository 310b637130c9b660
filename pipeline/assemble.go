package pipeline

import (
	"encoding/binary"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// array makes an Arrow array of so many rows of what was put, and forgets it.
// The caller releases the array.
func (c *column) array(mem memory.Allocator, rows int) arrow.Array {
	data := c.data(mem, rows)
	defer data.Release()
	return array.MakeFromData(data)
}

func (c *column) data(mem memory.Allocator, rows int) *array.Data {
	nulls := rows - len(c.rows)
	buffers := []*memory.Buffer{nil}
	if nulls > 0 {
		buffers[0] = c.validity(mem, rows)
	}
	var children []arrow.ArrayData
	switch c.form {
	case formText, formJSON, formAny:
		text := newBuffer(mem, len(c.text))
		copy(text.Bytes(), c.text)
		buffers = append(buffers, c.offsets(mem, rows), text)
	case formList:
		elements := c.element.data(mem, c.elements())
		defer elements.Release()
		children = []arrow.ArrayData{elements}
		buffers = append(buffers, c.offsets(mem, rows))
	case formBool:
		buffers = append(buffers, c.bits(mem, rows))
	case formDate:
		buffers = append(buffers, c.days(mem, rows))
	case formDecimal:
		buffers = append(buffers, c.decimals(mem, rows))
	default:
		buffers = append(buffers, c.wordValues(mem, rows))
	}
	data := array.NewData(c.dataType, rows, buffers, children, nulls, 0)
	for _, b := range buffers {
		if b != nil {
			b.Release()
		}
	}
	c.back(mark{})
	return data
}

// newBuffer returns a buffer of size zero bytes.
func newBuffer(mem memory.Allocator, size int) *memory.Buffer {
	b := memory.NewResizableBuffer(mem)
	b.Resize(size)
	clear(b.Bytes())
	return b
}

// validity has a bit for every row that holds a value.
func (c *column) validity(mem memory.Allocator, rows int) *memory.Buffer {
	b := newBuffer(mem, (rows+7)/8)
	bitmap := b.Bytes()
	for _, row := range c.rows {
		bitmap[row>>3] |= 1 << (row & 7)
	}
	return b
}

// offsets is where each row's text or list begins; what is null is empty.
func (c *column) offsets(mem memory.Allocator, rows int) *memory.Buffer {
	b := newBuffer(mem, arrow.Int32SizeBytes*(rows+1))
	offsets := arrow.Int32Traits.CastFromBytes(b.Bytes())
	end, place := int32(0), 0
	for i, row := range c.rows {
		for ; place <= int(row); place++ {
			offsets[place] = end
		}
		end = c.ends[i]
	}
	for ; place <= rows; place++ {
		offsets[place] = end
	}
	return b
}

func (c *column) bits(mem memory.Allocator, rows int) *memory.Buffer {
	b := newBuffer(mem, (rows+7)/8)
	bitmap := b.Bytes()
	for i, row := range c.rows {
		bitmap[row>>3] |= byte(c.words[i]) << (row & 7)
	}
	return b
}

func (c *column) days(mem memory.Allocator, rows int) *memory.Buffer {
	b := newBuffer(mem, arrow.Date32SizeBytes*rows)
	values := arrow.Date32Traits.CastFromBytes(b.Bytes())
	for i, row := range c.rows {
		values[row] = arrow.Date32(c.words[i])
	}
	return b
}

func (c *column) decimals(mem memory.Allocator, rows int) *memory.Buffer {
	b := newBuffer(mem, arrow.Decimal128SizeBytes*rows)
	values := arrow.Decimal128Traits.CastFromBytes(b.Bytes())
	for i, row := range c.rows {
		values[row] = c.wide[i]
	}
	return b
}

// wordValues are the values of types of 64 bits: the form says what they mean.
func (c *column) wordValues(mem memory.Allocator, rows int) *memory.Buffer {
	b := newBuffer(mem, arrow.Uint64SizeBytes*rows)
	values := b.Bytes()
	for i, row := range c.rows {
		binary.NativeEndian.PutUint64(values[arrow.Uint64SizeBytes*int(row):], c.words[i])
	}
	return b
}
