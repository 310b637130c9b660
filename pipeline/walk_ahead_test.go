package pipeline

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/adteco/docarchive/docextract"
)

// quietAPI lists jobs at even distances, in pages of a hundred at most, and
// remembers what it was asked.
type quietAPI struct {
	jobs []docextract.Job

	mu    sync.Mutex
	asked []docextract.Query
	news  chan struct{} // closed and made anew with each request
}

func newQuietAPI(w Window, n int) *quietAPI {
	a := &quietAPI{news: make(chan struct{})}
	for i := range n {
		a.jobs = append(a.jobs, docextract.Job{
			ID: fmt.Sprintf("job_%06d", i), Status: docextract.StatusCompleted,
			CreatedAt: w.Start.Add(w.End.Sub(w.Start) / time.Duration(n) * time.Duration(i)),
		})
	}
	return a
}

func (a *quietAPI) List(_ context.Context, q docextract.Query) (*docextract.Page, error) {
	a.mu.Lock()
	a.asked = append(a.asked, q)
	close(a.news)
	a.news = make(chan struct{})
	a.mu.Unlock()
	page := &docextract.Page{}
	for _, job := range a.jobs {
		if job.CreatedAt.Before(q.CreatedAfter) || job.CreatedAt.After(q.CreatedBefore) {
			continue
		}
		if at := int(page.Total); at >= q.Offset && len(page.Jobs) < min(q.Limit, 100) {
			page.Jobs = append(page.Jobs, job)
		}
		page.Total++
	}
	return page, nil
}

func (a *quietAPI) Job(context.Context, string) (docextract.Job, error) {
	return docextract.Job{}, errors.New("not asked for")
}

// await waits until a request was made that fits.
func (a *quietAPI) await(ctx context.Context, fits func(docextract.Query) bool) error {
	for seen := 0; ; {
		a.mu.Lock()
		asked, news := a.asked[seen:], a.news
		a.mu.Unlock()
		for _, q := range asked {
			if fits(q) {
				return nil
			}
		}
		seen += len(asked)
		select {
		case <-news:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// slowReader is a visitor that takes its time over one page.
type slowReader struct {
	on   int // the page, from 1
	work func() error

	pages int
	seen  map[string]bool
}

func (v *slowReader) visit(page *docextract.Page) error {
	for _, job := range page.Jobs {
		v.seen[job.ID] = true
	}
	if v.pages++; v.pages == v.on {
		return v.work()
	}
	return nil
}

func (v *slowReader) proven(time.Time, Proof) error { return nil }

func proveSlowly(t *testing.T, api *quietAPI, w Window, v *slowReader) {
	t.Helper()
	v.seen = map[string]bool{}
	out, err := NewProver(api, "", 100, 4).prove(t.Context(), w, v)
	if err != nil || len(out.gaps) > 0 {
		t.Fatalf("%v, %v", err, out.gaps)
	}
	if len(v.seen) != len(api.jobs) {
		t.Errorf("%d jobs seen of %d", len(v.seen), len(api.jobs))
	}
}

func hour() Window {
	start := time.Date(2026, 11, 20, 6, 0, 0, 0, time.UTC)
	return Window{Start: start, End: start.Add(time.Hour)}
}

// While a page is being worked on, the ones after it are on their way.
func TestPagesAreReadAhead(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	w := hour()
	api := newQuietAPI(w, 1000)
	// The first page is read by itself, and four at a time after it: if they came
	// in fours, 500 would not be asked for before all of 100 to 400 were done.
	v := &slowReader{on: 3, work: func() error {
		return api.await(ctx, func(q docextract.Query) bool { return q.Offset == 500 })
	}}
	proveSlowly(t, api, w, v)
	if n := len(api.asked); n != 10 && n != 11 { // one more to see the end
		t.Errorf("%d requests for 10 pages", n)
	}
}

// While one slice is read, the first page of the next is on its way, and none
// is asked for twice.
func TestSlicesAreReadAhead(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	w := hour()
	api := newQuietAPI(w, 5000)
	// The first page is the whole's, the second the first slice's.
	v := &slowReader{on: 2, work: func() error {
		return api.await(ctx, func(q docextract.Query) bool { return q.CreatedAfter.After(w.Start) })
	}}
	proveSlowly(t, api, w, v)
	asked := map[string]int{}
	for _, q := range api.asked {
		asked[q.Values().Encode()]++
	}
	for query, n := range asked {
		if n > 1 {
			t.Errorf("asked %d times: %s", n, query)
		}
	}
	if n := len(api.asked); n > 56 {
		t.Errorf("%d requests for 50 pages", n)
	}
}

// A prover that may make one request at a time does so.
func TestNothingIsReadAheadOneAtATime(t *testing.T) {
	t.Parallel()
	w := hour()
	api := newQuietAPI(w, 5000)
	v := &slowReader{on: 2, seen: map[string]bool{}, work: func() error {
		if n := len(api.asked); n != 2 {
			t.Errorf("%d requests before the second page was worked on", n)
		}
		return nil
	}}
	if _, err := NewProver(api, "", 100, 1).prove(t.Context(), w, v); err != nil {
		t.Fatal(err)
	}
	if len(v.seen) != len(api.jobs) {
		t.Errorf("%d jobs seen of %d", len(v.seen), len(api.jobs))
	}
}
