package pipeline

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"os"

	"github.com/klauspost/compress/zstd"

	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/internal/rawjson"
)

// SpoolError means that the local disk failed.
type SpoolError struct{ Err error }

func (e *SpoolError) Error() string { return fmt.Sprintf("local spool: %v", e.Err) }

func (e *SpoolError) Unwrap() error { return e.Err }

// lines spools JSON lines, compressed with zstd, for the archive's own folder.
type lines struct {
	file *os.File
	zw   *zstd.Encoder
	sum  hash.Hash
	size int64
	rows int64
	line []byte
}

func newLines(dir string) (*lines, error) {
	file, err := os.CreateTemp(dir, "lines-*.jsonl.zst")
	if err != nil {
		return nil, &SpoolError{err}
	}
	l := &lines{file: file, sum: sha256.New()}
	l.zw, err = zstd.NewWriter(l, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20))
	if err != nil {
		l.abort()
		return nil, err
	}
	return l, nil
}

// Write takes the compressed bytes.
func (l *lines) Write(p []byte) (int, error) {
	n, err := l.file.Write(p)
	l.sum.Write(p[:n])
	l.size += int64(n)
	return n, err
}

// job writes a job as it was received. Only line breaks between its tokens are
// replaced, by spaces.
func (l *lines) job(raw []byte) error {
	l.line = append(l.line[:0], raw...)
	if bytes.IndexByte(raw, '\n') >= 0 || bytes.IndexByte(raw, '\r') >= 0 {
		for i, c := range l.line {
			if c == '\n' || c == '\r' {
				l.line[i] = ' '
			}
		}
	}
	return l.end()
}

// malformed writes what could not be read as a job, and why.
func (l *lines) malformed(m docextract.Malformed) error {
	l.line = append(l.line[:0], `{"reason":`...)
	l.line = rawjson.AppendQuoted(l.line, m.Reason)
	l.line = append(l.line, `,"raw":`...)
	l.line = rawjson.AppendQuoted(l.line, string(rawjson.AppendPrintable(nil, m.Raw)))
	l.line = append(l.line, '}')
	return l.end()
}

func (l *lines) end() error {
	l.line = append(l.line, '\n')
	l.rows++
	if _, err := l.zw.Write(l.line); err != nil {
		return &SpoolError{err}
	}
	return nil
}

// finish closes the file and returns it as a part.
func (l *lines) finish(kind Kind, path string) (Part, error) {
	err := l.zw.Close()
	if closed := l.file.Close(); err == nil {
		err = closed
	}
	if err != nil {
		os.Remove(l.file.Name())
		return Part{}, &SpoolError{err}
	}
	return Part{
		File: File{
			Kind: kind, Path: path, Rows: l.rows,
			SHA256: hex.EncodeToString(l.sum.Sum(nil)), Size: l.size,
		},
		Spool: l.file.Name(),
	}, nil
}

func (l *lines) abort() {
	if l.zw != nil {
		l.zw.Close()
	}
	l.file.Close()
	os.Remove(l.file.Name())
}

// RawPath is where the raw layer keeps the jobs of one commit record.
func RawPath(d Destination) string {
	return fmt.Sprintf("_archive/raw/%s/%s-%06d.jsonl.zst", d.Pipeline, d.Window.Name(), d.Seq)
}

// QuarantinePath is where what could not be read as a job is kept.
func QuarantinePath(d Destination) string {
	return fmt.Sprintf("_archive/quarantine/%s/%s-%06d.jsonl.zst", d.Pipeline, d.Window.Name(), d.Seq)
}
