package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/adteco/docarchive/pipeline/submission"
)

// submitSource finds the documents that a command line names.
type submitSource struct {
	files     []string
	manifests []string
	stdin     io.Reader
	spool     string // folder for the document from standard input
	maxSize   int64  // of a document in bytes
}

// items calls yield with each document, one after another.
func (s *submitSource) items(yield func(submission.Item, error) bool) {
	for _, name := range s.files {
		if !s.file(name, yield) {
			return
		}
	}
	for _, name := range s.manifests {
		if !manifest(name, yield) {
			return
		}
	}
}

func (s *submitSource) file(name string, yield func(submission.Item, error) bool) bool {
	if name == "-" {
		path, err := s.keepInput()
		return yield(submission.Item{Name: name, Path: path}, err)
	}
	_, err := os.Lstat(name)
	if err == nil || !strings.ContainsAny(name, "*?[") {
		return yield(submission.Item{Name: name, Path: name}, nil)
	}
	matches, err := filepath.Glob(name)
	if err == nil && len(matches) == 0 {
		err = errors.New("no file matches")
	}
	if err != nil {
		return yield(submission.Item{Name: name}, err)
	}
	for _, match := range matches {
		if !yield(submission.Item{Name: match, Path: match}, nil) {
			return false
		}
	}
	return true
}

// keepInput puts standard input into a file: a submission has to know its size
// and its hash before it begins.
func (s *submitSource) keepInput() (path string, err error) {
	file, err := os.CreateTemp(s.spool, "document-")
	if err != nil {
		return "", fmt.Errorf("keep standard input: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if _, err := io.Copy(file, io.LimitReader(s.stdin, s.maxSize+1)); err != nil {
		return "", fmt.Errorf("keep standard input: %w", err)
	}
	return file.Name(), nil
}

func manifest(name string, yield func(submission.Item, error) bool) bool {
	file, err := os.Open(name)
	if err != nil {
		var at *os.PathError
		if errors.As(err, &at) {
			err = at.Err
		}
		return yield(submission.Item{Name: name}, fmt.Errorf("the manifest cannot be read: %w", err))
	}
	defer file.Close() // it was only read
	for item, err := range submission.Manifest(name, file) {
		if !yield(item, err) {
			return false
		}
	}
	return true
}
