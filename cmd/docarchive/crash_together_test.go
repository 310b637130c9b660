//go:build linux

package main

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/adteco/docarchive/docextract/docextracttest"
	"github.com/adteco/docarchive/internal/testserver"
)

// testTogether lets several runs archive the same account at once; more jobs by
// JOBS. meanwhile, if set, is called now and then with the share of windows that
// have a record.
func testTogether(t *testing.T, binary string, processes int, cache string, meanwhile func(share float64)) {
	const span = 3 * 24 * time.Hour
	const windows = int(span/(6*time.Hour)) + 1
	jobs := fromEnvironment(t, "JOBS", 3000)
	w := newCrashWorld(t, binary, docextracttest.Config{Seed: 5, Jobs: jobs, Open: 50, Span: span})
	w.cache = cache
	w.limit = promised + time.Duration(jobs)*2*time.Millisecond
	w.begin()
	start := time.Now()
	var runs []*process
	for range processes {
		runs = append(runs, w.start("", "run"))
	}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for _, p := range runs {
		for running := true; running; {
			select {
			case <-p.done:
				running = false
			case <-tick.C:
				if meanwhile != nil {
					meanwhile(float64(w.begun()) / float64(windows))
				}
			}
		}
		if status := p.end(); status != exitDone {
			t.Errorf("exit %d\n%s", status, p.stderr.String())
		}
	}
	least := jobs/100 + 1 // pages of the configured size, and one request for the time
	t.Logf("%d processes, %d jobs, %v: %d requests, the least possible are %d",
		processes, jobs, time.Since(start).Round(10*time.Millisecond), w.sim.Requests(), least)
	w.complete()
	before := w.sim.Requests()
	w.finish()
	t.Logf("the run after it: %d requests for %d windows", w.sim.Requests()-before, windows)
	w.compareAll()
}

// begun is how many windows have a record.
func (w *crashWorld) begun() int {
	w.t.Helper()
	found, err := filepath.Glob(filepath.Join(w.archive(), "_archive/log/all/*/000001.json"))
	if err != nil {
		w.t.Fatal(err)
	}
	return len(found)
}

func testTwo(t *testing.T, binary string) { testTogether(t, binary, 2, "embedded", nil) }

// testFourWithRedis empties the Redis that four runs share, twice.
func testFourWithRedis(t *testing.T, binary string) {
	server := testserver.Redis(t)
	options, err := redis.ParseURL(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(options)
	defer client.Close()
	flushed := 0
	testTogether(t, binary, 4, server.URL, func(share float64) {
		if share < float64(flushed+1)/3 || flushed == 2 {
			return
		}
		flushed++
		if err := client.FlushDB(t.Context()).Err(); err != nil {
			t.Error(err)
		}
	})
	if flushed != 2 {
		t.Errorf("Redis was emptied %d times", flushed)
	}
}
