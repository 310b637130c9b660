package pipeline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
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
		code, credits, kept := d.code, d.credits, d.kept
		d.failedJob = readFailed(job)
		d.code, d.credits, d.kept = code, credits, kept
	}
	if d.kept != nil && d.ExtractorID != "" {
		s, err := r.takeKept(ctx, d)
		if s != nil || err != nil {
			return s, err
		}
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
	}
	if err := wrongDocument(document, s.mimeType, d.size); err != nil {
		return nil, err
	}
	return s, d.same(s)
}

// same refuses a document that is not the one of an earlier attempt.
func (d *dueJob) same(s *spooledDocument) error {
	if d.sha256 != "" && s.sum != d.sha256 {
		return &refusedError{"the document is not the one of the earlier attempt"}
	}
	return nil
}

// takeKept brings the document from the archive into the spool. It is nil where
// the archive has it no more, and the document is to be fetched.
func (r *resubmission) takeKept(ctx context.Context, d *dueJob) (_ *spooledDocument, err error) {
	s := &spooledDocument{sum: d.kept.SHA256, size: d.kept.Size, mimeType: d.kept.MIMEType}
	if err := d.same(s); err != nil {
		return nil, err
	}
	if r.Kept == nil || s.mimeType == "" {
		return nil, nil
	}
	body, err := r.Kept.OpenDocument(ctx, s.sum, s.size)
	if err != nil {
		return nil, r.unkept(ctx, d, err)
	}
	defer body.Close()
	file, err := os.CreateTemp(r.Spool, "document-*")
	if err != nil {
		return nil, &SpoolError{err}
	}
	s.path = file.Name()
	disk := &diskWriter{w: file}
	_, err = io.Copy(disk, body) // its checksum is compared at its end
	if closed := file.Close(); disk.err == nil {
		disk.err = closed
	}
	switch {
	case disk.err != nil:
		s.remove()
		return nil, &SpoolError{disk.err}
	case err != nil:
		s.remove()
		return nil, r.unkept(ctx, d, err)
	}
	return s, nil
}

// unkept says that a document is fetched because the archive does not give it.
func (r *resubmission) unkept(ctx context.Context, d *dueJob, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	r.Log.Warn("the archived document cannot be read, it is fetched again", "pipeline", r.choice.Pipeline, "job", d.ID, "error", err)
	return nil
}
