//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// crashBinary builds the program with failpoints.
func crashBinary(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "docarchive")
	build := exec.CommandContext(t.Context(), "go", "build", "-tags", "failpoint", "-o", binary, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build with failpoints: %v\n%s", err, out)
	}
	return binary
}

// process is a run of the program as a process of its own.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	stderr bytes.Buffer
	log    string // of the failpoints
	done   chan struct{}
	limit  time.Duration // for it to end
}

// start runs the program with a plan for its failpoints.
func (w *crashWorld) start(plan string, args ...string) *process {
	w.t.Helper()
	w.started++
	p := &process{t: w.t, log: filepath.Join(w.dir, fmt.Sprintf("hits-%d", w.started)), done: make(chan struct{}), limit: w.limit}
	p.cmd = exec.Command(w.binary, append([]string{"--config", w.configFile(), "--log-level", "warn"}, args...)...)
	p.cmd.Env = append(os.Environ(),
		"DOCARCHIVE_CACHE_DIR="+filepath.Join(w.dir, "cache"), "DOCARCHIVE_SPOOL="+w.spool(),
		"DOCARCHIVE_FAILPOINT="+plan, "DOCARCHIVE_FAILPOINT_LOG="+p.log)
	p.cmd.Stderr = &p.stderr
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	go func() {
		defer close(p.done)
		_ = p.cmd.Wait() // what it says stands in the process's state
	}()
	w.t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // it has ended, unless the test failed
		<-p.done
	})
	return p
}

// end waits for the process and returns its exit status, or minus the signal
// that ended it.
func (p *process) end() int {
	p.t.Helper()
	select {
	case <-p.done:
	case <-time.After(p.limit):
		p.t.Fatalf("the process does not end:\n%s", p.hits())
	}
	status := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if status.Signaled() {
		return -int(status.Signal())
	}
	return status.ExitStatus()
}

// hits are the failpoints that it passed, and what they did, in order.
func (p *process) hits() []string {
	p.t.Helper()
	data, err := os.ReadFile(p.log)
	if err != nil && !os.IsNotExist(err) {
		p.t.Fatal(err)
	}
	return strings.Fields(string(data))
}

// acted reports whether a failpoint did what was planned.
func (p *process) acted(what string) bool { return slices.Contains(p.hits(), what) }

func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// stopped waits until the process stands still or has ended, and reports which.
func (p *process) stopped() bool {
	p.t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	deadline := time.After(p.limit)
	for {
		select {
		case <-p.done:
			return false
		case <-deadline:
			p.t.Fatal("the process neither stops nor ends")
		case <-tick.C:
			stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
			if err != nil {
				continue // it has just ended
			}
			// The state follows the name, which is in parentheses.
			if i := bytes.LastIndexByte(stat, ')'); i >= 0 && bytes.HasPrefix(stat[i:], []byte(") T")) {
				return true
			}
		}
	}
}
