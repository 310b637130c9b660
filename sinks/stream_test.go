package sinks_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/parquet-go/parquet-go"

	"github.com/adteco/docarchive/sinks"
)

func streamBatch(t *testing.T, ids ...string) arrow.Record {
	t.Helper()
	schema := arrow.NewSchema([]arrow.Field{{Name: "job_id", Type: arrow.BinaryTypes.String}}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	b.Field(0).(*array.StringBuilder).AppendValues(ids, nil)
	r := b.NewRecord()
	t.Cleanup(r.Release)
	return r
}

func TestStream(t *testing.T) {
	t.Parallel()
	for format, want := range map[string]string{
		sinks.FormatCSV:   "job_id\r\na\r\nb\r\nc\r\n",
		sinks.FormatJSONL: `{"job_id":"a"}` + "\n" + `{"job_id":"b"}` + "\n" + `{"job_id":"c"}` + "\n",
	} {
		var out bytes.Buffer
		s, err := sinks.NewStream(&out, sinks.StreamOptions{Format: format}, streamBatch(t))
		if err != nil {
			t.Fatal(err)
		}
		for _, batch := range []arrow.Record{streamBatch(t, "a"), streamBatch(t), streamBatch(t, "b", "c")} {
			if err := s.Write(batch); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Close(); err != nil || out.String() != want {
			t.Errorf("%s: %q, %v", format, out.String(), err)
		}
	}
}

func TestStreamOfParquet(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	s, err := sinks.NewStream(&out, sinks.StreamOptions{Format: sinks.FormatParquet, Dataset: "d"}, streamBatch(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Write(streamBatch(t, "a", "b")), s.Close()); err != nil {
		t.Fatal(err)
	}
	f, err := parquet.OpenFile(bytes.NewReader(out.Bytes()), int64(out.Len()))
	if err != nil || f.NumRows() != 2 {
		t.Errorf("%v, %v rows", err, f)
	}
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestStreamFails(t *testing.T) {
	t.Parallel()
	if _, err := sinks.NewStream(io.Discard, sinks.StreamOptions{Format: "xml"}, streamBatch(t)); err == nil || !strings.Contains(err.Error(), `"xml"`) {
		t.Errorf("got %v", err)
	}
	s, err := sinks.NewStream(brokenPipe{}, sinks.StreamOptions{Format: sinks.FormatCSV}, streamBatch(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Write(streamBatch(t, "a")), s.Close()); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("a broken pipe is %v", err)
	}
}
