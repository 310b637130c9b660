package pipeline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/adteco/docarchive/docextract"
)

// refusedError means that a job's document is not going to be had by asking
// again.
type refusedError struct{ reason string }

func (e *refusedError) Error() string { return e.reason }

// documentError means that a spooled document is not what was fetched.
type documentError struct{ reason string }

func (e *documentError) Error() string { return e.reason }

// errNotFailed means that a job has changed since it was archived.
var errNotFailed = errors.New("the API does not call it failed any more")

// spooledDocument is a document in the local spool.
type spooledDocument struct {
	path     string
	sum      string // sha256 in hex
	size     int64
	mimeType string
}

func (s *spooledDocument) remove() { _ = os.Remove(s.path) } // what is left goes with the spool

// open opens the document, after it has made sure that it is the one that the
// intent names.
func (s *spooledDocument) open() (io.ReadCloser, error) {
	file, err := os.Open(s.path)
	if err != nil {
		return nil, &SpoolError{err}
	}
	sum := sha256.New()
	n, err := io.Copy(sum, file)
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	switch {
	case err != nil:
		err = &SpoolError{err}
	case n != s.size || hex.EncodeToString(sum.Sum(nil)) != s.sum:
		err = &documentError{"the document changed in the local spool after its intent was recorded"}
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// downloads is how often a document is asked for.
const downloads = 3

// fetch brings the job up to date and its document into the spool. A URL in the
// archive may have expired, so the job is asked for first, which is free.
func (r *resubmission) fetch(ctx context.Context, d *dueJob) (*spooledDocument, error) {
	job, err := r.Source.Job(ctx, d.ID)
	switch {
	case docextract.NotFound(err): // past retention; perhaps the document is not
	case err != nil:
		return nil, err
	case job.Status != docextract.StatusFailed:
		return nil, errNotFailed
	default:
		code, credits := d.code, d.credits
		d.failedJob = readFailed(job)
		d.code, d.credits = code, credits
	}
	switch {
	case d.url == "":
		return nil, &refusedError{"the job names no document"}
	case d.ExtractorID == "":
		return nil, &refusedError{"the job names no extractor"}
	}
	for try := 1; ; try++ {
		s, err := r.download(ctx, d)
		var failed *docextract.DownloadError
		if !errors.As(err, &failed) || !failed.Retryable() || try == downloads {
			return s, err
		}
		if r.Sleep(ctx, time.Duration(try)*time.Second) != nil {
			return s, err
		}
	}
}

// download fetches the document once, and checks that it is the job's.
func (r *resubmission) download(ctx context.Context, d *dueJob) (_ *spooledDocument, err error) {
	file, err := os.CreateTemp(r.Spool, "document-*")
	if err != nil {
		return nil, &SpoolError{err}
	}
	s := &spooledDocument{path: file.Name(), mimeType: d.mimeType}
	defer func() {
		if closed := file.Close(); err == nil && closed != nil {
			err = &SpoolError{closed}
		}
		if err != nil {
			s.remove()
		}
	}()
	document, err := r.Documents.Download(ctx, d.url, file)
	var gone *docextract.GoneError
	switch {
	case errors.As(err, &gone):
		return nil, &refusedError{err.Error()}
	case err != nil:
		return nil, err
	}
	s.sum, s.size = document.SHA256, document.Size
	if s.mimeType == "" {
		s.mimeType = document.MIMEType
	}
	switch {
	case s.mimeType == "":
		return nil, &refusedError{"neither the job nor the host says what kind of document it is"}
	case document.MIMEType == "text/html" && !strings.HasPrefix(s.mimeType, "text/"):
		return nil, errors.New("the host sent a web page in place of the document")
	case d.size > 0 && document.Size != d.size:
		return nil, fmt.Errorf("the host sent %d bytes, and the job's document has %d", document.Size, d.size)
	case d.sha256 != "" && document.SHA256 != d.sha256:
		return nil, &refusedError{"the document is not the one of the earlier attempt"}
	}
	return s, nil
}
