package sinks_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/decimal128"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/adteco/docarchive/pipeline"
	"github.com/adteco/docarchive/sinks"
)

const (
	benchColumns = 94
	benchFilled  = 41
	benchRows    = 8192
)

// wideBatch has the shape of real tables: many columns, fewer than half of them
// filled, texts that repeat and texts that do not.
func wideBatch(seed uint64) arrow.Record {
	random := rand.New(rand.NewPCG(seed, 1))
	types := []pipeline.Type{
		pipeline.TypeUTF8, pipeline.TypeFloat64, pipeline.Decimal(18, 4), pipeline.TypeUTF8, pipeline.TypeDate32, pipeline.TypeInt64,
	}
	fields := make([]arrow.Field, benchColumns)
	for i := range fields {
		c := pipeline.Column{Name: fmt.Sprintf("column_%02d", i), Type: types[i%len(types)], Group: pipeline.GroupData, FieldID: i + 1}
		switch i {
		case 0:
			c.Name, c.Group = pipeline.ColumnJobID, pipeline.GroupStandard
		case 1:
			c.Name, c.Type, c.Group = pipeline.ColumnCreatedAt, pipeline.TypeTimestamp, pipeline.GroupStandard
		}
		f, err := c.Field()
		if err != nil {
			panic(err)
		}
		fields[i] = f
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(fields, nil))
	defer b.Release()
	start := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC).UnixMicro()
	for row := range benchRows {
		b.Field(0).(*array.StringBuilder).Append(fmt.Sprintf("job_%016x", random.Uint64()))
		b.Field(1).(*array.TimestampBuilder).Append(arrow.Timestamp(start + int64(row)*1000))
		for i := 2; i < benchColumns; i++ {
			if i >= benchFilled {
				b.Field(i).AppendNull()
				continue
			}
			switch f := b.Field(i).(type) {
			case *array.StringBuilder:
				if i%2 == 0 {
					f.Append(fmt.Sprintf("value %d", random.IntN(40)))
				} else {
					f.Append(fmt.Sprintf("INV-%08d Street %d", random.IntN(1e8), random.IntN(1e4)))
				}
			case *array.Float64Builder:
				f.Append(float64(random.IntN(10_000)) / 10_000)
			case *array.Decimal128Builder:
				f.Append(decimal128.FromI64(random.Int64N(1e9)))
			case *array.Date32Builder:
				f.Append(arrow.Date32(20_000 + random.IntN(700)))
			case *array.Int64Builder:
				f.Append(random.Int64N(1e6))
			}
		}
	}
	return b.NewRecord()
}

func benchmark(b *testing.B, format string) {
	batches := make([]arrow.Record, 4)
	for i := range batches {
		batches[i] = wideBatch(uint64(i))
		defer batches[i].Release()
	}
	s, err := sinks.NewFile(sinks.FileOptions{Format: format, Path: "invoices", Spool: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	d := pipeline.Destination{Pipeline: "invoices", Dataset: "invoices", Window: pipeline.WindowAt(time.Now(), 24*time.Hour), Seq: 1}
	w, err := s.Begin(b.Context(), d)
	if err != nil {
		b.Fatal(err)
	}
	before, peak, rows := liveHeap(), uint64(0), 0
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if err := w.Write(b.Context(), batches[i%len(batches)]); err != nil {
			b.Fatal(err)
		}
		rows += benchRows
		if i%12 == 11 { // just before a row group is full
			b.StopTimer()
			live := liveHeap()
			peak = max(peak, live-min(before, live))
			b.StartTimer()
		}
	}
	parts, err := w.Commit(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	size := int64(0)
	for _, p := range parts {
		size += p.Size
		if err := os.Remove(p.Spool); err != nil {
			b.Error(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(rows), "ns/row")
	b.ReportMetric(float64(size)/float64(rows), "B/row")
	b.ReportMetric(float64(peak)/(1<<20), "live-MB")
}

// liveHeap is what the heap holds without garbage.
func liveHeap() uint64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

func BenchmarkParquet(b *testing.B) { benchmark(b, sinks.FormatParquet) }
func BenchmarkCSV(b *testing.B)     { benchmark(b, sinks.FormatCSV) }
func BenchmarkJSONL(b *testing.B)   { benchmark(b, sinks.FormatJSONL) }
func BenchmarkArrow(b *testing.B)   { benchmark(b, sinks.FormatArrow) }
