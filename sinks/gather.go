package sinks

import (
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// take returns the rows of the spans, which ascend. One span is a view of the
// batch; several are copied, which costs the same for every row however the
// spans lie. The caller releases the record.
func take(mem memory.Allocator, batch arrow.Record, spans []span) (arrow.Record, error) {
	if len(spans) == 1 {
		return batch.NewSlice(int64(spans[0].start), int64(spans[0].end)), nil
	}
	rows := int64(0)
	for _, s := range spans {
		rows += int64(s.end - s.start)
	}
	columns := make([]arrow.Array, 0, batch.NumCols())
	defer func() {
		for _, c := range columns {
			c.Release()
		}
	}()
	for i, c := range batch.Columns() {
		gathered, err := gather(mem, c, spans)
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", batch.ColumnName(i), err)
		}
		columns = append(columns, gathered)
	}
	return array.NewRecord(batch.Schema(), columns, rows), nil
}

// gather copies the values of the spans.
func gather(mem memory.Allocator, column arrow.Array, spans []span) (arrow.Array, error) {
	b := array.NewBuilder(mem, column.DataType())
	defer b.Release()
	copyRange, err := copier(b, column)
	if err != nil {
		return nil, err
	}
	for _, s := range spans {
		copyRange(s.start, s.end)
	}
	return b.NewArray(), nil
}

// copier returns what appends a range of rows of the column to the builder.
func copier(b array.Builder, column arrow.Array) (func(start, end int), error) {
	switch a := column.(type) {
	case *array.String:
		return copyValues(b.(*array.StringBuilder).Append, b, a, a.Value), nil
	case *array.Float64:
		return copyValues(b.(*array.Float64Builder).Append, b, a, a.Value), nil
	case *array.Int64:
		return copyValues(b.(*array.Int64Builder).Append, b, a, a.Value), nil
	case *array.Boolean:
		return copyValues(b.(*array.BooleanBuilder).Append, b, a, a.Value), nil
	case *array.Date32:
		return copyValues(b.(*array.Date32Builder).Append, b, a, a.Value), nil
	case *array.Timestamp:
		return copyValues(b.(*array.TimestampBuilder).Append, b, a, a.Value), nil
	case *array.Decimal128:
		return copyValues(b.(*array.Decimal128Builder).Append, b, a, a.Value), nil
	case *array.List:
		return listCopier(b.(*array.ListBuilder), a)
	default:
		return nil, unsupported(column.DataType())
	}
}

func unsupported(dt arrow.DataType) error {
	return fmt.Errorf("values of type %s cannot be written to a file", dt)
}

func copyValues[T any](add func(T), b array.Builder, column arrow.Array, at func(int) T) func(start, end int) {
	return func(start, end int) {
		for i := start; i < end; i++ {
			if column.IsNull(i) {
				b.AppendNull()
			} else {
				add(at(i))
			}
		}
	}
}

func listCopier(b *array.ListBuilder, column *array.List) (func(start, end int), error) {
	elements, err := copier(b.ValueBuilder(), column.ListValues())
	if err != nil {
		return nil, err
	}
	return func(start, end int) {
		for i := start; i < end; i++ {
			if column.IsNull(i) {
				b.AppendNull()
				continue
			}
			b.Append(true)
			first, last := column.ValueOffsets(i)
			elements(int(first), int(last))
		}
	}, nil
}
