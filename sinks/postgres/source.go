package postgres

import (
	"fmt"
	"math/big"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/decimal128"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/adteco/docarchive/sinks/database"
)

// source gives out a batch row by row. It implements pgx.CopyFromSource.
type source struct {
	readers []func(row int) any
	values  []any
	row     int
	rows    int
	from    int
	err     error
}

func newSource(t *database.Table, rows arrow.Record, from int) *source {
	s := &source{values: make([]any, rows.NumCols()+1), row: -1, rows: int(rows.NumRows()), from: from}
	for i, a := range rows.Columns() {
		r := reader(a)
		if r == nil {
			s.err = fmt.Errorf("column %s: no type for %s", t.Columns[i].Name, a.DataType())
			return s
		}
		s.readers = append(s.readers, r)
	}
	return s
}

// Next implements pgx.CopyFromSource.
func (s *source) Next() bool {
	s.row++
	return s.err == nil && s.row < s.rows
}

// Values implements pgx.CopyFromSource.
func (s *source) Values() ([]any, error) {
	s.values[0] = int32(s.from + s.row)
	for i, read := range s.readers {
		s.values[i+1] = read(s.row)
	}
	return s.values, nil
}

// Err implements pgx.CopyFromSource.
func (s *source) Err() error { return s.err }

// reader returns the function that gives out a column's values as pgx encodes
// them, or nil.
func reader(a arrow.Array) func(row int) any {
	value := scalar(a)
	if list, ok := a.(*array.List); ok {
		value = elements(list)
	}
	if value == nil {
		return nil
	}
	return func(row int) any {
		if a.IsNull(row) {
			return nil
		}
		return value(row)
	}
}

// scalar returns the reader of valid values that are no lists, or nil.
func scalar(a arrow.Array) func(row int) any {
	switch a := a.(type) {
	case *array.String:
		return func(row int) any { return a.Value(row) }
	case *array.Float64:
		return func(row int) any { return a.Value(row) }
	case *array.Int64:
		return func(row int) any { return a.Value(row) }
	case *array.Boolean:
		return func(row int) any { return a.Value(row) }
	case *array.Date32:
		return func(row int) any { return pgtype.Date{Time: a.Value(row).ToTime(), Valid: true} }
	case *array.Timestamp:
		return func(row int) any { return time.UnixMicro(int64(a.Value(row))) }
	case *array.Decimal128:
		scale := a.DataType().(*arrow.Decimal128Type).Scale
		return func(row int) any { return numeric(a.Value(row), scale) }
	}
	return nil
}

func numeric(n decimal128.Num, scale int32) pgtype.Numeric {
	var unscaled *big.Int
	if n.HighBits() == 0 && n.LowBits() < 1<<63 {
		unscaled = big.NewInt(int64(n.LowBits()))
	} else {
		unscaled = n.BigInt()
	}
	return pgtype.Numeric{Int: unscaled, Exp: -scale, Valid: true}
}

// elements returns the reader of lists.
func elements(list *array.List) func(row int) any {
	value := reader(list.ListValues())
	if value == nil {
		return nil
	}
	return func(row int) any {
		start, end := list.ValueOffsets(row)
		values := make(pgtype.FlatArray[any], end-start)
		for i := range values {
			values[i] = value(int(start) + i)
		}
		return values
	}
}
