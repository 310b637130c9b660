package sinks

import (
	"fmt"
	"io"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// encoder writes one file. It retains nothing of a batch. After an error it is
// of no use; it may be dropped without Close, and then leaves half a file.
type encoder interface {
	// Write appends the rows of a batch that has the schema of the first.
	Write(batch arrow.Record) error
	// Buffered is how many bytes, about, will still reach the file.
	Buffered() int64
	// Memory is how many bytes, about, the encoder holds.
	Memory() int64
	// Close writes what is left, and the end of the file. It does not close the
	// writer below.
	Close() error
}

// fileInfo is what an encoder may say of the file beside its rows.
type fileInfo struct {
	dataset string
	sorted  bool // by created_at, ascending, without nulls

	groupBytes int64 // of Parquet: what a row group may have in memory; zero: rowGroupBytes
}

// newEncoder returns the encoder of a new file whose first rows are those of
// batch, which is not written yet.
func (f *File) newEncoder(w io.Writer, batch arrow.Record, info fileInfo) (encoder, error) {
	o := &f.options
	switch o.Format {
	case FormatParquet:
		return newParquetEncoder(w, batch, f.codec, info)
	case FormatArrow:
		return newArrowEncoder(w, batch.Schema(), o.Compression, o.Mem)
	}
	compressed, memory, err := newCompressor(w, o.Compression)
	if err != nil {
		return nil, err
	}
	text := textFile{out: compressed, memory: memory}
	switch o.Format {
	case FormatCSV:
		return newCSVEncoder(text, batch.Schema(), o.EscapeFormulas)
	case FormatJSON:
		return newJSONEncoder(text, batch.Schema(), true)
	case FormatJSONL:
		return newJSONEncoder(text, batch.Schema(), false)
	default:
		return nil, fmt.Errorf("format %q is not known", o.Format)
	}
}

// textFlush is how much text is gathered before it goes to the compressor.
const textFlush = 64 << 10

// textFile is what the encoders of text formats share: a buffer of lines in
// front of a compressor.
type textFile struct {
	out    io.WriteCloser
	memory int64
	buf    []byte
}

// flush passes the buffer on if it holds at least limit bytes.
func (t *textFile) flush(limit int) error {
	if len(t.buf) < limit || len(t.buf) == 0 {
		return nil
	}
	_, err := t.out.Write(t.buf)
	t.buf = t.buf[:0]
	return err
}

// Buffered is nothing to speak of: every batch is passed on whole.
func (t *textFile) Buffered() int64 { return 0 }

// Memory is what the compressor and the buffers hold.
func (t *textFile) Memory() int64 { return t.memory + int64(cap(t.buf)) }

// uncompressed passes bytes on as they are.
type uncompressed struct{ io.Writer }

func (uncompressed) Close() error { return nil }

// newCompressor returns a compressor and about how many bytes it holds. Its
// output depends on its input only: no time stamps, no goroutines.
func newCompressor(w io.Writer, compression string) (io.WriteCloser, int64, error) {
	switch compression {
	case CompressionGzip:
		return gzip.NewWriter(w), spoolBuffer + 1<<20, nil
	case CompressionZstd:
		const window = 1 << 20
		z, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(window), zstd.WithLowerEncoderMem(true))
		return z, spoolBuffer + 4*window, err
	default:
		return uncompressed{w}, spoolBuffer, nil
	}
}
