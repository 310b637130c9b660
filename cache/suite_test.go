package cache_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/adteco/docarchive/cache"
	"github.com/adteco/docarchive/cache/cachetest"
	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/internal/testserver"
)

// clock is a time that tests move. Its sleepers wake when the time has come.
type clock struct {
	mu       sync.Mutex
	now      time.Time
	sleepers chan struct{} // closed and replaced when the time moves
	asleep   chan struct{} // hears of each sleeper, if anybody listens
}

func newClock() *clock {
	return &clock{
		now:      time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC),
		sleepers: make(chan struct{}), asleep: make(chan struct{}, 1000),
	}
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	close(c.sleepers)
	c.sleepers = make(chan struct{})
}

func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	till, moved := c.now.Add(d), c.sleepers
	c.mu.Unlock()
	c.asleep <- struct{}{}
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-moved:
		}
		c.mu.Lock()
		due := !c.now.Before(till)
		moved = c.sleepers
		c.mu.Unlock()
		if due {
			return nil
		}
	}
}

func (c *clock) clock() docextract.Clock { return docextract.Clock{Now: c.Now, Sleep: c.Sleep} }

// logged collects log lines.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *logged) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// warnings is how often a warning was logged.
func (l *logged) warnings() int { return strings.Count(l.String(), "level=WARN") }

func closing(t *testing.T, home cache.Home) {
	t.Cleanup(func() {
		if err := home.Close(); err != nil {
			t.Error(err)
		}
	})
}

func openRedis(t *testing.T, url string, o cache.RedisOptions) *cache.Redis {
	t.Helper()
	home, err := cache.OpenRedis(t.Context(), url, o)
	if err != nil {
		t.Fatal(err)
	}
	closing(t, home)
	return home
}

func TestMemory(t *testing.T) {
	t.Parallel()
	cachetest.Run(t, func(*testing.T) cachetest.Instance {
		return cachetest.Instance{Home: cache.NewMemory()}
	})
}

func TestEmbedded(t *testing.T) {
	t.Parallel()
	cachetest.Run(t, func(t *testing.T) cachetest.Instance {
		c := newClock()
		return cachetest.Instance{Home: openEmbedded(t, t.TempDir(), cache.EmbeddedOptions{Clock: c.clock()}), Advance: c.Advance}
	})
}

func TestRedisInProcess(t *testing.T) {
	t.Parallel()
	cachetest.Run(t, func(t *testing.T) cachetest.Instance {
		server := miniredis.RunT(t)
		return cachetest.Instance{
			Home:    openRedis(t, "redis://"+server.Addr(), cache.RedisOptions{}),
			Advance: server.FastForward, Flush: server.FlushAll,
		}
	})
}

func TestRedisServer(t *testing.T) {
	t.Parallel()
	cachetest.Run(t, func(t *testing.T) cachetest.Instance {
		server := testserver.Redis(t)
		driver := client(t, server.URL)
		return cachetest.Instance{
			Home: openRedis(t, server.URL, cache.RedisOptions{}),
			Flush: func() {
				if err := driver.FlushDB(context.Background()).Err(); err != nil {
					t.Error(err)
				}
			},
		}
	})
}
