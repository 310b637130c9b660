package cache

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// rateHeader is what an answer says about the server's rate window.
type rateHeader struct {
	limit     int64         // requests in the window; 0: not said
	remaining int64         // -1: not said, or not usable
	reset     time.Duration // until the window resets
	retry     time.Duration // until a refused request may be repeated; -1 ms: not said
}

const (
	notSaid  = -time.Millisecond
	farAhead = 86_400 // seconds; what lies beyond is absurd
)

func readRate(h http.Header, now time.Time) rateHeader {
	seen := rateHeader{remaining: -1, retry: notSaid}
	// The header is compared with the server's own clock where it says it, so
	// that a skewed clock here does no harm.
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date
	}
	reset, okReset := untilReset(h, now)
	if remaining, ok := headerInt(h, "X-RateLimit-Remaining"); ok && okReset && remaining >= 0 {
		seen.remaining, seen.reset = min(remaining, maxRemaining), reset
	}
	if limit, ok := headerInt(h, "X-RateLimit-Limit"); ok && limit > 0 {
		seen.limit = limit
	}
	if retry, ok := untilRetry(h, now); ok {
		seen.retry = retry
	} else if okReset {
		seen.retry = reset
	}
	return seen
}

// maxRemaining keeps absurd numbers within what a script can count exactly.
const maxRemaining = 1 << 40

func headerInt(h http.Header, name string) (int64, bool) {
	n, err := strconv.ParseInt(strings.TrimSpace(h.Get(name)), 10, 64)
	return n, err == nil
}

// untilReset takes a small number for seconds from now, a large one for Unix
// seconds.
func untilReset(h http.Header, now time.Time) (time.Duration, bool) {
	n, ok := headerInt(h, "X-RateLimit-Reset")
	switch {
	case !ok || n < 0:
		return 0, false
	case n <= farAhead:
		return time.Duration(n) * time.Second, true
	}
	left := n - now.Unix()
	if left < -farAhead || left > farAhead {
		return 0, false
	}
	return time.Duration(max(0, left)) * time.Second, true
}

// untilRetry reads Retry-After, in seconds or as a date.
func untilRetry(h http.Header, now time.Time) (time.Duration, bool) {
	text := h.Get("Retry-After")
	if n, ok := headerInt(h, "Retry-After"); ok {
		return time.Duration(n) * time.Second, n >= 0 && n <= farAhead
	}
	at, err := http.ParseTime(text)
	return max(0, at.Sub(now)), err == nil
}
