//go:build linux

package main

import (
	"fmt"
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

// testRebuildKilled kills rebuilds at each step that they make in the storage,
// one after another: each goes on where the one before died.
func testRebuildKilled(t *testing.T, binary string) {
	w := newCrashWorld(t, binary, docextracttest.Config{Seed: 9, Jobs: 300, Span: 3 * 24 * time.Hour})
	w.finish()
	kills, rounds := 0, fromEnvironment(t, "REBUILD_KILLS", 3)
	for _, name := range []string{
		failpoint.StageBefore, failpoint.StageEach, failpoint.StageAfter, failpoint.FileBegun, failpoint.FileWritten,
		failpoint.FileSynced, failpoint.FileNamed, failpoint.FileDurable, failpoint.CopyNamed,
	} {
		for round := range rounds {
			p := w.start(fmt.Sprintf("%s=kill:%d", name, 1+7*round), "rebuild", "all")
			switch status := p.end(); {
			case status == -int(syscall.SIGKILL) && p.acted(name+"=kill"):
				kills++
			case status != exitDone:
				t.Fatalf("%s: exit %d\n%s", name, status, p.stderr.String())
			}
		}
		if p := w.start("", "rebuild", "all"); p.end() != exitDone {
			t.Fatalf("a rebuild in peace after %s:\n%s", name, p.stderr.String())
		}
		if p := w.start("", "verify"); p.end() != exitDone {
			t.Fatalf("verify after %s:\n%s", name, p.stderr.String())
		}
	}
	w.wholeRebuild()
	t.Logf("%d kills", kills)
	if kills < 9 {
		t.Errorf("only %d rebuilds were killed", kills)
	}
}

// wholeRebuild makes sure that readers see every job once, with the values that
// the API gave, and that all files are those of rebuilds.
func (w *crashWorld) wholeRebuild() {
	w.t.Helper()
	whole := *w.adversary
	whole.dir = filepath.Dir(w.archive())
	whole.compare("all", w.truth(crashSettle))
	if err := filepath.WalkDir(w.archive(), func(path string, entry fs.DirEntry, err error) error {
		if entry != nil && entry.IsDir() && entry.Name() == "_archive" {
			return fs.SkipDir
		}
		if err == nil && !entry.IsDir() && !strings.HasPrefix(entry.Name(), ".") && !strings.Contains(entry.Name(), "-r") {
			w.t.Errorf("%s is not a rebuild's", path)
		}
		return err
	}); err != nil {
		w.t.Fatal(err)
	}
}

// testRebuildTerminated asks a rebuild to end, which keeps what it has done.
func testRebuildTerminated(t *testing.T, binary string) {
	w := newCrashWorld(t, binary, docextracttest.Config{Seed: 9, Jobs: 300, Span: 3 * 24 * time.Hour})
	w.finish()
	p := w.start(failpoint.StageAfter+"=term:3", "rebuild", "all")
	if status := p.end(); status != exitTerminated {
		t.Fatalf("exit %d\n%s", status, p.stderr.String())
	}
	kept, err := filepath.Glob(filepath.Join(w.archive(), "_archive/rebuilds/all/*/*.json"))
	if err != nil || len(kept) == 0 {
		t.Fatalf("what was done is not kept: %v", err)
	}
	p = w.start("", "rebuild", "all")
	if status := p.end(); status != exitDone {
		t.Fatalf("exit %d\n%s", status, p.stderr.String())
	}
	staged := 0
	for _, hit := range p.hits() {
		if hit == failpoint.StageAfter {
			staged++
		}
	}
	windows, err := os.ReadDir(filepath.Join(w.archive(), "_archive/log/all"))
	if err != nil || staged > len(windows)-len(kept) {
		t.Errorf("%d of %d windows staged again, %d were done: %v", staged, len(windows), len(kept), err)
	}
	w.wholeRebuild()
}
