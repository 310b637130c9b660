package docextracttest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/adteco/docarchive/docextract/docextracttest"
)

// start is when the tests' simulators begin.
var start = time.Date(2026, 11, 24, 11, 30, 0, 0, time.UTC)

// fakeClock is a clock that tests move.
type fakeClock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *fakeClock { return &fakeClock{now: start} }

func (c *fakeClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *fakeClock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// world is a simulator asked without a network.
type world struct {
	t     *testing.T
	sim   *docextracttest.Simulator
	clock *fakeClock
}

func newWorld(t *testing.T, c docextracttest.Config) *world {
	t.Helper()
	clock := newClock()
	c.Clock = clock.Now
	return &world{t: t, sim: docextracttest.New(c), clock: clock}
}

func (w *world) set(knobs ...string) *world {
	w.t.Helper()
	for _, k := range knobs {
		name, value, _ := strings.Cut(k, "=")
		if err := w.sim.Knobs().Set(name, value); err != nil {
			w.t.Fatal(err)
		}
	}
	return w
}

// do makes a request to the API; headers are given as Name: value.
func (w *world) do(method, path, body string, headers ...string) *httptest.ResponseRecorder {
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	req.Header.Set("Authorization", "Bearer sk_test_1")
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	rec := httptest.NewRecorder()
	w.sim.Handler().ServeHTTP(rec, req)
	return rec
}

func (w *world) get(path string) *httptest.ResponseRecorder { return w.do(http.MethodGet, path, "") }

// page is a listing as it came.
type page struct {
	Jobs   []json.RawMessage
	Total  json.RawMessage
	Limit  *int
	Offset *int
}

func (w *world) list(query string) page {
	w.t.Helper()
	rec := w.get("/v1/documents?" + query)
	if rec.Code != http.StatusOK {
		w.t.Fatalf("listing %q: %d %s", query, rec.Code, rec.Body)
	}
	var p page
	if err := json.Unmarshal(rec.Body.Bytes(), &p); err != nil {
		w.t.Fatalf("listing %q: %v", query, err)
	}
	return p
}

// all pages through a listing.
func (w *world) all(query string) []json.RawMessage {
	w.t.Helper()
	var jobs []json.RawMessage
	for {
		p := w.list(fmt.Sprintf("limit=200&offset=%d&%s", len(jobs), query))
		if len(p.Jobs) == 0 {
			return jobs
		}
		jobs = append(jobs, p.Jobs...)
	}
}

// file is what the tests read of a job's document.
type file struct {
	MimeType string `json:"mime_type"`
	URL      string `json:"document_url"`
	Size     int    `json:"file_size_bytes"`
}

// job is what the tests read of a job.
type job struct {
	ID          string `json:"id"`
	ExtractorID string `json:"extractor_id"`
	Status      string `json:"status"`
	file
	Data        map[string]any                  `json:"extracted_data"`
	Confidence  map[string]float64              `json:"confidence"`
	Metadata    map[string]string               `json:"metadata"`
	Error       *struct{ Code, Message string } `json:"error_details"`
	CreatedAt   time.Time                       `json:"created_at"`
	StartedAt   *time.Time                      `json:"started_at"`
	CompletedAt *time.Time                      `json:"completed_at"`
}

func read(t *testing.T, raw []byte) job {
	t.Helper()
	var j job
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&j); err != nil {
		t.Fatalf("%v in %s", err, raw)
	}
	return j
}

func (w *world) truth() []docextracttest.TruthJob {
	w.t.Helper()
	var jobs []docextracttest.TruthJob
	err := w.sim.Truth(func(j docextracttest.TruthJob) error {
		j.Raw = bytes.Clone(j.Raw)
		jobs = append(jobs, j)
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return jobs
}

func ids(t *testing.T, raws []json.RawMessage) []string {
	t.Helper()
	list := make([]string, len(raws))
	for i, raw := range raws {
		list[i] = read(t, raw).ID
	}
	return list
}

func after(at time.Time) string {
	return "created_after=" + url.QueryEscape(at.Format(time.RFC3339Nano))
}

func before(at time.Time) string {
	return "created_before=" + url.QueryEscape(at.Format(time.RFC3339Nano))
}

// submission is the body of a POST.
func submission(extractor, content, metadata string) string {
	body, err := json.Marshal(map[string]any{
		"extractor_id": extractor, "document": []byte(content), "mime_type": "application/pdf",
		"metadata": json.RawMessage(metadata),
	})
	if err != nil {
		panic(err)
	}
	return string(body)
}
