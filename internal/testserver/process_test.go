//go:build unix

package testserver

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

func groupExists(pid int) bool { return !errors.Is(syscall.Kill(-pid, 0), syscall.ESRCH) }

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func never(context.Context, string) error { return errors.New("not yet") }

func shell(script string) program {
	return program{
		name:    "shell",
		quit:    syscall.SIGTERM,
		command: func(*server) []string { return []string{"/bin/sh", "-c", script} },
		ready:   func(context.Context, string) error { return nil },
	}
}

func TestStartReportsWhatAServerSaidBeforeItEnded(t *testing.T) {
	p := shell("echo out of luck; exit 1")
	p.ready = never
	s, err := start(p)
	if err == nil {
		t.Fatalf("started %v", s)
	}
	for _, want := range []string{"start shell", "it ended before it answered", "out of luck"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q: %v", want, err)
		}
	}
}

func TestFailedPreparationLeavesNothing(t *testing.T) {
	var dir string
	p := shell("exit 0")
	p.prepare = func(s *server) error {
		dir = s.dir
		return s.run("/bin/sh", "-c", "exit 3")
	}
	if s, err := start(p); err == nil {
		t.Fatalf("started %v", s)
	}
	if dir == "" || exists(dir) {
		t.Errorf("the scratch folder %q is still there", dir)
	}
}

func TestDownEndsTheWholeGroup(t *testing.T) {
	// The shell's child ignores the signal that ends the shell.
	s, err := start(shell(`sh -c 'trap "" TERM; echo trapped; while :; do sleep 1; done' & wait`))
	if err != nil {
		t.Fatal(err)
	}
	pid := s.cmd.Process.Pid
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	// A killed grandchild stays until its new parent collects it.
	if members := runningMembers(t, pid); members != "" {
		t.Errorf("left in the group: %s", members)
	}
}

// runningMembers lists the processes of a group that are not zombies.
func runningMembers(t *testing.T, group int) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "ps", "-e", "-o", "pgid=,stat=,args=").Output()
	if err != nil {
		t.Fatal(err)
	}
	var members []string
	for row := range strings.Lines(string(out)) {
		fields := strings.Fields(row)
		if fields[0] == strconv.Itoa(group) && !strings.HasPrefix(fields[1], "Z") {
			members = append(members, strings.TrimSpace(row))
		}
	}
	return strings.Join(members, "; ")
}

func TestSignalToAServerThatIsDown(t *testing.T) {
	s, err := start(shell("sleep 60"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	if err := s.down(); err != nil {
		t.Fatal(err)
	}
	if err := s.down(); err != nil {
		t.Errorf("down a second time: %v", err)
	}
	if err := s.signal(syscall.SIGSTOP); err == nil {
		t.Error("a signal to a server that is down was accepted")
	}
}
