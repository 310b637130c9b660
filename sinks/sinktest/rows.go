package sinktest

import (
	"encoding/json"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/decimal128"
)

// RowsOf gives the rows of a batch as text: integers and decimals in full,
// decimals with all digits of their scale, floats as strconv's shortest form
// 'g', booleans true or false, dates 2006-01-02, timestamps with six digits of
// fraction and Z, and lists as a JSON array of such texts or null.
func RowsOf(batch arrow.Record) []Row {
	rows := make([]Row, batch.NumRows())
	for i := range rows {
		rows[i] = Row{}
		for c, column := range batch.Columns() {
			if column.IsValid(i) {
				rows[i][batch.ColumnName(c)] = Text(column, i)
			}
		}
	}
	return rows
}

// Text gives one value, which is not null, as text.
func Text(column arrow.Array, row int) string {
	switch a := column.(type) {
	case *array.String:
		return a.Value(row)
	case *array.Int64:
		return strconv.FormatInt(a.Value(row), 10)
	case *array.Float64:
		return FloatText(a.Value(row))
	case *array.Boolean:
		return strconv.FormatBool(a.Value(row))
	case *array.Date32:
		return time.Unix(int64(a.Value(row))*86_400, 0).UTC().Format(time.DateOnly)
	case *array.Timestamp:
		return TimeText(time.UnixMicro(int64(a.Value(row))))
	case *array.Decimal128:
		return DecimalText(a.Value(row), int(a.DataType().(*arrow.Decimal128Type).Scale))
	case *array.List:
		first, last := a.ValueOffsets(row)
		elements := []*string{}
		for i := int(first); i < int(last); i++ {
			if a.ListValues().IsNull(i) {
				elements = append(elements, nil)
				continue
			}
			text := Text(a.ListValues(), i)
			elements = append(elements, &text)
		}
		return ListText(elements)
	default:
		panic("no text for " + column.DataType().String())
	}
}

// FloatText gives a float as RowsOf does.
func FloatText(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// TimeText gives a timestamp as RowsOf does.
func TimeText(v time.Time) string { return v.UTC().Format("2006-01-02T15:04:05.000000Z") }

// ListText gives a list of texts as RowsOf does; nil is null.
func ListText(elements []*string) string {
	text, err := json.Marshal(elements)
	if err != nil {
		panic(err) // texts always marshal
	}
	return string(text)
}

// DecimalText gives a decimal as RowsOf does.
func DecimalText(v decimal128.Num, scale int) string { return ScaledText(v.BigInt(), scale) }

// ScaledText gives the number unscaled × 10^-scale with all its digits.
func ScaledText(unscaled *big.Int, scale int) string {
	digits := new(big.Int).Abs(unscaled).String()
	if missing := scale + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	if scale > 0 {
		digits = digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
	}
	if unscaled.Sign() < 0 {
		return "-" + digits
	}
	return digits
}
