package docextracttest_test

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/adteco/docarchive/docextract/docextracttest"
)

func TestRateWindows(t *testing.T) {
	w := newWorld(t, docextracttest.Config{}).set("rate_limit_minute=10", "rate_limit_hour=25")
	ask := func() (allowed bool, limit, remaining int, reset time.Time) {
		rec := w.get("/v1/credits")
		number := func(name string) int {
			n, err := strconv.Atoi(rec.Header().Get(name))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			return n
		}
		if rec.Code != http.StatusOK && rec.Code != http.StatusTooManyRequests {
			t.Fatalf("status %d", rec.Code)
		}
		return rec.Code == http.StatusOK, number("X-RateLimit-Limit"), number("X-RateLimit-Remaining"),
			time.Unix(int64(number("X-RateLimit-Reset")), 0).UTC()
	}
	allowedIn := func() (n int) {
		for range 15 {
			if ok, _, _, _ := ask(); ok {
				n++
			}
		}
		return n
	}
	if ok, limit, remaining, reset := ask(); !ok || limit != 10 || remaining != 9 || !reset.Equal(start.Add(time.Minute)) {
		t.Errorf("first: %v %d %d %v", ok, limit, remaining, reset)
	}
	if n := allowedIn(); n != 9 {
		t.Errorf("%d more in the first minute, want 9", n)
	}
	w.clock.Advance(59 * time.Second)
	if n := allowedIn(); n != 0 {
		t.Errorf("%d in the same minute, want 0", n)
	}
	w.clock.Advance(time.Second)
	if n := allowedIn(); n != 10 {
		t.Errorf("%d in the second minute, want 10", n)
	}
	w.clock.Advance(time.Minute)
	if n := allowedIn(); n != 5 {
		t.Errorf("%d in the third minute, want the rest of the hour, 5", n)
	}
	if ok, limit, remaining, reset := ask(); ok || limit != 25 || remaining != 0 || !reset.Equal(start.Add(30*time.Minute)) {
		t.Errorf("refused by the hour: %v %d %d %v", ok, limit, remaining, reset)
	}
	w.clock.Advance(30 * time.Minute)
	if n := allowedIn(); n != 10 {
		t.Errorf("%d in the next hour, want 10", n)
	}
}

func TestKey(t *testing.T) {
	w := newWorld(t, docextracttest.Config{Key: "sk_live_right"})
	for header, want := range map[string]int{
		"Bearer sk_live_right": 200, "Bearer sk_live_wrong": 401, "Bearer ": 401, "": 401, "sk_live_right": 401,
	} {
		if got := w.do(http.MethodGet, "/v1/credits", "", "Authorization: "+header).Code; got != want {
			t.Errorf("%q: %d, want %d", header, got, want)
		}
	}
	if got := w.sim.Requests(); got != 5 {
		t.Errorf("%d requests counted", got)
	}
	w.get("/v1/documents/job_1")
	w.file("/files/job_1")
	w.get("/nowhere")
	for path, want := range map[string]int64{"GET /v1/credits": 5, "GET /v1/documents/{id}": 1, "GET /files/{id}": 1, "other": 1} {
		if got := w.sim.RequestsByPath()[path]; got != want {
			t.Errorf("%s: %d requests, want %d", path, got, want)
		}
	}
}

// TestKeysHaveLimitsOfTheirOwn: what one key spends is not another's, and the
// simulator tells how each was used.
func TestKeysHaveLimitsOfTheirOwn(t *testing.T) {
	w := newWorld(t, docextracttest.Config{Key: "sk_test_main", Keys: []docextracttest.RateKey{
		{Key: "sk_test_a", PerMinute: 3}, {Key: "sk_test_b", PerMinute: 5},
	}}).set("rate_window=10s", "rate_limit_minute=2")
	ask := func(key string) int {
		req := httptest.NewRequest(http.MethodGet, "/v1/credits", nil)
		req.Header.Set("Authorization", "Bearer "+key)
		rec := httptest.NewRecorder()
		w.sim.Handler().ServeHTTP(rec, req)
		return rec.Code
	}
	count := func(key string) (allowed int) {
		for range 9 {
			if ask(key) == http.StatusOK {
				allowed++
			}
		}
		return allowed
	}
	if a, b, main := count("sk_test_a"), count("sk_test_b"), count("sk_test_main"); a != 3 || b != 5 || main != 2 {
		t.Errorf("allowed %d, %d and %d, want 3, 5 and 2", a, b, main)
	}
	w.clock.Advance(10 * time.Second)
	if a := count("sk_test_a"); a != 3 {
		t.Errorf("%d in the next window, want 3", a)
	}
	want := []docextracttest.RateUse{
		{Start: start, Limit: 3, Used: 3, Refused: 6}, {Start: start.Add(10 * time.Second), Limit: 3, Used: 3, Refused: 6},
	}
	if diff := cmp.Diff(want, w.sim.RateUse("sk_test_a")); diff != "" {
		t.Error(diff)
	}
	if status := ask("sk_test_c"); status != http.StatusUnauthorized {
		t.Errorf("a key that is not known: %d", status)
	}
}
