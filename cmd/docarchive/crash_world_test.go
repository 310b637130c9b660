//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/adteco/docarchive/docextract/docextracttest"
)

// crashSettle is the configuration's.
const crashSettle = 30 * time.Second

// crashConfig archives all jobs twice, in windows of six hours.
const crashConfig = `
api: {base_url: BASE_URL, key: sk_test_adversary, concurrency: 8}
cache: CACHE
archive: ARCHIVE
pipelines:
  all:
    since: 4d
    window: 6h
    settle: 30s
    sinks:
      - {type: parquet, path: all, partition: [created_month]}
      - {type: csv, path: table}
`

// crashWorld is an account whose time the test turns on, an archive of it, and
// the program with failpoints.
//
// The program itself lives by the real clock, which may be an hour ahead of the
// account's: an account begins so far back and is turned on up to the present.
type crashWorld struct {
	*adversary
	binary  string
	cache   string
	config  string
	settle  time.Duration // jobs younger than this may be left to the next run
	started int
	number  int           // of the archive
	limit   time.Duration // for a process to end
	micros  *atomic.Int64
}

// promised is how soon after a signal a run has ended.
const promised = 25 * time.Second

// lag is how far back an account begins.
const lag = 55 * time.Minute

// newCrashWorld makes a world of an account that is described but for its key,
// and its clock unless it lives by the real one.
func newCrashWorld(t *testing.T, binary string, c docextracttest.Config) *crashWorld {
	t.Helper()
	w := &crashWorld{
		adversary: &adversary{t: t, dir: t.TempDir(), now: time.Now().Add(-lag).Truncate(time.Second)},
		binary:    binary, cache: "embedded", config: crashConfig, settle: crashSettle, limit: promised, micros: new(atomic.Int64),
	}
	w.micros.Store(w.now.UnixMicro())
	c.Key = "sk_test_adversary"
	if c.Clock == nil {
		c.Clock = func() time.Time { return time.UnixMicro(w.micros.Load()) }
	}
	w.sim = docextracttest.New(c)
	running, err := w.sim.Start()
	if err != nil {
		t.Fatal(err)
	}
	w.running = running
	t.Cleanup(func() {
		if err := running.Close(); err != nil {
			t.Error(err)
		}
	})
	w.begin()
	return w
}

// turn lets so much of the account's time pass.
func (w *crashWorld) turn(d time.Duration) {
	if next := w.now.Add(d).Truncate(time.Second); next.Before(time.Now()) {
		w.now = next
		w.micros.Store(next.UnixMicro())
	}
}

// begin turns to a new archive, and a new spool.
func (w *crashWorld) begin() {
	w.t.Helper()
	w.number++
	if err := os.MkdirAll(w.spool(), 0o700); err != nil {
		w.t.Fatal(err)
	}
	w.configure()
}

func (w *crashWorld) archive() string    { return w.path("archive") }
func (w *crashWorld) spool() string      { return w.path("spool") }
func (w *crashWorld) configFile() string { return w.path("jobs.yaml") }

func (w *crashWorld) path(name string) string {
	return filepath.Join(w.dir, fmt.Sprintf("%d", w.number), name)
}

// finish lets a run end in peace, and compares the ids that it leaves with the
// truth.
func (w *crashWorld) finish() {
	w.t.Helper()
	p := w.start("", "run")
	if status := p.end(); status != exitDone {
		w.t.Fatalf("a run in peace exits %d\n%s", status, p.stderr.String())
	}
	w.complete()
}

// complete compares the ids in the archive with the truth, and returns the jobs
// that it holds.
func (w *crashWorld) complete() map[string]docextracttest.TruthJob {
	w.t.Helper()
	s := w.sound()
	if len(s.pending) > 0 {
		w.t.Fatalf("committed and not published after a run in peace: %v", s.pending)
	}
	due, final := w.truth(w.settle), w.truth(0)
	held := map[string]docextracttest.TruthJob{}
	for id := range s.committed {
		held[id] = final[id]
		if _, is := final[id]; !is {
			w.t.Errorf("job %s is archived, and is not final", id)
		}
	}
	for _, sink := range []string{"all", "table"} {
		if have := len(s.visible[sink]); have != len(held) {
			w.t.Errorf("%s shows %d jobs of %d", sink, have, len(held))
		}
	}
	for id, job := range due {
		if !s.committed[id] {
			w.t.Errorf("job %s of %v is lost", id, job.CreatedAt)
		}
	}
	if w.t.Failed() {
		w.t.FailNow()
	}
	return held
}

// compareAll compares every value with the truth, as DuckDB reads it.
func (w *crashWorld) compareAll() {
	w.t.Helper()
	whole := *w.adversary
	whole.dir = filepath.Dir(w.archive())
	whole.compare("all", w.complete())
}
