package cache

import (
	"net/http"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestReadRate(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	skewed := now.Add(time.Hour)
	nothing := rateHeader{remaining: -1, retry: notSaid}
	for name, c := range map[string]struct {
		header map[string]string
		want   rateHeader
	}{
		"nothing": {nil, nothing},
		"Unix seconds": {
			map[string]string{"X-RateLimit-Limit": "60", "X-RateLimit-Remaining": "5", "X-RateLimit-Reset": "1795514430"},
			rateHeader{limit: 60, remaining: 5, reset: 30 * time.Second, retry: 30 * time.Second},
		},
		"the server's own clock": {
			map[string]string{
				"X-RateLimit-Remaining": "5", "X-RateLimit-Reset": "1795518010",
				"Date": skewed.Format(http.TimeFormat), "Retry-After": skewed.Add(7 * time.Second).Format(http.TimeFormat),
			},
			rateHeader{remaining: 5, reset: 10 * time.Second, retry: 7 * time.Second},
		},
		"no reset":  {map[string]string{"X-RateLimit-Remaining": "5"}, nothing},
		"negative":  {map[string]string{"X-RateLimit-Remaining": "-5", "X-RateLimit-Reset": "-1", "Retry-After": "-3"}, nothing},
		"text":      {map[string]string{"X-RateLimit-Remaining": "many", "X-RateLimit-Reset": "soon", "Retry-After": "later"}, nothing},
		"far ahead": {map[string]string{"X-RateLimit-Remaining": "5", "X-RateLimit-Reset": "999999999999"}, nothing},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := http.Header{}
			for key, value := range c.header {
				h.Set(key, value)
			}
			if got := readRate(h, now); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestReadRateIsBounded(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		h := http.Header{}
		value := rapid.OneOf(rapid.String(), rapid.Map(rapid.Int64(), func(n int64) string { return time.Duration(n).String() }),
			rapid.StringMatching(`-?[0-9]{1,25}`))
		for _, name := range []string{"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "Retry-After", "Date"} {
			h.Set(name, value.Draw(t, name))
		}
		got := readRate(h, time.Now())
		if got.remaining < -1 || got.remaining > maxRemaining || got.limit < 0 ||
			got.reset < 0 || got.reset > farAhead*time.Second || got.retry < notSaid {
			t.Fatalf("%+v", got)
		}
	})
}
