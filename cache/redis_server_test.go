package cache_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/adteco/docarchive/cache"
	"github.com/adteco/docarchive/internal/testserver"
)

func watched(t *testing.T, url string) (*cache.Redis, *logged) {
	t.Helper()
	log := new(logged)
	return openRedis(t, url, cache.RedisOptions{Logger: log.logger()}), log
}

func manyIDs(prefix string, n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("%s_%06d_%s", prefix, i, strings.Repeat("x", 40))
	}
	return ids
}

// A Redis that evicts drops whole sets, at any moment. What it still knows is
// right.
func TestServerEvicts(t *testing.T) {
	t.Parallel()
	server := testserver.Redis(t, testserver.Args("--maxmemory", "3mb", "--maxmemory-policy", "allkeys-lru"))
	home, log := watched(t, server.URL)
	lost := 0
	for i := range 20 {
		ids := manyIDs("job", 2000)
		set := theSet
		set.Window, set.Count = fmt.Sprint(i), int64(len(ids))
		if err := home.Mark(t.Context(), set, ids); err != nil {
			t.Fatal(err)
		}
		for j := range i + 1 {
			set.Window = fmt.Sprint(j)
			fresh, known, err := home.Filter(t.Context(), set, append(ids[:10:10], "z"))
			switch {
			case err != nil:
				t.Fatal(err)
			case !known:
				lost++
			case len(fresh) != 1 || fresh[0] != "z":
				t.Fatalf("window %d: fresh %q", j, fresh)
			}
		}
	}
	if lost == 0 {
		t.Error("nothing was evicted: the test proves nothing")
	}
	if log.warnings() > 1 {
		t.Errorf("log:\n%s", log.String())
	}
}

func TestServerIsFull(t *testing.T) {
	t.Parallel()
	server := testserver.Redis(t, testserver.Args("--maxmemory", "1mb", "--maxmemory-policy", "noeviction"))
	home, log := watched(t, server.URL)
	wholeRun(t, home)
	if log.warnings() != 1 || !strings.Contains(log.String(), "OOM") {
		t.Errorf("want one warning, got:\n%s", log.String())
	}
}

func TestServerIsAReplica(t *testing.T) {
	t.Parallel()
	server := testserver.Redis(t, testserver.Private())
	home, log := watched(t, server.URL)
	mark(t, home, "a", "b")
	driver := client(t, server.URL)
	// Of a master that is not there, serving what it has.
	if err := driver.ReplicaOf(context.Background(), "127.0.0.1", "1").Err(); err != nil {
		t.Fatal(err)
	}
	if !known(t, home) {
		t.Error("a read-only Redis is not read")
	}
	wholeRun(t, home)
	if log.warnings() != 1 || !strings.Contains(log.String(), "READONLY") {
		t.Errorf("want one warning, got:\n%s", log.String())
	}
}

func TestServerWantsAPassword(t *testing.T) {
	t.Parallel()
	server := testserver.Redis(t, testserver.Args("--requirepass", "right"))
	with := func(user string) string { return strings.Replace(server.URL, "redis://", "redis://"+user, 1) }
	for _, user := range []string{":wrong@", "", "nobody:right@"} {
		if _, err := cache.OpenRedis(t.Context(), with(user), cache.RedisOptions{}); !errors.Is(err, cache.ErrAuth) {
			t.Errorf("%q: %v", user, err)
		}
	}
	home, _ := watched(t, with(":right@"))
	mark(t, home, "a", "b")
	if !known(t, home) {
		t.Error("not known with the right password")
	}
}

func TestServerHangs(t *testing.T) {
	t.Parallel()
	server := testserver.Redis(t, testserver.Private())
	home, log := watched(t, server.URL)
	mark(t, home, "a", "b")
	server.Pause()
	defer server.Resume()
	start := time.Now()
	wholeRun(t, home)
	if took := time.Since(start); took > allowance {
		t.Errorf("a run took %s longer", took)
	}
	if log.warnings() != 1 {
		t.Errorf("want one warning, got:\n%s", log.String())
	}
}

func TestServerIsKilled(t *testing.T) {
	t.Parallel()
	server := testserver.Redis(t, testserver.Private())
	home, log := watched(t, server.URL)
	mark(t, home, "a", "b")
	if !known(t, home) {
		t.Fatal("not known while Redis lives")
	}
	server.Restart() // empty
	if known(t, home) {
		t.Error("known after everything was lost")
	}
	server.Stop()
	start := time.Now()
	wholeRun(t, home)
	if took := time.Since(start); took > allowance {
		t.Errorf("a run took %s longer", took)
	}
	if log.warnings() != 1 {
		t.Errorf("want one warning, got:\n%s", log.String())
	}
}

func TestServerHoldsOtherThings(t *testing.T) {
	t.Parallel()
	server := testserver.Redis(t)
	home, log := watched(t, server.URL)
	driver, ctx := client(t, server.URL), t.Context()
	for _, key := range []string{
		"docarchive:archive:seen:invoices:20261122:h1", "docarchive:archive:seen:invoices:20261122:h0",
		"job:job_1", "docarchive:archive:lease:invoices",
	} {
		if err := driver.HSet(ctx, key, "field", "value").Err(); err != nil {
			t.Fatal(err)
		}
	}
	set := theSet
	set.Base = "h0"
	if err := home.Mark(ctx, set, []string{"a", "b"}); err != nil {
		t.Fatal(err)
	}
	if known(t, home) {
		t.Error("a hash was taken for a set")
	}
	home.Put(ctx, "job_1", []byte(someJob)) // SET replaces whatever stands there
	if raw, ok := home.Get(ctx, "job_1"); !ok || string(raw) != someJob {
		t.Errorf("Get: %s, %v", raw, ok)
	}
	if err := driver.Set(ctx, "job:job_1", "rubbish", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if raw, ok := home.Get(ctx, "job_1"); ok {
		t.Errorf("rubbish was taken for a job: %s", raw)
	}
	if _, err := home.Acquire(ctx, "archive:lease:invoices", time.Minute); err != nil {
		t.Errorf("a lease that cannot be read: %v", err)
	}
	if log.warnings() != 1 || !strings.Contains(log.String(), "WRONGTYPE") {
		t.Errorf("want one warning, got:\n%s", log.String())
	}
}

// The scripts on a real server, with its own clock.
func TestServerKeepsTheBudget(t *testing.T) {
	t.Parallel()
	server := testserver.Redis(t)
	home, log := watched(t, server.URL)
	other, _ := watched(t, server.URL)
	one, two := home.NewBudget(cache.BudgetOptions{Key: "k", PerMinute: 600}), other.NewBudget(cache.BudgetOptions{Key: "k", PerMinute: 600})
	if err := one.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	one.Observe(200, window(60, 1, time.Now().Add(time.Hour)))
	if err := two.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if err := one.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the window is spent, and Wait returned %v", err)
	}
	two.Failed()
	ttl, err := client(t, server.URL).Keys(t.Context(), "docarchive:budget:*").Result()
	if err != nil || len(ttl) == 0 {
		t.Fatalf("keys: %q, %v", ttl, err)
	}
	for _, key := range ttl {
		if left := client(t, server.URL).PTTL(t.Context(), key).Val(); left <= 0 {
			t.Errorf("%s never expires", key)
		}
	}
	if log.warnings() != 0 {
		t.Errorf("log:\n%s", log.String())
	}
}
