package sinks_test

import (
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"github.com/adteco/docarchive/pipeline"
	"github.com/adteco/docarchive/sinks"
	"github.com/adteco/docarchive/sinks/sinktest"
)

func TestOptionsAreChecked(t *testing.T) {
	t.Parallel()
	good := sinks.FileOptions{Format: sinks.FormatCSV, Path: "a/b", Spool: t.TempDir()}
	for _, c := range []struct {
		name   string
		change func(*sinks.FileOptions)
		want   string // part of the error; empty: none
	}{
		{"good", func(*sinks.FileOptions) {}, ""},
		{"format", func(o *sinks.FileOptions) { o.Format = "xlsx" }, "format"},
		{"compression", func(o *sinks.FileOptions) { o.Compression = "snappy" }, "none, gzip, zstd"},
		{"no path", func(o *sinks.FileOptions) { o.Path = "" }, "empty"},
		{"absolute", func(o *sinks.FileOptions) { o.Path = "/a" }, "relative"},
		{"parent", func(o *sinks.FileOptions) { o.Path = "a/../../b" }, "relative"},
		{"archive", func(o *sinks.FileOptions) { o.Path = "_archive/log" }, "own folder"},
		{"control", func(o *sinks.FileOptions) { o.Path = "a\n" }, "control"},
		{"partition", func(o *sinks.FileOptions) { o.Partition = []string{"amount"} }, "cannot partition"},
		{"twice", func(o *sinks.FileOptions) { o.Partition = []string{"status", "status"} }, "twice"},
		{"spool", func(o *sinks.FileOptions) { o.Spool = "" }, "spool"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := good
			c.change(&o)
			_, err := sinks.NewFile(o)
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

// at makes rows of the given extractors, a minute apart.
func at(first int, extractors ...string) arrow.Record {
	jobs := make([]sinktest.Job, len(extractors))
	for i, extractor := range extractors {
		created := time.Date(2026, 11, 22, 0, first+i, 0, 0, time.UTC)
		jobs[i] = sinktest.Job{ID: "job", Extractor: &extractor, Created: &created}
	}
	return sinktest.Jobs(memory.DefaultAllocator, false, jobs...)
}

// files lists paths with their rows.
func files(parts []pipeline.Part) []string {
	var all []string
	for _, p := range parts {
		all = append(all, strings.Repeat("#", int(p.Rows))+" "+p.Path)
	}
	return all
}

// Names follow from the destination; parts are numbered over all partitions in
// the order in which they were begun; the least recently written part ends when
// too many are open, and one that is full ends at once.
func TestPartsAndNames(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(*sinks.FileOptions)
		want   []string
	}{
		{"one file", func(*sinks.FileOptions) {}, []string{"###### invoices/20261122-000001-000.csv.gz"}},
		{"partitions", func(o *sinks.FileOptions) { o.Partition = []string{"created_month", "extractor_id"} }, []string{
			"### invoices/created_month=2026-11/extractor_id=a/20261122-000001-000.csv.gz",
			"## invoices/created_month=2026-11/extractor_id=b/20261122-000001-001.csv.gz",
			"# invoices/created_month=2026-11/extractor_id=c/20261122-000001-002.csv.gz",
		}},
		{"rows", func(o *sinks.FileOptions) { o.Limits.Rows = 4 }, []string{
			"#### invoices/20261122-000001-000.csv.gz", "## invoices/20261122-000001-001.csv.gz",
		}},
		{"bytes", func(o *sinks.FileOptions) { o.Limits.Bytes, o.Compression = 100, "none" }, []string{
			"### invoices/20261122-000001-000.csv", "### invoices/20261122-000001-001.csv",
		}},
		{"open parts", func(o *sinks.FileOptions) { o.Limits.Open, o.Partition = 2, []string{"extractor_id"} }, []string{
			"# invoices/extractor_id=a/20261122-000001-000.csv.gz", "# invoices/extractor_id=b/20261122-000001-001.csv.gz",
			"# invoices/extractor_id=c/20261122-000001-002.csv.gz", "## invoices/extractor_id=a/20261122-000001-003.csv.gz",
			"# invoices/extractor_id=b/20261122-000001-004.csv.gz",
		}},
		{"memory", func(o *sinks.FileOptions) { o.Limits.Memory, o.Partition = 1, []string{"extractor_id"} }, []string{
			"# invoices/extractor_id=a/20261122-000001-000.csv.gz", "# invoices/extractor_id=b/20261122-000001-001.csv.gz",
			"# invoices/extractor_id=c/20261122-000001-002.csv.gz", "## invoices/extractor_id=a/20261122-000001-003.csv.gz",
			"# invoices/extractor_id=b/20261122-000001-004.csv.gz",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := sinks.FileOptions{Format: sinks.FormatCSV, Compression: sinks.CompressionGzip}
			c.change(&o)
			first, second := at(0, "a", "b", "c"), at(3, "a", "b", "a")
			defer first.Release()
			defer second.Release()
			_, parts := write(t, o, first, second)
			if diff := cmp.Diff(c.want, files(parts)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// openParquet opens the file of a part.
func openParquet(t *testing.T, p pipeline.Part) *parquet.File {
	t.Helper()
	raw := string(content(t, p))
	file, err := parquet.OpenFile(strings.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// A Parquet file says that it is sorted only while that is true.
func TestParquetOrderIsTrue(t *testing.T) {
	t.Parallel()
	batches := []arrow.Record{at(0, "a", "a"), at(2, "a"), at(1, "a"), at(5, "a")}
	_, parts := write(t, sinks.FileOptions{Format: sinks.FormatParquet}, batches...)
	for _, b := range batches {
		b.Release()
	}
	var got []bool
	for _, p := range parts {
		got = append(got, len(openParquet(t, p).Metadata().RowGroups[0].SortingColumns) == 1)
	}
	if diff := cmp.Diff([]bool{true, false}, got); diff != "" || parts[0].Rows != 3 {
		t.Errorf("parts of %d… rows: -want +got:\n%s", parts[0].Rows, diff)
	}
}

func TestParquetMetadata(t *testing.T) {
	t.Parallel()
	batch := table(t)
	defer batch.Release()
	_, parts := write(t, sinks.FileOptions{Format: sinks.FormatParquet}, batch)
	file := openParquet(t, parts[0])
	if by := file.Metadata().CreatedBy; !strings.HasPrefix(by, "docarchive") {
		t.Errorf("created by %q", by)
	}
	columns, _ := file.Lookup("docarchive.columns")
	if want := `"amount":{"source":"/amount","group":"standard","type":"decimal(18,4)"}`; !strings.Contains(columns, want) {
		t.Errorf("docarchive.columns is %s, without %s", columns, want)
	}
	for _, column := range file.Metadata().RowGroups[0].Columns {
		name, stats := column.MetaData.PathInSchema[0], column.MetaData.Statistics
		if hasBounds := stats.MaxValue != nil; hasBounds == (name == "huge") {
			t.Errorf("column %s has bounds: %v", name, hasBounds)
		}
	}
}

// Readers skip pages by this index, so that it must neither lack a page nor
// claim too little. Decimals of 16 bytes are where parquet-go's own would.
func TestParquetPageIndexOfWideDecimals(t *testing.T) {
	t.Parallel()
	batch := table(t)
	defer batch.Release()
	nulls := batch.NewSlice(2, 3)
	defer nulls.Release()
	for _, c := range []struct {
		rows arrow.Record
		null bool
	}{{batch, false}, {nulls, true}} {
		_, parts := write(t, sinks.FileOptions{Format: sinks.FormatParquet}, c.rows)
		index := openParquet(t, parts[0]).ColumnIndexes()[9]
		if len(index.MinValues) != 1 || len(index.MaxValues) != 1 || len(index.NullPages) != 1 || index.NullPages[0] != c.null {
			t.Fatalf("page index: %+v", index)
		}
		if c.null {
			continue
		}
		if lowest, highest := index.MinValues[0], index.MaxValues[0]; lowest[0] != 0xb4 || highest[0] != 0x4b {
			t.Errorf("bounds %x to %x do not hold every decimal of 38 digits", lowest, highest)
		}
	}
}

// Row groups end at a bounded number of rows, and batches share them.
func TestParquetRowGroups(t *testing.T) {
	t.Parallel()
	ids := make([]string, 9_000)
	for i := range ids {
		ids[i] = "text"
	}
	batch := textBatch(t, ids...)
	defer batch.Release()
	batches := make([]arrow.Record, 25)
	for i := range batches {
		batches[i] = batch
	}
	_, parts := write(t, sinks.FileOptions{Format: sinks.FormatParquet}, batches...)
	var rows []int64
	for _, g := range openParquet(t, parts[0]).Metadata().RowGroups {
		rows = append(rows, g.NumRows)
	}
	if diff := cmp.Diff([]int64{108_000, 108_000, 9_000}, rows); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// The same rows give the same bytes.
func TestDeterministic(t *testing.T) {
	t.Parallel()
	batch := table(t)
	defer batch.Release()
	for _, format := range []string{sinks.FormatParquet, sinks.FormatCSV, sinks.FormatJSON, sinks.FormatJSONL, sinks.FormatArrow} {
		o := sinks.FileOptions{Format: format}
		if format == sinks.FormatCSV {
			o.Compression = sinks.CompressionGzip
		}
		_, first := write(t, o, batch)
		_, second := write(t, o, batch)
		if first[0].SHA256 != second[0].SHA256 {
			t.Errorf("%s files differ", format)
		}
	}
}

func TestForeignDatasetIsRefused(t *testing.T) {
	t.Parallel()
	s, err := sinks.NewFile(sinks.FileOptions{Format: sinks.FormatCSV, Path: "invoices", Spool: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	for _, dataset := range []string{"receipts", "invoicesx", "invoices__../x", "invoices__a/b"} {
		if _, err := s.Begin(t.Context(), pipeline.Destination{Pipeline: "invoices", Dataset: dataset, Seq: 1}); err == nil {
			t.Errorf("dataset %q is no error", dataset)
		}
	}
}
