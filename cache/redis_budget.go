package cache

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/adteco/docarchive/docextract"
)

const (
	longestPause = 2 * time.Minute        // that is waited at once
	longestStart = 250 * time.Millisecond // over which processes spread that wait for one moment
	transit      = 5 * time.Second        // after which a request has reached the server, or never will
	budgetLife   = 24 * time.Hour         // of the keys
	probePause   = 25 * time.Millisecond  // between two looks at what is under way
	notSaid      = -time.Millisecond      // a pause that no header names
)

// BudgetOptions configures a [RedisBudget].
type BudgetOptions struct {
	Key       string             // the API key; only its fingerprint is kept
	PerMinute int                // requests that all processes together may send, on top of what the server allows; 0: no such limit
	PerHour   int                // likewise
	Processes int                // how many share the key, for when Redis is away; 1 if less
	Local     docextract.Limiter // used alone when Redis is away; a Budget that keeps to this process's share if nil
}

// RedisBudget is a [docextract.Limiter] that all processes with one API key
// share. What one of them learns from the X-RateLimit headers or from a 429
// holds for all. The clock is that of Redis.
//
// While nothing is known of the server, one request at a time is sent, whose
// answer tells, or five seconds pass; a server that tells nothing is not probed
// so for a minute. When Redis is away the process takes its share of what the
// headers leave, by itself.
type RedisBudget struct {
	home    *Redis
	local   docextract.Limiter
	keys    []string // state, requests under way
	minute  gap
	hour    gap
	process string

	mu      sync.Mutex
	turn    int64
	flights []flight // under way, oldest first
}

// flight is a request under way. Which answer belongs to which does not matter:
// they are only counted.
type flight struct {
	id    string
	local bool // admitted by the local limiter
}

// gap spaces requests so that rate and burst together keep to an allowance.
type gap struct {
	every time.Duration // between two requests in the long run; 0: no limit
	burst int           // may come at once
}

func gapFor(allowance int, period time.Duration) gap {
	if allowance <= 0 {
		return gap{}
	}
	burst := max(1, allowance/10)
	return gap{every: period / time.Duration(max(1, allowance-burst)), burst: burst}
}

// NewBudget returns the budget of an API key.
func (r *Redis) NewBudget(o BudgetOptions) *RedisBudget {
	state, processes := "docarchive:budget:"+fingerprint(o.Key), max(1, o.Processes)
	if o.Local == nil {
		o.Local = docextract.NewBudgetShare(o.PerMinute, processes, r.clock)
	}
	return &RedisBudget{
		home:    r,
		local:   o.Local,
		keys:    []string{state, state + ":flight"},
		minute:  gapFor(o.PerMinute, time.Minute),
		hour:    gapFor(o.PerHour, time.Hour),
		process: newToken(),
	}
}

// Wait implements [docextract.Limiter].
func (b *RedisBudget) Wait(ctx context.Context) error {
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		id := b.newFlight()
		delay, err := b.take(ctx, id)
		switch {
		case err != nil && ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			if err := b.local.Wait(ctx); err != nil {
				return err
			}
			b.depart(flight{local: true})
			return nil
		case delay <= 0:
			b.depart(flight{id: id})
			return nil
		}
		// So that the processes do not wake as one.
		delay = min(delay, longestPause)
		delay += rand.N(min(delay/20, longestStart) + 1)
		if err := b.home.clock.Sleep(ctx, delay); err != nil {
			return err
		}
	}
}

// take reserves a request, or returns how long to wait before asking again.
func (b *RedisBudget) take(ctx context.Context, id string) (delay time.Duration, err error) {
	var ms int64
	err = b.home.guard.do(ctx, func(ctx context.Context) (err error) {
		ms, err = takeRequest.Run(ctx, b.home.client, b.keys, id,
			milliseconds(transit), milliseconds(budgetLife), milliseconds(probePause),
			b.minute.every.Microseconds(), b.minute.burst, b.hour.every.Microseconds(), b.hour.burst).Int64()
		return err
	})
	return time.Duration(ms) * time.Millisecond, err
}

// Observe implements [docextract.Limiter].
func (b *RedisBudget) Observe(status int, header http.Header) {
	done := b.land()
	if done.local {
		b.local.Observe(status, header)
	}
	seen := docextract.ReadRateHeader(header, b.home.clock.Now())
	pause, told := seen.Pause()
	if !told {
		pause = notSaid
	}
	limited := 0
	if status == http.StatusTooManyRequests {
		limited = 1
	}
	// The answer is in, whoever still waits for it: there is no context to heed
	// but the guard's time limit. What cannot be told costs a 429 at most.
	_ = b.home.guard.do(context.Background(), func(ctx context.Context) error {
		return tellAnswer.Run(ctx, b.home.client, b.keys, done.id, milliseconds(budgetLife),
			seen.Limit, seen.Remaining, seen.Left.Milliseconds(), limited, pause.Milliseconds(),
			longestPause.Milliseconds()).Err()
	})
}

// Failed implements [docextract.Limiter].
func (b *RedisBudget) Failed() {
	done := b.land()
	if done.local {
		b.local.Failed()
		return
	}
	_ = b.home.guard.do(context.Background(), func(ctx context.Context) error {
		return loseRequest.Run(ctx, b.home.client, b.keys, done.id).Err()
	})
}

func (b *RedisBudget) newFlight() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.turn++
	return b.process + ":" + strconv.FormatInt(b.turn, 10)
}

func (b *RedisBudget) depart(f flight) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.flights = append(b.flights, f)
}

func (b *RedisBudget) land() flight {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.flights) == 0 {
		return flight{}
	}
	f := b.flights[0]
	b.flights = b.flights[1:]
	return f
}

var _ docextract.Limiter = (*RedisBudget)(nil)
