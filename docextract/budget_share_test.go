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

// TestSharesTogether: workers that cannot speak to each other never meet a 429,
// and use what there is.
func TestSharesTogether(t *testing.T) {
	for name, c := range map[string]struct {
		workers, requests int // requests by each
		delayed           time.Duration
		knobs             []string
		least             float64 // of the allowance, where there is work for all
	}{
		"a minute's window":      {4, 160, 0, []string{"rate_limit_minute=100"}, 0.99},
		"begun in mid-window":    {4, 160, 25 * time.Second, []string{"rate_limit_minute=100"}, 0.99},
		"reset as a delta":       {4, 160, 0, []string{"rate_limit_minute=100", "rate_reset=delta"}, 0.99},
		"a remainder":            {3, 160, 0, []string{"rate_limit_minute=100"}, 0.98},
		"both windows":           {4, 300, 0, []string{"rate_limit_minute=100", "rate_limit_hour=300"}, 0},
		"as many as requests":    {10, 12, 0, []string{"rate_limit_minute=10"}, 0.99},
		"slow, and rolling over": {4, 160, 0, []string{"rate_limit_minute=100", "latency=7s"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sim := docextracttest.New(docextracttest.Config{Jobs: 5})
				turn(t, sim, "latency=80ms")
				turn(t, sim, c.knobs...)
				<-time.After(c.delayed)
				var limited atomic.Int64
				var all errgroup.Group
				for i := range c.workers {
					client := newClient(t, docextract.Options{
						Key: testKey, Limiter: docextract.NewBudgetShare(0, c.workers, docextract.Clock{}),
						Transport: direct{http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
							sim.Handler().ServeHTTP(&statusWriter{w, &limited}, req)
						})},
					})
					all.Go(func() error {
						<-time.After(time.Duration(i) * 300 * time.Millisecond)
						return listOften(client, c.requests)
					})
				}
				if err := all.Wait(); err != nil {
					t.Fatal(err)
				}
				use := sim.RateUse(testKey)
				var used, allowed int64
				for _, w := range use[1 : len(use)-2] { // in the others there is not work for all
					used, allowed = used+w.Used, allowed+w.Limit
				}
				share := float64(used) / float64(max(1, allowed))
				t.Logf("%d windows, %d refused, %.1f %% of the allowance used while all had work", len(use), limited.Load(), 100*share)
				if limited.Load() > 0 || share < c.least {
					t.Errorf("%d refused, %.3f of the allowance used, want at least %.3f\n%+v", limited.Load(), share, c.least, use)
				}
			})
		})
	}
}

// listOften makes so many requests, a few at a time.
func listOften(client *docextract.Client, requests int) error {
	var group errgroup.Group
	group.SetLimit(4)
	for range requests {
		group.Go(func() error {
			_, err := client.List(context.Background(), docextract.Query{Limit: 1})
			return err
		})
	}
	return group.Wait()
}

// TestALateWorkerTakesNobodysShare: one that begins while others are at work
// cannot know what they have spent, and waits for the next window.
func TestALateWorkerTakesNobodysShare(t *testing.T) {
	clock := newClock()
	late := &pace{t, docextract.NewBudgetShare(0, 4, clock.clock()), clock}
	// Of 100 the three others may still spend 75.
	late.ask(200, rates("100", "78", unix(20*time.Second), ""))
	for i := range 3 {
		if d := late.ask(200, rates("100", strconv.Itoa(77-i), unix(20*time.Second), "")); d != 0 {
			t.Errorf("request %d of what is certainly left waited %v", i, d)
		}
	}
	if d := late.wait(); d != 20*time.Second {
		t.Errorf("waited %v, want until the reset", d)
	}
	late.Failed()
}

// TestALoneWorkerKeepsToItsShare: what others leave may be theirs still.
func TestALoneWorkerKeepsToItsShare(t *testing.T) {
	clock := newClock()
	one := &pace{t, docextract.NewBudgetShare(0, 2, clock.clock()), clock}
	one.ask(200, rates("10", "9", unix(20*time.Second), ""))
	sent := 0
	for one.ask(200, rates("10", strconv.Itoa(8-sent), unix(20*time.Second), "")) == 0 {
		sent++
	}
	if sent != 4 {
		t.Errorf("%d requests after the first, want 4", sent)
	}
	// The last one opened the next window, though the server said the old one.
	for i := range 5 {
		if d := one.ask(200, rates("10", strconv.Itoa(9-i), unix(80*time.Second), "")); d > 0 {
			t.Errorf("request %d of the next window waited %v", i, d)
		}
	}
}
