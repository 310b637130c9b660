package cache_test

import (
	"errors"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/adteco/docarchive/cache"
)

// An answer that is lost on its way leaves the client with a command that was
// carried out and a failure. Neither may lead to a wrong answer.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"SADD", "EXPIRE", "EXEC", "EVALSHA", "SMISMEMBER", "SCARD"} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			server := miniredis.RunT(t)
			p := newProxy(t, server.Addr())
			home := openRedis(t, "redis://"+p.addr, cache.RedisOptions{})
			p.lose(command, 1)
			mark(t, home, "a") // may not be whole
			mark(t, home, "a", "b")
			known(t, home)
			// Told again, as after the next run's look into the ledger.
			mark(t, home, "a", "b")
			next := theSet
			next.Head, next.Base, next.Count = "h2", "h1", 3
			for range 2 {
				if err := home.Mark(t.Context(), next, []string{"c"}); err != nil {
					t.Fatal(err)
				}
			}
			fresh, known, err := home.Filter(t.Context(), next, []string{"a", "b", "c", "d"})
			if err != nil || known && (len(fresh) != 1 || fresh[0] != "d") {
				t.Errorf("Filter: %q, %v, %v", fresh, known, err)
			}
			if p.losses() != 1 {
				t.Errorf("%d answers were lost, want 1", p.losses())
			}
			if command != "SCARD" && command != "SMISMEMBER" && !known {
				t.Error("the set was told in full twice and is not known")
			}
		})
	}
}

func TestLeaseWithLostAnswer(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	p := newProxy(t, server.Addr())
	home := openRedis(t, "redis://"+p.addr, cache.RedisOptions{Holder: "first"})
	other := openRedis(t, "redis://"+server.Addr(), cache.RedisOptions{Holder: "second"})
	p.lose("SET", 1)
	lease, err := home.Acquire(t.Context(), "archive:lease:invoices", time.Minute)
	if err != nil {
		t.Fatalf("a lease that was taken, though the answer was lost: %v", err)
	}
	if p.losses() != 1 {
		t.Fatalf("%d answers were lost, want 1", p.losses())
	}
	var held *cache.ErrHeld
	if _, err := other.Acquire(t.Context(), "archive:lease:invoices", time.Minute); !errors.As(err, &held) || held.Holder != "first" {
		t.Errorf("the other process: %v; want held by the first", err)
	}
	p.lose("EVALSHA", 1)
	if err := lease.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestLeaseAcrossProcesses(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	c := newClock()
	first := openRedis(t, "redis://"+server.Addr(), cache.RedisOptions{Holder: "first", Clock: c.clock()})
	second := openRedis(t, "redis://"+server.Addr(), cache.RedisOptions{Holder: "second"})
	const name, key = "archive:lease:invoices", "docarchive:archive:lease:invoices"
	lease, err := first.Acquire(t.Context(), name, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	<-c.asleep
	// Each third of its time to live it is renewed.
	for range 5 {
		server.FastForward(50 * time.Second)
		c.Advance(20 * time.Second)
		<-c.asleep
		if left := server.TTL(key); left != time.Minute {
			t.Fatalf("%s left after a renewal, want a minute", left)
		}
	}
	// A flush is no other holder.
	server.FlushAll()
	c.Advance(20 * time.Second)
	<-c.asleep
	var held *cache.ErrHeld
	if _, err := second.Acquire(t.Context(), name, time.Minute); !errors.As(err, &held) {
		t.Fatalf("after a flush and a renewal: %v", err)
	}
	select {
	case <-lease.Lost():
		t.Fatal("lost without another holder")
	default:
	}
	// The first one hangs, the second one takes over, the first one wakes.
	server.FastForward(2 * time.Minute)
	taken, err := second.Acquire(t.Context(), name, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	c.Advance(20 * time.Second)
	select {
	case <-lease.Lost():
	case <-time.After(10 * time.Second):
		t.Fatal("the loss was not noticed")
	}
	if err := lease.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !server.Exists(key) {
		t.Error("the old holder released the new one's lease")
	}
	if err := taken.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	if server.Exists(key) {
		t.Error("a released lease is still there")
	}
}

func TestCloseEndsRenewals(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	c := newClock()
	home, err := cache.OpenRedis(t.Context(), "redis://"+server.Addr(), cache.RedisOptions{Clock: c.clock()})
	if err != nil {
		t.Fatal(err)
	}
	lease, err := home.Acquire(t.Context(), "l", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := home.Close(); err != nil { // returns only after the renewal has ended
			t.Fatal(err)
		}
	}
	if err := lease.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
}
