package sinks

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
)

const spoolBuffer = 256 << 10

// spool is a local file that knows the size and the hash of what was written
// to it.
type spool struct {
	file   spoolFile
	buffer *bufio.Writer
	sink   hashedFile
}

// hashedFile hashes and counts what reaches the file.
type hashedFile struct {
	file spoolFile
	hash hash.Hash
	size int64
}

func (h *hashedFile) Write(p []byte) (int, error) {
	n, err := h.file.Write(p)
	h.hash.Write(p[:n])
	h.size += int64(n)
	return n, err
}

func newSpool(file spoolFile) *spool {
	s := &spool{file: file, sink: hashedFile{file: file, hash: sha256.New()}}
	s.buffer = bufio.NewWriterSize(&s.sink, spoolBuffer)
	return s
}

func (s *spool) Write(p []byte) (int, error) { return s.buffer.Write(p) }

// size is the number of bytes written so far.
func (s *spool) size() int64 { return s.sink.size + int64(s.buffer.Buffered()) }

// finish completes the file and returns its SHA-256 in hex.
func (s *spool) finish() (string, error) {
	err := s.buffer.Flush()
	if closeErr := s.file.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return "", err
	}
	info, err := os.Stat(s.file.Name())
	if err != nil {
		return "", err
	}
	if info.Size() != s.sink.size {
		return "", fmt.Errorf("%s holds %d bytes where %d were written: %w",
			s.file.Name(), info.Size(), s.sink.size, io.ErrShortWrite)
	}
	return hex.EncodeToString(s.sink.hash.Sum(nil)), nil
}

// remove closes and deletes the file. It may follow finish.
func (s *spool) remove() error {
	if err := s.file.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return errors.Join(err, removeFile(s.file.Name()))
	}
	return removeFile(s.file.Name())
}

// removeFile deletes a file that may be gone already.
func removeFile(name string) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
