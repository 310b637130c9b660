//go:build linux

package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/adteco/docarchive/docextract/docextracttest"
	"github.com/adteco/docarchive/internal/failpoint"
)

// smallAccount has jobs in five windows, and more with every minute.
func smallAccount() docextracttest.Config {
	return docextracttest.Config{Seed: 11, Jobs: 100, Open: 10, Span: 24 * time.Hour, Arrivals: 8}
}

// perFailpoint is how much time passes before the next failpoint's turn, so
// that there is something new each time.
const perFailpoint = time.Minute

// SIGTERM at any step of the protocol: the windows in hand are finished, the
// status says what happened, nothing is left half-written.
func testTerminated(t *testing.T, binary string) {
	w := newCrashWorld(t, binary, smallAccount())
	for i, name := range failpoint.Names() {
		w.turn(perFailpoint)
		p := w.start(name+"=term", "run")
		if status := p.end(); status != exitTerminated || !p.acted(name+"=term") {
			t.Fatalf("%s: exit %d\n%s", name, status, p.stderr.String())
		}
		w.sound()
		w.tidy()
		if i%6 == 5 {
			w.finish()
		}
	}
	w.finish()
	w.compareAll()
}

// tidy checks that no file in the making is left.
func (w *crashWorld) tidy() {
	w.t.Helper()
	if left, err := os.ReadDir(w.spool()); err != nil || len(left) > 0 {
		w.t.Fatalf("the spool holds %v: %v", left, err)
	}
	if err := filepath.WalkDir(w.archive(), func(name string, entry fs.DirEntry, err error) error {
		if err == nil && strings.HasPrefix(entry.Name(), ".") {
			w.t.Errorf("%s is left", name)
		}
		return err
	}); err != nil {
		w.t.Fatal(err)
	}
}

// A run stands still at any step of the protocol while another does all the
// work, and goes on when everything that it knows is out of date.
func testFrozen(t *testing.T, binary string) {
	w := newCrashWorld(t, binary, smallAccount())
	for i, name := range failpoint.Names() {
		if i%8 == 0 {
			w.begin() // the next ones stand still at their first window
		}
		w.turn(perFailpoint)
		zombie := w.start(name+"=stop", "run")
		if !zombie.stopped() {
			t.Fatalf("%s: exit %d\n%s", name, zombie.end(), zombie.stderr.String())
		}
		w.turn(perFailpoint)
		w.finish()
		zombie.signal(syscall.SIGCONT)
		if status := zombie.end(); status != exitDone {
			t.Fatalf("%s: the zombie exits %d\n%s", name, status, zombie.stderr.String())
		}
		w.complete()
	}
	w.compareAll()
}
