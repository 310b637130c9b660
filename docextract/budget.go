package docextract

import (
	"context"
	"math"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limiter paces requests. Wait returns when one more request may be sent; after
// each Wait exactly one of Observe and Failed is called. All methods may be
// called at once.
type Limiter interface {
	Wait(ctx context.Context) error
	Observe(status int, header http.Header) // an answer came
	Failed()                                // no answer came
}

const (
	// longestPause bounds what a server can ask for by a 429: after it the
	// client looks again.
	longestPause = 2 * time.Minute
	// longestWindow bounds what a server can ask for by X-RateLimit-Reset; the
	// windows of the API last an hour at most.
	longestWindow = time.Hour + 5*time.Minute
	// probePause is how often a request that has to wait for another one's
	// answer looks whether it came.
	probePause = 25 * time.Millisecond
)

// Budget is a [Limiter] that spends what the X-RateLimit headers allow and not
// more, so that 429s are the exception, and obeys those that come. While
// nothing is known of the server it lets one request at a time through.
type Budget struct {
	clock Clock
	fixed *rate.Limiter // nil: the headers alone

	mu        sync.Mutex
	heard     bool // a request has come to its end
	known     bool // the window holds
	window    window
	inFlight  int64
	pauseTill time.Time     // after a 429
	penalty   time.Duration // doubled by each 429 that says nothing
}

// window is what the server said of its rate window.
type window struct {
	limit     int64     // requests in it; 0 if it did not say
	remaining int64     // the least that an answer said is left of it
	reset     time.Time // on the local clock, rather too late than too early
	mark      time.Time // the reset on the server's clock, by which windows are told apart
}

// NewBudget returns a budget. perMinute, if positive, is kept to on top of what
// the server allows.
func NewBudget(perMinute int, clock Clock) *Budget {
	b := &Budget{clock: clock.withDefaults()}
	if perMinute > 0 {
		// Rate and burst together must not exceed the allowance of any minute.
		burst := max(1, perMinute/10)
		b.fixed = rate.NewLimiter(rate.Limit(float64(max(1, perMinute-burst))/60), burst)
	}
	return b
}

// Wait implements [Limiter].
func (b *Budget) Wait(ctx context.Context) error {
	if b.fixed != nil {
		if err := b.waitFixed(ctx); err != nil {
			return err
		}
	}
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		delay := b.take()
		if delay <= 0 {
			return nil
		}
		if err := b.clock.Sleep(ctx, min(delay, longestPause)); err != nil {
			return err
		}
	}
}

func (b *Budget) waitFixed(ctx context.Context) error {
	now := b.clock.Now()
	place := b.fixed.ReserveN(now, 1)
	delay := place.DelayFrom(now)
	if delay <= 0 {
		return nil
	}
	err := b.clock.Sleep(ctx, delay)
	if err != nil {
		place.CancelAt(b.clock.Now())
	}
	return err
}

// take reserves a request, or returns how long to wait before asking again.
func (b *Budget) take() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.clock.Now()
	if now.Before(b.pauseTill) {
		return b.pauseTill.Sub(now)
	}
	if b.known && !now.Before(b.window.reset) {
		// A new window: the next answer says how much it holds.
		b.known = false
	}
	switch {
	case b.known && b.window.remaining <= 0:
		return b.window.reset.Sub(now)
	case b.known && b.window.remaining <= b.inFlight:
		// Those in flight may be in the server's count already, or not: their
		// answers will tell.
		return min(probePause, b.window.reset.Sub(now))
	case !b.known && b.inFlight >= b.unheard():
		return probePause
	}
	b.inFlight++
	return 0
}

// unheard is how many requests may be in flight while the window is not known.
func (b *Budget) unheard() int64 {
	switch {
	case !b.heard || b.penalty > 0:
		return 1
	case b.window.limit > 0:
		return b.window.limit // no window is likely to hold less than the last
	default:
		return math.MaxInt64 // a server that says nothing
	}
}

// Failed implements [Limiter].
func (b *Budget) Failed() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.inFlight--
	b.heard = true
	b.window.remaining-- // it may have been counted
}

// Observe implements [Limiter].
func (b *Budget) Observe(status int, h http.Header) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.inFlight--
	b.heard = true
	now := b.clock.Now()
	left, mark, okReset := untilReset(h, now)
	if remaining, ok := headerInt(h, "X-RateLimit-Remaining"); ok && okReset && remaining >= 0 {
		limit, _ := headerInt(h, "X-RateLimit-Limit")
		b.observeWindow(window{limit: max(0, limit), remaining: remaining, reset: now.Add(left), mark: mark})
	}
	if status != http.StatusTooManyRequests {
		b.penalty = 0
		return
	}
	wait, ok := retryAfter(h, now)
	if !ok && okReset {
		wait, ok = left, true
	}
	if !ok {
		if now.Before(b.pauseTill) {
			return // one of several that were in flight together
		}
		b.penalty = min(max(2*b.penalty, time.Second), longestPause)
		wait = b.penalty
	}
	wait = min(max(wait, 100*time.Millisecond), longestPause)
	wait += rand.N(wait/10 + 1) // or all who were refused come back as one
	if till := now.Add(wait); till.After(b.pauseTill) {
		b.pauseTill = till
	}
}

// observeWindow takes over what the server says. Answers come out of order, and
// some take long, so within one window only a smaller remainder and an earlier
// reset are believed; and of a window that ends earlier only a smaller
// remainder, since that window may be over.
func (b *Budget) observeWindow(w window) {
	if b.known {
		same := w.mark.Sub(b.window.mark).Abs() < 2*time.Second
		switch {
		case same:
			w.remaining = min(w.remaining, b.window.remaining)
			if b.window.reset.Before(w.reset) {
				w.reset = b.window.reset
			}
		case w.mark.Before(b.window.mark) && w.remaining >= b.window.remaining:
			return
		}
	}
	if w.limit == 0 {
		w.limit = b.window.limit
	}
	b.known, b.window = true, w
}

// Left is what remains of the present rate window; ok is false while the server
// has not said.
func (b *Budget) Left() (remaining, limit int64, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return max(0, b.window.remaining), b.window.limit, b.known
}

func headerInt(h http.Header, name string) (int64, bool) {
	n, err := strconv.ParseInt(strings.TrimSpace(h.Get(name)), 10, 64)
	return n, err == nil
}

// untilReset is the time until the rate window resets, and that moment on the
// server's clock. The header is compared with the server's own clock where it
// says it, so that a skewed local clock does no harm; a small number is taken
// for seconds from now. Absurd values are refused.
func untilReset(h http.Header, now time.Time) (left time.Duration, mark time.Time, ok bool) {
	n, ok := headerInt(h, "X-RateLimit-Reset")
	if !ok || n < 0 {
		return 0, time.Time{}, false
	}
	server := serverTime(h, now).Truncate(time.Second)
	if n <= 86_400 {
		left = time.Duration(n) * time.Second
		mark = server.Add(left)
	} else {
		mark = time.Unix(n, 0)
		left = mark.Sub(server)
	}
	return max(0, left), mark, left.Abs() <= longestWindow
}

// serverTime is the server's clock when it answered, or the local one.
func serverTime(h http.Header, now time.Time) time.Time {
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		return date
	}
	return now
}

// retryAfter reads the header of that name, in seconds or as a date.
func retryAfter(h http.Header, now time.Time) (time.Duration, bool) {
	text := strings.TrimSpace(h.Get("Retry-After"))
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && n >= 0 && n <= 86_400 {
		return time.Duration(n) * time.Second, true
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0, false
	}
	return max(0, at.Sub(serverTime(h, now))), true
}
