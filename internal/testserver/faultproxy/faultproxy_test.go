package faultproxy_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sync/errgroup"

	"github.com/adteco/docarchive/internal/testserver/faultproxy"
)

// echo answers every byte with the same byte.
func echo(t *testing.T) string {
	t.Helper()
	return serve(t, func(conn net.Conn) { _, _ = io.Copy(conn, conn) }) // broken connections are the point
}

// serve hands every connection to answer, in a goroutine each, until the test ends.
func serve(t *testing.T, answer func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var group errgroup.Group
	group.Go(func() error {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return nil // the test has ended
			}
			group.Go(func() error {
				defer conn.Close()
				answer(conn)
				return nil
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		_ = group.Wait()
	})
	return listener.Addr().String()
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// ask sends a message and reads an answer of the same length. It returns what
// came, and the error that cut it short.
func ask(conn net.Conn, message string, patience time.Duration) (string, error) {
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return "", err
	}
	if _, err := io.WriteString(conn, message); err != nil {
		return "", err
	}
	answer := make([]byte, len(message))
	n, err := io.ReadFull(conn, answer)
	return string(answer[:n]), err
}

const patience = 5 * time.Second

func TestFaults(t *testing.T) {
	tests := map[string]struct {
		fault func(*faultproxy.Proxy)
		check func(*testing.T, *faultproxy.Proxy)
	}{
		"none": {func(*faultproxy.Proxy) {}, works},
		"down": {(*faultproxy.Proxy).Down, func(t *testing.T, p *faultproxy.Proxy) {
			if _, err := net.Dial("tcp", p.Addr); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("connecting: %v", err)
			}
		}},
		"hang": {(*faultproxy.Proxy).Hang, func(t *testing.T, p *faultproxy.Proxy) {
			if got, err := ask(dial(t, p.Addr), "hello", 50*time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) || got != "" {
				t.Errorf("got %q, %v", got, err)
			}
		}},
		"latency": {func(p *faultproxy.Proxy) { p.Latency(60 * time.Millisecond) }, func(t *testing.T, p *faultproxy.Proxy) {
			begin := time.Now()
			works(t, p)
			if took := time.Since(begin); took < 60*time.Millisecond {
				t.Errorf("answered after %s", took)
			}
		}},
		"reset": {(*faultproxy.Proxy).ResetPeer, func(t *testing.T, p *faultproxy.Proxy) {
			if got, err := ask(dial(t, p.Addr), "hello", patience); !errors.Is(err, syscall.ECONNRESET) || got != "" {
				t.Errorf("got %q, %v", got, err)
			}
		}},
		"limit": {func(p *faultproxy.Proxy) { p.LimitData(3) }, func(t *testing.T, p *faultproxy.Proxy) {
			if got, err := ask(dial(t, p.Addr), "hello", patience); got != "hel" || !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("got %q, %v", got, err)
			}
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			goroutines := goleak.IgnoreCurrent()
			t.Cleanup(func() { goleak.VerifyNone(t, goroutines) })
			p := faultproxy.New(t, echo(t))
			standing := dial(t, p.Addr)
			if _, err := ask(standing, "hi", patience); err != nil {
				t.Fatal(err)
			}
			test.fault(p)
			test.check(t, p)
			p.Up()
			works(t, p)
		})
	}
}

func works(t *testing.T, p *faultproxy.Proxy) {
	t.Helper()
	if got, err := ask(dial(t, p.Addr), "hello", patience); got != "hello" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestStandingConnectionsBreak(t *testing.T) {
	for name, fault := range map[string]func(*faultproxy.Proxy){
		"down":  (*faultproxy.Proxy).Down,
		"reset": (*faultproxy.Proxy).ResetPeer,
		"limit": func(p *faultproxy.Proxy) { p.LimitData(0) },
	} {
		t.Run(name, func(t *testing.T) {
			p := faultproxy.New(t, echo(t))
			conn := dial(t, p.Addr)
			if _, err := ask(conn, "hi", patience); err != nil {
				t.Fatal(err)
			}
			fault(p)
			if got, err := ask(conn, "hello", patience); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

// The client still sends while the answer is cut off: both directions break.
func TestCutOffInTheMiddleOfALongAnswer(t *testing.T) {
	known := append(faultproxy.Leftovers(), goleak.IgnoreCurrent())
	t.Cleanup(func() { goleak.VerifyNone(t, known...) })
	p := faultproxy.New(t, echo(t))
	p.LimitData(100_000)
	conn := dial(t, p.Addr)
	sent := bytes.Repeat([]byte("x"), 4<<20)
	var group errgroup.Group
	group.Go(func() error {
		_, _ = conn.Write(sent) // fails when the connection is cut
		return nil
	})
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	got, _ := io.Copy(io.Discard, conn)
	_ = conn.Close()
	_ = group.Wait()
	if got != 100_000 {
		t.Errorf("%d bytes came through", got)
	}
}

// The usual case, a short request and a long answer, must leave nothing behind.
func TestCutOffLongAnswerLeavesNoGoroutine(t *testing.T) {
	for name, fault := range map[string]func(*faultproxy.Proxy){
		"reset": (*faultproxy.Proxy).ResetPeer,
		"limit": func(p *faultproxy.Proxy) { p.LimitData(100_000) },
	} {
		t.Run(name, func(t *testing.T) {
			goroutines := goleak.IgnoreCurrent()
			t.Cleanup(func() { goleak.VerifyNone(t, goroutines) })
			answer := bytes.Repeat([]byte("x"), 4<<20)
			p := faultproxy.New(t, serve(t, func(conn net.Conn) { _, _ = conn.Write(answer) }))
			fault(p)
			conn, err := net.Dial("tcp", p.Addr)
			if errors.Is(err, syscall.ECONNRESET) {
				return // the reset came before the connection was told to stand
			}
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_ = conn.SetReadDeadline(time.Now().Add(patience))
			if got, err := io.Copy(io.Discard, conn); got > 100_000 || errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("%d bytes came through, %v", got, err)
			}
		})
	}
}
