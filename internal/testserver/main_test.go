//go:build unix

package testserver

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { Main(m) }

// alive tells whether any process of a server's group is left.
func alive(t *testing.T, s *server, pid int) bool {
	t.Helper()
	if s.cmd != nil {
		t.Errorf("%s still counts as running", s.program.name)
	}
	return groupExists(pid)
}

// checkEnds starts a program by itself, ends it, and looks for what is left.
func checkEnds(t *testing.T, p program) {
	t.Helper()
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	s, err := start(p)
	if err != nil {
		t.Fatal(err)
	}
	pid := s.cmd.Process.Pid
	if !groupExists(pid) {
		t.Fatalf("%s has no process group of its own", p.name)
	}
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	if alive(t, s, pid) {
		t.Errorf("%s left a process in group %d", p.name, pid)
	}
	if err := p.ready(t.Context(), s.address()); err == nil {
		t.Errorf("%s still answers on %s", p.name, s.address())
	}
	if exists(s.dir) {
		t.Errorf("%s left its scratch folder %s", p.name, s.dir)
	}
}
