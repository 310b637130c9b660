package pipeline

import (
	"context"
	"fmt"
	"time"

	"github.com/adteco/docarchive/docextract"
)

const (
	// viewMost is how many jobs a listing may have to be walked as one; longer
	// ones are cut in time. It bounds the memory of telling repeated jobs apart.
	viewMost = 20_000
	// viewLeast is the shortest span that is cut.
	viewLeast = 2 * time.Second
	// viewMargin widens the bounds of a listing, as the API does not say whether
	// it includes them, nor to which resolution it compares.
	viewMargin = time.Second
)

// View reads the jobs created in a window through listings, each once. It is a
// view and no proof: a job that moves between pages may be missed.
type View struct {
	Source    Source
	Extractor string // empty: every extractor
	PageSize  int
}

// Jobs calls yield with the jobs of the window, in the order of the listings.
// The jobs' bytes share the memory of their page. unreadable counts elements
// that are no jobs.
func (v View) Jobs(ctx context.Context, w Window, yield func(docextract.Job) error) (unreadable int64, err error) {
	query := docextract.Query{
		ExtractorID:  v.Extractor,
		CreatedAfter: w.Start.Add(-viewMargin), CreatedBefore: w.End.Add(viewMargin),
		Limit: v.PageSize,
	}
	page, err := v.Source.List(ctx, query)
	if err != nil {
		return 0, err
	}
	if page.Total > viewMost && w.End.Sub(w.Start) > viewLeast {
		middle := w.Start.Add(w.End.Sub(w.Start) / 2).Truncate(time.Second)
		for _, half := range []Window{{Start: w.Start, End: middle}, {Start: middle, End: w.End}} {
			n, err := v.Jobs(ctx, half, yield)
			unreadable += n
			if err != nil {
				return unreadable, err
			}
		}
		return unreadable, nil
	}
	seen := map[string]bool{}
	for {
		fresh := 0
		for _, job := range page.Jobs {
			if seen[job.ID] {
				continue
			}
			seen[job.ID] = true
			fresh++
			if !w.Contains(job.CreatedAt) {
				continue
			}
			if err := yield(job); err != nil {
				return unreadable, err
			}
		}
		unreadable += int64(len(page.Malformed))
		query.Offset += page.Items()
		if page.Items() == 0 || lastPage(page, query, fresh) {
			return unreadable, nil
		}
		if page, err = v.Source.List(ctx, query); err != nil {
			return unreadable, err
		}
	}
}

// lastPage reports whether nothing follows, as far as can be told; query is that
// of the next page. A total may be capped, so a full page is followed by another
// look; and a server that ignores the offset would go on for ever.
func lastPage(page *docextract.Page, query docextract.Query, fresh int) bool {
	if page.Total == docextract.UnknownTotal {
		return fresh == 0
	}
	full := query.Limit
	if page.Limit > 0 {
		full = page.Limit
	}
	return int64(query.Offset) >= page.Total && (fresh == 0 || page.Items() < full)
}

// Archived calls yield with the jobs of a pipeline created in the window, from
// the raw layer: no request to the API is made. size is that of the pipeline's
// windows. A job's bytes are yield's to keep.
func Archived(ctx context.Context, lib Library, pipeline string, size time.Duration, w Window, yield func(docextract.Job) error) error {
	names, err := lib.Windows(ctx, pipeline)
	if err != nil {
		return err
	}
	for _, name := range names {
		window, err := ParseWindow(name, size)
		if err != nil {
			return err
		}
		if !window.Start.Before(w.End) || !w.Start.Before(window.End) {
			continue
		}
		err = lib.Records(ctx, pipeline, window, func(r *Record) error {
			return RawJobs(ctx, lib, r, func(job docextract.Job) error {
				if !w.Contains(job.CreatedAt) {
					return nil
				}
				return yield(job)
			})
		})
		if err != nil {
			return fmt.Errorf("pipeline %s, window %s: %w", pipeline, name, err)
		}
	}
	return nil
}
