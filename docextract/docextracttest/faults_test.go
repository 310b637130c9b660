package docextracttest_test

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/adteco/docarchive/docextract/docextracttest"
)

// served is a simulator asked over the network, by a client that keeps no
// connection and waits for no answer long.
type served struct {
	*world
	run    *docextracttest.Running
	client *http.Client
}

func serve(t *testing.T, c docextracttest.Config) *served {
	t.Helper()
	s := &served{world: newWorld(t, c), client: &http.Client{
		Transport:     &http.Transport{DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	run, err := s.sim.Start()
	if err != nil {
		t.Fatal(err)
	}
	s.run = run
	t.Cleanup(func() {
		if err := run.Close(); err != nil {
			t.Error(err)
		}
		s.client.CloseIdleConnections()
	})
	return s
}

// outcome is what a client saw of a request.
type outcome struct {
	status int
	header http.Header
	body   []byte
	err    error // of the request, or of reading the body
}

func (s *served) ask(method, path, body string, patience time.Duration) outcome {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, s.run.URL+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer sk_test_1")
	resp, err := s.client.Do(req)
	if err != nil {
		return outcome{err: err}
	}
	defer resp.Body.Close()
	o := outcome{status: resp.StatusCode, header: resp.Header}
	o.body, o.err = io.ReadAll(resp.Body)
	return o
}

// faultCase is a fault and what a client sees of it.
type faultCase struct {
	fault string
	post  bool
	seen  func(o outcome) bool
}

func sent(status int, contentType string) func(outcome) bool {
	return func(o outcome) bool {
		return o.err == nil && o.status == status && strings.HasPrefix(o.header.Get("Content-Type"), contentType)
	}
}

func timedOut(o outcome) bool { return errors.Is(o.err, context.DeadlineExceeded) }

func cutOff(o outcome) bool { return errors.Is(o.err, syscall.ECONNRESET) }

func duplicated(o outcome) bool {
	var p page
	seen := map[string]bool{}
	if json.Unmarshal(o.body, &p) != nil {
		return false
	}
	for _, j := range p.Jobs {
		if seen[string(j)] {
			return true
		}
		seen[string(j)] = true
	}
	return false
}

func faultCases() []faultCase {
	notJSON := func(o outcome) bool { return o.err == nil && o.status == 200 && !json.Valid(o.body) }
	return []faultCase{
		{"e500", false, sent(500, "application/json")},
		{"e502", false, sent(502, "text/plain")},
		{"e503", false, sent(503, "application/json")},
		{"e504", false, sent(504, "text/plain")},
		{"html", false, sent(200, "text/html")},
		{"html_error", false, sent(502, "text/html")},
		{"e429", false, func(o outcome) bool {
			return o.status == 429 && o.header.Get("Retry-After") == "1" && o.header.Get("X-RateLimit-Remaining") == "0"
		}},
		{"e429_bare", false, func(o outcome) bool {
			return o.status == 429 && o.header.Get("Retry-After") == "" && o.header.Get("X-RateLimit-Reset") == ""
		}},
		{"hang_headers", false, func(o outcome) bool { return timedOut(o) && o.status == 0 }},
		{"garbage", false, notJSON},
		{"gzip_bomb", false, func(o outcome) bool {
			z, err := gzip.NewReader(strings.NewReader(string(o.body)))
			if err != nil {
				return false
			}
			n, err := io.Copy(io.Discard, z)
			return err == nil && n == 8<<20 && len(o.body) < 100_000
		}},
		{"reset", false, func(o outcome) bool { return cutOff(o) && o.status == 200 }},
		{"truncate", false, func(o outcome) bool {
			return errors.Is(o.err, io.ErrUnexpectedEOF) && o.status == 200 && len(o.body) > 0
		}},
		{"truncate_json", false, notJSON},
		{"trailing", false, notJSON},
		{"hang_body", false, func(o outcome) bool { return timedOut(o) && o.status == 200 && len(o.body) > 0 }},
		{"drip", false, func(o outcome) bool { return timedOut(o) && len(o.body) > 0 && len(o.body) < 1000 }},
		{"absurd_rate_headers", false, func(o outcome) bool {
			_, ok := o.header["X-Ratelimit-Reset"]
			return ok && json.Valid(o.body)
		}},
		{"duplicate", false, duplicated},
		{"post_accept_then_reset", true, func(o outcome) bool { return cutOff(o) && o.status == 0 }},
		{"post_accept_then_500", true, sent(500, "application/json")},
		{"post_accept_then_hang", true, func(o outcome) bool { return timedOut(o) && o.status == 0 }},
		{"post_no_id", true, func(o outcome) bool { return o.status == 201 && string(o.body) == `{"status":"queued"}` }},
	}
}

func TestEveryFaultStrikes(t *testing.T) {
	tested := map[string]bool{"shift": true} // has a test of its own
	for _, c := range faultCases() {
		tested[c.fault] = true
		t.Run(c.fault, func(t *testing.T) {
			t.Parallel()
			s := serve(t, docextracttest.Config{Jobs: 100})
			s.set("drip_interval=1ms", "bomb_bytes=8388608")
			method, path, body := http.MethodGet, "/documents", ""
			if c.post {
				method, body = http.MethodPost, submission("ext_form", "%PDF-1", `{}`)
			}
			if o := s.ask(method, path, body, 10*time.Second); o.err != nil || o.status >= 300 || c.seen(o) {
				t.Fatalf("without the fault: %d %v", o.status, o.err)
			}
			if err := s.sim.Faults().Set(c.fault, 1); err != nil {
				t.Fatal(err)
			}
			patience := 10 * time.Second
			if strings.Contains(c.fault, "hang") || c.fault == "drip" {
				patience = 300 * time.Millisecond
			}
			if o := s.ask(method, path, body, patience); !c.seen(o) {
				t.Errorf("seen: %d %v %v, %d bytes %.200q", o.status, o.err, o.header, len(o.body), o.body)
			}
			if hits := s.sim.Faults().Hits()[c.fault]; hits != 1 {
				t.Errorf("%d hits, want 1", hits)
			}
			if c.post && len(s.sim.Submissions()) != 2 {
				t.Errorf("%d submissions, want both", len(s.sim.Submissions()))
			}
		})
	}
	for _, doc := range docextracttest.New(docextracttest.Config{}).Faults().Names() {
		if !tested[doc.Name] || doc.Text == "" {
			t.Errorf("fault %s is not tested or not documented", doc.Name)
		}
	}
}

func TestShift(t *testing.T) {
	w := newWorld(t, docextracttest.Config{Jobs: 100})
	whole := ids(t, w.list("limit=100").Jobs)
	if err := w.sim.Faults().Set("shift", 1); err != nil {
		t.Fatal(err)
	}
	early, late := 0, 0
	for range 30 {
		switch first := ids(t, w.list("limit=10&offset=50").Jobs)[0]; first {
		case whole[49]:
			early++
		case whole[51]:
			late++
		default:
			t.Fatalf("the page begins with %s", first)
		}
	}
	if early == 0 || late == 0 {
		t.Errorf("%d early, %d late", early, late)
	}
	if first := ids(t, w.list("limit=10").Jobs)[0]; first != whole[0] {
		t.Error("the first page is shifted")
	}
}

// TestFaultsKeepTheirRate also shows that the seed decides alone.
func TestFaultsKeepTheirRate(t *testing.T) {
	const requests = 4000
	run := func(seed uint64) string {
		w := newWorld(t, docextracttest.Config{Seed: seed})
		for name, p := range map[string]float64{"e500": 0.1, "e503": 0.02, "e429": 0.3} {
			if err := w.sim.Faults().Set(name, p); err != nil {
				t.Fatal(err)
			}
		}
		codes := make([]byte, 0, requests)
		for range requests {
			codes = append(codes, byte(w.get("/v1/credits").Code%256))
		}
		hits := w.sim.Faults().Hits()
		for name, p := range map[string]float64{"e500": 0.1, "e503": 0.9 * 0.02, "e429": 0.9 * 0.98 * 0.3} {
			mean, deviation := requests*p, math.Sqrt(requests*p*(1-p))
			if off := math.Abs(float64(hits[name]) - mean); off > 5*deviation {
				t.Errorf("seed %d: %d hits of %s, want about %.0f", seed, hits[name], name, mean)
			}
		}
		return string(codes)
	}
	if first, second := run(1), run(1); first != second {
		t.Error("the same seed gives other faults")
	}
	if run(1) == run(2) {
		t.Error("another seed gives the same faults")
	}
}

func TestScheduledFaults(t *testing.T) {
	w := newWorld(t, docextracttest.Config{})
	f := w.sim.Faults()
	for name, at := range map[string]int64{"e500": 2, "e503": 4} {
		if err := f.At(name, at); err != nil {
			t.Fatal(err)
		}
	}
	for i, want := range []int{200, 500, 200, 503, 200} {
		if got := w.get("/v1/credits").Code; got != want {
			t.Errorf("request %d: %d, want %d", i+1, got, want)
		}
	}
	if f.Set("e999", 1) == nil || f.At("e999", 1) == nil || f.Set("e500", 1.5) == nil || f.Set("e500", math.NaN()) == nil {
		t.Error("nonsense is taken")
	}
	if err := f.Set("e502", 0.25); err != nil || f.String() != "e502=0.25" {
		t.Errorf("%q, %v", f.String(), err)
	}
	if f.Clear(); f.String() != "" {
		t.Errorf("after Clear: %q", f.String())
	}
}
