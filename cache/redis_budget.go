package cache

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/adteco/docarchive/docextract"
)

const (
	longestPause = 2 * time.Minute       // that is waited at once, and that a 429 can ask for
	flightLife   = 150 * time.Second     // a request of a process that died; the client gives up after 2 minutes
	budgetLife   = 24 * time.Hour        // of the keys
	probePause   = 25 * time.Millisecond // between two looks at a probe that is under way
	probeLife    = 5 * time.Second       // for which others wait for a probe's answer
)

// BudgetOptions configures a [RedisBudget].
type BudgetOptions struct {
	Key       string             // the API key; only its fingerprint is kept
	PerMinute int                // requests that all processes together may send, on top of what the server allows; 0: no such limit
	PerHour   int                // likewise
	Processes int                // how many share the key, for when Redis is away; 1 if less
	Local     docextract.Limiter // used alone when Redis is away, and shown this process's share of what the headers say; a Budget if nil
}

// RedisBudget is a [docextract.Limiter] that all processes with one API key
// share. What one of them learns from the X-RateLimit headers or from a 429
// holds for all. The clock is that of Redis.
//
// While nothing is known of the server's present window, one request at a time
// is sent, whose answer tells, or five seconds pass; a server that tells nothing is not probed so for
// a minute. When Redis is away the process takes its share of what the headers
// leave, by itself.
type RedisBudget struct {
	home    *Redis
	local   docextract.Limiter
	share   int64
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
		own := o.PerMinute
		if own > 0 {
			own = max(1, own/processes)
		}
		o.Local = docextract.NewBudget(own, r.clock)
	}
	return &RedisBudget{
		home:    r,
		local:   o.Local,
		share:   int64(processes),
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
		// Spread over a twentieth, so that the processes do not wake as one.
		delay = min(delay, longestPause)
		delay += time.Duration(rand.Int64N(int64(delay/20) + 1))
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
			milliseconds(flightLife), milliseconds(budgetLife), milliseconds(probePause), milliseconds(probeLife),
			b.minute.every.Microseconds(), b.minute.burst, b.hour.every.Microseconds(), b.hour.burst).Int64()
		return err
	})
	return time.Duration(ms) * time.Millisecond, err
}

// Observe implements [docextract.Limiter].
func (b *RedisBudget) Observe(status int, header http.Header) {
	done := b.land()
	if done.local {
		b.local.Observe(status, b.scaled(header))
	}
	seen := readRate(header, b.home.clock.Now())
	limited := 0
	if status == http.StatusTooManyRequests {
		limited = 1
	}
	// The answer is in, whoever still waits for it: there is no context to heed
	// but the guard's time limit. What cannot be told costs a 429 at most.
	_ = b.home.guard.do(context.Background(), func(ctx context.Context) error {
		return tellAnswer.Run(ctx, b.home.client, b.keys, done.id, milliseconds(budgetLife),
			seen.limit, seen.remaining, seen.reset.Milliseconds(), limited, seen.retry.Milliseconds(),
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
		return b.home.client.ZRem(ctx, b.keys[1], done.id).Err()
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

// scaled is the header with this process's share of what remains, which is all
// that the local limiter may spend.
func (b *RedisBudget) scaled(h http.Header) http.Header {
	if b.share == 1 {
		return h
	}
	own := h.Clone()
	for _, name := range []string{"X-RateLimit-Limit", "X-RateLimit-Remaining"} {
		if n, ok := headerInt(h, name); ok {
			own.Set(name, strconv.FormatInt(n/b.share, 10))
		}
	}
	return own
}

var _ docextract.Limiter = (*RedisBudget)(nil)

// takeRequest reserves a request and returns 0, or how many milliseconds to wait.
//
// The state is a hash: "pause" is when all may go on after a 429, "penalty" the
// last pause that no header named, "silent" until when the server is taken for
// one without headers, "minute" and "hour" the theoretical arrival times of the
// configured limits, and "left:LIMIT", "reset:LIMIT" a window of the server,
// which is known by its size. All times are in milliseconds of Redis' clock,
// the arrival times in microseconds.
//
// ARGV: flight, its life, the state's life, the pause before another look at a
// probe, a probe's life, then for the minute and the hour: microseconds between
// requests, burst.
var takeRequest = redis.NewScript(`
local time = redis.call("TIME")
local us = tonumber(time[1]) * 1000000 + tonumber(time[2])
local now = math.floor(us / 1000)
redis.call("ZREMRANGEBYSCORE", KEYS[2], "-inf", now - tonumber(ARGV[2]))
local flat, state = redis.call("HGETALL", KEYS[1]), {}
for i = 1, #flat, 2 do state[flat[i]] = flat[i + 1] end
local wait = tonumber(state["pause"] or 0) - now
local known = false
local spend = {}
for field, value in pairs(state) do
  local limit = string.match(field, "^reset:(.+)$")
  if limit then
    local reset = tonumber(value)
    if reset <= now then
      redis.call("HDEL", KEYS[1], field, "left:" .. limit)
    else
      known = true
      if tonumber(state["left:" .. limit] or 0) <= 0 then wait = math.max(wait, reset - now) end
      spend[#spend + 1] = "left:" .. limit
    end
  end
end
if wait <= 0 and not known and tonumber(state["silent"] or 0) <= now and
   redis.call("ZCOUNT", KEYS[2], now - tonumber(ARGV[5]) + 1, "+inf") > 0 then
  wait = tonumber(ARGV[4])
end
local arrivals = {}
for i, name in ipairs({"minute", "hour"}) do
  local every, burst = tonumber(ARGV[4 + 2 * i]), tonumber(ARGV[5 + 2 * i])
  if every > 0 then
    local arrival = math.max(tonumber(state[name] or 0), us)
    local early = arrival - (burst - 1) * every - us
    if early > 0 then wait = math.max(wait, math.ceil(early / 1000)) end
    arrivals[name] = arrival + every
  end
end
if wait > 0 then return wait end
for name, arrival in pairs(arrivals) do redis.call("HSET", KEYS[1], name, string.format("%.0f", arrival)) end
for _, field in ipairs(spend) do redis.call("HINCRBY", KEYS[1], field, -1) end
redis.call("ZADD", KEYS[2], now, ARGV[1])
redis.call("PEXPIRE", KEYS[1], ARGV[3])
redis.call("PEXPIRE", KEYS[2], ARGV[3])
return 0`)

// tellAnswer ends a request and takes over what its answer says, less what is
// still under way: the server has not counted that yet. Answers come out of
// order, so within one window only a smaller remainder is believed.
//
// ARGV: flight, the state's life, limit, remaining or -1, milliseconds to the
// reset, 1 for a 429, milliseconds to pause or -1, the longest pause.
var tellAnswer = redis.NewScript(`
local time = redis.call("TIME")
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
redis.call("ZREM", KEYS[2], ARGV[1])
-- A server that names ever other limits must not fill Redis.
if redis.call("HLEN", KEYS[1]) > 100 then redis.call("DEL", KEYS[1]) end
local limit, remaining, reset = ARGV[3], tonumber(ARGV[4]), now + tonumber(ARGV[5])
if remaining >= 0 then
  local left = remaining - redis.call("ZCARD", KEYS[2])
  local heldReset = tonumber(redis.call("HGET", KEYS[1], "reset:" .. limit) or 0)
  local same = heldReset > now and math.abs(heldReset - reset) < 2000
  local heldLeft = tonumber(redis.call("HGET", KEYS[1], "left:" .. limit) or 0)
  if not (same and left > heldLeft) and (same or reset > heldReset) then
    redis.call("HSET", KEYS[1], "left:" .. limit, left, "reset:" .. limit, string.format("%.0f", reset))
  end
elseif ARGV[6] == "0" then
  redis.call("HSET", KEYS[1], "silent", string.format("%.0f", now + 60000))
end
if ARGV[6] == "1" then
  local pause = tonumber(ARGV[7])
  if pause < 0 then
    pause = math.min(math.max(2 * tonumber(redis.call("HGET", KEYS[1], "penalty") or 0), 1000), tonumber(ARGV[8]))
    redis.call("HSET", KEYS[1], "penalty", pause)
  end
  local till = now + math.min(math.max(pause, 100), tonumber(ARGV[8]))
  if till > tonumber(redis.call("HGET", KEYS[1], "pause") or 0) then
    redis.call("HSET", KEYS[1], "pause", string.format("%.0f", till))
  end
else
  redis.call("HDEL", KEYS[1], "penalty")
end
redis.call("PEXPIRE", KEYS[1], ARGV[2])
return 1`)
