//go:build failpoint && unix

package failpoint

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"
)

// Enabled reports whether failpoints act in this build.
const Enabled = true

// ErrInjected is what the action error returns.
var ErrInjected = errors.New("failpoint")

const (
	pause   = 50 * time.Millisecond // of the action sleep
	notice  = 20 * time.Millisecond // for a signal to be noticed by whoever waits for it
	logMode = os.O_APPEND | os.O_CREATE | os.O_WRONLY
)

// ofEnvironment is the one plan of the process. A program with a plan that
// cannot be read must not run as if it had none.
var ofEnvironment = sync.OnceValue(func() *plan {
	p, err := parsePlan(os.Getenv("DOCARCHIVE_FAILPOINT"))
	if err == nil {
		if name := os.Getenv("DOCARCHIVE_FAILPOINT_LOG"); name != "" {
			p.log, err = os.OpenFile(name, logMode, 0o600)
		}
	}
	if err != nil {
		panic(fmt.Sprintf("DOCARCHIVE_FAILPOINT: %v", err))
	}
	return p
})

// Hit does what the environment says for the failpoint. Its error, if any, is to
// be treated as the step's own.
func Hit(name string) error {
	p := ofEnvironment()
	what := p.hit(name)
	p.note(name)
	if what == "" {
		return nil
	}
	p.note(name + "=" + what)
	switch what {
	case "kill":
		signal(syscall.SIGKILL)
		select {}
	case "stop":
		signal(syscall.SIGSTOP)
	case "term":
		signal(syscall.SIGTERM)
		time.Sleep(notice)
	case "sleep":
		time.Sleep(pause)
	case "error":
		return fmt.Errorf("%s: %w", name, ErrInjected)
	}
	return nil
}

func signal(s syscall.Signal) {
	if err := syscall.Kill(os.Getpid(), s); err != nil {
		panic(err)
	}
}

// note adds a line to the log. Lines of several processes do not mix: each is
// one write at the file's end.
func (p *plan) note(line string) {
	if p.log == nil {
		return
	}
	if _, err := p.log.WriteString(line + "\n"); err != nil {
		panic(err)
	}
}
