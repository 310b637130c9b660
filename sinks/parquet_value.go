package sinks

import (
	"fmt"
	"math"
	"unsafe"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/decimal128"
	"github.com/parquet-go/parquet-go"
)

// reader gives the value of a row that is not null. Texts are not copied: the
// value is good until the buffer is flushed, while the batch is still there.
type reader func(row int) parquet.Value

// readerOf returns the reader of a column. It counts in b the bytes that values
// refer to, and leaves there the error of a value that cannot be written.
func readerOf(column arrow.Array, b *valueBuffer) (reader, error) {
	switch a := column.(type) {
	case *array.String:
		return func(row int) parquet.Value {
			text := a.Value(row)
			b.size += len(text)
			return parquet.ByteArrayValue(unsafe.Slice(unsafe.StringData(text), len(text)))
		}, nil
	case *array.Int64:
		return func(row int) parquet.Value { return parquet.Int64Value(a.Value(row)) }, nil
	case *array.Float64:
		return func(row int) parquet.Value { return parquet.DoubleValue(a.Value(row)) }, nil
	case *array.Boolean:
		return func(row int) parquet.Value { return parquet.BooleanValue(a.Value(row)) }, nil
	case *array.Date32:
		return func(row int) parquet.Value { return parquet.Int32Value(int32(a.Value(row))) }, nil
	case *array.Timestamp:
		return func(row int) parquet.Value { return parquet.Int64Value(int64(a.Value(row))) }, nil
	case *array.Decimal128:
		return decimalReader(a, b), nil
	default:
		return nil, unsupported(column.DataType())
	}
}

func decimalReader(a *array.Decimal128, b *valueBuffer) reader {
	dt := a.DataType().(*arrow.Decimal128Type)
	read := func(v decimal128.Num) parquet.Value {
		start := len(b.wide)
		b.wide = appendBigEndian(b.wide, v)
		b.size += decimalBytes
		return parquet.FixedLenByteArrayValue(b.wide[start:])
	}
	switch {
	case dt.Precision <= maxInt32Digits:
		read = func(v decimal128.Num) parquet.Value { return parquet.Int32Value(int32(v.LowBits())) }
	case dt.Precision <= maxInt64Digits:
		read = func(v decimal128.Num) parquet.Value { return parquet.Int64Value(int64(v.LowBits())) }
	}
	return func(row int) parquet.Value {
		v := a.Value(row)
		if !v.FitsInPrecision(dt.Precision) {
			b.err = fmt.Errorf("row %d of the batch: %s has more than %d digits", row, v.ToString(dt.Scale), dt.Precision)
		}
		return read(v)
	}
}

// sampled is how many values decide on a column's encoding.
const sampled = 4096

// repeats reports whether a column's first values repeat often enough for a
// dictionary: each at least four times on average. It is not asked of booleans,
// nor of wide decimals, whose dictionary would order them wrongly.
func repeats(column arrow.Array) bool {
	switch a := column.(type) {
	case *array.String:
		return repeating(a, a.Value)
	case *array.Int64:
		return repeating(a, a.Value)
	case *array.Float64:
		return repeating(a, func(row int) uint64 { return math.Float64bits(a.Value(row)) })
	case *array.Date32:
		return repeating(a, a.Value)
	case *array.Timestamp:
		return repeating(a, a.Value)
	case *array.Decimal128:
		return repeating(a, a.Value)
	}
	return false
}

func repeating[T comparable](column arrow.Array, value func(row int) T) bool {
	const atLeast = 4
	seen, distinct := 0, map[T]struct{}{}
	for row := 0; row < column.Len() && seen < sampled; row++ {
		if column.IsValid(row) {
			seen++
			distinct[value(row)] = struct{}{}
		}
	}
	return seen > 0 && len(distinct)*atLeast <= seen
}
