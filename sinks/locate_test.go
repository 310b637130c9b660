package sinks_test

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/adteco/docarchive/pipeline"
	"github.com/adteco/docarchive/sinks"
	"github.com/adteco/docarchive/sinks/sinktest"
)

// numbered is a batch of jobs job-1, job-2 and so on.
func numbered(t *testing.T, n int) arrow.Record {
	t.Helper()
	var jobs []sinktest.Job
	for i := range n {
		created := time.Date(2026, 11, 22, 0, 0, i, 0, time.UTC)
		jobs = append(jobs, sinktest.Job{ID: fmt.Sprintf("job-%d", i+1), Created: &created})
	}
	return sinktest.Jobs(memory.DefaultAllocator, false, jobs...)
}

// encoded is a file of a format with 50 such jobs, and its path.
func encoded(t *testing.T, format, compression string) (name string, data []byte) {
	t.Helper()
	sink, err := sinks.NewFile(sinks.FileOptions{Format: format, Path: "p", Compression: compression, Spool: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	start := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	w, err := sink.Begin(t.Context(), pipeline.Destination{
		Pipeline: "p", Dataset: "p", Window: pipeline.Window{Start: start, End: start.Add(24 * time.Hour)}, Seq: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	batch := numbered(t, 50)
	defer batch.Release()
	if err := w.Write(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	parts, err := w.Commit(t.Context())
	if err != nil || len(parts) != 1 {
		t.Fatalf("%d parts, %v", len(parts), err)
	}
	data, err = os.ReadFile(parts[0].Spool)
	if err != nil {
		t.Fatal(err)
	}
	return parts[0].Path, data
}

// forms are all formats, each in one compression at least.
var forms = [][2]string{
	{sinks.FormatParquet, "zstd"},
	{sinks.FormatParquet, "none"},
	{sinks.FormatArrow, "zstd"},
	{sinks.FormatCSV, "none"},
	{sinks.FormatCSV, "gzip"},
	{sinks.FormatJSON, "none"},
	{sinks.FormatJSONL, "none"},
	{sinks.FormatJSONL, "zstd"},
}

func locate(name string, data []byte) []string {
	return sinks.Locate(name, bytes.NewReader(data), int64(len(data)), 50, func(id string) bool {
		return strings.HasPrefix(id, "job-") && len(id) <= len("job-50")
	})
}

func TestLocateSound(t *testing.T) {
	t.Parallel()
	for _, form := range forms {
		name, data := encoded(t, form[0], form[1])
		if got := locate(name, data); len(got) > 0 {
			t.Errorf("%s: %q of a sound file", name, got)
		}
	}
}

func TestLocateRows(t *testing.T) {
	t.Parallel()
	for _, format := range []string{sinks.FormatCSV, sinks.FormatJSON, sinks.FormatJSONL, sinks.FormatParquet} {
		name, data := encoded(t, format, "none")
		at := bytes.Index(data, []byte("job-17"))
		if at < 0 {
			t.Fatalf("%s: the job is not in the text", name)
		}
		data[at+3] = '!'
		got := locate(name, data)
		want := `row 17: its job_id "job!17" is none that belongs there`
		if format == sinks.FormatParquet {
			want = "rows 1 to 50 (row group 1), column job_id: values from 1 on cannot be read"
		}
		if len(got) != 1 || !strings.HasPrefix(got[0], want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// Whatever is cut off or overwritten, the reader gets along, and says no more
// than a few lines; most damage it finds.
func TestLocateAnyDamage(t *testing.T) {
	t.Parallel()
	for _, form := range forms {
		name, data := encoded(t, form[0], form[1])
		for at := 0; at < len(data)*9/10; at += max(1, len(data)/61) {
			if got := locate(name, data[:at]); len(got) == 0 {
				t.Errorf("%s cut at byte %d: nothing is found", name, at)
			}
			broken := slices.Clone(data)
			broken[at] ^= 0xff
			if got := locate(name, broken); len(got) > 5 {
				t.Errorf("%s: %d places", name, len(got))
			}
		}
	}
}
