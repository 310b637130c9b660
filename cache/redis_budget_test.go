package cache_test

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/adteco/docarchive/cache"
	"github.com/adteco/docarchive/docextract"
)

// station is one Redis and a clock that both it and its clients go by. Sleeping
// is moving the clock.
type station struct {
	t      *testing.T
	server *miniredis.Miniredis

	onSleep func(time.Duration)

	mu  sync.Mutex
	now time.Time
}

func newStation(t *testing.T) *station {
	s := &station{t: t, server: miniredis.RunT(t), now: time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)}
	s.server.SetTime(s.now)
	return s
}

func (s *station) time() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *station) sleep(ctx context.Context, d time.Duration) error {
	if s.onSleep != nil {
		s.onSleep(d)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
	s.server.SetTime(s.now)
	return context.Cause(ctx)
}

// process is a limiter as another process would have it.
func (s *station) process(o cache.BudgetOptions) *cache.RedisBudget {
	home := openRedis(s.t, "redis://"+s.server.Addr(), cache.RedisOptions{
		Clock: docextract.Clock{Now: s.time, Sleep: s.sleep},
	})
	if o.Key == "" {
		o.Key = "sk_test_secret"
	}
	return home.NewBudget(o)
}

// waited is how long the next request has to wait.
func (s *station) waited(b *cache.RedisBudget) time.Duration {
	s.t.Helper()
	before := s.time()
	if err := b.Wait(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	return s.time().Sub(before)
}

// window is the answer's header of a window that resets at a time.
func window(limit, remaining int, reset time.Time) http.Header {
	h := http.Header{}
	h.Set("X-RateLimit-Limit", strconv.Itoa(limit))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(remaining))
	h.Set("X-RateLimit-Reset", strconv.FormatInt(reset.Unix(), 10))
	return h
}

func about(d, want time.Duration) bool { return d >= want && d <= want+want/10+100*time.Millisecond }

func TestBudgetIsShared(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	one, two := s.process(cache.BudgetOptions{}), s.process(cache.BudgetOptions{})
	reset := s.time().Add(40 * time.Second)
	if d := s.waited(one); d != 0 {
		t.Fatalf("the first request waited %s", d)
	}
	one.Observe(200, window(60, 2, reset))
	// Two are left, for both together.
	if d := s.waited(two); d != 0 {
		t.Errorf("the second request waited %s", d)
	}
	if d := s.waited(one); d != 0 {
		t.Errorf("the third request waited %s", d)
	}
	if d := s.waited(two); !about(d, 40*time.Second) {
		t.Errorf("the fourth request waited %s, want the rest of the window", d)
	}
	for _, key := range s.server.Keys() {
		if strings.Contains(key, "sk_test") {
			t.Errorf("the API key stands in Redis: %s", key)
		}
	}
}

func TestBudgetCountsWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	one, two := s.process(cache.BudgetOptions{}), s.process(cache.BudgetOptions{})
	reset := s.time().Add(40 * time.Second)
	s.waited(one)
	one.Observe(200, window(60, 10, reset))
	s.waited(one)
	s.waited(two)
	s.waited(two)
	// The server had counted one of the three when it answered.
	one.Observe(200, window(60, 2, reset))
	if d := s.waited(one); !about(d, 40*time.Second) {
		t.Errorf("a request waited %s, though two under way had taken what was left", d)
	}
	two.Failed()
	two.Failed()
}

func TestBudgetOfADeadProcessComesBack(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	s.waited(s.process(cache.BudgetOptions{})) // and never answers
	if d := s.waited(s.process(cache.BudgetOptions{})); !about(d, 5*time.Second) {
		t.Errorf("the next process waited %s for the dead one's request", d)
	}
}

// What a dead process had under way costs its requests, once.
func TestBudgetCountsADeadProcessOnce(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	live, dead := s.process(cache.BudgetOptions{}), s.process(cache.BudgetOptions{})
	reset := s.time().Add(40 * time.Second)
	s.waited(live)
	live.Observe(200, window(10, 9, reset))
	for range 4 {
		s.waited(dead)
	}
	if err := s.sleep(t.Context(), 6*time.Second); err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		if d := s.waited(live); d != 0 {
			t.Errorf("request %d of the five that are left waited %s", i, d)
		}
		live.Observe(200, window(10, 4-i, reset))
	}
	if d := s.waited(live); !about(d, 34*time.Second) {
		t.Errorf("waited %s, want the rest of the window", d)
	}
	live.Observe(200, window(10, 9, reset.Add(time.Minute)))
	for i := range 9 {
		if d := s.waited(live); d != 0 {
			t.Errorf("request %d of the next window waited %s", i, d)
		}
	}
}

func TestBudgetKeepsToEveryWindow(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	b := s.process(cache.BudgetOptions{})
	hour := s.time().Add(30 * time.Minute)
	s.waited(b)
	b.Observe(200, window(3000, 1, hour))
	s.waited(b)
	b.Observe(200, window(60, 30, s.time().Add(20*time.Second)))
	// The minute has room, the hour has none.
	left := hour.Sub(s.time())
	if d := s.waited(b); !about(d, left) {
		t.Errorf("waited %s, want the rest of the hour, %s", d, left)
	}
}

func TestBudgetPausesAll(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		header map[string]string
		want   time.Duration
	}{
		"Retry-After": {map[string]string{"Retry-After": "17"}, 17 * time.Second},
		"the reset":   {map[string]string{"X-RateLimit-Reset": "9"}, 9 * time.Second},
		"nothing":     {nil, time.Second},
		"absurd":      {map[string]string{"Retry-After": "99999999999999999999"}, time.Second},
		"a day":       {map[string]string{"Retry-After": "86400"}, 2 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStation(t)
			one, two := s.process(cache.BudgetOptions{}), s.process(cache.BudgetOptions{})
			s.waited(one)
			h := http.Header{}
			for key, value := range c.header {
				h.Set(key, value)
			}
			one.Observe(http.StatusTooManyRequests, h)
			if d := s.waited(two); !about(d, c.want) {
				t.Errorf("the other process waited %s, want %s", d, c.want)
			}
			two.Observe(http.StatusTooManyRequests, http.Header{})
			if d := s.waited(one); name == "nothing" && !about(d, 2*time.Second) {
				t.Errorf("after the second 429 without a word: %s, want twice as long", d)
			}
		})
	}
}

func TestBudgetProbes(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	one, two := s.process(cache.BudgetOptions{}), s.process(cache.BudgetOptions{})
	s.waited(one)
	// Nothing is known: the second request waits for the first one's answer.
	ctx, cancel := context.WithCancelCause(t.Context())
	stopped := errors.New("stopped")
	s.onSleep = func(d time.Duration) {
		if d > time.Second {
			t.Errorf("waits %s before it looks again for the answer", d)
		}
		cancel(stopped)
	}
	if err := two.Wait(ctx); !errors.Is(err, stopped) {
		t.Fatalf("the second request did not wait for the first one's answer: %v", err)
	}
	one.Observe(200, http.Header{})
	// A server without headers is not probed.
	for range 5 {
		if d := s.waited(two); d != 0 {
			t.Errorf("waited %s for a server that says nothing", d)
		}
	}
}

// Rate and burst together never exceed the configured allowance, in any minute
// and in any hour, however many processes there are.
func TestBudgetOfOurOwn(t *testing.T) {
	t.Parallel()
	for _, perMinute := range []int{1, 7, 60} {
		s := newStation(t)
		o := cache.BudgetOptions{PerMinute: perMinute, PerHour: 20 * perMinute}
		processes := []*cache.RedisBudget{s.process(o), s.process(o), s.process(o)}
		var sent []time.Time
		for i := range 25 * perMinute {
			b := processes[i%len(processes)]
			s.waited(b)
			sent = append(sent, s.time())
			b.Observe(200, http.Header{})
		}
		for period, allowed := range map[time.Duration]int{time.Minute: perMinute, time.Hour: 20 * perMinute} {
			if most := busiest(sent, period); most > allowed || most < allowed*8/10 {
				t.Errorf("%d requests in the busiest %s, allowed are %d", most, period, allowed)
			}
		}
	}
}

func busiest(sent []time.Time, period time.Duration) (most int) {
	for i, first := 0, 0; i < len(sent); i++ {
		for sent[i].Sub(sent[first]) >= period {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}

func TestBudgetWithoutRedis(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	b := s.process(cache.BudgetOptions{
		Processes: 3,
	})
	s.waited(b)
	s.server.Close()
	reset := s.time().Add(40 * time.Second)
	b.Observe(200, window(60, 59, reset)) // was admitted by Redis, which is gone
	s.waited(b)
	b.Observe(200, window(60, 43, reset))
	// Forty may be spent by the two others still.
	for i := range 3 {
		if d := s.waited(b); d != 0 {
			t.Errorf("request %d of our share waited %s", i, d)
		}
	}
	if d := s.waited(b); !about(d, 40*time.Second) {
		t.Errorf("beyond our share: waited %s", d)
	}
	for range 4 {
		b.Failed()
	}
}

// The last requests of a window are not given up because others are under way:
// their answers tell whether they were counted.
func TestBudgetSpendsTheLast(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	one, two := s.process(cache.BudgetOptions{}), s.process(cache.BudgetOptions{})
	reset := s.time().Add(40 * time.Second)
	s.waited(one)
	one.Observe(200, window(60, 3, reset))
	s.waited(one)
	s.waited(two)
	// Both were in the count already.
	one.Observe(200, window(60, 1, reset))
	two.Observe(200, window(60, 1, reset))
	if d := s.waited(two); d != 0 {
		t.Errorf("the last request waited %s", d)
	}
	two.Observe(200, window(60, 0, reset))
	if d := s.waited(one); !about(d, 40*time.Second) {
		t.Errorf("waited %s with nothing left, want the rest of the window", d)
	}
}

// A new window is used at once, and by no more requests than the last one held
// until an answer tells.
func TestBudgetOpensAWindow(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	one, two := s.process(cache.BudgetOptions{}), s.process(cache.BudgetOptions{})
	s.waited(one)
	one.Observe(200, window(3, 0, s.time().Add(20*time.Second)))
	if d := s.waited(two); !about(d, 20*time.Second) {
		t.Fatalf("waited %s, want until the reset", d)
	}
	if a, b := s.waited(one), s.waited(two); a != 0 || b != 0 {
		t.Errorf("waited %s and %s in the new window", a, b)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	stopped := errors.New("stopped")
	s.onSleep = func(time.Duration) { cancel(stopped) }
	if err := one.Wait(ctx); !errors.Is(err, stopped) {
		t.Errorf("a fourth request is under way in a window that held three: %v", err)
	}
}

// Answers come out of order: an old one does not give back what is spent, in
// its own window or in the next.
func TestBudgetOldAnswers(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	b := s.process(cache.BudgetOptions{})
	reset := s.time().Add(40 * time.Second)
	s.waited(b)
	b.Observe(200, window(60, 5, reset))
	s.waited(b)
	b.Observe(200, window(60, 0, reset))
	b.Observe(200, window(60, 3, reset))
	b.Observe(200, window(60, 30, reset.Add(-20*time.Second)))
	if d := s.waited(b); !about(d, 40*time.Second) {
		t.Errorf("waited %s, want the rest of the window", d)
	}
}
