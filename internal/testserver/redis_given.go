//go:build unix

package testserver

import (
	"context"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// redisClaim marks a database as taken. A claim left by a killed test expires.
const (
	redisClaim       = "docarchive-test-claim"
	redisClaimExpiry = 10 * time.Minute
	redisDatabases   = 16
)

// redisAt takes a database of a running server that is empty and that no other
// test has claimed, and empties it afterwards. A database with data in it is
// never touched.
func redisAt(t testing.TB, given string) *RedisServer {
	t.Helper()
	options, err := redis.ParseURL(given)
	location, parseErr := url.Parse(given)
	if err != nil || parseErr != nil {
		t.Fatal("TEST_REDIS_URL is not a Redis URL") // not the URL itself: it may hold a password
	}
	for database := options.DB; database < redisDatabases; database++ {
		o := *options
		o.DB = database
		client := redis.NewClient(&o)
		claimed, err := claimRedis(t.Context(), client)
		if !claimed || err != nil {
			_ = client.Close()
			if err != nil {
				t.Fatalf("TEST_REDIS_URL, database %d: %v", database, err)
			}
			continue
		}
		t.Cleanup(func() {
			ctx, cancel := requests()
			defer cancel()
			if err := client.FlushDB(ctx).Err(); err != nil {
				t.Errorf("empty Redis database %d: %v", database, err)
			}
			_ = client.Close()
		})
		location.Path = "/" + strconv.Itoa(database)
		return &RedisServer{URL: location.String(), Addr: o.Addr, t: t}
	}
	t.Fatal("the Redis in TEST_REDIS_URL has no empty database left")
	return nil
}

// claimRedis tells whether the client's database is empty but for the claim it
// has just made.
func claimRedis(ctx context.Context, client *redis.Client) (bool, error) {
	claimed, err := client.SetNX(ctx, redisClaim, 1, redisClaimExpiry).Result()
	if err != nil || !claimed {
		return false, err
	}
	size, err := client.DBSize(ctx).Result()
	if err != nil {
		return false, err
	}
	if size == 1 {
		return true, nil
	}
	return false, client.Del(ctx, redisClaim).Err()
}
