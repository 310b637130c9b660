package sinks

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/parquet-go/parquet-go/compress"

	"github.com/adteco/docarchive/pipeline"
)

// File is a sink that writes files of one format. It may be used by several
// goroutines at once; each [pipeline.Writer] it gives belongs to one of them at
// a time.
type File struct {
	options FileOptions
	codec   compress.Codec // of Parquet pages
	create  func(folder, pattern string) (spoolFile, error)
}

var _ pipeline.Sink = (*File)(nil)

// spoolFile is what a part is written to.
type spoolFile interface {
	io.WriteCloser
	Name() string
}

// NewFile returns a sink, or an error that says which option is wrong. It does
// not touch the spool folder.
func NewFile(o FileOptions) (*File, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	f := &File{options: o, create: createSpool}
	if o.Format == FormatParquet {
		codec, err := newParquetCodec(o.Compression)
		if err != nil {
			return nil, fmt.Errorf("file sink: %w", err)
		}
		f.codec = codec
	}
	return f, nil
}

// createSpool makes a file that no other user can read: it holds documents.
func createSpool(folder, pattern string) (spoolFile, error) {
	return os.CreateTemp(folder, pattern)
}

// Label is the format and the path, such as parquet:invoices.
func (f *File) Label() string { return f.options.Label() }

// Begin returns a writer for one destination. Nothing is created before the
// first row is written.
func (f *File) Begin(ctx context.Context, d pipeline.Destination) (pipeline.Writer, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", f.Label(), err)
	}
	folder, err := f.options.folder(d)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Label(), err)
	}
	if d.Seq < 1 {
		return nil, fmt.Errorf("%s: commit records are numbered from 1, not %d", f.Label(), d.Seq)
	}
	return &fileWriter{
		sink:        f,
		destination: d,
		partitions:  newPartitioner(f.options.Partition, folder, d.Window, f.options.Mem),
		open:        map[string]*part{},
		// No other format can tell its readers.
		order: orderTracker{ascending: f.options.Format == FormatParquet},
	}, nil
}
