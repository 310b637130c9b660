package main

import (
	"strings"
	"testing"
	"time"
)

// setAside sets a job aside, whose window is then left for so long.
func setAside(t *testing.T, later time.Duration) *adversary {
	t.Helper()
	a := settled(t, "evolve")
	a.add("job_strange", time.Hour, `{"total_amount":3,"never_seen":1}`)
	if status, stdout, stderr := a.run(policy("quarantine"), "run"); status != exitPartly || !strings.Contains(stdout, "1 in quarantine") {
		t.Fatalf("exit %d\n%s%s", status, stdout, stderr)
	}
	a.checkHolds([]string{}...)
	a.now = a.now.Add(later)
	return a
}

// says fails the test unless a command that succeeds says so.
func (a *adversary) says(want string, args ...string) {
	a.t.Helper()
	if status, stdout, stderr := a.run(policy("evolve"), args...); status != exitDone || !strings.Contains(stdout, want) {
		a.t.Errorf("%v: exit %d, and not %q\n%s%s", args, status, want, stdout, stderr)
	}
}

// TestReleaseAfterTheAPIForgot releases a job whose window is sealed and that the
// API has dropped.
func TestReleaseAfterTheAPIForgot(t *testing.T) {
	a := setAside(t, 82*24*time.Hour)
	if status, _, stderr := a.run(policy("quarantine"), "run"); status != exitDone && status != exitPartly {
		t.Fatalf("exit %d\n%s", status, stderr)
	}
	a.checkHolds([]string{}...)
	a.now = a.now.Add(20 * 24 * time.Hour)
	a.says("1 element in quarantine", "quarantine", "list", "all")
	a.says("1 released", "quarantine", "release", "all")
	a.checkHolds("job_strange")
	a.says("is sound", "verify")
	a.says("0 elements in quarantine", "quarantine", "list", "all")
	a.says("0 released", "quarantine", "release", "all")
	a.checkHolds("job_strange")
}

// TestARunReleasesWhatItReadsAgain reads the window of a job that was set aside
// once more, under a schema that takes it: that run archives it, and nothing is
// left to release.
func TestARunReleasesWhatItReadsAgain(t *testing.T) {
	a := setAside(t, 82*24*time.Hour)
	if status, _, stderr := a.run(policy("evolve"), "run"); status != exitDone && status != exitPartly {
		t.Fatalf("exit %d\n%s", status, stderr)
	}
	a.checkHolds("job_strange")
	a.says("0 elements in quarantine", "quarantine", "list", "all")
	a.says("0 released", "quarantine", "release", "all")
	a.checkHolds("job_strange")
	a.says("is sound", "verify")
}
