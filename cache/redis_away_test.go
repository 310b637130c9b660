package cache_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/adteco/docarchive/cache"
)

// allowance is what a dead Redis may cost a whole run.
const allowance = 2 * time.Second

// refusedPort is an address where nobody listens.
func refusedPort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// hangingPort is an address where somebody accepts and never answers.
func hangingPort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		var held []net.Conn
		defer func() {
			for _, c := range held {
				_ = c.Close()
			}
		}()
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			held = append(held, conn)
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		<-done
	})
	return listener.Addr().String()
}

// wholeRun uses everything that a home offers, as often as a long run would,
// and checks that a cache which is away is no error.
func wholeRun(t *testing.T, home *cache.Redis) {
	t.Helper()
	ctx := t.Context()
	budget := home.NewBudget(cache.BudgetOptions{Key: "sk_test_1"})
	for i := range 300 {
		set := theSet
		set.Window = fmt.Sprint(i)
		if _, known, err := home.Filter(ctx, set, []string{"a"}); known || err != nil {
			t.Fatalf("Filter: known %v, %v", known, err)
		}
		if err := home.Mark(ctx, set, []string{"a", "b"}); err != nil {
			t.Fatal(err)
		}
		home.Put(ctx, "job_1", []byte(someJob))
		if _, ok := home.Get(ctx, "job_1"); ok {
			t.Fatal("a job came from nowhere")
		}
		if err := budget.Wait(ctx); err != nil {
			t.Fatal(err)
		}
		budget.Observe(200, nil)
	}
	lease, err := home.Acquire(ctx, "archive:lease:invoices", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	var held *cache.ErrHeld
	if _, err := home.Acquire(ctx, "archive:lease:invoices", time.Minute); !errors.As(err, &held) {
		t.Errorf("without Redis a lease does not exclude this process: %v", err)
	}
	if err := lease.Release(ctx); err != nil {
		t.Fatal(err)
	}
	if previous, err := home.Remember(ctx, "s3://bucket", "archive"); previous != "" || err != nil {
		t.Errorf("Remember: %q, %v", previous, err)
	}
}

func TestDeadRedisCostsLittle(t *testing.T) {
	t.Parallel()
	for name, addr := range map[string]string{"refused": refusedPort(t), "hanging": hangingPort(t)} {
		for _, scheme := range []string{"redis", "rediss"} {
			t.Run(name+" "+scheme, func(t *testing.T) {
				t.Parallel()
				var log logged
				start := time.Now()
				home := openRedis(t, scheme+"://user:secret@"+addr+"/0", cache.RedisOptions{Logger: log.logger()})
				wholeRun(t, home)
				if err := home.Forget(t.Context(), "s3://bucket"); err == nil {
					t.Error("Forget did not say that the archive is still remembered")
				}
				if err := home.Close(); err != nil {
					t.Fatal(err)
				}
				if took := time.Since(start); took > allowance {
					t.Errorf("a run took %s longer, more than %s", took, allowance)
				}
				if log.warnings() != 1 || strings.Contains(log.String(), "secret") {
					t.Errorf("want one warning without secrets, got:\n%s", log.String())
				}
			})
		}
	}
}

func TestRedisDiesInMidRun(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	var log logged
	home := openRedis(t, "redis://"+server.Addr(), cache.RedisOptions{Logger: log.logger()})
	mark(t, home, "a", "b")
	if !known(t, home) {
		t.Fatal("not known while Redis lives")
	}
	server.Close()
	start := time.Now()
	wholeRun(t, home)
	if took := time.Since(start); took > allowance {
		t.Errorf("a run took %s longer", took)
	}
	if log.warnings() != 1 {
		t.Errorf("want one warning, got:\n%s", log.String())
	}
}

func TestCallersCancellation(t *testing.T) {
	t.Parallel()
	addr := hangingPort(t)
	home := openRedis(t, "redis://"+addr, cache.RedisOptions{})
	ctx, cancel := context.WithCancelCause(t.Context())
	stopped := errors.New("stopped")
	cancel(stopped)
	if _, _, err := home.Filter(ctx, theSet, []string{"a"}); !errors.Is(err, stopped) {
		t.Errorf("Filter: %v", err)
	}
	if err := home.Mark(ctx, theSet, []string{"a"}); !errors.Is(err, stopped) {
		t.Errorf("Mark: %v", err)
	}
	if err := home.NewBudget(cache.BudgetOptions{}).Wait(ctx); !errors.Is(err, stopped) {
		t.Errorf("Wait: %v", err)
	}
	if _, err := home.Acquire(ctx, "l", time.Minute); !errors.Is(err, stopped) {
		t.Errorf("Acquire: %v", err)
	}
	if _, err := cache.OpenRedis(ctx, "redis://"+addr, cache.RedisOptions{}); !errors.Is(err, stopped) {
		t.Errorf("OpenRedis: %v", err)
	}
}

func TestRedisConfiguration(t *testing.T) {
	t.Parallel()
	locked := miniredis.RunT(t)
	locked.RequireAuth("right")
	open := miniredis.RunT(t)
	for name, c := range map[string]struct {
		url  string
		want error
	}{
		"right password":     {"redis://:right@" + locked.Addr(), nil},
		"wrong password":     {"redis://:wrong@" + locked.Addr(), cache.ErrAuth},
		"no password":        {"redis://" + locked.Addr(), cache.ErrAuth},
		"wrong user":         {"redis://nobody:right@" + locked.Addr(), cache.ErrAuth},
		"another scheme":     {"http://:wrong@" + open.Addr(), cache.ErrURL},
		"a socket":           {"unix:///tmp/wrong.sock", cache.ErrURL},
		"no URL":             {"wrong", cache.ErrURL},
		"not a URL":          {"redis://:wro\x7fng@host", cache.ErrURL},
		"no host":            {"redis://:wrong@:6379/0", cache.ErrURL},
		"not a database":     {"redis://:wrong@" + open.Addr() + "/x", cache.ErrURL},
		"unknown parameter":  {"redis://:wrong@" + open.Addr() + "/0?wrong=1", cache.ErrURL},
		"TLS not verified":   {"rediss://:wrong@" + open.Addr() + "/0?skip_verify=true", cache.ErrURL},
		"timeouts overruled": {"redis://" + open.Addr() + "/0?read_timeout=1h&max_retries=9", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			home, err := cache.OpenRedis(t.Context(), c.url, cache.RedisOptions{})
			if !errors.Is(err, c.want) {
				t.Fatalf("error %v, want %v", err, c.want)
			}
			if err != nil {
				if strings.Contains(err.Error(), "wrong") || strings.Contains(err.Error(), "\n") {
					t.Errorf("the error quotes the URL or has several lines: %q", err)
				}
				return
			}
			closing(t, home)
		})
	}
}

func TestPasswordChangedInMidRun(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	var log logged
	home := openRedis(t, "redis://"+server.Addr(), cache.RedisOptions{Logger: log.logger()})
	server.RequireAuth("new")
	wholeRun(t, home)
	if log.warnings() != 1 {
		t.Errorf("want one warning, got:\n%s", log.String())
	}
}

func TestRefusalsAreNoErrors(t *testing.T) {
	t.Parallel()
	for _, answer := range []string{
		"LOADING Redis is loading the dataset in memory", "MOVED 3999 127.0.0.1:6381", "CLUSTERDOWN The cluster is down",
		"MASTERDOWN Link with MASTER is down", "OOM command not allowed when used memory > 'maxmemory'.",
		"READONLY You can't write against a read only replica.", "NOPERM this user has no permissions", "ERR something else",
	} {
		t.Run(answer[:5], func(t *testing.T) {
			t.Parallel()
			server := miniredis.RunT(t)
			var log logged
			home := openRedis(t, "redis://"+server.Addr(), cache.RedisOptions{Logger: log.logger()})
			server.SetError(answer)
			wholeRun(t, home)
			if log.warnings() != 1 {
				t.Errorf("want one warning, got:\n%s", log.String())
			}
		})
	}
}
