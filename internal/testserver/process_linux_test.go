package testserver

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const killedBinary = "DOCARCHIVE_TEST_KILLED_BINARY"

// The kernel ends the servers of a test binary that is killed. The binary here
// is this one, run again for this one test.
func TestServersEndWithAKilledBinary(t *testing.T) {
	if os.Getenv(killedBinary) != "" {
		s, err := start(shell("exec sleep 60"))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Printf("\npid %d %s\n", s.cmd.Process.Pid, s.dir)
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
	again := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	again.Env = append(os.Environ(), killedBinary+"=1")
	out, err := again.Output()
	if err == nil {
		t.Fatal("the binary was not killed")
	}
	_, report, _ := strings.Cut(string(out), "\npid ")
	fields := strings.Fields(report)
	if len(fields) < 2 {
		t.Fatalf("the binary said %q", out)
	}
	defer os.RemoveAll(fields[1])
	pid, err := strconv.Atoi(fields[0])
	if err != nil {
		t.Fatal(err)
	}
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	deadline := time.After(stopTimeout)
	for runningMembers(t, pid) != "" {
		select {
		case <-tick.C:
		case <-deadline:
			_ = syscall.Kill(-pid, syscall.SIGKILL)
			t.Fatalf("process group %d outlived the binary", pid)
		}
	}
}
