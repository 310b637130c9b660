package docextracttest_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/adteco/docarchive/docextract/docextracttest"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// naive is a filter over the truth, as plainly as it can be said.
type naive struct {
	extractor, status, department string
	after, before                 time.Time
	confidence                    float64
	bounds, rating                string
}

func (n *naive) accepts(j job) bool {
	cmpAfter, cmpBefore := j.CreatedAt.Compare(n.after), j.CreatedAt.Compare(n.before)
	in := cmpAfter > 0 && cmpBefore < 0
	switch n.bounds {
	case "inclusive":
		in = cmpAfter >= 0 && cmpBefore <= 0
	case "half_open":
		in = cmpAfter >= 0 && cmpBefore < 0
	}
	sum, rating := 0.0, -1.0
	for _, c := range j.Confidence {
		sum += c
	}
	if len(j.Confidence) > 0 {
		rating = sum / float64(len(j.Confidence))
	}
	if len(j.Confidence) > 0 && n.rating == "lowest" {
		rating = slices.Min(slices.Collect(maps.Values(j.Confidence)))
	}
	return in && (n.extractor == "" || j.ExtractorID == n.extractor) && (n.status == "" || j.Status == n.status) &&
		(n.department == "" || j.Metadata["department"] == n.department) && rating >= n.confidence-1e-9
}

func TestFiltersAgreeWithTruth(t *testing.T) {
	w := newWorld(t, docextracttest.Config{Seed: 3, Jobs: 300, Open: 30, Span: 30 * time.Hour})
	truth := w.truth()
	jobs := make([]job, len(truth))
	for i, j := range truth {
		jobs[i] = read(t, j.Raw)
	}
	rapid.Check(t, func(r *rapid.T) {
		a := rapid.IntRange(0, len(jobs)-1).Draw(r, "after")
		b := rapid.IntRange(a, len(jobs)-1).Draw(r, "before")
		n := naive{
			extractor:  rapid.SampledFrom([]string{"", "", "ext_invoice", "ext_identity", "ext_none"}).Draw(r, "extractor"),
			status:     rapid.SampledFrom([]string{"", "", "completed", "failed", "queued", "processing"}).Draw(r, "status"),
			department: rapid.SampledFrom([]string{"", "", "accounting", "hr"}).Draw(r, "department"),
			confidence: rapid.SampledFrom([]float64{-1, -1, 0, 0.75, 0.85, 0.9}).Draw(r, "confidence"),
			bounds:     rapid.SampledFrom([]string{"inclusive", "exclusive", "half_open"}).Draw(r, "bounds"),
			rating:     rapid.SampledFrom([]string{"mean", "lowest"}).Draw(r, "rating"),
			after:      jobs[a].CreatedAt, before: jobs[b].CreatedAt,
		}
		order := rapid.SampledFrom([]string{"created_desc", "created_asc", "id", "shuffled_stable"}).Draw(r, "order")
		w.set("confidence="+n.rating, "bounds="+n.bounds, "order="+order)
		query := after(n.after) + "&" + before(n.before) + "&extractor_id=" + n.extractor
		if n.status != "" {
			query += "&status=" + n.status
		}
		if n.department != "" {
			query += "&metadata[department]=" + n.department
		}
		if n.confidence >= 0 {
			query += fmt.Sprintf("&min_confidence=%v", n.confidence)
		}
		want := []string{}
		for _, j := range jobs {
			if n.accepts(j) {
				want = append(want, j.ID)
			}
		}
		got := ids(t, w.all(query))
		if total := string(w.list(query).Total); total != strconv.Itoa(len(want)) {
			r.Fatalf("total %s, want %d", total, len(want))
		}
		switch order {
		case "created_desc":
			slices.Reverse(got)
		case "id", "shuffled_stable":
			if order == "id" && !slices.IsSorted(got) {
				r.Fatal("not in the order of ids")
			}
			slices.Sort(got)
			slices.Sort(want)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			r.Fatalf("%+v: %s", n, diff)
		}
	})
}

func TestListingSendsTheBytesOfTheTruth(t *testing.T) {
	w := newWorld(t, docextracttest.Config{Jobs: 500, Open: 30}).set("order=created_asc")
	truth := w.truth()
	for i, raw := range w.all("") {
		if string(raw) != string(truth[i].Raw) {
			t.Fatalf("listed %s, truth %s", raw, truth[i].Raw)
		}
		if got := w.get("/v1/documents/" + truth[i].ID).Body.String(); got != string(raw) {
			t.Fatalf("GET answers %s, the listing %s", got, raw)
		}
	}
}

func TestBadParameters(t *testing.T) {
	w := newWorld(t, docextracttest.Config{Jobs: 5})
	for _, query := range []string{
		"limit=0", "limit=-1", "limit=x", "offset=-1", "offset=1.5", "status=done", "created_after=yesterday",
		"created_before=2026-01-01", "min_confidence=2", "min_confidence=NaN",
	} {
		rec := w.get("/v1/documents?" + query)
		var body struct {
			Error struct {
				Code, Message string
				Status        int
				RequestID     string `json:"request_id"`
			}
		}
		err := json.Unmarshal(rec.Body.Bytes(), &body)
		if err != nil || rec.Code != http.StatusBadRequest || body.Error.Status != 400 ||
			body.Error.Code == "" || body.Error.Message == "" || body.Error.RequestID == "" {
			t.Errorf("%s: %d %s", query, rec.Code, rec.Body)
		}
	}
	for _, path := range []string{"/v1/documents/job_0", "/v1/documents/job_00000000000000ff", "/v1/extractors/ext_x", "/v1/nothing", "/"} {
		if rec := w.get(path); rec.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, rec.Code)
		}
	}
}

func TestJobsMadeByHand(t *testing.T) {
	w := newWorld(t, docextracttest.Config{Jobs: 20}).set("order=created_asc")
	at := start.Add(-time.Hour)
	elements := []string{
		`{"id":"job_hand","extractor_id":"ext_invoice","status":"completed","created_at":"2026-11-24T10:30:00Z","confidence":{"a":0.5},"metadata":{"n":"1"}}`,
		`{"id":"job_new","status":"archiving","created_at":"2026-11-24T10:30:00Z"}`,
		`{"id":7,"status":"completed","created_at":"2026-11-24T10:30:00Z"}`,
		`{"id":"job_twin","id":"job_twin","status":"completed","created_at":"2026-11-24T10:30:00Z"}`,
		`{"id":"job_time","status":"failed","created_at":"9999-01-01T00:00:00Z"}`,
		`17`,
	}
	for _, raw := range elements {
		w.sim.AddRaw(at, []byte(raw))
	}
	var got []string
	for _, raw := range w.list(after(at) + "&" + before(at)).Jobs {
		got = append(got, string(raw))
	}
	if diff := cmp.Diff(elements, got); diff != "" {
		t.Error(diff)
	}
	malformed := map[string]bool{}
	for _, j := range w.truth() {
		if j.Malformed {
			malformed[string(j.Raw)] = true
		}
	}
	if len(malformed) != 4 || malformed[elements[0]] || malformed[elements[1]] {
		t.Errorf("malformed are %v", malformed)
	}
	for query, want := range map[string]int{
		"status=completed&metadata[n]=1": 1, "min_confidence=0.5&" + after(at) + "&" + before(at): 1,
		"extractor_id=ext_invoice&" + after(at) + "&" + before(at): 1, "min_confidence=0.51&" + after(at) + "&" + before(at): 0,
	} {
		if jobs := w.list(query).Jobs; len(jobs) != want {
			t.Errorf("%s selects %d, want %d", query, len(jobs), want)
		}
	}
	if rec := w.get("/v1/documents/job_hand"); rec.Body.String() != elements[0] {
		t.Errorf("GET answers %s", rec.Body)
	}
}

func TestReplaceAndRemove(t *testing.T) {
	w := newWorld(t, docextracttest.Config{Jobs: 10})
	first, second := w.truth()[0].ID, w.truth()[1].ID
	raw := `{"id":"` + first + `","status":"completed","created_at":"2026-11-24T10:30:00Z","revised":true}`
	if !w.sim.Replace(first, []byte(raw)) || !w.sim.Remove(second) {
		t.Fatal("the jobs are not found")
	}
	if w.sim.Replace("job_none", []byte(raw)) || w.sim.Remove(second) {
		t.Error("a job that is not there was changed")
	}
	if got := w.get("/v1/documents/" + first).Body.String(); got != raw {
		t.Errorf("GET answers %s", got)
	}
	if rec := w.get("/v1/documents/" + second); rec.Code != http.StatusNotFound {
		t.Errorf("GET of a removed job: %d", rec.Code)
	}
	if got := ids(t, w.all("")); len(got) != 9 || slices.Contains(got, second) || !slices.Contains(got, first) {
		t.Errorf("listed are %v", got)
	}
	truth := w.truth()
	if last := truth[9]; len(truth) != 10 || !last.Removed || last.ID != second {
		t.Errorf("truth: %d jobs, last %+v", len(truth), last)
	}
}

// TestInsertionsForgetMatches asks for a range whose place in the order another
// range had before a job was inserted.
func TestInsertionsForgetMatches(t *testing.T) {
	w := newWorld(t, docextracttest.Config{Jobs: 60, Failed: 0.5}).set("order=created_asc")
	truth := w.truth()
	window := func(first, last int) string {
		return "status=failed&" + after(truth[first].CreatedAt) + "&" + before(truth[last].CreatedAt)
	}
	want := ids(t, w.list(window(4, 44)).Jobs)
	w.list(window(5, 45))
	w.sim.AddRaw(truth[0].CreatedAt.Add(-time.Second), []byte(`17`))
	if diff := cmp.Diff(want, ids(t, w.list(window(4, 44)).Jobs)); diff != "" {
		t.Error(diff)
	}
}
