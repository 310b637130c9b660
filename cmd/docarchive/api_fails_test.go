package main

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"
)

// turning is an API whose answers turn into errors after some requests.
type turning struct {
	next    http.Handler
	good    int64
	status  int
	code    string
	count   atomic.Int64
	mended  atomic.Bool
	refused atomic.Int64
}

func (h *turning) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h.count.Add(1) <= h.good || h.mended.Load() {
		h.next.ServeHTTP(w, r)
		return
	}
	h.refused.Add(1)
	w.WriteHeader(h.status)
	fmt.Fprintf(w, `{"error":{"code":%q,"message":"m"}}`, h.code)
}

// A key that is revoked in mid run ends it with the next answer; an outage after
// a few windows have met it. What was archived stands, and the next run goes on.
func TestAPIFailsInMidRun(t *testing.T) {
	const attempts = 6 // of one request
	for name, c := range map[string]struct {
		status   int
		code     string
		exit     int
		requests int64 // that may fail
	}{
		"the key is revoked":   {http.StatusUnauthorized, "invalid_api_key", exitRefused, 1},
		"the scope is lost":    {http.StatusForbidden, "insufficient_scope", exitRefused, 1},
		"an outage of an hour": {http.StatusServiceUnavailable, "unavailable", exitTemporary, 3 * attempts},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShell(t)
			api := &turning{next: s.sim.Handler(), good: 5, status: c.status, code: c.code}
			s.serve(api)
			s.want(c.exit, `[0-9]+ jobs archived`, "run")
			if n := api.refused.Load(); n == 0 || n > c.requests {
				t.Errorf("%d requests failed, want %d at most", n, c.requests)
			}
			s.want(exitDone, `is sound`, "verify")
			api.mended.Store(true)
			s.want(exitDone, `[0-9]+ jobs archived`, "run")
			s.want(exitDone, `nothing new`, "run")
		})
	}
}

// A server that gives the same page whatever it is asked, and counts more than
// it shows, is given up after a bounded number of requests: nothing is claimed
// to be complete.
func TestAPIRepeatsOnePage(t *testing.T) {
	s := newShell(t)
	var count atomic.Int64
	created := shellTime.Add(-30 * time.Hour).Format(time.RFC3339)
	page := fmt.Sprintf(`{"jobs":[{"id":"job_1","status":"completed","created_at":%[1]q},{"id":"job_2","status":"completed","created_at":%[1]q}],"total":10}`, created)
	s.serve(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		count.Add(1)
		w.Header().Set("Date", shellTime.Format(http.TimeFormat))
		_, _ = w.Write([]byte(page))
	}))
	s.want(exitPartly, `windows left open`, "run", "--since", "2d")
	if n := count.Load(); n > 3*(1000+30*6)+100 {
		t.Errorf("%d requests for three windows", n)
	}
}
