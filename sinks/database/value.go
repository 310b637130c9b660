package database

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"github.com/adteco/docarchive/internal/rawjson"
	"github.com/adteco/docarchive/pipeline"
)

// TimeText is the layout of RFC 3339 in UTC with microseconds. Such texts sort
// by time.
const TimeText = "2006-01-02T15:04:05.000000Z"

// Value returns one value of a batch for databases that take dates, times,
// decimals and lists as text: a string, an int64, a float64, a bool, or nil.
// layout is that of times. Its error is a [ValueError] that does not name the
// column yet.
func Value(a arrow.Array, i int, layout string) (any, error) {
	if a.IsNull(i) {
		return nil, nil
	}
	switch a := a.(type) {
	case *array.String:
		return a.Value(i), nil
	case *array.Float64:
		return a.Value(i), nil
	case *array.Int64:
		return a.Value(i), nil
	case *array.Boolean:
		return a.Value(i), nil
	case *array.Date32:
		return calendar(a.Value(i).ToTime(), time.DateOnly)
	case *array.Timestamp:
		return calendar(time.UnixMicro(int64(a.Value(i))).UTC(), layout)
	case *array.Decimal128:
		return a.Value(i).ToString(a.DataType().(*arrow.Decimal128Type).Scale), nil
	case *array.List:
		return string(AppendJSON(nil, a, i)), nil
	}
	return nil, &ValueError{Reason: "no database type for " + a.DataType().String()}
}

// calendar formats a time whose year has four digits.
func calendar(t time.Time, layout string) (any, error) {
	if y := t.Year(); y < 0 || y > 9999 {
		return nil, &ValueError{Reason: fmt.Sprintf("year %d is out of range", y)}
	}
	return t.Format(layout), nil
}

// AppendJSON appends one value of a batch as JSON. Decimals are numbers with
// all their digits; dates and times are strings.
func AppendJSON(dst []byte, a arrow.Array, i int) []byte {
	if a.IsNull(i) {
		return append(dst, "null"...)
	}
	switch a := a.(type) {
	case *array.String:
		return rawjson.AppendQuoted(dst, a.Value(i))
	case *array.Float64:
		f := a.Value(i)
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return rawjson.AppendQuoted(dst, strconv.FormatFloat(f, 'g', -1, 64))
		}
		return strconv.AppendFloat(dst, f, 'g', -1, 64)
	case *array.Int64:
		return strconv.AppendInt(dst, a.Value(i), 10)
	case *array.Boolean:
		return strconv.AppendBool(dst, a.Value(i))
	case *array.Date32:
		return rawjson.AppendQuoted(dst, a.Value(i).ToTime().Format(time.DateOnly))
	case *array.Timestamp:
		return rawjson.AppendQuoted(dst, time.UnixMicro(int64(a.Value(i))).UTC().Format(TimeText))
	case *array.Decimal128:
		return append(dst, a.Value(i).ToString(a.DataType().(*arrow.Decimal128Type).Scale)...)
	case *array.List:
		dst = append(dst, '[')
		start, end := a.ValueOffsets(i)
		for j := start; j < end; j++ {
			if j > start {
				dst = append(dst, ',')
			}
			dst = AppendJSON(dst, a.ListValues(), int(j))
		}
		return append(dst, ']')
	}
	return rawjson.AppendQuoted(dst, a.ValueStr(i))
}

// rowJSON returns a row as a JSON object of its values that are not null.
func rowJSON(rows arrow.Record, i int) json.RawMessage {
	object := []byte{'{'}
	for n, a := range rows.Columns() {
		if a.IsNull(i) {
			continue
		}
		if len(object) > 1 {
			object = append(object, ',')
		}
		object = rawjson.AppendQuoted(object, rows.ColumnName(n))
		object = append(object, ':')
		object = AppendJSON(object, a, i)
	}
	return append(object, '}')
}

// jobID returns the id of a row's job.
func jobID(rows arrow.Record, i int) string {
	for n, a := range rows.Columns() {
		if ids, ok := a.(*array.String); ok && rows.ColumnName(n) == pipeline.ColumnJobID && ids.IsValid(i) {
			return ids.Value(i)
		}
	}
	return ""
}
