package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"

	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/pipeline"
)

// barren is how many pages in a row may bring nothing new before the server is
// taken to repeat itself.
const barren = 3

// jobWalk reads a listing by offsets. What comes and goes meanwhile shifts the
// pages, so that it is a view and proves nothing; a job is passed on once.
type jobWalk struct {
	list       func(context.Context, docextract.Query) (*docextract.Page, error)
	stopping   <-chan struct{} // closed: ask for nothing more
	query      docextract.Query
	pageSize   int
	clientSide bool // the metadata is compared here

	// Known when the walk is over.
	total     int64 // as the server counts; docextract.UnknownTotal if it does not
	shown     int
	malformed int  // elements of the listing that are no jobs
	more      bool // there is more than was wanted
}

// run calls yield with at most so many jobs; 0 is all.
func (w *jobWalk) run(ctx context.Context, most int, yield func(docextract.Job) error) error {
	q, want := w.query, pipeline.Filter{Metadata: w.query.Metadata}
	if w.clientSide {
		q.Metadata = nil
	}
	q.Limit = w.pageSize
	if most > 0 && most < q.Limit && !(w.clientSide && len(want.Metadata) > 0) {
		q.Limit = most
	}
	w.total = docextract.UnknownTotal
	seen := map[[16]byte]bool{}
	for idle := 0; ; {
		if err := w.interrupted(ctx); err != nil {
			return err
		}
		page, err := w.list(ctx, q)
		if err != nil {
			return w.explain(err, q)
		}
		w.total = page.Total
		w.malformed += len(page.Malformed)
		fresh := len(page.Malformed) > 0
		here := map[[16]byte]bool{} // a job that a page has twice may stand in another's place
		for _, job := range page.Jobs {
			id := idKey(job.ID)
			here[id] = true
			if seen[id] {
				continue
			}
			seen[id], fresh = true, true
			if !want.Match(&job) {
				if w.clientSide {
					continue
				}
				return fmt.Errorf("the API ignores the metadata it was asked for (job %s does not carry it): use --client-side to compare it here", job.ID)
			}
			if most > 0 && w.shown == most {
				w.more = true
				return nil
			}
			if err := yield(job); err != nil {
				return err
			}
			w.shown++
		}
		if idle++; fresh {
			idle = 0
		}
		items := page.Items()
		q.Offset += len(here) + len(page.Malformed)
		switch {
		case items == 0, items < q.Limit && page.Total >= 0 && int64(q.Offset) >= page.Total:
			return nil
		case idle == barren:
			return errors.New("the listing repeats itself: the API does not obey offset, so only its first page can be shown")
		case most > 0 && w.shown == most && (w.total < 0 || w.total > int64(q.Offset)):
			w.more = true
			return nil
		case most > 0 && w.shown == most:
			return nil
		}
	}
}

func (w *jobWalk) interrupted(ctx context.Context) error {
	select {
	case <-w.stopping:
		return pipeline.ErrStopped
	case <-ctx.Done():
		return context.Cause(ctx)
	default:
		return nil
	}
}

// explain says what a refusal of a listing by metadata may mean.
func (w *jobWalk) explain(err error, q docextract.Query) error {
	var refused *docextract.Error
	if errors.As(err, &refused) && refused.Status == http.StatusBadRequest && len(q.Metadata) > 0 && q.Offset == 0 {
		return fmt.Errorf("%w; where the organisation has no metadata search, --client-side compares it here", err)
	}
	return err
}

// idKey stands for a job's id where very many are kept.
func idKey(id string) [16]byte {
	sum := sha256.Sum256([]byte(id))
	return [16]byte(sum[:16])
}

// walk prepares a listing.
func (a *app) walk(w *workplace, o *jobFilter) (*jobWalk, error) {
	q, err := o.query(a.now())
	if err != nil {
		return nil, err
	}
	if o.clientSide && len(q.Metadata) == 0 {
		return nil, usagef("--client-side is of use with --metadata only")
	}
	return &jobWalk{
		list: w.client.List, stopping: a.stop.begin, query: q, pageSize: w.cfg.API.PageSize, clientSide: o.clientSide,
	}, nil
}

// ended reports what a listing left out.
func (a *app) ended(w *jobWalk) error {
	if w.malformed == 0 {
		return nil
	}
	a.log.Warn("elements of the listing are no jobs and were left out", "elements", w.malformed)
	return errPartly
}
