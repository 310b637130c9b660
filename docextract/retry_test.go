package docextract_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/docextract/docextracttest"
)

// TestRetries asks servers that always answer the same.
func TestRetries(t *testing.T) {
	outage := func(attempts int) func(*testing.T, error) {
		return func(t *testing.T, err error) {
			t.Helper()
			if away := want[*docextract.UnavailableError](t, err); away.Attempts != attempts {
				t.Errorf("says %d attempts, want %d", away.Attempts, attempts)
			}
		}
	}
	malformed := func(t *testing.T, err error) {
		t.Helper()
		outage(3)(t, err)
		want[*docextract.MalformedError](t, err)
	}
	refusal := func(t *testing.T, err error) {
		t.Helper()
		if e := want[*docextract.Error](t, err); errors.As(err, new(*docextract.UnavailableError)) || e.Retryable() {
			t.Errorf("it is said to pass: %v", err)
		}
	}
	for name, c := range map[string]struct {
		handler  http.Handler
		requests int64
		check    func(*testing.T, error)
	}{
		"500": {answering(500, ""), 6, outage(6)}, "502": {answering(502, "<html>"), 6, outage(6)},
		"503": {answering(503, ""), 6, outage(6)}, "504": {answering(504, ""), 6, outage(6)}, "408": {answering(408, ""), 6, outage(6)},
		"400": {answering(400, ""), 1, refusal}, "401": {answering(401, ""), 1, refusal}, "403": {answering(403, ""), 1, refusal},
		"404": {answering(404, ""), 1, refusal}, "409": {answering(409, ""), 1, refusal}, "422": {answering(422, ""), 1, refusal},
		"HTML":     {answering(200, "<html>", "Content-Type: text/html"), 3, malformed},
		"empty":    {answering(200, ""), 3, malformed},
		"trailing": {answering(200, `{"jobs":[]}{}`), 3, malformed},
		"cut":      {answering(200, `{"jobs":[`), 3, malformed},
		"204":      {answering(204, ""), 3, malformed},
		"closed":   {raw(""), 6, outage(6)},
		"not HTTP": {raw("SSH-2.0-OpenSSH_9.2\r\n"), 6, outage(6)},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, c.handler)
			_, err := r.client.List(context.Background(), docextract.Query{})
			c.check(t, err)
			mute(t, err)
			if n := r.client.Requests(); n != c.requests {
				t.Errorf("asked %d times, want %d", n, c.requests)
			}
			if pauses := int64(len(r.clock.sleeps)); pauses != c.requests-1 {
				t.Errorf("%d pauses between %d attempts", pauses, c.requests)
			}
		})
	}
}

func TestPausesGrowAndDiffer(t *testing.T) {
	seen := map[time.Duration]bool{}
	for range 20 {
		r := newRig(t, answering(500, ""), func(o *docextract.Options) { o.Retry.Attempts = 12 })
		_, err := r.client.List(context.Background(), docextract.Query{})
		want[*docextract.UnavailableError](t, err)
		base := 500 * time.Millisecond
		for i, d := range r.clock.sleeps {
			if d < base/2 || d > min(base*3/2+1, 30*time.Second) {
				t.Errorf("pause %d is %v, want %v give or take the half, and 30s at most", i, d, base)
			}
			base = min(2*base, 30*time.Second)
		}
		seen[r.clock.sleeps[0]] = true
	}
	if len(seen) < 15 {
		t.Errorf("%d different first pauses of 20", len(seen))
	}
}

func TestOnRetry(t *testing.T) {
	type call struct {
		attempt int
		pause   time.Duration
	}
	var calls []call
	var last error
	r := newRig(t, answering(503, ""), func(o *docextract.Options) {
		o.OnRetry = func(attempt int, err error, pause time.Duration) {
			calls, last = append(calls, call{attempt, pause}), err
		}
	})
	_, err := r.client.List(context.Background(), docextract.Query{})
	want[*docextract.UnavailableError](t, err)
	if len(calls) != len(r.clock.sleeps) || len(calls) != 5 {
		t.Fatalf("told of %d failures, slept %d times; want 5", len(calls), len(r.clock.sleeps))
	}
	for i, c := range calls {
		if c.attempt != i+1 || c.pause != r.clock.sleeps[i] {
			t.Errorf("told of failure %d with a pause of %v, want %d with %v", c.attempt, c.pause, i+1, r.clock.sleeps[i])
		}
	}
	if e := want[*docextract.Error](t, last); e.Status != 503 {
		t.Errorf("the reason is %v", last)
	}
}

func TestPatienceEnds(t *testing.T) {
	var r *rig
	r = newRig(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.clock.Advance(40 * time.Second)
		answering(500, "").ServeHTTP(w, req)
	}), func(o *docextract.Options) {
		o.Retry = docextract.RetryPolicy{Attempts: 1000, Elapsed: 3 * time.Minute}
	})
	_, err := r.client.List(context.Background(), docextract.Query{})
	want[*docextract.UnavailableError](t, err)
	if took := r.clock.Now().Sub(start); took < 3*time.Minute || took > 4*time.Minute {
		t.Errorf("gave up after %v, want 3m", took)
	}
}

// waitingLimiter makes every request wait for an hour.
type waitingLimiter struct {
	countingLimiter
	clock *fakeClock
}

func (l *waitingLimiter) Wait(ctx context.Context) error {
	_ = l.clock.Sleep(ctx, time.Hour)
	return l.countingLimiter.Wait(ctx)
}

// TestWaitingForTheRateWindowIsNoFailure: it does not count against the patience.
func TestWaitingForTheRateWindowIsNoFailure(t *testing.T) {
	failures := 4
	r := newRig(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if failures--; failures >= 0 {
			answering(500, "").ServeHTTP(w, req)
			return
		}
		_, _ = w.Write(emptyPage)
	}), func(o *docextract.Options) {
		clock := newClock()
		o.Clock, o.Limiter = clock.clock(), &waitingLimiter{clock: clock}
	})
	if _, err := r.client.List(context.Background(), docextract.Query{}); err != nil {
		t.Error(err)
	}
}

func TestCancellation(t *testing.T) {
	cause := errors.New("time to stop")
	arrived := make(chan struct{}, 10)
	hang := http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		arrived <- struct{}{}
		<-req.Context().Done()
	})
	t.Run("while an answer is awaited", func(t *testing.T) {
		r := newRig(t, hang)
		ctx, cancel := context.WithCancelCause(context.Background())
		stop := make(chan struct{})
		go func() {
			defer close(stop)
			<-arrived
			cancel(cause)
		}()
		_, err := r.client.List(ctx, docextract.Query{})
		<-stop
		if !errors.Is(err, cause) || r.client.Requests() != 1 {
			t.Errorf("%d requests, %v; want the context's cause", r.client.Requests(), err)
		}
	})
	t.Run("between two attempts", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(context.Background())
		r := newRig(t, answering(500, ""))
		r.clock.onSleep = func() { cancel(cause) }
		if _, err := r.client.List(ctx, docextract.Query{}); !errors.Is(err, cause) || r.client.Requests() != 1 {
			t.Errorf("%d requests, %v; want the context's cause", r.client.Requests(), err)
		}
	})
	t.Run("before", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(context.Background())
		cancel(cause)
		limiter := docextract.NewBudget(0, docextract.Clock{})
		r := newRig(t, answering(200, string(emptyPage)), func(o *docextract.Options) { o.Limiter = limiter })
		if _, err := r.client.List(ctx, docextract.Query{}); !errors.Is(err, cause) || r.client.Requests() != 0 {
			t.Errorf("%d requests, %v; want the context's cause", r.client.Requests(), err)
		}
	})
}

// TestFaultsPass: with every fault at work, listings come through whole.
func TestFaultsPass(t *testing.T) {
	sim, client := simulated(t, docextracttest.Config{Jobs: 60}, func(o *docextract.Options) {
		o.Timeouts = docextract.Timeouts{Header: 150 * time.Millisecond, Idle: 150 * time.Millisecond}
		o.MaxBody = 4 << 20
		o.Retry = docextract.RetryPolicy{Attempts: 60, Malformed: 60, Elapsed: 1000 * time.Hour}
	})
	turn(t, sim, "bomb_bytes=1048576")
	wanted, err := client.List(context.Background(), docextract.Query{Limit: 60})
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range sim.Faults().Names() {
		switch fault.Name {
		case "drip", "duplicate", "shift": // slow, or wrong in ways that a page alone does not show
			continue
		}
		if err := sim.Faults().Set(fault.Name, 0.06); err != nil {
			t.Fatal(err)
		}
	}
	for range 40 {
		page, err := client.List(context.Background(), docextract.Query{Limit: 60})
		if err != nil {
			t.Fatal(err)
		}
		for i, j := range page.Jobs {
			if string(j.Raw) != string(wanted.Jobs[i].Raw) {
				t.Fatalf("job %d differs", i)
			}
		}
		if len(page.Jobs) != 60 {
			t.Fatalf("%d jobs", len(page.Jobs))
		}
	}
	for _, fault := range []string{"e500", "html", "garbage", "reset", "truncate", "truncate_json", "trailing", "hang_body", "hang_headers", "e429", "e429_bare", "gzip_bomb"} {
		if sim.Faults().Hits()[fault] == 0 {
			t.Errorf("the fault %s never struck", fault)
		}
	}
}

func TestErrorsWithoutABodyKeepTheirStatus(t *testing.T) {
	r := newRig(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, "cut")
	}))
	_, err := r.client.List(context.Background(), docextract.Query{})
	if e := want[*docextract.Error](t, err); !e.Refused() || r.client.Requests() != 1 {
		t.Errorf("%v after %d requests", err, r.client.Requests())
	}
}
