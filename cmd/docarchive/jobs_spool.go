package main

import (
	"bufio"
	"errors"
	"io"
	"os"

	"github.com/klauspost/compress/zstd"

	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/pipeline"
)

// jobSpool keeps jobs as they were received in a compressed local file, to be
// read again.
type jobSpool struct {
	file *os.File
	zw   *zstd.Encoder
}

func newJobSpool(dir string) (*jobSpool, error) {
	file, err := os.CreateTemp(dir, "jobs-*.jsonl.zst")
	if err != nil {
		return nil, &pipeline.SpoolError{Err: err}
	}
	zw, err := zstd.NewWriter(file, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20))
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &jobSpool{file, zw}, nil
}

// add writes a job as one line. JSON has line breaks between its tokens only.
func (s *jobSpool) add(job docextract.Job) error {
	line := make([]byte, 0, len(job.Raw)+1)
	for _, c := range job.Raw {
		if c == '\n' || c == '\r' {
			c = ' '
		}
		line = append(line, c)
	}
	if _, err := s.zw.Write(append(line, '\n')); err != nil {
		return &pipeline.SpoolError{Err: err}
	}
	return nil
}

// each calls yield with the jobs, in their order. Nothing can be added after.
func (s *jobSpool) each(yield func(*docextract.Job) error) error {
	err := s.zw.Close()
	if err == nil {
		_, err = s.file.Seek(0, io.SeekStart)
	}
	if err != nil {
		return &pipeline.SpoolError{Err: err}
	}
	zr, err := zstd.NewReader(s.file, zstd.WithDecoderConcurrency(1))
	if err != nil {
		return err
	}
	defer zr.Close()
	lines := bufio.NewReader(zr)
	for {
		line, err := lines.ReadBytes('\n')
		switch {
		case err == io.EOF && len(line) == 0:
			return nil
		case err != nil:
			return &pipeline.SpoolError{Err: err}
		}
		job, err := docextract.ParseJob(line)
		if err == nil {
			err = yield(&job)
		}
		if err != nil {
			return err
		}
	}
}

func (s *jobSpool) close() error { return s.file.Close() }
