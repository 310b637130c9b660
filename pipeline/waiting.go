package pipeline

import (
	"bytes"
	"time"

	"github.com/adteco/docarchive/docextract"
)

// mostRows is after how many jobs a batch is made even if an older job may yet
// come.
const mostRows = 4 * batchRows

// heldBytes bounds the pages whose jobs wait to be flattened, which are kept for
// the sake of even a single one.
const heldBytes = 4 * batchBytes

// waiting is the jobs that wait to be flattened.
type waiting struct {
	pending []docextract.Job
	bytes   int                // of the jobs
	pages   []*docextract.Page // visited, with jobs among those that wait
	held    int                // bytes of the pages
	taken   int                // jobs that have ever come to wait
}

// take lets a job wait.
func (w *waiting) take(job *docextract.Job) {
	w.pending = append(w.pending, *job)
	w.bytes += len(job.Raw)
	w.taken++
}

// full reports whether no more should wait.
func (w *waiting) full() bool { return len(w.pending) >= mostRows || w.bytes >= batchBytes }

// leave keeps a page that was visited as long as its jobs wait: any, if more
// were taken than before it. It reports whether too much is held.
func (w *waiting) leave(page *docextract.Page, before int) (full bool) {
	if w.taken == before || len(w.pending) == 0 {
		page.Free()
		return false
	}
	w.pages = append(w.pages, page)
	w.held += page.Size
	return w.held >= heldBytes
}

// later takes out the jobs that were created at the given time or after it.
// They no longer share their pages' memory.
func (w *waiting) later(than time.Time) []docextract.Job {
	var later []docextract.Job
	earlier := w.pending[:0]
	for _, job := range w.pending {
		if job.CreatedAt.Before(than) {
			earlier = append(earlier, job)
			continue
		}
		w.bytes -= len(job.Raw)
		job.Raw = bytes.Clone(job.Raw)
		later = append(later, job)
	}
	clear(w.pending[len(earlier):])
	w.pending = earlier
	return later
}

// done forgets the jobs and gives back their pages. The page that is being
// visited is none of them yet.
func (w *waiting) done() {
	clear(w.pending)
	w.pending, w.bytes = w.pending[:0], 0
	for _, page := range w.pages {
		page.Free()
	}
	clear(w.pages)
	w.pages, w.held = w.pages[:0], 0
}
