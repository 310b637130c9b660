//go:build linux

package main

import (
	"encoding/json"
	"math/rand/v2"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/adteco/docarchive/docextract/docextracttest"
	"github.com/adteco/docarchive/internal/ledger"
	"github.com/adteco/docarchive/internal/store"
	"github.com/adteco/docarchive/pipeline"
)

const resubmitConfig = `
api: {base_url: BASE_URL, key: sk_test_adversary, concurrency: 4, document_hosts: [127.0.0.1]}
cache: CACHE
archive: ARCHIVE
pipelines:
  all:
    since: 4d
    window: 6h
    settle: 30s
    sinks: [{type: csv, path: table}, {type: parquet, path: all}]
`

// lossy are what becomes of submissions, and of other requests, each in one of
// twenty.
var lossy = []string{
	"post_accept_then_reset", "post_accept_then_500", "post_accept_then_hang", "post_no_id",
	"e500", "garbage", "truncate", "hang_headers",
}

// testResubmitKilled kills resubmissions at any time, behind an API that loses
// answers. By the API's own account no job may be charged twice, and what is not
// charged at the end must be held, and be told.
func testResubmitKilled(t *testing.T, binary string) {
	jobs := fromEnvironment(t, "RESUBMIT_JOBS", 200)
	seed := uint64(fromEnvironment(t, "SEED", int(time.Now().UnixNano()%1e6)))
	t.Logf("SEED=%d", seed)
	rng := rand.New(rand.NewPCG(seed, 3))
	w := newCrashWorld(t, binary, docextracttest.Config{
		Seed: seed, Jobs: jobs, Failed: 1, Span: 2 * 24 * time.Hour, Clock: time.Now,
	})
	w.config, w.limit = resubmitConfig, 2*time.Minute
	w.begin()
	if p := w.start("", "run"); p.end() != exitDone {
		t.Fatalf("the archive of what failed:\n%s", p.stderr.String())
	}
	originals := map[string]bool{}
	if err := w.sim.Truth(func(j docextracttest.TruthJob) error {
		if j.Status == "failed" && time.Since(j.CreatedAt) > time.Minute {
			originals[j.ID] = true
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for _, name := range lossy {
		if err := w.sim.Faults().Set(name, 0.05); err != nil {
			t.Fatal(err)
		}
	}
	kills, ended := 0, 0
	for round := 0; kills < 12 || len(w.sim.Submissions()) < len(originals)/2; round++ {
		if round == 20*jobs {
			t.Fatalf("%d jobs of %d after %d kills", len(w.sim.Submissions()), len(originals), kills)
		}
		p := w.start("", "resubmit", "all")
		select {
		case <-time.After(time.Duration(20+rng.IntN(400)) * time.Millisecond):
			p.signal(syscall.SIGKILL)
		case <-p.done:
		}
		if status := p.end(); status == -int(syscall.SIGKILL) {
			kills++
		} else if ended++; status == exitUsage || status == exitConfig || status == exitDamaged {
			t.Fatalf("exit %d\n%s", status, p.stderr.String())
		}
	}
	w.sim.Faults().Clear()
	w.settled(originals)
	t.Logf("%d failed jobs, %d kills, %d runs that ended", len(originals), kills, ended)
}

// settled lets a run end in peace and holds what it says against the API's
// account.
func (w *crashWorld) settled(originals map[string]bool) {
	w.t.Helper()
	told := w.resubmitted()
	held := map[string]bool{}
	for _, j := range told.Jobs {
		if j.State == pipeline.StateHeld {
			held[j.Original] = true
		}
	}
	paid := map[string]int{}
	for _, s := range w.sim.Submissions() {
		paid[pipeline.MadeFrom([]byte(`{"metadata":`+string(s.Metadata)+`}`))]++
	}
	for id, n := range paid {
		if n > 1 {
			w.t.Errorf("job %q was charged %d times", id, n)
		}
	}
	for id := range originals {
		if paid[id] == 0 && !held[id] {
			w.t.Errorf("job %s is neither charged nor held", id)
		}
	}
	for _, id := range w.unresolved() {
		if !held[id] {
			w.t.Errorf("the attempt at job %s is not resolved, and nobody is told", id)
		}
	}
	w.t.Logf("%d charged, %d held: %+v", len(paid), len(held), told.Counts)
}

// resubmitted is the report of a resubmission in peace.
func (w *crashWorld) resubmitted() (report pipeline.ResubmitReport) {
	w.t.Helper()
	cmd := exec.Command(w.binary, "--config", w.configFile(), "--log-level", "error", "resubmit", "all", "-o", "json")
	cmd.Env = append(cmd.Environ(), "DOCARCHIVE_SPOOL="+w.spool())
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if code := cmd.ProcessState.ExitCode(); code != exitDone && code != exitPartly {
		w.t.Fatalf("a resubmission in peace: %v\n%s", err, stderr.String())
	}
	if err := json.Unmarshal(out, &report); err != nil {
		w.t.Fatal(err)
	}
	return report
}

// unresolved are the jobs of which an attempt has no result.
func (w *crashWorld) unresolved() (ids []string) {
	w.t.Helper()
	s, err := store.Open(w.t.Context(), "file://"+w.archive(), store.Options{})
	if err != nil {
		w.t.Fatal(err)
	}
	defer s.Close()
	l, err := ledger.OpenExisting(w.t.Context(), s, ledger.Options{})
	if err != nil {
		w.t.Fatal(err)
	}
	if err := l.Unresolved(w.t.Context(), "all", func(a pipeline.Attempt) error {
		ids = append(ids, a.Intent.Original)
		return nil
	}); err != nil {
		w.t.Fatal(err)
	}
	return ids
}
