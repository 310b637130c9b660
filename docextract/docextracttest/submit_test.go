package docextracttest_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/adteco/docarchive/docextract/docextracttest"
)

func (w *world) submit(body string) (int, job) {
	w.t.Helper()
	rec := w.do(http.MethodPost, "/v1/documents", body)
	if rec.Code >= 300 {
		return rec.Code, job{}
	}
	return rec.Code, read(w.t, rec.Body.Bytes())
}

// file asks the documents' host.
func (w *world) file(target string, headers ...string) *httptest.ResponseRecorder {
	u, err := url.Parse(target)
	if err != nil {
		w.t.Fatal(err)
	}
	req := httptest.NewRequest(http.MethodGet, u.RequestURI(), nil)
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	rec := httptest.NewRecorder()
	w.sim.DocumentHandler().ServeHTTP(rec, req)
	return rec
}

func TestSubmission(t *testing.T) {
	w := newWorld(t, docextracttest.Config{Jobs: 10, Failed: -1})
	content := "%PDF-1.7 " + strings.Repeat("x", 30_000)
	status, j := w.submit(submission("ext_receipt", content, `{"reprocessed_from":"job_1"}`))
	if status != http.StatusCreated || j.Status != "queued" || j.ExtractorID != "ext_receipt" ||
		j.Metadata["reprocessed_from"] != "job_1" || j.Size != len(content) || j.MimeType != "application/pdf" {
		t.Fatalf("%d %+v", status, j)
	}
	if got := w.file(j.URL).Body.String(); got != content {
		t.Errorf("the document has %d bytes, want %d", len(got), len(content))
	}
	w.clock.Advance(time.Minute)
	later := read(t, w.get("/v1/documents/"+j.ID).Body.Bytes())
	if later.Status != "completed" || later.Data["merchant"] == nil {
		t.Errorf("a minute later it is %s with %v", later.Status, later.Data)
	}
	if found := w.list("metadata[reprocessed_from]=job_1").Jobs; len(found) != 1 {
		t.Errorf("%d jobs have the metadata", len(found))
	}
	sum := sha256.Sum256([]byte(content))
	subs := w.sim.Submissions()
	if len(subs) != 1 || subs[0].JobID != j.ID || subs[0].SHA256 != hex.EncodeToString(sum[:]) || subs[0].Credits != 2 {
		t.Errorf("submissions %+v", subs)
	}
	w.submit(submission("ext_receipt", content, `{}`))
	if charges := w.sim.Charges(); charges[hex.EncodeToString(sum[:])] != 4 || w.sim.CreditsUsed() != 4 {
		t.Errorf("charges %v", charges)
	}
	var credits map[string]any
	if err := json.Unmarshal(w.get("/v1/credits").Body.Bytes(), &credits); err != nil || credits["balance"] != 99_996.0 {
		t.Errorf("credits %v, %v", credits, err)
	}
}

func TestSubmissionsRefused(t *testing.T) {
	w := newWorld(t, docextracttest.Config{}).set("document_max=100")
	for name, body := range map[string]string{
		"not JSON":          `{`,
		"unknown extractor": submission("ext_x", "%PDF-", `{}`),
		"not base64":        `{"extractor_id":"ext_form","mime_type":"image/png","document":"*"}`,
		"MIME type":         `{"extractor_id":"ext_form","mime_type":"text/html","document":"YQ=="}`,
		"empty":             submission("ext_form", "", `{}`),
		"too large":         submission("ext_form", strings.Repeat("x", 101), `{}`),
		"metadata":          submission("ext_form", "%PDF-", `[]`),
	} {
		if status, _ := w.submit(body); status != http.StatusBadRequest {
			t.Errorf("%s: %d", name, status)
		}
	}
	if n := len(w.sim.Submissions()); n != 0 || w.sim.CreditsUsed() != 0 {
		t.Errorf("%d submissions, %d credits", n, w.sim.CreditsUsed())
	}
}

func TestDocumentsOfThePopulation(t *testing.T) {
	w := newWorld(t, docextracttest.Config{Jobs: 50})
	magic := map[string]string{"application/pdf": "%PDF-", "image/jpeg": "\xff\xd8\xff", "image/png": "\x89PNG", "image/tiff": "II*\x00"}
	for _, raw := range w.all("") {
		j := read(t, raw)
		rec := w.file(j.URL)
		body, err := io.ReadAll(rec.Body)
		if err != nil || rec.Code != http.StatusOK || len(body) != j.Size || rec.Header().Get("Content-Type") != j.MimeType ||
			!strings.HasPrefix(string(body), magic[j.MimeType]) {
			t.Fatalf("%s: %d, %d bytes of %s", raw, rec.Code, len(body), rec.Header().Get("Content-Type"))
		}
	}
	if w.sim.KeyLeaks() != 0 {
		t.Error("a leak without credentials")
	}
	w.file("/files/job_1", "Authorization: Bearer x")
	w.file("/files/job_1", "X-Api-Key: x")
	if w.sim.KeyLeaks() != 2 {
		t.Errorf("%d leaks, want 2", w.sim.KeyLeaks())
	}
}

func TestStats(t *testing.T) {
	w := newWorld(t, docextracttest.Config{Jobs: 2000, Open: 10, Failed: 0.2})
	var s struct {
		Total     int            `json:"total_jobs"`
		Completed int            `json:"completed_jobs"`
		Failed    int            `json:"failed_jobs"`
		Rate      float64        `json:"success_rate"`
		Time      int            `json:"avg_processing_time_ms"`
		Conf      float64        `json:"avg_confidence"`
		Credits   int            `json:"total_credits_used"`
		ByStatus  map[string]int `json:"by_status"`
		By        []struct {
			Count int `json:"job_count"`
		} `json:"by_extractor"`
	}
	if err := json.Unmarshal(w.get("/v1/documents/stats?period=7d").Body.Bytes(), &s); err != nil {
		t.Fatal(err)
	}
	want := map[string]int{"queued": 0, "processing": 0, "completed": 0, "failed": 0}
	for _, raw := range w.all(after(start.AddDate(0, 0, -7))) {
		want[read(t, raw).Status]++
	}
	sum := 0
	for _, e := range s.By {
		sum += e.Count
	}
	total := want["queued"] + want["processing"] + want["completed"] + want["failed"]
	if s.Total != total || sum != total || s.Completed != want["completed"] || s.Failed != want["failed"] ||
		s.ByStatus["queued"] != want["queued"] || s.Rate < 0.7 || s.Rate > 0.9 || s.Time < 600 || s.Conf < 0.7 || s.Credits < total {
		t.Errorf("%+v, want %v", s, want)
	}
	for _, period := range []string{"0d", "d", "7w", "-1d", "x"} {
		if rec := w.get("/v1/documents/stats?period=" + period); rec.Code != http.StatusBadRequest {
			t.Errorf("period %s: %d", period, rec.Code)
		}
	}
}
