package pipeline

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/klauspost/compress/zstd"
)

// KeptDocument is one line of a record's list of documents: which document a job
// has, or why none could be had. It never tells the document's URL.
type KeptDocument struct {
	ID        string    `json:"id"` // of the job
	SHA256    string    `json:"sha256,omitempty"`
	Size      int64     `json:"size,omitempty"` // in bytes
	MIMEType  string    `json:"mime_type,omitempty"`
	FetchedAt time.Time `json:"fetched_at,omitzero"`
	Missing   string    `json:"missing,omitempty"` // why there is none
}

// DocumentsPath is where the list of the documents of one commit record is kept.
func DocumentsPath(d Destination) string {
	return fmt.Sprintf("_archive/document-lists/%s/%s-%06d.jsonl.zst", d.Pipeline, d.Window.Name(), d.Seq)
}

// document writes a line of a list of documents.
func (l *lines) document(d *KeptDocument) error {
	line, err := json.Marshal(d)
	if err != nil {
		return err
	}
	l.line = append(l.line[:0], line...)
	return l.end()
}

// longestListed bounds a line of a list of documents.
const longestListed = 1 << 20

// ReadDocumentList calls yield with the lines of a list of documents.
func ReadDocumentList(r io.Reader, yield func(KeptDocument) error) error {
	return eachLine(r, longestListed, func(line []byte) error {
		var d KeptDocument
		if err := json.Unmarshal(line, &d); err != nil {
			return err
		}
		return yield(d)
	})
}

// eachLine calls yield with the lines of what is compressed with zstd, and reads
// it to its end. A line is yield's as long as the call lasts.
func eachLine(r io.Reader, longest int, yield func(line []byte) error) error {
	zr, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(256<<20))
	if err != nil {
		return err
	}
	defer zr.Close()
	scanner := bufio.NewScanner(zr)
	scanner.Buffer(make([]byte, 0, 64<<10), longest)
	for n := 1; scanner.Scan(); n++ {
		if err := yield(scanner.Bytes()); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
	if err := scanner.Err(); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, r) // a checksum is compared when the file ends
	return err
}

// recordDocuments calls yield with the lines of a record's lists of documents.
func recordDocuments(ctx context.Context, lib Library, r *Record, yield func(KeptDocument) error) error {
	for _, f := range r.Files {
		if f.Kind != KindDocuments {
			continue
		}
		if err := listFile(ctx, lib, f, yield); err != nil {
			return fmt.Errorf("%s: %w", f.Path, err)
		}
	}
	return nil
}

func listFile(ctx context.Context, lib Library, f File, yield func(KeptDocument) error) (err error) {
	file, err := lib.OpenFile(ctx, f)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return ReadDocumentList(file, yield)
}
