package sinks_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/adteco/docarchive/pipeline"
	"github.com/adteco/docarchive/sinks"
)

// watcher is an allocator that looks at the heap whenever a batch needs memory.
type watcher struct {
	memory.Allocator
	calls int
	peak  uint64
}

func (w *watcher) Allocate(size int) []byte {
	if w.calls++; w.calls%256 == 0 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		w.peak = max(w.peak, m.HeapAlloc)
	}
	return w.Allocator.Allocate(size)
}

// The memory that a merge needs grows neither with the number of files, all of
// which overlap here, nor with that of their rows. Alone, since it looks at the
// heap.
func TestMergeMemory(t *testing.T) {
	schema := mergeSchema()
	rng := rand.New(rand.NewPCG(6, 6))
	peak := func(files, rows int) uint64 {
		var names []string
		var total int64
		for i := range files {
			times := make([]int64, rows)
			for row := range times {
				times[row] = int64(row)
			}
			_, written, n := sources(t, incompressible(t, rng, schema, fmt.Sprint(i), times))
			names, total = append(names, written...), total+n
		}
		w := &watcher{Allocator: memory.DefaultAllocator}
		s, err := sinks.NewFile(sinks.FileOptions{Format: sinks.FormatParquet, Path: "invoices", Spool: t.TempDir(), Mem: w})
		if err != nil {
			t.Fatal(err)
		}
		part, err := s.Merge(t.Context(), pipeline.Merge{Schema: schema, Path: "x", Sources: names, Rows: total})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%d files of %d rows: %d bytes, at most %d MiB on the heap", files, rows, part.Size, w.peak>>20)
		return w.peak
	}
	few := peak(8, 5000)
	if many := peak(40, 5000); many > few+few/2+(16<<20) {
		t.Errorf("40 files need %d bytes, 8 of them %d", many, few)
	}
	if long := peak(8, 25000); long > few+few/2+(16<<20) {
		t.Errorf("files five times as long need %d bytes instead of %d", long, few)
	}
}

// incompressible is a batch of long random texts.
func incompressible(t *testing.T, rng *rand.Rand, s *pipeline.Schema, prefix string, times []int64) arrow.Record {
	t.Helper()
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(arrowSchema(t, s).Fields()[:4], nil))
	defer b.Release()
	text := make([]byte, 200)
	for row, at := range times {
		for i := range text {
			text[i] = byte('!' + rng.IntN(90))
		}
		b.Field(0).(*array.StringBuilder).Append(fmt.Sprintf("%s-%06d", prefix, row))
		b.Field(1).(*array.TimestampBuilder).Append(arrow.Timestamp(at))
		b.Field(2).(*array.StringBuilder).Append(string(text))
		b.Field(3).AppendNull()
	}
	return b.NewRecord()
}
