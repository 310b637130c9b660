package sinks

import (
	"fmt"
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

// sampled is how many texts decide on a column's encoding.
const sampled = 4096

// repeats reports whether a column's first texts repeat often enough for a
// dictionary: each at least four times on average.
func repeats(column arrow.Array) bool {
	texts, ok := column.(*array.String)
	if !ok {
		return false
	}
	const atLeast = 4
	seen, distinct := 0, map[string]struct{}{}
	for row := 0; row < texts.Len() && seen < sampled; row++ {
		if texts.IsValid(row) {
			seen++
			distinct[texts.Value(row)] = struct{}{}
		}
	}
	return seen > 0 && len(distinct)*atLeast <= seen
}
