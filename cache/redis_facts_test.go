package cache_test

import (
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/adteco/docarchive/cache"
	"github.com/adteco/docarchive/internal/testserver"
)

func TestRedisFacts(t *testing.T) {
	for name, c := range map[string]struct {
		args      []string
		policy    string
		maxMemory int64
		saves     bool
	}{
		"bare":    {nil, "noeviction", 0, false},
		"evicts":  {[]string{"--maxmemory", "50mb", "--maxmemory-policy", "allkeys-lru"}, "allkeys-lru", 50 << 20, false},
		"durable": {[]string{"--appendonly", "yes"}, "noeviction", 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			server := testserver.Redis(t, testserver.Args(c.args...))
			home, err := cache.OpenRedis(t.Context(), server.URL, cache.RedisOptions{})
			if err != nil {
				t.Fatal(err)
			}
			defer home.Close()
			f, err := home.Facts(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if f.Policy != c.policy || f.MaxMemory != c.maxMemory || f.Saves != c.saves || f.Role != "master" || f.Version == "" || f.Used == 0 || f.Latency <= 0 {
				t.Errorf("facts: %+v", f)
			}
			client := redis.NewClient(&redis.Options{Addr: server.Addr})
			defer client.Close()
			if n, err := client.DBSize(t.Context()).Result(); err != nil || n != 0 {
				t.Errorf("%d keys are left, %v", n, err)
			}
		})
	}
}

// TestRedisFactsRefused asks one that takes no writes, and none.
func TestRedisFactsRefused(t *testing.T) {
	server := testserver.Redis(t, testserver.Args("--maxmemory", "1", "--maxmemory-policy", "noeviction"))
	home, err := cache.OpenRedis(t.Context(), server.URL, cache.RedisOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer home.Close()
	f, err := home.Facts(t.Context())
	if err == nil || !strings.Contains(err.Error(), "OOM") || f.Policy != "noeviction" {
		t.Errorf("%+v, %v", f, err)
	}
	away, err := cache.OpenRedis(t.Context(), "redis://127.0.0.1:1/0", cache.RedisOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer away.Close()
	if f, err := away.Facts(t.Context()); err == nil {
		t.Errorf("a redis that is away says %+v", f)
	}
}
