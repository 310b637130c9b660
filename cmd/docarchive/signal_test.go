package main

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// roadblock is an API that stops at one of its requests until it is told to go
// on.
type roadblock struct {
	next    http.Handler
	at      int64 // number of the request, from 1
	count   atomic.Int64
	reached chan struct{} // closed when the request has come
	release chan struct{} // close it to go on
}

func (b *roadblock) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if b.count.Add(1) == b.at {
		close(b.reached)
		select {
		case <-b.release:
		case <-r.Context().Done():
			return
		}
	}
	b.next.ServeHTTP(w, r)
}

// block serves the shell's account behind a roadblock at the request of that
// number.
func (s *shell) block(at int64) *roadblock {
	b := &roadblock{next: s.sim.Handler(), at: at, reached: make(chan struct{}), release: make(chan struct{})}
	s.serve(b)
	return b
}

// serve makes a handler the API that the shell's commands speak to.
func (s *shell) serve(h http.Handler) {
	server := httptest.NewServer(h)
	s.t.Cleanup(server.Close)
	s.env["DOCEXTRACT_BASE_URL"] = server.URL + "/v1"
}

// wait fails the test if the event does not come.
func wait(t *testing.T, event <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-event:
	case <-time.After(30 * time.Second):
		t.Fatalf("waited in vain until %s", what)
	}
}

// A signal lets the window in hand finish. What it brought is committed, the
// rest is left to the next run, and nothing is half-written.
func TestSignalFinishesTheWindowInHand(t *testing.T) {
	for _, c := range []struct {
		signal os.Signal
		status int
	}{{syscall.SIGTERM, exitTerminated}, {os.Interrupt, exitInterrupted}} {
		t.Run(c.signal.String(), func(t *testing.T) {
			s := newShell(t)
			b := s.block(4) // in the third window: the first request asks for the time
			stdout, stderr := newNotice("run "), newNotice("again to stop at once")
			done := make(chan struct{})
			var status int
			go func() {
				defer close(done)
				status = s.into(stdout, stderr, "run")
			}()
			wait(t, b.reached, "the third window is read")
			s.signals <- c.signal
			wait(t, stderr.seen, "the signal is answered")
			close(b.release)
			wait(t, done, "the run ends")
			if status != c.status {
				t.Errorf("exit status %d, want %d\n%s", status, c.status, stderr)
			}
			if n := b.count.Load(); n != b.at {
				t.Errorf("%d requests, want none after that of the window in hand, the %dth", n, b.at)
			}
			if !strings.Contains(stdout.String(), "jobs archived") {
				t.Errorf("the report does not tell what was archived:\n%s", stdout)
			}
			s.want(exitDone, `is sound`, "verify")
			s.want(exitDone, `jobs archived`, "run")
			s.want(exitDone, `is sound`, "verify")
			s.want(exitDone, `nothing new`, "run")
		})
	}
}

// The second signal does not wait for the window in hand.
func TestSecondSignalEndsAtOnce(t *testing.T) {
	s := newShell(t)
	b := s.block(3)
	var ended atomic.Int64
	s.exit = func(status int) { // the real one does not return
		ended.Store(int64(status))
		close(b.release)
	}
	stderr := newNotice("again to stop at once")
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.into(&bytes.Buffer{}, stderr, "run")
	}()
	wait(t, b.reached, "a window is read")
	s.signals <- os.Interrupt
	wait(t, stderr.seen, "the first signal is answered")
	if ended.Load() != 0 {
		t.Error("the first signal ends the program")
	}
	s.signals <- syscall.SIGTERM
	wait(t, done, "the run ends")
	if got := ended.Load(); got != exitTerminated {
		t.Errorf("the second signal ends with status %d, want %d", got, exitTerminated)
	}
}

// A simulator that is interrupted ends as it was told to.
func TestSignalEndsTheSimulator(t *testing.T) {
	s := newShell(t)
	stdout := newNotice("DOCEXTRACT_API_KEY")
	done := make(chan struct{})
	var status int
	go func() {
		defer close(done)
		status = s.into(stdout, &bytes.Buffer{}, "simulate", "--addr", "127.0.0.1:0", "--jobs", "3")
	}()
	wait(t, stdout.seen, "the simulator listens")
	s.signals <- os.Interrupt
	wait(t, done, "the simulator ends")
	if status != exitInterrupted {
		t.Errorf("exit status %d, want %d", status, exitInterrupted)
	}
}

// A window that does not finish is dropped after 20 s, and the program ends
// after 25 s whatever happens.
func TestSignalPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		signals, ended := make(chan os.Signal, 2), make(chan int, 1)
		a := &app{
			system: system{signals: signals, stderr: &bytes.Buffer{}, exit: func(status int) { ended <- status }},
			stop:   newStopper(),
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		start := time.Now()
		go a.watch(cancel, make(chan struct{}))
		signals <- syscall.SIGTERM
		<-a.stop.begin
		if elapsed := time.Since(start); elapsed != 0 || ctx.Err() != nil {
			t.Errorf("after %v the context ends with %v, want no wait before new work is refused", elapsed, ctx.Err())
		}
		<-ctx.Done()
		if elapsed := time.Since(start); elapsed != 20*time.Second {
			t.Errorf("the window in hand is dropped after %v, want 20s", elapsed)
		}
		var cause *signalError
		if !errors.As(context.Cause(ctx), &cause) || cause.signal != syscall.SIGTERM {
			t.Errorf("the cause is %v, want the signal", context.Cause(ctx))
		}
		if status := <-ended; status != exitTerminated || time.Since(start) != 25*time.Second {
			t.Errorf("ended with status %d after %v, want %d after 25s", status, time.Since(start), exitTerminated)
		}
	})
}

// Work that ends in time is not cut off by its signal's patience.
func TestSignalPatienceEndsWithTheWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		signals, quiet := make(chan os.Signal, 2), make(chan struct{})
		a := &app{
			system: system{signals: signals, stderr: &bytes.Buffer{}, exit: func(status int) { t.Errorf("ended with status %d", status) }},
			stop:   newStopper(),
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(nil)
		done := make(chan struct{})
		go func() {
			defer close(done)
			a.watch(cancel, quiet)
		}()
		signals <- os.Interrupt
		<-a.stop.begin
		close(quiet)
		<-done
		<-time.After(time.Minute)
		if ctx.Err() != nil {
			t.Errorf("the context ends with %v", context.Cause(ctx))
		}
	})
}
