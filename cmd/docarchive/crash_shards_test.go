//go:build linux

package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/adteco/docarchive/docextract/docextracttest"
	"github.com/adteco/docarchive/internal/testserver"
)

// shardWindow and shardLimit are the server's rate window and what it holds: 600
// requests a minute, in short windows so that a test sees many.
const (
	shardWindow = 5 * time.Second
	shardLimit  = 50
	shards      = 4
)

// shardConfig has small pages, so that the rate limit is what a run waits for,
// and windows enough for all workers.
const shardConfig = `
api: {base_url: BASE_URL, key: sk_test_adversary, concurrency: 4, page_size: 10}
cache: CACHE
archive: ARCHIVE
pipelines:
  all:
    since: 4d
    window: 1h
    settle: 30s
    sinks:
      - {type: parquet, path: all, partition: [created_month]}
      - {type: csv, path: table}
`

// shardedWorld is an account with a rate limit, in real time.
func shardedWorld(t *testing.T, binary, cache string, jobs int) *crashWorld {
	t.Helper()
	w := newCrashWorld(t, binary, docextracttest.Config{
		Seed: 11, Jobs: jobs, Span: 3 * 24 * time.Hour, Clock: time.Now,
	})
	for name, value := range map[string]string{
		"rate_window": shardWindow.String(), "rate_limit_minute": fmt.Sprint(shardLimit), "latency": "20ms", "limit_max": "10",
	} {
		if err := w.sim.Knobs().Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
	w.cache, w.limit, w.config = cache, 5*time.Minute, shardConfig
	w.begin()
	return w
}

// worker starts one of the workers.
func (w *crashWorld) worker(i int) *process {
	return w.start("", "run", "--shard-index", fmt.Sprint(i), "--shard-count", fmt.Sprint(shards))
}

// together lets all workers run, killing and replacing some at random, until all
// have ended well. It returns when the first of them had.
func (w *crashWorld) together(kills int, rng *rand.Rand) (first time.Time) {
	w.t.Helper()
	running := make([]*process, shards)
	for i := range running {
		running[i] = w.worker(i)
	}
	done := 0
	for done < shards {
		timer := time.NewTimer(time.Duration(1500+rng.IntN(3000)) * time.Millisecond)
		i := rng.IntN(shards)
		for running[i] == nil {
			i = (i + 1) % shards
		}
		select {
		case <-running[i].done:
			if status := running[i].end(); status != exitDone {
				w.t.Fatalf("worker %d exits %d\n%s", i, status, running[i].stderr.String())
			}
			if running[i], done = nil, done+1; done == 1 {
				first = time.Now()
			}
		case <-timer.C:
			if kills > 0 {
				kills--
				running[i].signal(syscall.SIGKILL)
				<-running[i].done
				w.t.Logf("worker %d was killed and is replaced", i)
				running[i] = w.worker(i)
			}
		}
		timer.Stop()
	}
	return first
}

// share is how much of the allowance was used in the windows in which all
// workers had work from beginning to end: the first one began before they did.
func (w *crashWorld) share(until time.Time) (share float64, refused int64) {
	var used, allowed int64
	use := w.sim.RateUse("sk_test_adversary")
	var text []string
	for i, u := range use {
		refused += u.Refused
		text = append(text, fmt.Sprint(u.Used))
		if i > 0 && u.Start.Add(shardWindow).Before(until) {
			used, allowed = used+u.Used, allowed+u.Limit
		}
	}
	w.t.Logf("requests of %d allowed in each %v: %s; %d refused", shardLimit, shardWindow, strings.Join(text, " "), refused)
	return float64(used) / float64(max(1, allowed)), refused
}

// finalized checks what finalize says, and that the archive is the truth.
func (w *crashWorld) finalized() {
	w.t.Helper()
	p := w.start("", "finalize")
	if status := p.end(); status != exitDone {
		w.t.Fatalf("finalize exits %d\n%s", status, p.stderr.String())
	}
	// The account's time is the real one, and no job came since it began.
	begun := w.now.Add(lag)
	w.now = time.Now()
	w.settle = crashSettle + w.now.Sub(begun) + time.Second
	w.compareAll()
}

// testShards kills workers that share one rate limit through Redis: nobody is
// refused, and hardly anything of the allowance is left.
func testShards(t *testing.T, binary string) {
	seed := uint64(fromEnvironment(t, "SEED", int(time.Now().UnixNano()%1e6)))
	t.Logf("SEED=%d", seed)
	server := testserver.Redis(t)
	w := shardedWorld(t, binary, server.URL, fromEnvironment(t, "JOBS", 3000))
	start := time.Now()
	first := w.together(fromEnvironment(t, "KILLS", 4), rand.New(rand.NewPCG(seed, 2)))
	share, refused := w.share(first)
	t.Logf("%d workers through Redis, %d requests in %v: %.1f %% of the allowance used while there was work for all",
		shards, w.sim.Requests(), time.Since(start).Round(time.Second), 100*share)
	if refused > 0 || share < 0.95 {
		t.Errorf("%d refused, %.3f of the allowance used, want none and 0.95", refused, share)
	}
	w.finalized()
}

// testShardsApart lets workers share a rate limit that cannot speak to each
// other.
func testShardsApart(t *testing.T, binary string) {
	w := shardedWorld(t, binary, "embedded", fromEnvironment(t, "JOBS", 3000))
	start := time.Now()
	first := w.together(0, rand.New(rand.NewPCG(1, 2)))
	share, refused := w.share(first)
	t.Logf("%d workers without Redis, %d requests in %v: %.1f %% of the allowance used while there was work for all",
		shards, w.sim.Requests(), time.Since(start).Round(time.Second), 100*share)
	if refused > 0 || share < 0.95 {
		t.Errorf("%d refused, %.3f of the allowance used, want none and 0.95", refused, share)
	}
	w.finalized()
}

// unpublished kills a worker between a commit and its publication, and lets
// finalize do what it left.
func (w *crashWorld) unpublished() {
	w.t.Helper()
	p := w.start("publish.before=kill:14", "run", "--shard-index", "0", "--shard-count", fmt.Sprint(shards))
	if status := p.end(); status != -int(syscall.SIGKILL) || len(w.sound().pending) == 0 {
		w.t.Fatalf("the worker exits %d, and nothing is left to publish", status)
	}
	p = w.start("", "finalize")
	if status := p.end(); status != exitTemporary {
		w.t.Fatalf("finalize exits %d\n%s", status, p.stderr.String())
	}
	if left := w.sound().pending; len(left) > 0 {
		w.t.Errorf("not published by finalize: %v", left)
	}
}

// testShardMissing: finalize does not take three workers for four.
func testShardMissing(t *testing.T, binary string) {
	w := newCrashWorld(t, binary, docextracttest.Config{Seed: 12, Jobs: 400, Span: 3 * 24 * time.Hour, Clock: time.Now})
	w.config = shardConfig
	w.begin()
	w.unpublished()
	for i := range shards - 1 {
		if status := w.worker(i).end(); status != exitDone {
			t.Fatalf("worker %d exits %d", i, status)
		}
	}
	p := w.start("", "finalize")
	if status := p.end(); status != exitTemporary || !strings.Contains(p.stderr.String(), "(worker 3 of 4)") {
		t.Fatalf("finalize exits %d\n%s", status, p.stderr.String())
	}
	// The missing worker is killed in mid-work, and replaced while it may live.
	victim := w.worker(shards - 1)
	defer func() { _ = victim.cmd.Process.Signal(os.Kill) }()
	if status := w.worker(shards - 1).end(); status != exitDone {
		t.Fatalf("its successor exits %d", status)
	}
	w.finalized()
}
