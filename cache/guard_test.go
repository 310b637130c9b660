package cache

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"
)

// hang is an exchange with a Redis that does not answer.
func hang(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

func answers(context.Context) error { return nil }

func watchedGuard() (*guard, *strings.Builder) {
	log := new(strings.Builder)
	return newGuard(slog.New(slog.NewTextHandler(log, nil)), time.Now), log
}

func TestGuardBoundsWhatARunLoses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, log := watchedGuard()
		var lost time.Duration
		// Ten hours of work, with an exchange each second.
		for range 36_000 {
			start := time.Now()
			if err := g.do(t.Context(), hang); !errors.Is(err, errAway) {
				t.Fatalf("error %v", err)
			}
			lost += time.Since(start)
			<-time.After(time.Second)
		}
		if lost > patience {
			t.Errorf("lost %s, more than %s", lost, patience)
		}
		if n := strings.Count(log.String(), "\n"); n != 1 {
			t.Errorf("%d lines in the log:\n%s", n, log)
		}
		if err := g.do(t.Context(), answers); !errors.Is(err, errAway) {
			t.Errorf("Redis was not given up: %v", err)
		}
	})
}

func TestGuardFindsRedisAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, _ := watchedGuard()
		refused := errors.New("connection refused")
		for range 3 {
			asked := 0
			for range 10 {
				_ = g.do(t.Context(), func(context.Context) error { asked++; return refused })
			}
			if asked != tripAfter {
				t.Fatalf("a dead Redis was asked %d times", asked)
			}
			<-time.After(lookAgain + time.Second)
			if err := g.do(t.Context(), answers); err != nil {
				t.Fatalf("Redis is back, and %v", err)
			}
		}
	})
}

func TestGuardCountsWhatOverlapsOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, _ := watchedGuard()
		done := make(chan struct{})
		for range 8 {
			go func() {
				_ = g.do(t.Context(), hang)
				done <- struct{}{}
			}()
		}
		for range 8 {
			<-done
		}
		if left := g.purse(); left != patience-commandTimeout {
			t.Errorf("%s left of the purse after one shared wait of %s", left, commandTimeout)
		}
	})
}

func TestGuardTellsWhoseFaultItIs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g, log := watchedGuard()
		for range 10 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			if err := g.do(ctx, hang); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, errAway) {
				t.Fatalf("the caller's own deadline: %v", err)
			}
			cancel()
			if err := g.do(t.Context(), func(context.Context) error { return redis.Nil }); !errors.Is(err, redis.Nil) {
				t.Fatalf("nothing there: %v", err)
			}
		}
		if log.Len() > 0 || g.purse() != patience {
			t.Errorf("what is not the fault of Redis was held against it; %s left, log:\n%s", g.purse(), log)
		}
		if err := g.do(t.Context(), answers); err != nil {
			t.Errorf("and it is not asked any more: %v", err)
		}
		_ = g.do(t.Context(), func(context.Context) error { return fmt.Errorf("failed to authenticate: %w", errNoPassword) })
		if g.purse() != 0 {
			t.Error("Redis is asked again with a password that it refused")
		}
	})
}

// errNoPassword is how the driver passes on what old servers say.
var errNoPassword = errors.New("ERR invalid password")
