package cache

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/sony/gobreaker/v2"
)

// What a Redis that does not answer may cost.
const (
	commandTimeout = 400 * time.Millisecond  // one exchange, the dial included
	patience       = 1500 * time.Millisecond // all failures of a run together
	tripAfter      = 2                       // failures in a row
	lookAgain      = 15 * time.Second        // until a tripped breaker tries one exchange
)

// errAway means that Redis was not asked, or did not answer.
var errAway = errors.New("redis is away")

// guard stands before every exchange with Redis. Its breaker keeps a dead Redis
// from being asked again and again; its purse bounds the time that is lost in
// the whole run: when that is spent, Redis is given up for good. It logs one
// warning when Redis is first found away, and one when Redis first refuses a
// command.
type guard struct {
	breaker *gobreaker.CircuitBreaker[struct{}]
	logger  *slog.Logger
	now     func() time.Time

	mu        sync.Mutex
	lost      time.Duration // waited for exchanges that failed; what overlaps counts once
	lostUntil time.Time
	givenUp   bool
	warned    map[string]bool
}

func newGuard(logger *slog.Logger, now func() time.Time) *guard {
	return &guard{
		logger: logger, now: now, warned: map[string]bool{},
		breaker: gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
			Name:        "redis",
			Timeout:     lookAgain,
			ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= tripAfter },
			// The caller's own cancellation says nothing about Redis.
			IsExcluded:   func(err error) bool { return errors.Is(err, errCancelled) },
			IsSuccessful: func(err error) bool { return !unusable(err) },
		}),
	}
}

var errCancelled = errors.New("cancelled by the caller")

// do makes one exchange. It returns nil, [redis.Nil], an error that Redis
// answered, the caller's cancellation, or an error wrapping errAway.
func (g *guard) do(ctx context.Context, exchange func(ctx context.Context) error) error {
	left := g.purse()
	if left <= 0 {
		return errAway
	}
	_, err := g.breaker.Execute(func() (struct{}, error) {
		limited, cancel := context.WithTimeout(ctx, min(commandTimeout, left))
		defer cancel()
		start := g.now()
		err := exchange(limited)
		if err != nil && ctx.Err() != nil {
			return struct{}{}, fmt.Errorf("%w: %w", errCancelled, context.Cause(ctx))
		}
		if unusable(err) {
			g.charge(start, err)
		}
		return struct{}{}, err
	})
	switch {
	case err == nil, errors.Is(err, redis.Nil):
		return err
	case errors.Is(err, errCancelled):
		return context.Cause(ctx)
	case errors.Is(err, gobreaker.ErrOpenState), errors.Is(err, gobreaker.ErrTooManyRequests):
		return errAway
	case unusable(err):
		g.warnOnce("away", "redis is away, the run goes on without it", err)
		return fmt.Errorf("%w: %w", errAway, err)
	default:
		g.warnOnce("refused", "redis refuses a command, the run goes on without what it would have kept", err)
		return err
	}
}

// purse is how long the next exchange may take at most.
func (g *guard) purse() time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.givenUp {
		return 0
	}
	return patience - g.lost
}

// charge takes a failed exchange from the purse.
func (g *guard) charge(start time.Time, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	end := g.now()
	if start.Before(g.lostUntil) {
		start = g.lostUntil
	}
	if end.After(start) {
		g.lost += end.Sub(start)
		g.lostUntil = end
	}
	// A password that is wrong now is wrong in fifteen seconds, and a server may
	// lock out who tries again.
	if g.lost >= patience || refusesPassword(err) {
		g.givenUp = true
	}
}

// warnOnce logs the first of its kind.
func (g *guard) warnOnce(kind, text string, err error) {
	g.mu.Lock()
	first := !g.warned[kind]
	g.warned[kind] = true
	g.mu.Unlock()
	if first {
		g.logger.Warn(text, "error", err)
	}
}

// unusable reports whether the error says that Redis cannot be used now, as
// opposed to one command that it refuses.
func unusable(err error) bool {
	if err == nil || errors.Is(err, redis.Nil) {
		return false
	}
	var answer redis.Error
	if !errors.As(err, &answer) {
		return true
	}
	_, moved := redis.IsMovedError(err)
	_, asked := redis.IsAskError(err)
	return moved || asked || refusesPassword(err) || redis.IsLoadingError(err) || redis.IsClusterDownError(err) ||
		redis.IsMasterDownError(err) || redis.IsMaxClientsError(err)
}
