//go:build linux

package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/adteco/docarchive/docextract/docextracttest"
	"github.com/adteco/docarchive/internal/failpoint"
)

// testReleaseKilled kills the release of jobs that were set aside at each step,
// and two releases run into one another. Each job must be there once at the end.
func testReleaseKilled(t *testing.T, binary string) {
	w := newCrashWorld(t, binary, docextracttest.Config{Seed: 11, Jobs: 60, Span: 24 * time.Hour})
	w.finish() // its schema is the one that the others are measured by
	names := failpoint.Names()
	w.turn(10 * time.Minute)
	for i := range names {
		w.add(fmt.Sprintf("job_strange_%d", i), 2*time.Minute, fmt.Sprintf(`{"never_seen_%d":1}`, i%3))
	}
	w.config = strings.Replace(crashConfig, "since:", "schema: quarantine\n    since:", 1)
	w.configure()
	if p := w.start("", "run"); p.end() != exitPartly {
		t.Fatalf("nothing was set aside:\n%s", p.stderr.String())
	}
	w.config = crashConfig
	w.configure()
	kills := 0
	for i, name := range names {
		release := []string{"quarantine", "release", "all", "--job", fmt.Sprintf("job_strange_%d", i)}
		p := w.start(name+"=kill", release...)
		switch status := p.end(); status {
		case -int(syscall.SIGKILL):
			kills++
		case exitDone: // a release does not come by there
		default:
			t.Fatalf("%s: exit %d\n%s", name, status, p.stderr.String())
		}
		w.sound()
	}
	if kills < len(names)/2 {
		t.Errorf("%d kills at %d steps", kills, len(names))
	}
	one, other := w.start("*=sleep:0.2", "quarantine", "release", "all"), w.start("*=sleep:0.2", "quarantine", "release", "all")
	for _, p := range []*process{one, other} {
		if status := p.end(); status != exitDone {
			t.Fatalf("exit %d\n%s", status, p.stderr.String())
		}
	}
	w.finish()
	if p := w.start("", "verify"); p.end() != exitDone {
		t.Errorf("verify:\n%s", p.stderr.String())
	}
}

// configure writes the configuration anew, for the same archive.
func (w *crashWorld) configure() {
	w.t.Helper()
	config := strings.NewReplacer(
		"BASE_URL", w.running.URL, "ARCHIVE", "file://"+w.archive(), "CACHE", w.cache).Replace(w.config)
	if err := os.WriteFile(w.configFile(), []byte(config), 0o600); err != nil {
		w.t.Fatal(err)
	}
}
