//go:build unix

package testserver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

func connect(t *testing.T, url string) *redis.Client {
	t.Helper()
	options, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	options.MaxRetries = -1
	options.ContextTimeoutEnabled = true
	options.DialerRetries = 1
	client := redis.NewClient(options)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func TestRedisStopRestart(t *testing.T) {
	r := Redis(t, Private())
	client := connect(t, r.URL)
	ctx := t.Context()
	if err := client.Set(ctx, "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	r.Stop()
	if err := client.Get(ctx, "k").Err(); err == nil {
		t.Fatal("a stopped server answered")
	}
	r.Restart()
	if err := client.Get(ctx, "k").Err(); !errors.Is(err, redis.Nil) {
		t.Errorf("after a restart the key should be forgotten, got %v", err)
	}
}

func TestRedisPauseResume(t *testing.T) {
	r := Redis(t, Private())
	client := connect(t, r.URL)
	if err := client.Set(t.Context(), "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	r.Pause()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := client.Get(ctx, "k").Err(); err == nil {
		t.Error("a paused server answered")
	}
	r.Resume()
	if got, err := client.Get(t.Context(), "k").Result(); got != "v" || err != nil {
		t.Errorf("after resuming: %q, %v", got, err)
	}
}

func TestRedisArgs(t *testing.T) {
	r := Redis(t, Args("--maxmemory", "3mb"))
	got, err := connect(t, r.URL).ConfigGet(t.Context(), "maxmemory").Result()
	if err != nil || got["maxmemory"] != "3145728" {
		t.Errorf("maxmemory = %v, %v", got, err)
	}
}

func TestRedisEndsWithItsTest(t *testing.T) {
	var s *server
	var pid int
	for _, paused := range []bool{false, true} {
		t.Run("", func(t *testing.T) {
			r := Redis(t, Private())
			s, pid = r.server, r.server.cmd.Process.Pid
			if paused {
				r.Pause()
			}
		})
		if alive(t, s, pid) || exists(s.dir) {
			t.Errorf("paused %v: process group %d or folder %s is still there", paused, pid, s.dir)
		}
	}
}

func TestGivenRedisIsSharedAndLeftAsItWas(t *testing.T) {
	host := Redis(t, Private())
	ctx := t.Context()
	// Someone's data stands in database 1 and must survive.
	owned := connect(t, "redis://"+host.Addr+"/1")
	if err := owned.Set(ctx, "theirs", "x", 0).Err(); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TEST_REDIS_URL", host.URL)
	t.Run("two tests", func(t *testing.T) {
		first, second := Redis(t), Redis(t)
		if !strings.HasSuffix(first.URL, "/0") || !strings.HasSuffix(second.URL, "/2") {
			t.Errorf("got %s and %s", first.URL, second.URL)
		}
		if err := connect(t, first.URL).Set(ctx, "k", "v", 0).Err(); err != nil {
			t.Fatal(err)
		}
	})
	if size := connect(t, host.URL).DBSize(ctx).Val(); size != 0 {
		t.Errorf("%d keys are left", size)
	}
	if got := owned.Get(ctx, "theirs").Val(); got != "x" {
		t.Errorf("the owner's key is %q", got)
	}
}

func TestMissingToolSkipsButFailsInCI(t *testing.T) {
	t.Setenv("DOCARCHIVE_TOOLS", t.TempDir())
	for ci, want := range map[string]string{"": "skip", "true": "fatal"} {
		t.Setenv("CI", ci)
		if os.Getenv("CI") != ci {
			t.Fatal("the environment was not set")
		}
		recorder := &outcome{TB: t}
		recorder.run(func() { tool(recorder, "bin", "versitygw") })
		if recorder.what != want || !strings.Contains(recorder.message, "make servers") {
			t.Errorf("CI=%q: %s %q, want %s", ci, recorder.what, recorder.message, want)
		}
	}
}

// outcome records how a test would have ended.
type outcome struct {
	testing.TB
	what, message string
}

func (o *outcome) Helper() {}

func (o *outcome) end(what string, args []any) {
	o.what, o.message = what, args[0].(string)
	panic(o)
}

func (o *outcome) Skip(args ...any) { o.end("skip", args) }
func (o *outcome) Fatalf(format string, args ...any) {
	o.end("fatal", []any{fmt.Sprintf(format, args...)})
}
func (o *outcome) Fatal(args ...any) { o.end("fatal", args) }

func (o *outcome) run(do func()) {
	defer func() {
		if ended := recover(); ended != nil && ended != any(o) {
			panic(ended)
		}
	}()
	do()
}
