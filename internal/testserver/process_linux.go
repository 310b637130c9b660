package testserver

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// processAttributes put a child into a process group of its own, and let the
// kernel end it should the test binary die without doing so.
func processAttributes(quit syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: quit}
}

// exited tells whether a child has ended, without collecting its status.
func exited(pid int) bool {
	var info unix.Siginfo
	err := unix.Waitid(unix.P_PID, pid, &info, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
	return err != nil || info.Signo != 0
}
