package docextract_test

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/adteco/docarchive/docextract"
)

func TestReadRateHeader(t *testing.T) {
	now := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	skewed := now.Add(time.Hour)
	in := func(d time.Duration) string { return strconv.FormatInt(now.Add(d).Unix(), 10) }
	nothing := docextract.RateHeader{Remaining: -1, Retry: -1}
	for name, c := range map[string]struct {
		header map[string]string
		want   docextract.RateHeader
	}{
		"nothing": {nil, nothing},
		"Unix seconds": {
			map[string]string{"X-RateLimit-Limit": "60", "X-RateLimit-Remaining": "5", "X-RateLimit-Reset": in(30 * time.Second)},
			docextract.RateHeader{Limit: 60, Remaining: 5, Left: 30 * time.Second, Reset: now.Add(30 * time.Second), Retry: 30 * time.Second},
		},
		"seconds from now": {
			map[string]string{"X-RateLimit-Limit": "60", "X-RateLimit-Remaining": "5", "X-RateLimit-Reset": "30", "Retry-After": "40"},
			docextract.RateHeader{Limit: 60, Remaining: 5, Left: 30 * time.Second, Reset: now.Add(30 * time.Second), Retry: 40 * time.Second},
		},
		"the server's own clock": {
			map[string]string{
				"X-RateLimit-Remaining": "5", "X-RateLimit-Reset": in(time.Hour + 10*time.Second),
				"Date": skewed.Format(http.TimeFormat), "Retry-After": skewed.Add(7 * time.Second).Format(http.TimeFormat),
			},
			docextract.RateHeader{Remaining: 5, Left: 10 * time.Second, Reset: skewed.Add(10 * time.Second), Retry: 7 * time.Second},
		},
		"a reset that is over": {
			map[string]string{"X-RateLimit-Remaining": "5", "X-RateLimit-Reset": in(-3 * time.Second)},
			docextract.RateHeader{Remaining: 5, Reset: now.Add(-3 * time.Second)},
		},
		"no reset":  {map[string]string{"X-RateLimit-Limit": "9", "X-RateLimit-Remaining": "5"}, docextract.RateHeader{Limit: 9, Remaining: -1, Retry: -1}},
		"negative":  {map[string]string{"X-RateLimit-Limit": "-9", "X-RateLimit-Remaining": "-5", "X-RateLimit-Reset": "-1", "Retry-After": "-3"}, nothing},
		"text":      {map[string]string{"X-RateLimit-Remaining": "many", "X-RateLimit-Reset": "soon", "Retry-After": "later"}, nothing},
		"far ahead": {map[string]string{"X-RateLimit-Remaining": "5", "X-RateLimit-Reset": "999999999999", "Retry-After": "31536000"}, nothing},
	} {
		t.Run(name, func(t *testing.T) {
			h := http.Header{}
			for key, value := range c.header {
				h.Set(key, value)
			}
			if diff := cmp.Diff(c.want, docextract.ReadRateHeader(h, now)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestReadRateHeaderIsBounded: whatever a server says, no counter overflows and
// nobody waits for ever.
func TestReadRateHeaderIsBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := http.Header{}
		value := rapid.OneOf(rapid.String(), rapid.Map(rapid.Int64(), func(n int64) string { return time.Duration(n).String() }),
			rapid.StringMatching(`-?[0-9]{1,25}`))
		for _, name := range []string{"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "Retry-After", "Date"} {
			h.Set(name, value.Draw(t, name))
		}
		got := docextract.ReadRateHeader(h, time.Now())
		pause, _ := got.Pause()
		if got.Remaining < -1 || got.Remaining > 1<<40 || got.Limit < 0 || got.Limit > 1<<40 ||
			got.Left < 0 || got.Left > 2*time.Hour || pause < 0 || pause > 2*time.Minute {
			t.Fatalf("%+v", got)
		}
	})
}
