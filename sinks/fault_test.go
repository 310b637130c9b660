package sinks

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/adteco/docarchive/pipeline"
)

var errDisk = errors.New("no space left on device")

// failingDisk lets a number of operations on its files succeed, and fails all
// after them.
type failingDisk struct{ left int }

func (d *failingDisk) spend() error {
	if d.left--; d.left < 0 {
		return errDisk
	}
	return nil
}

type failingFile struct {
	*os.File
	disk *failingDisk
}

func (f failingFile) Write(p []byte) (int, error) {
	if err := f.disk.spend(); err != nil {
		n, _ := f.File.Write(p[:len(p)/2]) // a full disk takes what fits
		return n, err
	}
	return f.File.Write(p)
}

func (f failingFile) Close() error {
	closed := f.File.Close()
	if err := f.disk.spend(); err != nil && closed == nil {
		return err
	}
	return closed
}

// texts is a batch of rows that do not compress to nothing.
func texts(t *testing.T, rows int) arrow.Record {
	t.Helper()
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "job_id", Type: arrow.BinaryTypes.String},
		{Name: "extractor_id", Type: arrow.BinaryTypes.String, Nullable: true},
	}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	state := uint64(1)
	for range rows {
		id := make([]byte, 400)
		for i := range id {
			state = state*6364136223846793005 + 1442695040888963407
			id[i] = byte('!' + state>>33%90)
		}
		b.Field(0).(*array.StringBuilder).Append(string(id))
		b.Field(1).(*array.StringBuilder).Append(string("ab"[state>>33%2]))
	}
	return b.NewRecord()
}

func testDestination() pipeline.Destination {
	window := pipeline.WindowAt(time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC), 24*time.Hour)
	return pipeline.Destination{Pipeline: "invoices", Dataset: "invoices", Window: window, Seq: 1}
}

// Whichever operation on the disk is the first to fail, the error is told and
// no file is left.
func TestEveryDiskFailureIsToldAndLeavesNothing(t *testing.T) {
	t.Parallel()
	for _, o := range []FileOptions{
		{Format: FormatParquet},
		{Format: FormatCSV},
		{Format: FormatCSV, Compression: CompressionGzip},
		{Format: FormatJSON},
		{Format: FormatJSONL, Compression: CompressionZstd},
		{Format: FormatArrow},
	} {
		t.Run(o.Format+o.Compression, func(t *testing.T) {
			t.Parallel()
			batch := texts(t, 1500)
			defer batch.Release()
			failures := 0
			for allowed := 0; ; allowed++ {
				err := runOnDisk(t, o, &failingDisk{left: allowed}, batch)
				if err == nil {
					break
				}
				if !errors.Is(err, errDisk) {
					t.Fatalf("after %d operations: %v", allowed, err)
				}
				failures++
			}
			if failures < 6 {
				t.Errorf("only %d operations were made to fail", failures)
			}
		})
	}
}

// runOnDisk writes into several parts and checks that an error leaves nothing.
func runOnDisk(t *testing.T, o FileOptions, disk *failingDisk, batch arrow.Record) error {
	t.Helper()
	o.Path, o.Spool, o.Partition = "invoices", t.TempDir(), []string{"extractor_id"}
	o.Limits.Rows = 1000
	s, err := NewFile(o)
	if err != nil {
		t.Fatal(err)
	}
	s.create = func(folder, pattern string) (spoolFile, error) {
		if err := disk.spend(); err != nil {
			return nil, err
		}
		file, err := os.CreateTemp(folder, pattern)
		return failingFile{file, disk}, err
	}
	w, err := s.Begin(t.Context(), testDestination())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err = w.Write(t.Context(), batch); err != nil {
			break
		}
	}
	if err == nil {
		_, err = w.Commit(t.Context())
	} else if _, again := w.Commit(t.Context()); again == nil {
		t.Error("commit after a failed write is no error")
	}
	left, readErr := os.ReadDir(o.Spool)
	if readErr != nil {
		t.Fatal(readErr)
	}
	if err != nil && len(left) > 0 {
		t.Errorf("%d files are left after %v", len(left), err)
	}
	return err
}

// brokenEncoder panics as a library does on what it does not expect.
type brokenEncoder struct{ encoder }

func (brokenEncoder) Write(arrow.Record) error { panic("cannot write byte array to int64 column") }

func TestPanicIsAnErrorAndLeavesNothing(t *testing.T) {
	t.Parallel()
	batch := texts(t, 10)
	defer batch.Release()
	spool := t.TempDir()
	s, err := NewFile(FileOptions{Format: FormatCSV, Path: "invoices", Spool: spool})
	if err != nil {
		t.Fatal(err)
	}
	begun, err := s.Begin(t.Context(), testDestination())
	if err != nil {
		t.Fatal(err)
	}
	if err := begun.Write(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	w := begun.(*fileWriter)
	for _, p := range w.open {
		p.encoder = brokenEncoder{p.encoder}
	}
	err = w.Write(t.Context(), batch)
	if err == nil || !strings.Contains(err.Error(), "cannot write byte array") {
		t.Errorf("the panic became %v", err)
	}
	if left, err := os.ReadDir(spool); err != nil || len(left) > 0 {
		t.Errorf("%d files are left, %v", len(left), err)
	}
}

// In Parquet the columns are written by goroutines of their own, whose panics
// would end the program.
func TestPanicOfAColumnIsAnError(t *testing.T) {
	t.Parallel()
	batch := texts(t, 10)
	defer batch.Release()
	codec, err := newParquetCodec(CompressionNone)
	if err != nil {
		t.Fatal(err)
	}
	e, err := newParquetEncoder(io.Discard, batch, codec, fileInfo{})
	if err != nil {
		t.Fatal(err)
	}
	e.columns[1].out = nil
	if err := e.Write(batch); err == nil || !strings.Contains(err.Error(), "column extractor_id") {
		t.Errorf("the panic became %v", err)
	}
}
