package sinktest

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/decimal128"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/adteco/docarchive/pipeline"
)

// field returns a field as the pipeline makes it.
func field(id int, name string, t pipeline.Type, group pipeline.Group) arrow.Field {
	c := pipeline.Column{Name: name, Type: t, Group: group, FieldID: id, Source: "/" + name}
	f, err := c.Field()
	if err != nil {
		panic(err) // the suite's own types are types
	}
	return f
}

// jobFields are the standard columns that sinks look at.
func jobFields() []arrow.Field {
	return []arrow.Field{
		field(1, pipeline.ColumnJobID, pipeline.TypeUTF8, pipeline.GroupStandard),
		field(3, pipeline.ColumnExtractorID, pipeline.TypeUTF8, pipeline.GroupStandard),
		field(4, pipeline.ColumnStatus, pipeline.TypeUTF8, pipeline.GroupStandard),
		field(12, pipeline.ColumnCreatedAt, pipeline.TypeTimestamp, pipeline.GroupStandard),
	}
}

// Job is a row of a batch made by [Jobs]. An empty Extractor is the empty text;
// nil is null.
type Job struct {
	ID        string
	Extractor *string
	Created   *time.Time
	Amount    *string // of a decimal(18,4) without its point, absent unless the batch has the column
}

// Jobs makes a batch of standard columns. The caller releases it.
func Jobs(mem memory.Allocator, withAmount bool, jobs ...Job) arrow.Record {
	fields := jobFields()
	if withAmount {
		fields = append(fields, field(17, "amount", pipeline.Decimal(18, 4), pipeline.GroupData))
	}
	b := array.NewRecordBuilder(mem, arrow.NewSchema(fields, nil))
	defer b.Release()
	for _, j := range jobs {
		b.Field(0).(*array.StringBuilder).Append(j.ID)
		appendText(b.Field(1), j.Extractor)
		b.Field(2).(*array.StringBuilder).Append("completed")
		if j.Created == nil {
			b.Field(3).AppendNull()
		} else {
			b.Field(3).(*array.TimestampBuilder).Append(arrow.Timestamp(j.Created.UnixMicro()))
		}
		if withAmount {
			appendDecimal(b.Field(4).(*array.Decimal128Builder), j.Amount)
		}
	}
	return b.NewRecord()
}

func appendText(b array.Builder, text *string) {
	if text == nil {
		b.AppendNull()
		return
	}
	b.(*array.StringBuilder).Append(*text)
}

func appendDecimal(b *array.Decimal128Builder, unscaled *string) {
	if unscaled == nil {
		b.AppendNull()
		return
	}
	b.Append(number(*unscaled))
}

func number(unscaled string) decimal128.Num {
	v, err := decimal128.FromString(unscaled, pipeline.MaxPrecision, 0)
	if err != nil {
		panic(err) // the suite's own numbers are numbers
	}
	return v
}

// job makes the row with the given number, below 86,400, at a second of its own.
func job(n int) Job {
	created := window().Start.Add(time.Duration(n) * time.Second)
	extractor := "ext_" + strconv.Itoa(n%3)
	return Job{ID: "job_" + strconv.Itoa(n), Extractor: &extractor, Created: &created}
}

// extremeTexts are texts that encoders get wrong.
func extremeTexts() []string {
	return []string{
		"", " ", "  padded  ", "null", "NULL", "\\N", "NaN", `""`, `"`, `a"b`, "a,b", "a;b", "a\nb", "a\r\nb", "\r", "\n",
		"'", "=1+1", "+491701234", "-1", "@cmd", "\ttab", "\rcr", "'quoted", "1e5", "007", "true",
		"naïve café", "日本語", "🧾\U0010ffff", "e\u0301", "\u202eabc", "\u2028", "\ufeff",
		"\x01\x02\x1f\x7f", "back\\slash", "</script>", `{"a": [1, "b"]}`,
		strings.Repeat("long ", 1<<18), // over a megabyte
	}
}

func extremeFloats() []float64 {
	return []float64{
		0, math.Copysign(0, -1), 1, -1, 0.1, 1.0 / 3, 1e308, -1e308, math.MaxFloat64, math.SmallestNonzeroFloat64,
		1e-7, 1e20, 1e21, 1e22, 123456789012345680, 9007199254740993,
	}
}

func extremeInts() []int64 {
	return []int64{0, 1, -1, math.MaxInt64, math.MinInt64, 1 << 53, 1<<53 + 1, 1000}
}

// extremeDays lie before 1970, at leap days and at the ends of four-digit years.
func extremeDays() []arrow.Date32 {
	days := []arrow.Date32{0, -1, 1}
	for _, d := range []string{"0001-01-01", "1600-02-29", "1900-03-01", "1969-12-31", "2000-02-29", "2100-02-28", "9999-12-31"} {
		t, err := time.Parse(time.DateOnly, d)
		if err != nil {
			panic(err) // the suite's own dates are dates
		}
		days = append(days, arrow.Date32FromTime(t))
	}
	return days
}

func extremeTimes() []arrow.Timestamp {
	times := []arrow.Timestamp{0, -1, 1, 999_999, -86_400_000_000, -86_400_000_001}
	for _, d := range extremeDays() {
		noon := int64(d)*86_400_000_000 + 43_200_000_001
		times = append(times, arrow.Timestamp(noon))
	}
	return times
}

// extremeDecimals are unscaled numbers of at most the given digits.
func extremeDecimals(digits int) []string {
	nines := strings.Repeat("9", digits)
	one := "1" + strings.Repeat("0", digits-1)
	return []string{"0", "1", "-1", "5", nines, "-" + nines, one, "-" + one, nines[:(digits+1)/2]}
}
