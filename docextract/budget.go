package docextract

import (
	"context"
	"math"
	"math/rand/v2"
	"net/http"
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
	// probePause is how often a request that has to wait for another one's
	// answer looks whether it came.
	probePause = 25 * time.Millisecond
	// sameWindow is by how much less the resets of one window differ: the header
	// counts in seconds.
	sameWindow = 2 * time.Second
)

// Budget is a [Limiter] that spends what the X-RateLimit headers allow and not
// more, so that 429s are the exception, and obeys those that come. While
// nothing is known of the server it lets one request at a time through. It may
// be one of several with the same key; see [NewBudgetShare].
type Budget struct {
	clock   Clock
	fixed   *rate.Limiter // nil: the headers alone
	workers int64

	mu        sync.Mutex
	portions  *portions // nil: there is one worker
	heard     bool      // a request has come to its end
	known     bool      // the window holds
	window    window
	inFlight  int64
	pace      float64       // requests a minute, by the narrowest window; 0: not known
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
func NewBudget(perMinute int, clock Clock) *Budget { return NewBudgetShare(perMinute, 1, clock) }

// NewBudgetShare returns the budget of one of several workers that use one key
// and cannot tell each other what they spend: it spends its part of what the
// headers say, and of perMinute.
func NewBudgetShare(perMinute, workers int, clock Clock) *Budget {
	b := &Budget{clock: clock.withDefaults(), workers: int64(max(1, workers))}
	if workers > 1 {
		b.portions = &portions{workers: b.workers, byLimit: map[int64]*portion{}}
	}
	if perMinute > 0 {
		perMinute = max(1, perMinute/max(1, workers))
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
	if b.portions != nil {
		if delay := b.portions.wait(now, b.inFlight); delay > 0 {
			return delay
		}
	}
	switch {
	case b.known && b.window.remaining <= 0:
		return b.window.reset.Sub(now)
	case b.known && max(1, b.window.remaining/b.workers) <= b.inFlight:
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
	if b.portions != nil {
		b.portions.failed()
	}
}

// Observe implements [Limiter].
func (b *Budget) Observe(status int, h http.Header) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.inFlight--
	b.heard = true
	now := b.clock.Now()
	seen := ReadRateHeader(h, now)
	if b.portions != nil {
		b.portions.answered(seen, now)
	}
	b.observePace(seen)
	if seen.Remaining >= 0 {
		b.observeWindow(window{limit: seen.Limit, remaining: seen.Remaining, reset: now.Add(seen.Left), mark: seen.Reset})
	}
	if status != http.StatusTooManyRequests {
		b.penalty = 0
		return
	}
	wait, ok := seen.Pause()
	if !ok {
		if now.Before(b.pauseTill) {
			return // one of several that were in flight together
		}
		b.penalty = min(max(2*b.penalty, time.Second), longestPause)
		wait = b.penalty
	}
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
		same := w.mark.Sub(b.window.mark).Abs() < sameWindow
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

// Pace is how many requests a minute the server allows in the long run, by the
// narrowest window that it has told of; ok is false if it has told of none.
func (b *Budget) Pace() (perMinute float64, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.pace, b.pace > 0
}

// observePace judges the size of a window by when it resets.
func (b *Budget) observePace(seen RateHeader) {
	if seen.Limit == 0 || seen.Remaining < 0 {
		return
	}
	pace := float64(seen.Limit)
	if seen.Left > time.Minute {
		pace /= 60
	}
	if b.pace == 0 || pace < b.pace {
		b.pace = pace
	}
}
