package sinks

import (
	"encoding/binary"
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/decimal128"
	"github.com/parquet-go/parquet-go"
)

// appender adds one row's values of one column to a batch.
type appender func(values []parquet.Value)

func (g *merge) appenders(b *array.RecordBuilder) ([]appender, error) {
	all := make([]appender, len(g.columns))
	for i, c := range g.columns {
		field := b.Field(i)
		if list, ok := field.(*array.ListBuilder); ok {
			element, err := scalarAppender(list.ValueBuilder())
			if err != nil {
				return nil, fmt.Errorf("column %s: %w", c.path[0], err)
			}
			all[i] = c.listAppender(list, element)
			continue
		}
		scalar, err := scalarAppender(field)
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", c.path[0], err)
		}
		all[i] = func(values []parquet.Value) { scalar(values[0]) }
	}
	return all, nil
}

// listAppender is the inverse of [parquetColumn.writeLists].
func (c *parquetColumn) listAppender(list *array.ListBuilder, element func(parquet.Value)) appender {
	present := 0 // definition level of a list that is there and empty
	if c.optional {
		present = 1
	}
	return func(values []parquet.Value) {
		switch level := values[0].DefinitionLevel(); {
		case level < present:
			list.AppendNull()
		case level == present:
			list.Append(true)
		default:
			list.Append(true)
			for _, v := range values {
				element(v)
			}
		}
	}
}

// scalarAppender returns what adds one value that may be null. It copies texts.
func scalarAppender(b array.Builder) (func(parquet.Value), error) {
	var add func(parquet.Value)
	switch b := b.(type) {
	case *array.StringBuilder:
		add = func(v parquet.Value) { b.BinaryBuilder.Append(v.ByteArray()) }
	case *array.Int64Builder:
		add = func(v parquet.Value) { b.Append(v.Int64()) }
	case *array.Float64Builder:
		add = func(v parquet.Value) { b.Append(v.Double()) }
	case *array.BooleanBuilder:
		add = func(v parquet.Value) { b.Append(v.Boolean()) }
	case *array.Date32Builder:
		add = func(v parquet.Value) { b.Append(arrow.Date32(v.Int32())) }
	case *array.TimestampBuilder:
		add = func(v parquet.Value) { b.Append(arrow.Timestamp(v.Int64())) }
	case *array.Decimal128Builder:
		add = func(v parquet.Value) { b.Append(decimalOf(v)) }
	default:
		return nil, unsupported(b.Type())
	}
	return func(v parquet.Value) {
		if v.IsNull() {
			b.AppendNull()
		} else {
			add(v)
		}
	}, nil
}

// decimalOf is the inverse of [decimalReader], for all physical types.
func decimalOf(v parquet.Value) decimal128.Num {
	switch v.Kind() {
	case parquet.Int32:
		return decimal128.FromI64(int64(v.Int32()))
	case parquet.Int64:
		return decimal128.FromI64(v.Int64())
	default:
		wide := v.ByteArray()
		return decimal128.New(int64(binary.BigEndian.Uint64(wide)), binary.BigEndian.Uint64(wide[8:]))
	}
}

// appendRow adds a row to a batch. What its file lacks is null.
func appendRow(b *array.RecordBuilder, appenders []appender, row mergedRow) error {
	columns := 0
	row.Range(func(leaf int, values []parquet.Value) bool {
		if len(values) == 0 {
			return true
		}
		columns++
		appenders[row.from.targets[leaf]](values)
		return true
	})
	if columns != len(row.from.targets) {
		return fmt.Errorf("a row of a source has %d columns of %d", columns, len(row.from.targets))
	}
	for _, column := range row.from.missing {
		b.Field(column).AppendNull()
	}
	return nil
}
