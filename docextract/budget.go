package docextract

import (
	"context"
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

// longestPause bounds what a server can ask for: beyond it the client looks
// again whether the window has reset.
const longestPause = 2 * time.Minute

// Budget is a [Limiter] that spends what the X-RateLimit headers allow and not
// more, so that 429s are the exception, and obeys those that come.
type Budget struct {
	clock Clock
	fixed *rate.Limiter // nil: the headers alone

	mu        sync.Mutex
	known     bool      // the three fields below come from the server
	limit     int64     // requests in a window
	remaining int64     // what is left of it, less the requests in flight
	reset     time.Time // on the local clock
	inFlight  int64
	pauseTill time.Time     // after a 429
	penalty   time.Duration // doubled by each 429 that says nothing
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
		if delay := b.fixed.ReserveN(b.clock.Now(), 1).DelayFrom(b.clock.Now()); delay > 0 {
			if err := b.clock.Sleep(ctx, delay); err != nil {
				return err
			}
		}
	}
	for {
		if err := ctx.Err(); err != nil {
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

// take reserves a request, or returns how long to wait before asking again.
func (b *Budget) take() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.clock.Now()
	if now.Before(b.pauseTill) {
		return b.pauseTill.Sub(now)
	}
	if b.known && !now.Before(b.reset) {
		// A new window: the next answer says how much it holds.
		b.known = false
	}
	if b.known && b.remaining <= 0 {
		return b.reset.Sub(now)
	}
	if b.known {
		b.remaining--
	}
	b.inFlight++
	return 0
}

// Failed implements [Limiter].
func (b *Budget) Failed() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.inFlight--
}

// Observe implements [Limiter].
func (b *Budget) Observe(status int, h http.Header) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.inFlight--
	now := b.clock.Now()
	limit, okLimit := headerInt(h, "X-RateLimit-Limit")
	remaining, okRemaining := headerInt(h, "X-RateLimit-Remaining")
	left, okReset := untilReset(h, now)
	if okRemaining && okReset && remaining >= 0 {
		b.observeWindow(limit, okLimit, remaining, now.Add(left))
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
		b.penalty = min(max(2*b.penalty, time.Second), longestPause)
		wait = b.penalty
	}
	wait = min(max(wait, 100*time.Millisecond), longestPause)
	if till := now.Add(wait); till.After(b.pauseTill) {
		b.pauseTill = till
	}
}

// observeWindow takes over what the server says, less what is still in flight:
// those requests are not in its count yet. Answers come out of order, so within
// one window only a smaller remainder is believed.
func (b *Budget) observeWindow(limit int64, okLimit bool, remaining int64, reset time.Time) {
	left := remaining - b.inFlight
	sameWindow := b.known && reset.Sub(b.reset).Abs() < 2*time.Second
	if sameWindow && left > b.remaining {
		return
	}
	if b.known && reset.Before(b.reset) && !sameWindow {
		return // an answer from a window that is over
	}
	b.known, b.remaining, b.reset = true, left, reset
	if okLimit {
		b.limit = limit
	}
}

// Left is what remains of the present rate window; ok is false while the server
// has not said.
func (b *Budget) Left() (remaining, limit int64, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return max(0, b.remaining), b.limit, b.known
}

func headerInt(h http.Header, name string) (int64, bool) {
	n, err := strconv.ParseInt(strings.TrimSpace(h.Get(name)), 10, 64)
	return n, err == nil
}

// untilReset is the time until the rate window resets. The header is compared
// with the server's own clock where it says it, so that a skewed local clock
// does no harm; a small number is taken for seconds from now. Absurd values are
// refused.
func untilReset(h http.Header, now time.Time) (time.Duration, bool) {
	n, ok := headerInt(h, "X-RateLimit-Reset")
	if !ok || n < 0 {
		return 0, false
	}
	if n <= 86_400 {
		return time.Duration(n) * time.Second, true
	}
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date
	}
	left := n - now.Unix()
	if left < -86_400 || left > 86_400 {
		return 0, false
	}
	return time.Duration(max(0, left)) * time.Second, true
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
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date
	}
	return max(0, at.Sub(now)), true
}
