package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"

	"github.com/adteco/docarchive/pipeline"
)

// Records calls yield with the records of a window, in order.
func (l *Ledger) Records(ctx context.Context, pipelineName string, w pipeline.Window, yield func(*pipeline.Record) error) error {
	return l.walk(ctx, pipelineName, w.Name(), func(r *pipeline.Record, _ string) error { return yield(r) })
}

// LoadEach is Load that calls yield with each record on the way.
func (l *Ledger) LoadEach(ctx context.Context, pipelineName string, w pipeline.Window, yield func(*pipeline.Record)) (*pipeline.History, error) {
	h := &pipeline.History{Pipeline: pipelineName, Window: w}
	err := l.walk(ctx, pipelineName, w.Name(), func(r *pipeline.Record, hash string) error {
		fold(h, r, hash)
		yield(r)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return h, nil
}

// OpenFile opens a published file. Reading it to its end fails with a
// [DamageError] if its bytes are not those that the record committed.
func (l *Ledger) OpenFile(ctx context.Context, f pipeline.File) (io.ReadCloser, error) {
	r, err := l.store.Open(ctx, f.Path)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", f.Path, err)
	}
	return &checkedReader{ReadCloser: r, file: f, sum: sha256.New()}, nil
}

// checkedReader compares what passes with what was committed.
type checkedReader struct {
	io.ReadCloser
	file pipeline.File
	sum  hash.Hash
	size int64
}

func (c *checkedReader) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.sum.Write(p[:n])
	c.size += int64(n)
	if err == io.EOF && (c.size != c.file.Size || hex.EncodeToString(c.sum.Sum(nil)) != c.file.SHA256) {
		return n, damaged(c.file.Path, "its bytes are not those that were committed")
	}
	return n, err
}
