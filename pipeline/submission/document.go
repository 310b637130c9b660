package submission

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"os"
)

// Document is a file that can be submitted.
type Document struct {
	Path     string
	Size     int64 // in bytes
	MIMEType string
	SHA256   [sha256.Size]byte
}

// Inspect reads a file once and says what it is. The error says why it cannot
// be submitted; it does not name the file.
func Inspect(path string, maxSize int64) (doc Document, err error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return Document{}, bare(err)
	case info.IsDir():
		return Document{}, errors.New("is a directory; name the files in it, as in DIR/*.pdf")
	case !info.Mode().IsRegular():
		return Document{}, errors.New("is not a regular file")
	case info.Size() == 0:
		return Document{}, errors.New("is empty")
	case info.Size() > maxSize:
		return Document{}, fmt.Errorf("has %d bytes, more than the %d allowed (--max-size)", info.Size(), maxSize)
	}
	file, err := os.Open(path)
	if err != nil {
		return Document{}, bare(err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	head := make([]byte, sniffed)
	n, err := io.ReadFull(file, head)
	if err != nil && err != io.ErrUnexpectedEOF {
		return Document{}, bare(err)
	}
	head = head[:n]
	kind := mimeType(head)
	if kind == "" {
		return Document{}, fmt.Errorf("is %s by its content; only PDF and images can be submitted", http.DetectContentType(head))
	}
	sum := sha256.New()
	sum.Write(head)
	rest, err := io.Copy(sum, file)
	if err != nil {
		return Document{}, bare(err)
	}
	doc = Document{Path: path, Size: int64(n) + rest, MIMEType: kind}
	sum.Sum(doc.SHA256[:0])
	return doc, nil
}

// bare is the cause of a file's error without the path, which is said anyway.
func bare(err error) error {
	var at *os.PathError
	if errors.As(err, &at) {
		return fmt.Errorf("cannot be read: %w", at.Err)
	}
	return fmt.Errorf("cannot be read: %w", err)
}

// sniffed is how many bytes of a document tell its type.
const sniffed = 1024

// mimeType tells a document's type by its first bytes; empty if it is none that
// the API takes.
func mimeType(head []byte) string {
	has := func(at int, text string) bool { return len(head) >= at && bytes.HasPrefix(head[at:], []byte(text)) }
	switch {
	case bytes.Contains(head, []byte("%PDF-")): // readers allow bytes in front of it
		return "application/pdf"
	case has(0, "\xff\xd8\xff"):
		return "image/jpeg"
	case has(0, "\x89PNG\r\n\x1a\n"):
		return "image/png"
	case has(0, "II*\x00"), has(0, "MM\x00*"):
		return "image/tiff"
	case has(0, "GIF87a"), has(0, "GIF89a"):
		return "image/gif"
	case has(0, "RIFF") && has(8, "WEBP"):
		return "image/webp"
	case has(0, "BM") && len(head) >= 26:
		return "image/bmp"
	case has(4, "ftypheic"), has(4, "ftypheix"), has(4, "ftypmif1"):
		return "image/heic"
	}
	return ""
}

// open opens the document for its submission. What is read must be what was
// inspected, or reading fails before its end.
func (d *Document) open() (io.ReadCloser, error) {
	file, err := os.Open(d.Path)
	if err != nil {
		return nil, err
	}
	return &verified{ReadCloser: file, sum: sha256.New(), want: d}, nil
}

// verified compares a file with what was inspected, before its last byte is
// given away.
type verified struct {
	io.ReadCloser
	sum  hash.Hash
	want *Document
	read int64
}

func (v *verified) Read(p []byte) (int, error) {
	n, err := v.ReadCloser.Read(p)
	v.sum.Write(p[:n])
	v.read += int64(n)
	switch {
	case v.read > v.want.Size, err == io.EOF && v.read < v.want.Size,
		v.read == v.want.Size && !bytes.Equal(v.sum.Sum(nil), v.want.SHA256[:]):
		return 0, errChanged
	}
	return n, err
}

// errChanged means that a file is not what it was when it was inspected.
var errChanged = errors.New("the file changed while it was submitted")
