//go:build unix

package testserver

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"syscall"
	"testing"
)

// RedisServer is a Redis of one test. Its methods are called by the test's own
// goroutine and end the test when they fail.
type RedisServer struct {
	URL  string // redis://HOST:PORT/DB
	Addr string // HOST:PORT

	t      testing.TB
	server *server // nil: not ours to control
}

// RedisOption changes how a Redis is started.
type RedisOption func(*redisOptions)

type redisOptions struct {
	private bool
	args    []string
}

// Private asks for a server of the test's own even if TEST_REDIS_URL is set.
// Tests that stop, restart or pause it need one.
func Private() RedisOption {
	return func(o *redisOptions) { o.private = true }
}

// Args adds arguments to redis-server's, such as "--maxmemory", "2mb". It
// implies [Private].
func Args(args ...string) RedisOption {
	return func(o *redisOptions) {
		o.private = true
		o.args = append(o.args, args...)
	}
}

// Redis gives a test an empty Redis database that ends with it: a server of its
// own without persistence, or a free database of the server in TEST_REDIS_URL.
func Redis(t testing.TB, options ...RedisOption) *RedisServer {
	t.Helper()
	var o redisOptions
	for _, option := range options {
		option(&o)
	}
	if url := os.Getenv("TEST_REDIS_URL"); url != "" && !o.private {
		return redisAt(t, url)
	}
	binary := systemBinary(t, "redis-server", "redis-server")
	s, err := start(program{
		name:    "redis",
		account: "redis",
		quit:    syscall.SIGTERM,
		command: func(s *server) []string {
			return append([]string{
				binary, "--port", strconv.Itoa(s.port), "--bind", "127.0.0.1",
				"--dir", s.dir, "--save", "", "--appendonly", "no",
			}, o.args...)
		},
		ready: redisReady,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
	})
	s.explain(t)
	return &RedisServer{URL: "redis://" + s.address() + "/0", Addr: s.address(), t: t, server: s}
}

// Stop ends the server and forgets its data. Stopping twice is no error.
func (r *RedisServer) Stop() {
	r.t.Helper()
	r.control((*server).down)
}

// Restart ends the server if it runs and starts it, empty, on the same port.
func (r *RedisServer) Restart() {
	r.t.Helper()
	r.control((*server).down)
	r.control(func(s *server) error {
		if err := s.up(); err != nil {
			return fmt.Errorf("restart %s: %w", s.program.name, err)
		}
		return nil
	})
}

// Pause freezes the server: connections stand, nothing answers.
func (r *RedisServer) Pause() {
	r.t.Helper()
	r.control(func(s *server) error { return s.signal(syscall.SIGSTOP) })
}

// Resume lets a paused server go on where it was.
func (r *RedisServer) Resume() {
	r.t.Helper()
	r.control(func(s *server) error { return s.signal(syscall.SIGCONT) })
}

func (r *RedisServer) control(do func(*server) error) {
	r.t.Helper()
	if r.server == nil {
		r.t.Fatal("the Redis in TEST_REDIS_URL is not the test's to control: ask for testserver.Redis(t, testserver.Private())")
	}
	if err := do(r.server); err != nil {
		r.t.Fatal(err)
	}
}

// redisReady speaks just enough of the protocol to hear a PONG. A server that
// wants a password is up, too.
func redisReady(ctx context.Context, address string) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return err
		}
	}
	if _, err := conn.Write([]byte("PING\r\n")); err != nil {
		return err
	}
	answer := make([]byte, 64)
	n, err := conn.Read(answer)
	if err != nil {
		return err
	}
	if text := string(answer[:n]); text != "+PONG\r\n" && text[:1] != "-" {
		return fmt.Errorf("answered %q to PING", text)
	}
	return nil
}
