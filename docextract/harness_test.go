package docextract_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/docextract/docextracttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start is when the tests' clocks begin.
var start = time.Date(2026, 11, 24, 11, 30, 0, 0, time.UTC)

const testKey = "sk_test_4f1d9a27c0"

// fakeClock moves only when somebody sleeps.
type fakeClock struct {
	mu     sync.Mutex
	now    time.Time
	sleeps []time.Duration

	onSleep func() // called by every Sleep, if set
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

func (c *fakeClock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	c.sleeps = append(c.sleeps, d)
	if c.onSleep != nil {
		c.onSleep()
	}
	return context.Cause(ctx)
}

func (c *fakeClock) clock() docextract.Clock { return docextract.Clock{Now: c.Now, Sleep: c.Sleep} }

// countingLimiter lets everything through and counts.
type countingLimiter struct {
	mu       sync.Mutex
	waits    int
	observed []int
	failed   int
}

func (l *countingLimiter) Wait(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	l.waits++
	return nil
}

func (l *countingLimiter) Observe(status int, _ http.Header) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.observed = append(l.observed, status)
}

func (l *countingLimiter) Failed() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failed++
}

// balanced reports whether each Wait was answered once.
func (l *countingLimiter) balanced() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.waits == len(l.observed)+l.failed
}

// rig is a client and the server it speaks to.
type rig struct {
	client  *docextract.Client
	server  *httptest.Server
	limiter *countingLimiter
	clock   *fakeClock
}

// newRig serves h to a client without pacing, on a clock that never waits.
func newRig(t *testing.T, h http.Handler, change ...func(*docextract.Options)) *rig {
	t.Helper()
	r := &rig{server: httptest.NewServer(h), limiter: &countingLimiter{}, clock: newClock()}
	o := docextract.Options{BaseURL: r.server.URL + "/v1", Key: testKey, Limiter: r.limiter, Clock: r.clock.clock()}
	for _, f := range change {
		f(&o)
	}
	r.client = newClient(t, o)
	t.Cleanup(func() {
		r.client.CloseIdle()
		r.server.CloseClientConnections()
		r.server.Close()
		if !r.limiter.balanced() {
			t.Errorf("the limiter saw %d waits, %d answers, %d failures", r.limiter.waits, len(r.limiter.observed), r.limiter.failed)
		}
	})
	return r
}

func newClient(t *testing.T, o docextract.Options) *docextract.Client {
	t.Helper()
	c, err := docextract.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// answering is a handler that gives always the same answer; headers as
// Name: value.
func answering(status int, body string, headers ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for _, h := range headers {
			name, value, _ := strings.Cut(h, ": ")
			w.Header().Set(name, value)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

// simulated is a simulator and a client of it, over the network.
func simulated(t *testing.T, c docextracttest.Config, change ...func(*docextract.Options)) (*docextracttest.Simulator, *docextract.Client) {
	t.Helper()
	clock := newClock()
	c.Clock = clock.Now
	sim := docextracttest.New(c)
	run, err := sim.Start()
	if err != nil {
		t.Fatal(err)
	}
	o := docextract.Options{BaseURL: run.URL, Key: testKey, Clock: clock.clock()}
	for _, f := range change {
		f(&o)
	}
	client := newClient(t, o)
	t.Cleanup(func() {
		client.CloseIdle()
		if err := run.Close(); err != nil {
			t.Error(err)
		}
	})
	return sim, client
}

func turn(t *testing.T, sim *docextracttest.Simulator, knobs ...string) {
	t.Helper()
	for _, k := range knobs {
		name, value, _ := strings.Cut(k, "=")
		if err := sim.Knobs().Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
}

// direct is a transport that calls a handler, so that a test in a bubble of
// synctest needs no network.
type direct struct{ handler http.Handler }

func (d direct) RoundTrip(req *http.Request) (*http.Response, error) {
	rec := httptest.NewRecorder()
	if req.Body == nil {
		req.Body = http.NoBody
	}
	d.handler.ServeHTTP(rec, req)
	return rec.Result(), nil
}

// want fails the test unless err is of the type, and returns it.
func want[T error](t *testing.T, err error) T {
	t.Helper()
	var target T
	if !errors.As(err, &target) {
		t.Fatalf("the error is %T %v, want a %T", err, err, target)
	}
	return target
}

// mute fails the test if the error prints the key or more than a line.
func mute(t *testing.T, err error) {
	t.Helper()
	if text := err.Error(); strings.Contains(text, testKey) || strings.ContainsAny(text, "\n\r\x1b") {
		t.Errorf("the error prints the key or control characters: %q", text)
	}
}

func ids(jobs []docextract.Job) []string {
	list := make([]string, len(jobs))
	for i, j := range jobs {
		list[i] = j.ID
	}
	return list
}

var emptyPage = []byte(`{"jobs":[],"total":0}`)
