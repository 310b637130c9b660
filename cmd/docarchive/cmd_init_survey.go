package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/adteco/docarchive/docextract"
)

const (
	// surveyDays is how far back jobs are counted: the API keeps them no longer.
	surveyDays = 90
	// surveyPage is the page size that init asks for and suggests.
	surveyPage = 100
	// surveyReserve is how many requests of the rate window init leaves alone.
	surveyReserve = 2
)

// survey is what the API key can see.
type survey struct {
	BaseURL    string      `json:"base_url"`
	Jobs       int64       `json:"jobs"`                // of the last 90 days, as the server counts; -1 if it does not
	PageSize   int         `json:"page_size"`           // jobs a page that the server gives
	PerMinute  float64     `json:"requests_per_minute"` // that it allows in the long run; 0: it does not say
	Extractors []extractor `json:"extractors"`
	Notes      []string    `json:"notes"` // what could not be had, for people
}

// extractor is an extractor and its jobs of the last 90 days.
type extractor struct {
	ID      string                       `json:"id"`
	Name    string                       `json:"name"`
	Fields  []docextract.FieldDefinition `json:"fields"`
	Jobs    int64                        `json:"jobs"` // -1: not counted, or the server does not count
	HasJobs bool                         `json:"has_jobs"`
}

// survey asks the API what there is. Only the listing must answer.
func (a *app) survey(ctx context.Context, acc *account) (*survey, error) {
	s := &survey{BaseURL: acc.BaseURL, PageSize: surveyPage}
	since := a.now().UTC().AddDate(0, 0, -surveyDays).Truncate(time.Second)
	page, err := acc.client.List(ctx, docextract.Query{CreatedAfter: since, Limit: surveyPage})
	if err != nil {
		return nil, err
	}
	s.judge(page)
	list, err := acc.client.Extractors(ctx)
	switch {
	case ctx.Err() != nil:
		return nil, err
	case keyUnknown(err):
		return nil, err
	case err != nil:
		s.note("the extractors cannot be listed, so one pipeline takes all jobs: %v", err)
	}
	slices.SortStableFunc(list, func(a, b docextract.Extractor) int { return cmp.Compare(b.UsageCount, a.UsageCount) })
	uncounted := 0
	for _, e := range list {
		found := extractor{ID: e.ID, Name: e.Name, Fields: e.Fields, Jobs: docextract.UnknownTotal, HasJobs: e.UsageCount > 0 || e.IsActive}
		if !affordable(acc.budget) {
			uncounted++
		} else if err := found.count(ctx, acc.client, since, s.Jobs != docextract.UnknownTotal); err != nil {
			return nil, err
		}
		s.Extractors = append(s.Extractors, found)
	}
	if uncounted > 0 {
		s.note("the jobs of %d extractors were not counted, as the rate limit leaves no requests for it now", uncounted)
	}
	s.PerMinute = acc.pace()
	s.reconcile()
	return s, nil
}

func (s *survey) note(format string, args ...any) {
	s.Notes = append(s.Notes, printable(fmt.Sprintf(format, args...)))
}

// judge learns from the first page what the server's counts and pages are.
func (s *survey) judge(page *docextract.Page) {
	s.Jobs = page.Total
	items := page.Items()
	switch {
	case page.Total == docextract.UnknownTotal:
		s.note("the API does not count jobs, so how much there is is not known")
	case items == surveyPage && page.Total == surveyPage:
		s.Jobs = docextract.UnknownTotal
		s.note("the API seems to count the jobs of a page only, so how much there is is not known")
	case items > 0 && page.Total > int64(items) && items < surveyPage:
		s.PageSize = items
		s.note("the API gives %d jobs a page, though %d were asked for", items, surveyPage)
	}
}

// reconcile says which jobs no listed extractor accounts for.
func (s *survey) reconcile() {
	if s.Jobs == docextract.UnknownTotal || len(s.Extractors) == 0 {
		return
	}
	var sum int64
	for _, e := range s.Extractors {
		if e.Jobs == docextract.UnknownTotal {
			return
		}
		sum += e.Jobs
	}
	if rest := s.Jobs - sum; rest > s.Jobs/1000 {
		s.note("%d jobs are of no extractor that is listed: uncomment the pipeline everything to keep them, too", rest)
	}
}

// count asks how many jobs the extractor has.
func (e *extractor) count(ctx context.Context, c *docextract.Client, since time.Time, counts bool) error {
	page, err := c.List(ctx, docextract.Query{ExtractorID: e.ID, CreatedAfter: since, Limit: 1})
	if docextract.NotFound(err) { // deleted a moment ago
		e.Jobs, e.HasJobs = 0, false
		return nil
	}
	if err != nil {
		return fmt.Errorf("extractor %s: %w", e.ID, err)
	}
	e.HasJobs = page.Items() > 0
	if counts {
		e.Jobs = page.Total
	}
	return nil
}

// affordable reports whether one more request is left of the rate window.
func affordable(b *docextract.Budget) bool {
	left, _, known := b.Left()
	return !known || left > surveyReserve
}

// keyUnknown reports whether the API does not know the key at all, as opposed
// to a scope that the key lacks.
func keyUnknown(err error) bool {
	var api *docextract.Error
	return errors.As(err, &api) && api.Status == http.StatusUnauthorized
}
