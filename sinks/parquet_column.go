package sinks

import (
	"errors"
	"unsafe"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/parquet-go/parquet-go"
)

// parquetColumn writes the values of one Arrow column.
type parquetColumn struct {
	out             *parquet.ColumnWriter
	path            []string // of the leaf
	optional        bool
	elementOptional bool
	skipBounds      bool
}

const (
	// valuesPerWrite is few enough for the values to stay in the cache.
	valuesPerWrite = 1024
	// bytesPerWrite bounds the texts passed on at once, and so how far a page
	// outgrows pageBytes.
	bytesPerWrite = 64 << 10
)

// valueBuffer is one worker's scratch space.
type valueBuffer struct {
	values []parquet.Value
	size   int             // bytes that the values refer to
	nulls  []parquet.Value // all null, never changed
	wide   []byte          // backs the values of wide decimals
	err    error           // of a value that could not be read
}

func newValueBuffer() *valueBuffer {
	return &valueBuffer{
		values: make([]parquet.Value, 0, valuesPerWrite),
		nulls:  make([]parquet.Value, valuesPerWrite),
	}
}

func (b *valueBuffer) full() bool {
	return len(b.values) >= valuesPerWrite || b.size >= bytesPerWrite
}

// flush passes the values on; they are whole rows.
func (b *valueBuffer) flush(out *parquet.ColumnWriter) error {
	if b.err != nil || len(b.values) == 0 {
		return b.err
	}
	_, err := out.WriteRowValues(b.values)
	clear(b.values) // they point into the batch, which is not ours to keep
	b.values, b.wide, b.size = b.values[:0], b.wide[:0], 0
	return err
}

func (c *parquetColumn) write(column arrow.Array, b *valueBuffer) error {
	if !c.optional && column.NullN() > 0 {
		return errors.New("it holds nulls, but is declared never null")
	}
	if list, ok := column.(*array.List); ok {
		return c.writeLists(list, b)
	}
	if column.NullN() == column.Len() {
		return c.writeNulls(column.Len(), b)
	}
	switch a := column.(type) {
	case *array.String:
		return c.writeTexts(a, b)
	case *array.Int64:
		return writeFixed(c, a, a.Int64Values(), parquet.Int64Value, b)
	case *array.Float64:
		return writeFixed(c, a, a.Float64Values(), parquet.DoubleValue, b)
	case *array.Timestamp:
		return writeFixed(c, a, arrow.Int64Traits.CastFromBytes(arrow.TimestampTraits.CastToBytes(a.TimestampValues())), parquet.Int64Value, b)
	}
	read, err := readerOf(column, b)
	if err != nil {
		return err
	}
	noNulls := column.NullN() == 0
	for row := range column.Len() {
		if noNulls || column.IsValid(row) {
			v := read(row)
			if c.optional {
				v.SetDefinitionLevel(1)
			}
			b.values = append(b.values, v)
		} else {
			b.values = append(b.values, parquet.Value{})
		}
		if b.full() {
			if err := b.flush(c.out); err != nil {
				return err
			}
		}
	}
	return b.flush(c.out)
}

// present is the definition level of a value that is there.
func (c *parquetColumn) present() int {
	if c.optional {
		return 1
	}
	return 0
}

// writeFixed writes a column of values of one width.
func writeFixed[T any](c *parquetColumn, column arrow.Array, values []T, valueOf func(T) parquet.Value, b *valueBuffer) error {
	valid := validityOf(column)
	level := c.present()
	for len(values) > 0 {
		n := min(len(values), valuesPerWrite)
		out := b.values[:n]
		for i, v := range values[:n] {
			if valid.has(i) {
				out[i] = valueOf(v).Level(0, level, 0)
			} else {
				out[i] = parquet.Value{}
			}
		}
		b.values = out
		if err := b.flush(c.out); err != nil {
			return err
		}
		values = values[n:]
		valid.offset += n
	}
	return nil
}

func (c *parquetColumn) writeTexts(column *array.String, b *valueBuffer) error {
	valid := validityOf(column)
	level := c.present()
	for row := range column.Len() {
		if valid.has(row) {
			text := column.Value(row)
			b.size += len(text)
			v := parquet.ByteArrayValue(unsafe.Slice(unsafe.StringData(text), len(text)))
			b.values = append(b.values, v.Level(0, level, 0))
		} else {
			b.values = append(b.values, parquet.Value{})
		}
		if b.full() {
			if err := b.flush(c.out); err != nil {
				return err
			}
		}
	}
	return b.flush(c.out)
}

func (c *parquetColumn) writeNulls(n int, b *valueBuffer) error {
	for n > 0 {
		part := min(n, len(b.nulls))
		if _, err := c.out.WriteRowValues(b.nulls[:part]); err != nil {
			return err
		}
		n -= part
	}
	return nil
}

// writeLists writes rows of three levels. The definition level counts what is
// there: the list, then a place in it, then the element.
func (c *parquetColumn) writeLists(column *array.List, b *valueBuffer) error {
	elements := column.ListValues()
	read, err := readerOf(elements, b)
	if err != nil {
		return err
	}
	present := c.present() // of a list that is there and empty
	for row := range column.Len() {
		if column.IsNull(row) {
			b.values = append(b.values, parquet.Value{})
		} else if first, last := column.ValueOffsets(row); first == last {
			b.values = append(b.values, parquet.Value{}.Level(0, present, 0))
		} else {
			for i := int(first); i < int(last); i++ {
				v, level := parquet.Value{}, present+1
				if elements.IsValid(i) {
					v = read(i)
					if c.elementOptional {
						level++
					}
				} else if !c.elementOptional {
					return errors.New("a list holds a null, but its elements are declared never null")
				}
				b.values = append(b.values, v.Level(min(i-int(first), 1), level, 0))
			}
		}
		if b.full() {
			if err := b.flush(c.out); err != nil {
				return err
			}
		}
	}
	return b.flush(c.out)
}
