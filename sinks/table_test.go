package sinks_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/decimal128"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/adteco/docarchive/pipeline"
	"github.com/adteco/docarchive/sinks"
)

// tableTypes are those of the table that DuckDB reads, in its order, which is
// not that of the names.
func tableTypes() []pipeline.Column {
	return []pipeline.Column{
		{Name: "job_id", Type: pipeline.TypeUTF8},
		{Name: "status", Type: pipeline.TypeUTF8},
		{Name: "created_at", Type: pipeline.TypeTimestamp},
		{Name: "paid", Type: pipeline.TypeBool},
		{Name: "pages", Type: pipeline.TypeInt64},
		{Name: "score", Type: pipeline.TypeFloat64},
		{Name: "due", Type: pipeline.TypeDate32},
		{Name: "rate", Type: pipeline.Decimal(5, 2)},
		{Name: "amount", Type: pipeline.Decimal(18, 4)},
		{Name: "huge", Type: pipeline.Decimal(38, 10)},
		{Name: "note", Type: pipeline.TypeUTF8},
		{Name: "tags", Type: "list(utf8)"},
	}
}

// table is a batch of two full rows and one of nulls around an empty text.
func table(t *testing.T) arrow.Record {
	t.Helper()
	fields := make([]arrow.Field, 0, len(tableTypes()))
	for i, c := range tableTypes() {
		c.FieldID, c.Group, c.Source = i+1, pipeline.GroupStandard, "/"+c.Name
		f, err := c.Field()
		if err != nil {
			t.Fatal(err)
		}
		fields = append(fields, f)
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(fields, nil))
	defer b.Release()
	created := time.Date(2026, 11, 22, 10, 0, 0, 123_456_000, time.UTC)
	for row, sign := range []int64{1, -1, 0} {
		b.Field(0).(*array.StringBuilder).Append([]string{"a", "b", "c"}[row])
		b.Field(1).(*array.StringBuilder).Append("completed")
		b.Field(2).(*array.TimestampBuilder).Append(arrow.Timestamp(created.UnixMicro() + int64(row)))
		if sign == 0 {
			for i := 3; i < len(fields); i++ {
				if fields[i].Name != "note" {
					b.Field(i).AppendNull()
				}
			}
			b.Field(10).(*array.StringBuilder).Append("")
			continue
		}
		b.Field(3).(*array.BooleanBuilder).Append(sign > 0)
		b.Field(4).(*array.Int64Builder).Append(sign * (1<<53 + 1))
		b.Field(5).(*array.Float64Builder).Append(float64(sign) * 0.1)
		b.Field(6).(*array.Date32Builder).Append(arrow.Date32(20_000 * sign))
		b.Field(7).(*array.Decimal128Builder).Append(decimal128.FromI64(12345 * sign))
		b.Field(8).(*array.Decimal128Builder).Append(decimal128.FromI64(123456789012345678 * sign))
		huge := decimal128.GetMaxValue(38)
		if sign < 0 {
			huge = huge.Negate()
		}
		b.Field(9).(*array.Decimal128Builder).Append(huge)
		b.Field(10).(*array.StringBuilder).Append([]string{"=1+1, \"x\"\r\nnext", "日本語"}[row])
		tags := b.Field(11).(*array.ListBuilder)
		tags.Append(true)
		tags.ValueBuilder().(*array.StringBuilder).Append("a,b")
		tags.ValueBuilder().AppendNull()
	}
	return b.NewRecord()
}

// write encodes the batch and gives each file its final name in a folder, for
// readers that go by names.
func write(t *testing.T, o sinks.FileOptions, batches ...arrow.Record) (folder string, parts []pipeline.Part) {
	t.Helper()
	o.Path, o.Spool = "invoices", t.TempDir()
	s, err := sinks.NewFile(o)
	if err != nil {
		t.Fatal(err)
	}
	window := pipeline.WindowAt(time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC), 24*time.Hour)
	w, err := s.Begin(t.Context(), pipeline.Destination{Pipeline: "invoices", Dataset: "invoices", Window: window, Seq: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, batch := range batches {
		if err := w.Write(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
	}
	parts, err = w.Commit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	folder = t.TempDir()
	for i, p := range parts {
		name := filepath.Join(folder, p.Path)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(p.Spool, name); err != nil {
			t.Fatal(err)
		}
		parts[i].Spool = name
	}
	return folder, parts
}
