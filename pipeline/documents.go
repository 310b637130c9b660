package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/sourcegraph/conc/pool"

	"github.com/adteco/docarchive/docextract"
)

// DocumentShelf keeps documents under their checksums.
type DocumentShelf interface {
	// KeepDocument makes a spooled document durable. It may be repeated, and
	// leaves the spooled file alone.
	KeepDocument(ctx context.Context, spool, sha256 string, size int64) error
}

// DocumentKeeper archives the documents of one pipeline's jobs in one run. A
// document that is not to be had never holds up its job.
type DocumentKeeper struct {
	Documents Documents
	Shelf     DocumentShelf
	AtOnce    int // documents in work at once
	Sleep     func(ctx context.Context, d time.Duration) error

	mu      sync.Mutex
	failing int // downloads in a row that the hosts' absence stopped
	skipped int // documents that were not asked for since
}

const (
	// documentsAge is how long after the first of its documents was kept a record
	// may be committed: garbage collection takes what no record names after twice
	// that.
	documentsAge = 24 * time.Hour
	// absent is after how many failures in a row the hosts count as away. One in
	// absent documents is then still asked for, once, so that their return is seen.
	absent = 16
)

// documentOf is what a job says of its document.
type documentOf struct {
	id, url, mimeType string
	size              int64
}

func readDocumentOf(job *docextract.Job) documentOf {
	f := readFailed(*job)
	return documentOf{id: job.ID, url: f.url, mimeType: f.mimeType, size: f.size}
}

// documentTally counts documents.
type documentTally struct{ kept, missing int64 }

// documents keeps the documents of the jobs, a few at a time, and lists them.
// The error is that of the local disk, of the bucket, or the context's.
func (o *output) documents(ctx context.Context, jobs []docextract.Job) error {
	keeper := o.run.Documents
	rows := make([]KeptDocument, len(jobs))
	work := pool.New().WithContext(ctx).WithCancelOnError().WithFirstError().WithMaxGoroutines(max(1, keeper.AtOnce))
	for i := range jobs {
		about := readDocumentOf(&jobs[i])
		work.Go(func(ctx context.Context) (err error) {
			rows[i], err = keeper.keep(ctx, o.run, about)
			return err
		})
	}
	if err := work.Wait(); err != nil {
		return err
	}
	if o.kept == nil {
		kept, err := newLines(o.run.Spool)
		if err != nil {
			return err
		}
		o.kept = kept
	}
	for i := range rows {
		if rows[i].SHA256 == "" {
			o.found.missing++
		} else {
			o.found.kept++
		}
		if err := o.kept.document(&rows[i]); err != nil {
			return err
		}
	}
	return nil
}

// finishDocuments makes the list a part.
func (o *output) finishDocuments() error {
	if o.kept == nil {
		return nil
	}
	part, err := o.kept.finish(KindDocuments, DocumentsPath(o.to))
	o.kept = nil
	if err != nil {
		return err
	}
	o.parts = append(o.parts, part)
	if age := o.run.now().Sub(o.archivedAt); age > documentsAge {
		return fmt.Errorf("the documents took %s, and must be committed within %s: choose a shorter window", age, documentsAge)
	}
	return nil
}

// foundDocuments counts the documents of a record that was committed.
func (p *pipelineRun) foundDocuments(o *output) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.report.Jobs.Documents += o.found.kept
	p.report.Jobs.NoDocument += o.found.missing
}

// keep fetches a document and makes it durable.
func (k *DocumentKeeper) keep(ctx context.Context, p *pipelineRun, about documentOf) (KeptDocument, error) {
	row := KeptDocument{ID: about.id}
	if about.url == "" {
		row.Missing = "the job names no document"
		return row, nil
	}
	tries, ask := k.tries()
	if !ask {
		row.Missing = "its host does not answer: it was not asked for"
		return row, nil
	}
	document, err := k.fetch(ctx, p, &about, tries)
	if document != nil {
		defer document.remove()
	}
	var spool *SpoolError
	switch {
	case ctx.Err() != nil:
		return row, context.Cause(ctx)
	case errors.As(err, &spool):
		return row, err
	case err != nil:
		row.Missing = whyMissing(err)
		return row, nil
	}
	if err := k.Shelf.KeepDocument(ctx, document.path, document.sum, document.size); err != nil {
		return row, fmt.Errorf("keep the document of job %s: %w", about.id, err)
	}
	row.SHA256, row.Size, row.MIMEType, row.FetchedAt = document.sum, document.size, document.mimeType, p.now()
	return row, nil
}

// tries is how often a document may be asked for, if at all.
func (k *DocumentKeeper) tries() (n int, ask bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.failing < absent {
		return downloads, true
	}
	k.skipped++
	return 1, k.skipped%absent == 0
}

// answered notes whether a host answered.
func (k *DocumentKeeper) answered(did bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if did {
		k.failing, k.skipped = 0, 0
		return
	}
	k.failing++
}

// fetch brings a document into the spool. The URL of a listing may have expired
// meanwhile: the job is asked for once then, which tells a new one.
func (k *DocumentKeeper) fetch(ctx context.Context, p *pipelineRun, about *documentOf, tries int) (*spooledDocument, error) {
	renewed := false
	for try := 1; ; try++ {
		s, err := fetchOnce(ctx, k.Documents, p.Spool, about)
		var failed *docextract.DownloadError
		var gone *docextract.GoneError
		switch again := errors.As(err, &failed) && failed.Retryable(); {
		case errors.As(err, &gone) && gone.Status == http.StatusForbidden && !renewed && p.prover != nil:
			renewed = true
			job, asked := p.prover.source.Job(ctx, about.id)
			if asked != nil {
				return nil, err
			}
			fresh := readDocumentOf(&job)
			if fresh.url == "" || fresh.url == about.url {
				return nil, err
			}
			about.url = fresh.url
			continue
		case !again:
			k.answered(true)
			return s, err
		case try >= tries:
			k.answered(false)
			return nil, err
		}
		if k.Sleep(ctx, time.Duration(try)*time.Second) != nil {
			return nil, err
		}
	}
}

// fetchOnce downloads a document, and checks that it is the job's.
func fetchOnce(ctx context.Context, documents Documents, spool string, about *documentOf) (_ *spooledDocument, err error) {
	file, err := os.CreateTemp(spool, "document-*")
	if err != nil {
		return nil, &SpoolError{err}
	}
	s := &spooledDocument{path: file.Name(), mimeType: about.mimeType}
	defer func() {
		if closed := file.Close(); err == nil && closed != nil {
			err = &SpoolError{closed}
		}
		if err != nil {
			s.remove()
		}
	}()
	disk := &diskWriter{w: file}
	document, err := documents.Download(ctx, about.url, disk)
	if disk.err != nil {
		return nil, &SpoolError{disk.err}
	}
	if err != nil {
		return nil, err
	}
	s.sum, s.size = document.SHA256, document.Size
	if s.mimeType == "" {
		s.mimeType = document.MIMEType
	}
	return s, wrongDocument(document, s.mimeType, about.size)
}

// wrongDocument says that what was fetched cannot be the job's document; nil if
// it can.
func wrongDocument(got docextract.Document, mimeType string, size int64) error {
	switch {
	case got.MIMEType == "text/html" && !strings.HasPrefix(mimeType, "text/"):
		return errors.New("the host sent a web page in place of the document")
	case size > 0 && got.Size != size:
		return fmt.Errorf("the host sent %d bytes, and the job's document has %d", got.Size, size)
	}
	return nil
}

// diskWriter remembers what the local disk failed with, to tell it from the
// network.
type diskWriter struct {
	w   io.Writer
	err error
}

func (d *diskWriter) Write(p []byte) (int, error) {
	n, err := d.w.Write(p)
	if err != nil {
		d.err = err
	}
	return n, err
}

// whyMissing words an error without the document's address.
func whyMissing(err error) string {
	var gone *docextract.GoneError
	var unsafe *docextract.UnsafeURLError
	var failed *docextract.DownloadError
	switch {
	case errors.As(err, &gone):
		return fmt.Sprintf("the host answered %d: it is gone or its URL has expired", gone.Status)
	case errors.As(err, &unsafe):
		return "it is not fetched from there: " + unsafe.Reason
	case errors.As(err, &failed):
		return failed.Err.Error()
	}
	return err.Error()
}
