package sinks

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/adteco/docarchive/pipeline"
)

// The formats of files.
const (
	FormatParquet = "parquet"
	FormatCSV     = "csv"
	FormatJSON    = "json"  // one array of objects
	FormatJSONL   = "jsonl" // one object a line
	FormatArrow   = "arrow" // the IPC file format
)

// The compressions of files. Each format allows some of them.
const (
	CompressionNone   = "none"
	CompressionZstd   = "zstd"
	CompressionGzip   = "gzip"
	CompressionSnappy = "snappy"
	CompressionLZ4    = "lz4"
)

// FileOptions configure a file sink.
type FileOptions struct {
	Format      string
	Path        string           // folder under the bucket
	Partition   []string         // created_month, created_date, created_year, extractor_id or status, outermost folder first
	Compression string           // empty: zstd for Parquet and Arrow, none for the others
	Spool       string           // existing local folder for unfinished and finished parts
	Limits      Limits           // zero: the defaults
	Mem         memory.Allocator // for rows that are gathered by partition; nil: the Go heap

	// EscapeFormulas guards the text cells of CSV files against spreadsheets.
	EscapeFormulas bool
}

// Label names the sink in records and reports: the format and the path, such as
// parquet:invoices.
func (o *FileOptions) Label() string { return o.Format + ":" + o.Path }

// Limits bound files and memory. A zero field means its default.
type Limits struct {
	Rows   int64 // of a part: 1,000,000
	Bytes  int64 // of a part, encoded, exceeded by one batch at most: 512 MiB
	Open   int   // unfinished parts of one writer: 64
	Memory int64 // estimate of what the unfinished parts of one writer buffer, in bytes: 256 MiB
}

func (l Limits) withDefaults() Limits {
	if l.Rows <= 0 {
		l.Rows = 1_000_000
	}
	if l.Bytes <= 0 {
		l.Bytes = 512 << 20
	}
	if l.Open <= 0 {
		l.Open = 64
	}
	if l.Memory <= 0 {
		l.Memory = 256 << 20
	}
	return l
}

// compressionsOf lists what a format allows, its default first.
func compressionsOf(format string) []string {
	switch format {
	case FormatParquet:
		return []string{CompressionZstd, CompressionSnappy, CompressionGzip, CompressionNone}
	case FormatArrow:
		return []string{CompressionZstd, CompressionLZ4, CompressionNone}
	case FormatCSV, FormatJSON, FormatJSONL:
		return []string{CompressionNone, CompressionGzip, CompressionZstd}
	default:
		return nil
	}
}

// complete checks the options and fills in the defaults.
func (o *FileOptions) complete() error {
	allowed := compressionsOf(o.Format)
	if allowed == nil {
		return fmt.Errorf("file sink: format %q is not known; use parquet, csv, json, jsonl or arrow", o.Format)
	}
	if o.Compression == "" {
		o.Compression = allowed[0]
	}
	if !slices.Contains(allowed, o.Compression) {
		return fmt.Errorf("file sink: compression %q does not go with %s; use one of %s",
			o.Compression, o.Format, strings.Join(allowed, ", "))
	}
	if err := checkPath(o.Path); err != nil {
		return fmt.Errorf("file sink: path %q: %w", o.Path, err)
	}
	for i, name := range o.Partition {
		if !slices.Contains(partitionColumns(), name) {
			return fmt.Errorf("file sink: cannot partition by %q; use one of %s", name, strings.Join(partitionColumns(), ", "))
		}
		if slices.Contains(o.Partition[:i], name) {
			return fmt.Errorf("file sink: partition %q stands twice", name)
		}
	}
	if o.Spool == "" {
		return errors.New("file sink: no spool folder is set; name a local folder for temporary files")
	}
	if o.Mem == nil {
		o.Mem = memory.DefaultAllocator
	}
	o.Limits = o.Limits.withDefaults()
	return nil
}

// checkPath refuses what would leave the bucket's folder of analysts' files, or
// what object stores and file systems understand differently.
func checkPath(path string) error {
	if path == "" {
		return errors.New("it is empty; name a folder under the bucket")
	}
	for segment := range strings.SplitSeq(path, "/") {
		switch {
		case segment == "", segment == ".", segment == "..":
			return errors.New("it must be relative, without empty, . or .. parts")
		case strings.ContainsFunc(segment, isUnsafeInPath):
			return errors.New(`it must not contain control characters or \`)
		}
	}
	if path == "_archive" || strings.HasPrefix(path, "_archive/") {
		return errors.New("_archive is the archive's own folder; choose another")
	}
	return nil
}

func isUnsafeInPath(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' }

// extension is the end of the names of the sink's files, without the dot.
func (o *FileOptions) extension() string {
	if o.Format == FormatParquet || o.Format == FormatArrow {
		return o.Format // they compress inside
	}
	switch o.Compression {
	case CompressionGzip:
		return o.Format + ".gz"
	case CompressionZstd:
		return o.Format + ".zst"
	default:
		return o.Format
	}
}

// folder is the destination's folder under the bucket, without partitions.
func (o *FileOptions) folder(d pipeline.Destination) (string, error) {
	child, ok := strings.CutPrefix(d.Dataset, d.Pipeline)
	if !ok || (child != "" && !strings.HasPrefix(child, "__")) {
		return "", fmt.Errorf("dataset %q is neither the pipeline %q nor one of its child tables", d.Dataset, d.Pipeline)
	}
	folder := o.Path + child
	if strings.Contains(child, "/") {
		return "", fmt.Errorf("dataset %q: a child table's name must not contain /", d.Dataset)
	}
	if err := checkPath(folder); err != nil {
		return "", fmt.Errorf("dataset %q: %w", d.Dataset, err)
	}
	return folder, nil
}
