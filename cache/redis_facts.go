package cache

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// RedisFacts is what a Redis says of itself. What it does not say is zero.
type RedisFacts struct {
	Version   string
	Role      string // master or slave
	MaxMemory int64  // in bytes; 0: no limit
	Used      int64  // bytes of memory
	Policy    string // what it drops when it is full, such as noeviction
	Saves     bool   // it has an append-only file, or has saved a snapshot that succeeded
	Latency   time.Duration
}

// latencyRounds is of how many exchanges the latency is the median.
const latencyRounds = 5

// Facts asks Redis what it is, and whether it takes what is written: a key that
// is removed at once. A Redis that is away is an error here.
func (r *Redis) Facts(ctx context.Context) (RedisFacts, error) {
	var f RedisFacts
	var rounds []time.Duration
	for range latencyRounds {
		start := time.Now()
		if err := r.guard.do(ctx, func(ctx context.Context) error { return r.client.Ping(ctx).Err() }); err != nil {
			return f, fmt.Errorf("ask redis: %w", err)
		}
		rounds = append(rounds, time.Since(start))
	}
	slices.Sort(rounds)
	f.Latency = rounds[latencyRounds/2]
	var text string
	err := r.guard.do(ctx, func(ctx context.Context) (err error) {
		text, err = r.client.Info(ctx).Result()
		return err
	})
	if err != nil {
		return f, fmt.Errorf("ask redis what it is: %w", err)
	}
	f.read(text)
	err = r.guard.do(ctx, func(ctx context.Context) error {
		key := "docarchive:check:" + newToken()
		_, err := r.client.Pipelined(ctx, func(p redis.Pipeliner) error {
			p.Set(ctx, key, "", time.Minute)
			p.Del(ctx, key)
			return nil
		})
		return err
	})
	if err != nil {
		return f, fmt.Errorf("write to redis: %w", err)
	}
	return f, nil
}

// read takes the facts from the answer to INFO.
func (f *RedisFacts) read(info string) {
	values := map[string]string{}
	for line := range strings.Lines(info) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			values[name] = value
		}
	}
	number := func(name string) int64 {
		n, _ := strconv.ParseInt(values[name], 10, 64) // what is no number was not said
		return n
	}
	f.Version, f.Role, f.Policy = values["redis_version"], values["role"], values["maxmemory_policy"]
	f.MaxMemory, f.Used = number("maxmemory"), number("used_memory")
	f.Saves = values["aof_enabled"] == "1" || number("rdb_saves") > 0 && values["rdb_last_bgsave_status"] == "ok"
}
