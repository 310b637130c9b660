package docextract_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/docextract/docextracttest"
)

// document is the bytes of a submission, which says when it is closed.
type document struct {
	io.Reader
	closed *atomic.Int64
}

func (d document) Close() error {
	d.closed.Add(1)
	return nil
}

// till is a submitter, what it submits to, and what became of documents.
type till struct {
	*docextract.Submitter
	limiter *countingLimiter
	opened  atomic.Int64
	closed  atomic.Int64
}

func newTill(t *testing.T, baseURL string, timeout time.Duration) *till {
	t.Helper()
	l := &till{limiter: &countingLimiter{}}
	s, err := docextract.NewSubmitter(docextract.SubmitterOptions{
		BaseURL: baseURL, Key: testKey, Limiter: l.limiter, Timeout: timeout, Clock: newClock().clock(),
	})
	if err != nil {
		t.Fatal(err)
	}
	l.Submitter = s
	t.Cleanup(func() {
		if !l.limiter.balanced() {
			t.Errorf("the limiter saw %d waits, %d answers, %d failures", l.limiter.waits, len(l.limiter.observed), l.limiter.failed)
		}
		// The transport may close the document a little later.
		for deadline := time.Now().Add(5 * time.Second); l.closed.Load() < l.opened.Load(); runtime.Gosched() {
			if time.Now().After(deadline) {
				t.Errorf("%d documents opened, %d closed", l.opened.Load(), l.closed.Load())
				return
			}
		}
	})
	return l
}

func (l *till) submission(content string) docextract.Submission {
	return docextract.Submission{
		ExtractorID: "ext_receipt", MIMEType: "application/pdf", Size: int64(len(content)),
		Open: func() (io.ReadCloser, error) {
			l.opened.Add(1)
			return document{strings.NewReader(content), &l.closed}, nil
		},
	}
}

func (l *till) submit(content string) (docextract.Job, error) {
	return l.Submit(context.Background(), l.submission(content))
}

// shop is a running simulator that takes submissions.
func shop(t *testing.T) (*docextracttest.Simulator, string) {
	t.Helper()
	sim := docextracttest.New(docextracttest.Config{Clock: newClock().Now, Key: testKey})
	run, err := sim.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := run.Close(); err != nil {
			t.Error(err)
		}
	})
	return sim, run.URL
}

func TestSubmit(t *testing.T) {
	sim, url := shop(t)
	l := newTill(t, url, 0)
	content := "%PDF-1.7 " + strings.Repeat("x", 100_000)
	in := l.submission(content)
	in.Metadata = json.RawMessage(`{"reprocessed_from":"job_1","n":12345678901234567890}`)
	job, err := l.Submit(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(content))
	subs := sim.Submissions()
	if len(subs) != 1 || subs[0].JobID != job.ID || subs[0].ExtractorID != "ext_receipt" || subs[0].SHA256 != hex.EncodeToString(sum[:]) ||
		string(subs[0].Metadata) != string(in.Metadata) || sim.Requests() != 1 {
		t.Errorf("%d requests, submissions %+v", sim.Requests(), subs)
	}
	if job.Status != docextract.StatusQueued || !job.CreatedAt.Equal(start) || job.ExtractorID != "ext_receipt" || !json.Valid(job.Raw) {
		t.Errorf("%+v", job)
	}
}

func TestTheRequestOfASubmission(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		content := strings.Repeat("\x00ÿ%", rapid.IntRange(0, 40_000).Draw(rt, "thirds")) + strings.Repeat("z", rapid.IntRange(1, 4).Draw(rt, "rest"))
		extractor := rapid.StringN(1, 20, -1).Draw(rt, "extractor")
		metadata := rapid.SampledFrom([]string{"", `{}`, ` {"a":[1,{"b":null}]} `}).Draw(rt, "metadata")
		var got *http.Request
		var body []byte
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			got = req
			var err error
			if body, err = io.ReadAll(req.Body); err != nil {
				t.Error(err)
			}
			_, _ = io.WriteString(w, `{"id":"job_1"}`)
		}))
		defer server.Close()
		l := newTill(t, server.URL, 0)
		in := l.submission(content)
		in.ExtractorID = extractor
		if metadata != "" {
			in.Metadata = json.RawMessage(metadata)
		}
		job, err := l.Submit(context.Background(), in)
		if err != nil || job.ID != "job_1" {
			rt.Fatalf("%+v, %v", job, err)
		}
		var sent struct {
			ExtractorID string          `json:"extractor_id"`
			MIMEType    string          `json:"mime_type"`
			Document    []byte          `json:"document"`
			Metadata    json.RawMessage `json:"metadata"`
		}
		if err := json.Unmarshal(body, &sent); err != nil {
			rt.Fatal(err)
		}
		if string(sent.Document) != content || sent.ExtractorID != strings.ToValidUTF8(extractor, "\ufffd") || sent.MIMEType != "application/pdf" ||
			string(sent.Metadata) != strings.TrimSpace(metadata) {
			rt.Fatalf("sent %.300s", body)
		}
		wanted := http.Header{
			"Authorization": {"Bearer " + testKey}, "Accept": {"application/json"}, "Content-Type": {"application/json"},
			"User-Agent": {"docarchive"}, "Content-Length": {strconv.Itoa(len(body))}, "Connection": {"close"},
		}
		if diff := cmp.Diff(wanted, got.Header); diff != "" || len(got.TransferEncoding) != 0 || got.Proto != "HTTP/1.1" || got.URL.Path != "/documents" {
			rt.Fatalf("%s %s (-want +got)\n%s", got.Proto, got.URL, diff)
		}
	})
}

// TestSubmissionsAreStreamed: memory does not grow with the document.
func TestSubmissionsAreStreamed(t *testing.T) {
	const size = 48 << 20
	var received atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		n, _ := io.Copy(io.Discard, req.Body)
		received.Store(n)
		_, _ = io.WriteString(w, `{"id":"job_1"}`)
	}))
	defer server.Close()
	l := newTill(t, server.URL, time.Minute)
	in := l.submission("")
	in.Size = size
	in.Open = func() (io.ReadCloser, error) {
		return io.NopCloser(io.LimitReader(zeros{}, size)), nil
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := l.Submit(context.Background(), in); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 4<<20 {
		t.Errorf("%d bytes allocated for a document of %d", used, size)
	}
	if received.Load() < size/3*4 {
		t.Errorf("received %d bytes", received.Load())
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// TestSubmissionFaults counts what reaches the simulator under each fault.
func TestSubmissionFaults(t *testing.T) {
	const charged, refused, doubtful = "a job", "refused", "doubtful"
	for fault, c := range map[string]struct {
		outcome string
		charges int
	}{
		"post_accept_then_reset": {doubtful, 1}, "post_accept_then_500": {doubtful, 1}, "post_accept_then_hang": {doubtful, 1}, "post_no_id": {doubtful, 1},
		"e500": {doubtful, 0}, "e502": {doubtful, 0}, "e503": {doubtful, 0}, "e504": {doubtful, 0}, "html": {doubtful, 0}, "html_error": {doubtful, 0},
		"garbage": {doubtful, 0}, "gzip_bomb": {doubtful, 0}, "hang_headers": {doubtful, 0},
		"reset": {doubtful, 1}, "truncate": {doubtful, 1}, "truncate_json": {doubtful, 1}, "trailing": {doubtful, 1}, "hang_body": {doubtful, 1},
		"drip": {doubtful, 1}, "e429": {refused, 0}, "e429_bare": {refused, 0}, "absurd_rate_headers": {charged, 1}, "": {charged, 1},
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			sim, url := shop(t)
			turn(t, sim, "drip_interval=10ms", "bomb_bytes=4194304")
			timeout := time.Duration(0)
			if strings.Contains(fault, "hang") || fault == "drip" {
				timeout = 300 * time.Millisecond
			}
			if fault != "" {
				if err := sim.Faults().Set(fault, 1); err != nil {
					t.Fatal(err)
				}
			}
			_, err := newTill(t, url, timeout).submit("%PDF-1.7")
			switch c.outcome {
			case charged:
				if err != nil {
					t.Error(err)
				}
			case refused:
				e := want[*docextract.RejectedError](t, err)
				if api := want[*docextract.Error](t, err); api.Status != 429 || (e.RetryAfter == time.Second) != (fault == "e429") {
					t.Errorf("%v, retry after %v", err, e.RetryAfter)
				}
			case doubtful:
				want[*docextract.AmbiguousError](t, err)
				if timeout > 0 {
					want[*docextract.TimeoutError](t, err)
				}
			}
			if n := sim.RequestsByPath()["POST /v1/documents"]; n != 1 || sim.Requests() != 1 || len(sim.Submissions()) != c.charges {
				t.Errorf("%d requests, %d charged, want 1 and %d", n, len(sim.Submissions()), c.charges)
			}
			if err != nil {
				mute(t, err)
			}
		})
	}
}

// TestSubmissionAnswers: which answers are a definite no.
func TestSubmissionAnswers(t *testing.T) {
	const api = `{"error":{"code":"c","message":"m"}}`
	refused := func(err error) bool { return errors.As(err, new(*docextract.RejectedError)) }
	doubtful := func(err error) bool { return errors.As(err, new(*docextract.AmbiguousError)) }
	for _, c := range []struct {
		status int
		body   string
		is     func(error) bool
	}{
		{400, api, refused},
		{401, api, refused},
		{402, api, refused},
		{403, "<html>", refused},
		{404, "", refused},
		{413, "<html>", refused},
		{415, "", refused},
		{422, api, refused},
		{429, "", refused},
		{451, api, refused},
		{418, "", doubtful},
		{499, "", doubtful},
		{408, api, doubtful},
		{409, api, doubtful},
		{425, api, doubtful},
		{500, api, doubtful},
		{503, api, doubtful},
		{599, "", doubtful},
		{301, "", refused},
		{307, "", refused},
		{308, "", refused},
		{300, "", doubtful},
		{302, "", doubtful},
		{303, "", doubtful},
		{304, "", doubtful},
		{200, ``, doubtful},
		{201, `{}`, doubtful},
		{201, `{"id":""}`, doubtful},
		{201, `{"id":7}`, doubtful},
		{201, `{"id":null}`, doubtful},
		{201, `{"id":"a","id":"b"}`, doubtful},
		{201, `{"id":"\ud800"}`, doubtful},
		{201, `[]`, doubtful},
		{204, "", doubtful},
		{201, `{"id":"a"`, doubtful},
		{202, `{"id":"a"} `, func(err error) bool { return err == nil }},
		{201, `{"id":"a"}` + strings.Repeat(" ", 1<<20), doubtful},
		{201, testKey, doubtful},
	} {
		var posts atomic.Int64
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			posts.Add(1)
			_, _ = io.Copy(io.Discard, req.Body)
			answering(c.status, c.body, "Location: /elsewhere").ServeHTTP(w, req)
		}))
		_, err := newTill(t, server.URL, 0).submit("%PDF-1.7")
		if !c.is(err) || posts.Load() != 1 {
			t.Errorf("%d %.40s: %v after %d requests", c.status, c.body, err, posts.Load())
		}
		if err != nil {
			mute(t, err)
		}
		server.Close()
	}
}

func TestInsufficientCredits(t *testing.T) {
	sim, url := shop(t)
	turn(t, sim, "credits=1")
	l := newTill(t, url, 0)
	if _, err := l.submit("%PDF-1.7"); err != nil {
		t.Fatal(err)
	}
	_, err := l.submit("%PDF-1.7")
	want[*docextract.RejectedError](t, err)
	if e := want[*docextract.Error](t, err); e.Status != http.StatusPaymentRequired || e.Code != "insufficient_credits" {
		t.Errorf("%+v", e)
	}
	turn(t, sim, "credits=100", "concurrent_jobs=1", "retry_after=on")
	_, err = l.submit("%PDF-1.7")
	if e := want[*docextract.RejectedError](t, err); e.RetryAfter != 5*time.Second {
		t.Errorf("%v, retry after %v", err, e.RetryAfter)
	}
}
