package sinks

import (
	"errors"
	"io"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/ipc"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// arrowEncoder writes the IPC file format: each batch as it comes, with the
// metadata of its fields.
type arrowEncoder struct {
	out *ipc.FileWriter
}

// arrowMemory is about what the writer holds between batches, the spool's
// buffer included.
const arrowMemory = 1 << 20

func newArrowEncoder(w io.Writer, schema *arrow.Schema, compression string, mem memory.Allocator) (*arrowEncoder, error) {
	options := []ipc.Option{ipc.WithSchema(schema), ipc.WithAllocator(mem)}
	switch compression {
	case CompressionZstd:
		options = append(options, ipc.WithZstd())
	case CompressionLZ4:
		options = append(options, ipc.WithLZ4())
	}
	out, err := ipc.NewFileWriter(&countingSeeker{out: w}, options...)
	if err != nil {
		return nil, err
	}
	return &arrowEncoder{out: out}, nil
}

func (e *arrowEncoder) Write(batch arrow.Record) error { return e.out.Write(batch) }

func (e *arrowEncoder) Buffered() int64 { return 0 }

func (e *arrowEncoder) Memory() int64 { return arrowMemory }

func (e *arrowEncoder) Close() error { return e.out.Close() }

// countingSeeker knows where in the file it is, which is all that the IPC
// writer ever seeks for.
type countingSeeker struct {
	out io.Writer
	pos int64
}

func (c *countingSeeker) Write(p []byte) (int, error) {
	n, err := c.out.Write(p)
	c.pos += int64(n)
	return n, err
}

func (c *countingSeeker) Seek(offset int64, whence int) (int64, error) {
	if offset != 0 || whence != io.SeekCurrent {
		return c.pos, errors.New("an Arrow file is written from front to back")
	}
	return c.pos, nil
}
