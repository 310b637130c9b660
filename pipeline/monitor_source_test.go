package pipeline_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/pipeline"
)

// viewedSource lists jobs as a server may.
type viewedSource struct {
	jobs         []docextract.Job
	most         int // jobs a page
	total        func(n int) int64
	ignoreOffset bool
	repeat       int // how many of the page before each page begins with
	malformed    int // elements on the first page that are no jobs

	queries []docextract.Query
}

func (s *viewedSource) List(_ context.Context, q docextract.Query) (*docextract.Page, error) {
	s.queries = append(s.queries, q)
	var match []docextract.Job
	for _, j := range s.jobs {
		if !j.CreatedAt.Before(q.CreatedAfter) && !j.CreatedAt.After(q.CreatedBefore) && (q.ExtractorID == "" || q.ExtractorID == j.ExtractorID) {
			match = append(match, j)
		}
	}
	page := &docextract.Page{Total: int64(len(match))}
	if s.total != nil {
		page.Total = s.total(len(match))
	}
	from := max(0, q.Offset-s.repeat)
	if s.ignoreOffset {
		from = 0
	}
	from = min(from, len(match))
	page.Jobs = match[from:min(len(match), from+min(q.Limit, s.most))]
	if q.Offset == 0 {
		page.Malformed = make([]docextract.Malformed, s.malformed)
	}
	return page, nil
}

func (s *viewedSource) Job(context.Context, string) (docextract.Job, error) {
	return docextract.Job{}, errors.New("a view asks for no single job")
}

// jobsOver spreads jobs evenly over the last day and a bit beyond its ends.
func jobsOver(n int) []docextract.Job {
	jobs := make([]docextract.Job, n)
	w := lastDay()
	step := (w.End.Sub(w.Start) + 4*time.Second) / time.Duration(n)
	for i := range jobs {
		jobs[i] = docextract.Job{ID: fmt.Sprintf("job_%d", i), ExtractorID: "ext_a", CreatedAt: w.Start.Add(-2*time.Second + step*time.Duration(i))}
	}
	return jobs
}

func TestViewShowsEachJobOnce(t *testing.T) {
	t.Parallel()
	unknown := func(int) int64 { return docextract.UnknownTotal }
	for _, c := range []struct {
		name       string
		jobs       int
		source     viewedSource
		requests   int
		unreadable int64
	}{
		{name: "no job", jobs: 0, source: viewedSource{most: 100}, requests: 1},
		{name: "one page", jobs: 42, source: viewedSource{most: 100}, requests: 1},
		{name: "several pages", jobs: 250, source: viewedSource{most: 100}, requests: 3},
		{name: "a full last page", jobs: 2000, source: viewedSource{most: 1000}, requests: 3},
		{name: "the server clamps", jobs: 250, source: viewedSource{most: 37}, requests: 7},
		{name: "pages overlap", jobs: 250, source: viewedSource{most: 100, repeat: 5}, requests: 4},
		{name: "no total", jobs: 250, source: viewedSource{most: 100, total: unknown}, requests: 4},
		{name: "a capped total", jobs: 2500, source: viewedSource{most: 1000, total: func(n int) int64 { return min(1000, int64(n)) }}, requests: 3},
		{name: "the offset is ignored", jobs: 90, source: viewedSource{most: 90, ignoreOffset: true, total: unknown}, requests: 2},
		{name: "what is no job", jobs: 42, source: viewedSource{most: 100, malformed: 3}, requests: 1, unreadable: 3},
		{name: "too many for one walk", jobs: 30_000, source: viewedSource{most: 1000}, requests: 1 + 2*16},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := c.source
			if c.jobs > 0 {
				s.jobs = jobsOver(c.jobs)
			}
			want := map[string]bool{}
			for _, j := range s.jobs {
				if lastDay().Contains(j.CreatedAt) {
					want[j.ID] = true
				}
			}
			got := map[string]bool{}
			view := pipeline.View{Source: &s, PageSize: 1000}
			unreadable, err := view.Jobs(t.Context(), lastDay(), func(j docextract.Job) error {
				if got[j.ID] {
					t.Errorf("%s comes twice", j.ID)
				}
				got[j.ID] = true
				return nil
			})
			if err != nil || !maps.Equal(got, want) {
				t.Errorf("%d jobs of %d (%v)", len(got), len(want), err)
			}
			if len(s.queries) > c.requests || unreadable != c.unreadable {
				t.Errorf("%d requests of %d, %d unreadable", len(s.queries), c.requests, unreadable)
			}
		})
	}
}

func TestViewAsksForItsExtractor(t *testing.T) {
	t.Parallel()
	s := viewedSource{most: 10}
	view := pipeline.View{Source: &s, Extractor: "ext_a", PageSize: 7}
	if _, err := view.Jobs(t.Context(), lastDay(), nil); err != nil {
		t.Fatal(err)
	}
	// The bounds are widened, since nothing says whether they are inclusive.
	want := []docextract.Query{{
		ExtractorID: "ext_a", Limit: 7,
		CreatedAfter: lastDay().Start.Add(-time.Second), CreatedBefore: lastDay().End.Add(time.Second),
	}}
	if diff := gocmp.Diff(want, s.queries); diff != "" {
		t.Errorf("queries (-want +got):\n%s", diff)
	}
}

func TestViewEndsWithTheFirstError(t *testing.T) {
	t.Parallel()
	stop := errors.New("stop")
	s := viewedSource{jobs: jobsOver(40_000), most: 100}
	_, err := pipeline.View{Source: &s, PageSize: 100}.Jobs(t.Context(), lastDay(), func(docextract.Job) error { return stop })
	if !errors.Is(err, stop) || len(s.queries) > 2 {
		t.Errorf("%v after %d requests", err, len(s.queries))
	}
}

// archivedJobs is a library whose windows have a record for each of their raw
// files.
type archivedJobs map[string][]string // window → raw files

func (l archivedJobs) Windows(context.Context, string) ([]string, error) {
	return slices.Sorted(maps.Keys(l)), nil
}

func (l archivedJobs) Records(_ context.Context, _ string, w pipeline.Window, yield func(*pipeline.Record) error) error {
	for i, text := range l[w.Name()] {
		r := &pipeline.Record{Content: pipeline.Content{
			Rows:  int64(bytes.Count([]byte(text), []byte("\n"))),
			Files: []pipeline.File{{Kind: pipeline.KindData}, {Kind: pipeline.KindRaw, Path: text}},
		}}
		r.Window, r.Seq = w.Name(), i+1
		if text == "" {
			r.Rows, r.Files = 1, nil
		}
		if err := yield(r); err != nil {
			return err
		}
	}
	return nil
}

func (l archivedJobs) OpenFile(_ context.Context, f pipeline.File) (io.ReadCloser, error) {
	var b bytes.Buffer
	w, err := zstd.NewWriter(&b)
	if err == nil {
		_, err = io.WriteString(w, f.Path)
		err = cmp.Or(err, w.Close())
	}
	return io.NopCloser(&b), err
}

func TestArchivedReadsWhatTouchesThePeriod(t *testing.T) {
	t.Parallel()
	line := func(id, created string) string {
		return fmt.Sprintf(`{"id":%q,"status":"completed","created_at":%q}`+"\n", id, created)
	}
	library := archivedJobs{
		"20261122": {"not read: its window ends before the period\n"},
		"20261123": {
			line("before", "2026-11-23T11:59:59.999Z") + line("first", "2026-11-23T12:00:00Z"),
			line("later record", "2026-11-23T20:00:00Z"),
		},
		"20261124": {line("last", "2026-11-24T11:59:59Z") + line("after", "2026-11-24T12:00:00Z")},
		"20261125": {"not read: its window begins after the period\n"},
	}
	var got []string
	err := pipeline.Archived(t.Context(), library, "jobs", 24*time.Hour, lastDay(), func(j docextract.Job) error {
		got = append(got, j.ID)
		return nil
	})
	if diff := gocmp.Diff([]string{"first", "later record", "last"}, got); diff != "" || err != nil {
		t.Errorf("jobs (-want +got), %v:\n%s", err, diff)
	}
	library["20261124"] = []string{""}
	err = pipeline.Archived(t.Context(), library, "jobs", 24*time.Hour, lastDay(), func(docextract.Job) error { return nil })
	if !errors.Is(err, pipeline.ErrNoRaw) {
		t.Errorf("without a raw layer: %v", err)
	}
}
