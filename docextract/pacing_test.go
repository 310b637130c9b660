package docextract_test

import (
	"context"
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/docextract/docextracttest"
)

// load is so many listings from several workers.
type load struct {
	workers, requests int
	perMinute         int           // the client's own limit
	skew              time.Duration // of the client's clock
	knobs             []string
}

// run makes the requests on the virtual clock, and returns how many 429s there
// were and how long it took.
func (l load) run(t *testing.T) (refused int64, took time.Duration) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		sim := docextracttest.New(docextracttest.Config{Jobs: 5})
		turn(t, sim, "latency=80ms")
		turn(t, sim, l.knobs...)
		var limited atomic.Int64
		clock := docextract.Clock{Now: func() time.Time { return time.Now().Add(l.skew) }}
		client := newClient(t, docextract.Options{
			Key: testKey, Limiter: docextract.NewBudget(l.perMinute, clock), Clock: clock,
			Transport: direct{http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				sim.Handler().ServeHTTP(&statusWriter{w, &limited}, req)
			})},
		})
		begun := time.Now()
		var group errgroup.Group
		group.SetLimit(l.workers)
		for range l.requests {
			group.Go(func() error {
				_, err := client.List(context.Background(), docextract.Query{Limit: 1})
				return err
			})
		}
		if err := group.Wait(); err != nil {
			t.Error(err)
		}
		refused, took = limited.Load(), time.Since(begun)
	})
	return refused, took
}

type statusWriter struct {
	http.ResponseWriter
	limited *atomic.Int64
}

func (w *statusWriter) WriteHeader(status int) {
	if status == http.StatusTooManyRequests {
		w.limited.Add(1)
	}
	w.ResponseWriter.WriteHeader(status)
}

// TestPacing: at the simulator's real windows 429s are the exception, and the
// windows are used to the full.
func TestPacing(t *testing.T) {
	const perMinute = "rate_limit_minute=100"
	for name, c := range map[string]struct {
		load
		refused int64
		longest time.Duration
	}{
		"a minute's window":        {load{8, 500, 0, 0, []string{perMinute}}, 0, 4*time.Minute + 10*time.Second},
		"reset as a delta":         {load{8, 500, 0, 0, []string{perMinute, "rate_reset=delta"}}, 0, 4*time.Minute + 10*time.Second},
		"delta without a Date":     {load{8, 500, 0, 0, []string{perMinute, "rate_reset=delta", "date=off"}}, 0, 4*time.Minute + 10*time.Second},
		"without a Date":           {load{8, 500, 0, 0, []string{perMinute, "date=off"}}, 0, 4*time.Minute + 10*time.Second},
		"a clock ahead":            {load{8, 500, 0, 20 * time.Minute, []string{perMinute}}, 0, 4*time.Minute + 10*time.Second},
		"a clock behind":           {load{8, 500, 0, -20 * time.Minute, []string{perMinute}}, 0, 4*time.Minute + 10*time.Second},
		"both windows":             {load{4, 700, 0, 0, []string{perMinute, "rate_limit_hour=300"}}, 0, 2*time.Hour + time.Minute},
		"more workers than leave":  {load{64, 50, 0, 0, []string{"rate_limit_minute=10"}}, 0, 5 * time.Minute},
		"one at a time":            {load{1, 250, 0, 0, []string{perMinute}}, 0, 3 * time.Minute},
		"no Retry-After":           {load{4, 250, 0, 0, []string{perMinute, "retry_after=off"}}, 0, 3 * time.Minute},
		"no rate headers":          {load{4, 250, 0, 0, []string{perMinute, "rate_headers=off"}}, 8, 4 * time.Minute},
		"no rate headers, nothing": {load{4, 250, 0, 0, []string{perMinute, "rate_headers=off", "retry_after=off"}}, 24, 5 * time.Minute},
		"no limit":                 {load{8, 2000, 0, 0, nil}, 0, time.Minute},
		"its own limit":            {load{8, 300, 90, 0, []string{perMinute, "rate_headers=off"}}, 0, 4 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			refused, took := c.run(t)
			t.Logf("%d refused in %v", refused, took)
			if refused > c.refused || took > c.longest {
				t.Errorf("%d refused in %v, want at most %d in %v", refused, took, c.refused, c.longest)
			}
		})
	}
}

// TestAbsurdHeadersDoNoHarm: what cannot be does not stop the client.
func TestAbsurdHeadersDoNoHarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := docextracttest.New(docextracttest.Config{Jobs: 5})
		if err := sim.Faults().Set("absurd_rate_headers", 0.5); err != nil {
			t.Fatal(err)
		}
		client := newClient(t, docextract.Options{Key: testKey, Transport: direct{sim.Handler()}})
		begun := time.Now()
		for range 100 {
			if _, err := client.List(context.Background(), docextract.Query{}); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(begun); took > time.Second {
			t.Errorf("took %v", took)
		}
	})
}

// TestAClientWaitsFor429s: they are not counted as failures.
func TestAClientWaitsFor429s(t *testing.T) {
	for _, retryAfter := range []string{"", "3"} {
		asked := 0
		clock := newClock()
		r := newRig(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			if asked++; asked <= 20 {
				answering(http.StatusTooManyRequests, "", "Retry-After: "+retryAfter).ServeHTTP(w, req)
				return
			}
			_, _ = w.Write(emptyPage)
		}), func(o *docextract.Options) {
			o.Clock = clock.clock()
			o.Limiter = docextract.NewBudget(0, o.Clock)
		})
		if _, err := r.client.List(context.Background(), docextract.Query{}); err != nil {
			t.Errorf("Retry-After %q: %v", retryAfter, err)
		}
		waited := clock.Now().Sub(start)
		if retryAfter == "3" && !within(waited, 60*time.Second) || waited < 20*time.Second {
			t.Errorf("Retry-After %q: waited %v", retryAfter, waited)
		}
	}
}

// TestAnEndless429IsAnOutage: patience has an end.
func TestAnEndless429IsAnOutage(t *testing.T) {
	r := newRig(t, answering(http.StatusTooManyRequests, "", "Retry-After: "+strconv.Itoa(1)), func(o *docextract.Options) {
		o.Limiter = docextract.NewBudget(0, o.Clock)
	})
	_, err := r.client.List(context.Background(), docextract.Query{})
	if away := want[*docextract.UnavailableError](t, err); away.Attempts != 101 {
		t.Errorf("%d attempts, want 101", away.Attempts)
	}
}
