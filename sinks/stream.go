package sinks

import (
	"bufio"
	"fmt"
	"io"

	"github.com/apache/arrow/go/v17/arrow"
)

// StreamOptions configure a Stream.
type StreamOptions struct {
	Format         string
	Compression    string // empty: zstd for Parquet and Arrow, none for the others
	Dataset        string // as Parquet files name it
	EscapeFormulas bool   // guards the text cells of CSV against spreadsheets
}

// Stream writes the batches of one dataset as one file to any writer. It is
// used by one goroutine at a time.
type Stream struct {
	encoder encoder
	out     *bufio.Writer
}

// NewStream returns a stream of batches with the schema of first, which is not
// written yet. The error says which option is wrong. The stream does not close
// w.
func NewStream(w io.Writer, o StreamOptions, first arrow.Record) (*Stream, error) {
	f, err := NewFile(FileOptions{
		Format: o.Format, Compression: o.Compression, EscapeFormulas: o.EscapeFormulas,
		Path: "stream", Spool: "none", // no part is made
	})
	if err != nil {
		return nil, err
	}
	s := &Stream{out: bufio.NewWriterSize(w, spoolBuffer)}
	if s.encoder, err = f.newEncoder(s.out, first, fileInfo{dataset: o.Dataset}); err != nil {
		return nil, fmt.Errorf("%s stream: %w", o.Format, err)
	}
	return s, nil
}

// Write encodes a batch and retains nothing of it.
func (s *Stream) Write(batch arrow.Record) error { return s.encoder.Write(batch) }

// Close writes the end of the file. Without it half a file is left.
func (s *Stream) Close() error {
	if err := s.encoder.Close(); err != nil {
		return err
	}
	return s.out.Flush()
}
