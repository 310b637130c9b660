package docextract

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	// longestPause bounds what a server can ask for by a 429: after it the
	// client looks again.
	longestPause = 2 * time.Minute
	// shortestPause is what a 429 costs at least.
	shortestPause = 100 * time.Millisecond
	// longestWindow bounds what a server can ask for by X-RateLimit-Reset; the
	// windows of the API last an hour at most.
	longestWindow = time.Hour + 5*time.Minute
	// mostRequests keeps absurd numbers within what any counter holds exactly.
	mostRequests = 1 << 40
	// longestDelta is up to where a number is taken for seconds from now, rather
	// than for Unix seconds.
	longestDelta = 86_400
)

// RateHeader is what the header of one answer says of the server's rate window.
// What is absurd counts as not said.
type RateHeader struct {
	Limit     int64         // requests in the window; 0: not said
	Remaining int64         // of them; -1: not said, or not until when
	Left      time.Duration // until the window resets, rather too much than too little
	Reset     time.Time     // that moment on the server's clock, by which windows are told apart
	Retry     time.Duration // until a refused request may be repeated; negative: not said
}

// ReadRateHeader reads the X-RateLimit headers and Retry-After. Moments are
// compared with the server's own clock where it says it, so that a skewed local
// clock, which now is, does no harm.
func ReadRateHeader(h http.Header, now time.Time) RateHeader {
	seen := RateHeader{Remaining: -1, Retry: -1}
	server := serverTime(h, now)
	if limit, ok := headerInt(h, "X-RateLimit-Limit"); ok && limit > 0 {
		seen.Limit = min(limit, mostRequests)
	}
	left, reset, told := untilReset(h, server)
	if told {
		seen.Left, seen.Reset, seen.Retry = left, reset, left
		if remaining, ok := headerInt(h, "X-RateLimit-Remaining"); ok && remaining >= 0 {
			seen.Remaining = min(remaining, mostRequests)
		}
	}
	if retry, ok := retryAfter(h, server); ok {
		seen.Retry = retry
	}
	return seen
}

// Pause is how long a 429 with this header asks all to wait, within bounds; ok
// is false if it does not say.
func (r RateHeader) Pause() (pause time.Duration, ok bool) {
	return min(max(r.Retry, shortestPause), longestPause), r.Retry >= 0
}

func headerInt(h http.Header, name string) (int64, bool) {
	n, err := strconv.ParseInt(strings.TrimSpace(h.Get(name)), 10, 64)
	return n, err == nil
}

// untilReset is the time until the rate window resets, and that moment on the
// server's clock. A small number is taken for seconds from now, a large one for
// Unix seconds.
func untilReset(h http.Header, server time.Time) (left time.Duration, reset time.Time, ok bool) {
	n, ok := headerInt(h, "X-RateLimit-Reset")
	if !ok || n < 0 {
		return 0, time.Time{}, false
	}
	server = server.Truncate(time.Second)
	if n <= longestDelta {
		left = time.Duration(n) * time.Second
		reset = server.Add(left)
	} else {
		reset = time.Unix(n, 0)
		left = reset.Sub(server)
	}
	if left.Abs() > longestWindow {
		return 0, time.Time{}, false
	}
	return max(0, left), reset, true
}

// serverTime is the server's clock when it answered, or the local one.
func serverTime(h http.Header, now time.Time) time.Time {
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		return date
	}
	return now
}

// retryAfter reads the header of that name, in seconds or as a date.
func retryAfter(h http.Header, server time.Time) (time.Duration, bool) {
	text := strings.TrimSpace(h.Get("Retry-After"))
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.Duration(n) * time.Second, n >= 0 && n <= longestDelta
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0, false
	}
	return max(0, at.Sub(server)), true
}
