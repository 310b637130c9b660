package docextract

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/adteco/docarchive/internal/rawjson"
)

// Query selects jobs. Zero fields do not filter.
type Query struct {
	ExtractorID   string
	Status        Status
	CreatedAfter  time.Time // the API does not say whether the bound is included
	CreatedBefore time.Time // likewise
	MinConfidence *float64  // 0 to 1
	Metadata      map[string]string
	Limit         int // jobs a page asked for; the server may give fewer; 0 leaves it to the server
	Offset        int
}

// Values returns the query as the API's parameters.
func (q Query) Values() url.Values {
	v := url.Values{}
	set := func(name, value string) {
		if value != "" {
			v.Set(name, value)
		}
	}
	set("extractor_id", q.ExtractorID)
	set("status", string(q.Status))
	if !q.CreatedAfter.IsZero() {
		set("created_after", q.CreatedAfter.UTC().Format(time.RFC3339Nano))
	}
	if !q.CreatedBefore.IsZero() {
		set("created_before", q.CreatedBefore.UTC().Format(time.RFC3339Nano))
	}
	if q.MinConfidence != nil {
		set("min_confidence", strconv.FormatFloat(*q.MinConfidence, 'f', -1, 64))
	}
	for key, value := range q.Metadata {
		v.Set("metadata["+key+"]", value)
	}
	if q.Limit > 0 {
		v.Set("limit", strconv.Itoa(q.Limit))
	}
	if q.Offset > 0 {
		v.Set("offset", strconv.Itoa(q.Offset))
	}
	return v
}

// UnknownTotal stands for a total that the server did not give, or gave in a
// form that cannot be a count.
const UnknownTotal = -1

// Page is the answer to one listing request.
type Page struct {
	Jobs      []Job
	Malformed []Malformed
	Total     int64     // jobs that match the query, as the server counts; or UnknownTotal
	Limit     int       // the limit that held, as the server says; 0 if it does not
	Date      time.Time // the server's clock when it answered; zero if it did not say
	Size      int       // bytes of JSON

	free func() // takes the memory back; may be nil
}

// Free gives the page's memory back. Afterwards the bytes that its jobs and its
// malformed elements share with it are another page's; the rest of the page
// stays. A page need not be freed, but then the next one needs memory of its
// own.
func (p *Page) Free() {
	if p.free != nil {
		p.free()
		p.free = nil
	}
}

// Items is the number of elements in the listing, readable or not.
func (p *Page) Items() int { return len(p.Jobs) + len(p.Malformed) }

// List makes one listing request.
func (c *Client) List(ctx context.Context, q Query) (*Page, error) {
	var page *Page
	err := c.get(ctx, []string{"documents"}, q.Values(), func(h http.Header, body []byte) error {
		parsed, err := ParsePage(body)
		if err != nil {
			return err
		}
		parsed.Date, _ = http.ParseTime(h.Get("Date"))
		parsed.free = func() { c.keep(body) }
		page = parsed
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list jobs: %w", err)
	}
	return page, nil
}

// ParsePage reads a listing. The page keeps body.
func ParsePage(body []byte) (*Page, error) {
	page := &Page{Total: UnknownTotal, Size: len(body)}
	s := rawjson.NewScanner(body)
	if s.Peek() != rawjson.Object {
		return nil, errors.New("not a listing: not a JSON object")
	}
	listed := false
	err := s.Object(func(key []byte) error {
		switch string(key) {
		case `"jobs"`:
			if listed {
				return errors.New(`not a listing: the key "jobs" stands twice`)
			}
			if s.Peek() == rawjson.Null { // some servers write an empty list so
				listed = true
				_, err := s.Value()
				return err
			}
			if s.Peek() != rawjson.Array {
				return errors.New(`not a listing: "jobs" is not an array`)
			}
			listed = true
			return s.Array(func() error { return page.scan(s) })
		case `"total"`:
			raw, err := s.Value()
			if n, bad := strconv.ParseInt(string(raw), 10, 64); bad == nil && n >= 0 {
				page.Total = n
			}
			return err
		case `"limit"`:
			raw, err := s.Value()
			if n, bad := strconv.Atoi(string(raw)); bad == nil && n > 0 {
				page.Limit = n
			}
			return err
		default:
			_, err := s.Value()
			return err
		}
	})
	if err == nil {
		err = s.End()
	}
	if err == nil && !listed {
		err = errors.New(`not a listing: "jobs" is missing`)
	}
	if err != nil {
		return nil, err
	}
	return page, nil
}

func (p *Page) scan(s *rawjson.Scanner) error {
	job, problem, err := scanJob(s)
	switch {
	case err != nil:
		return err
	case problem != "":
		p.Malformed = append(p.Malformed, Malformed{Raw: job.Raw, Reason: problem})
	default:
		p.Jobs = append(p.Jobs, job)
	}
	return nil
}

// Job fetches one job. A job that the server does not have is an [*Error] with
// status 404.
func (c *Client) Job(ctx context.Context, id string) (Job, error) {
	var job Job
	err := c.get(ctx, []string{"documents", id}, nil, func(_ http.Header, body []byte) (err error) {
		job, err = ParseJob(body)
		if err == nil && job.ID != id {
			err = fmt.Errorf("the answer is job %.80q", job.ID)
		}
		return err
	})
	if err != nil {
		return Job{}, fmt.Errorf("get job %.80q: %w", id, err)
	}
	return job, nil
}
