package docextract

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/adteco/docarchive/internal/rawjson"
)

// Submission is a document to extract.
type Submission struct {
	ExtractorID string
	Open        func() (io.ReadCloser, error) // the document's bytes; called at most once for each Submit
	Size        int64                         // of the document in bytes; it must be exact
	MIMEType    string
	Metadata    json.RawMessage // a JSON object, or nil
}

// frame is the JSON around the document. The document comes last, so that a
// request that is cut anywhere is not JSON.
func (s *Submission) frame() (head, tail []byte, err error) {
	if s.ExtractorID == "" || s.MIMEType == "" || s.Open == nil {
		return nil, nil, errors.New("a submission needs an extractor, a MIME type and a document")
	}
	if s.Size <= 0 {
		return nil, nil, errors.New("the document is empty")
	}
	head, err = json.Marshal(map[string]string{"extractor_id": s.ExtractorID, "mime_type": s.MIMEType})
	if err != nil {
		return nil, nil, err
	}
	head = head[:len(head)-1]
	if s.Metadata != nil {
		if err := rawjson.Check(s.Metadata); err != nil {
			return nil, nil, fmt.Errorf("the metadata is not JSON: %w", err)
		}
		if rawjson.NewScanner(s.Metadata).Peek() != rawjson.Object {
			return nil, nil, errors.New("the metadata is not a JSON object")
		}
		head = append(head, `,"metadata":`...)
		head = append(head, s.Metadata...)
	}
	return append(head, `,"document":"`...), []byte(`"}`), nil
}

// submissionBody is the JSON of a submission, encoded while it is read. It keeps
// a chunk of the document in memory.
type submissionBody struct {
	permit func() error // asked before the first byte leaves
	length int64        // of the JSON

	mu       sync.Mutex // the transport reads and closes as it likes
	document io.ReadCloser
	left     int64  // bytes of the document to come
	tail     []byte // nil once it is in pending
	pending  []byte // encoded, to be read
	chunk    []byte // of the document
	encoded  []byte
	started  bool  // bytes have been handed over
	fault    error // why the body ends before its end
}

// chunkSize is a multiple of three, so that chunks are encoded one by one.
const chunkSize = 24 << 10

// body opens the document.
func (s *Submission) body(permit func() error) (*submissionBody, error) {
	head, tail, err := s.frame()
	if err != nil {
		return nil, err
	}
	document, err := s.Open()
	if err != nil {
		return nil, fmt.Errorf("open the document: %w", err)
	}
	return &submissionBody{
		permit:   permit,
		length:   int64(len(head)) + encodedLength(s.Size) + int64(len(tail)),
		document: document, left: s.Size, tail: tail, pending: head,
		chunk: make([]byte, chunkSize), encoded: make([]byte, base64.StdEncoding.EncodedLen(chunkSize)),
	}, nil
}

func encodedLength(n int64) int64 { return (n + 2) / 3 * 4 }

// Read implements [io.Reader].
func (b *submissionBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fault == nil && !b.started {
		b.fault = b.permit()
	}
	for b.fault == nil && len(b.pending) == 0 {
		if b.left == 0 && b.tail == nil {
			return 0, io.EOF
		}
		b.fault = b.fill()
	}
	if b.fault != nil {
		return 0, b.fault
	}
	b.started = true
	n := copy(p, b.pending)
	b.pending = b.pending[n:]
	return n, nil
}

// fill puts the next piece into pending.
func (b *submissionBody) fill() error {
	if b.left == 0 {
		// The end leaves only after the document was seen to end where it should.
		switch n, err := io.ReadFull(b.document, b.chunk[:1]); {
		case n > 0:
			return errors.New("the document is longer than it was said to be: it changed while it was read")
		case err != io.EOF:
			return fmt.Errorf("read the document: %w", err)
		}
		b.pending, b.tail = b.tail, nil
		return nil
	}
	chunk := b.chunk[:min(b.left, chunkSize)]
	_, err := io.ReadFull(b.document, chunk)
	switch {
	case err == io.EOF || err == io.ErrUnexpectedEOF:
		return errors.New("the document is shorter than it was said to be: it changed while it was read")
	case err != nil:
		return fmt.Errorf("read the document: %w", err)
	}
	b.left -= int64(len(chunk))
	b.pending = b.encoded[:base64.StdEncoding.EncodedLen(len(chunk))]
	base64.StdEncoding.Encode(b.pending, chunk)
	return nil
}

// Close implements [io.Closer]. After it nothing can be read.
func (b *submissionBody) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.document == nil {
		return nil
	}
	err := b.document.Close()
	b.document = nil
	if b.fault == nil && b.tail != nil {
		b.fault = errBodyClosed
	}
	return err
}

var errBodyClosed = errors.New("the request was ended before it was sent")

// unsent returns why the request cannot have arrived whole; nil if it may have.
func (b *submissionBody) unsent(err error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.fault != nil && b.fault != errBodyClosed:
		return b.fault
	case !b.started:
		return err
	}
	return nil
}
