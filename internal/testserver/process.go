//go:build unix

package testserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	startTimeout = 30 * time.Second
	stopTimeout  = 10 * time.Second
	pollEvery    = 10 * time.Millisecond
	portTries    = 3
	logTail      = 4 << 10 // bytes
)

// program says how to run one server.
type program struct {
	name    string
	account string                                          // to run as when the tests run as root; "" for the tests' own
	quit    syscall.Signal                                  // ends it at once and cleanly
	prepare func(s *server) error                           // fills the scratch folder; may be nil
	command func(s *server) []string                        // binary and arguments
	environ []string                                        // added to the tests' own
	ready   func(ctx context.Context, address string) error // nil once it answers
}

// server is a program on a port of its own with a scratch folder of its own.
// It is used by one goroutine at a time.
type server struct {
	program program
	dir     string // scratch folder, owned by the account
	port    int
	owner   *syscall.Credential // nil: the tests' own account
	cmd     *exec.Cmd           // nil: not running
}

// start prepares the scratch folder and brings the server up. On an error
// nothing is left.
func start(p program) (*server, error) {
	owner, err := credential(p.account)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", p.name, err)
	}
	dir, err := os.MkdirTemp("", "docarchive-"+p.name+"-")
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", p.name, err)
	}
	s := &server{program: p, dir: dir, owner: owner}
	if err := s.first(); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w%s", p.name, err, s.tail()), s.close())
	}
	return s, nil
}

func (s *server) first() error {
	if s.owner != nil {
		if err := os.Chown(s.dir, int(s.owner.Uid), int(s.owner.Gid)); err != nil {
			return err
		}
	}
	if s.program.prepare != nil {
		if err := s.program.prepare(s); err != nil {
			return err
		}
	}
	var err error
	for range portTries {
		// Another process may take the port before the server does.
		if s.port, err = freePort(); err != nil {
			return err
		}
		if err = s.up(); !errors.Is(err, errExited) {
			return err
		}
	}
	return err
}

var errExited = errors.New("it ended before it answered")

// up starts the process on the port and waits until it answers.
func (s *server) up() error {
	cmd, err := s.spawn(s.program.command(s)...)
	if err != nil {
		return err
	}
	s.cmd = cmd
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	if err := s.awaitReady(ctx); err != nil {
		return errors.Join(err, s.down())
	}
	return nil
}

// spawn starts a command of the server's in its account and folder, with its
// output appended to the log.
func (s *server) spawn(argv ...string) (*exec.Cmd, error) {
	log, err := os.OpenFile(s.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer log.Close() // the child has its own
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "TMPDIR="+s.dir, "HOME="+s.dir)
	cmd.Env = append(cmd.Env, s.program.environ...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = processAttributes(s.program.quit)
	cmd.SysProcAttr.Credential = s.owner
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return cmd, nil
}

// run runs a command of the server's to its end.
func (s *server) run(argv ...string) error {
	cmd, err := s.spawn(argv...)
	if err != nil {
		return err
	}
	limit := time.AfterFunc(startTimeout, func() { _ = kill(cmd, syscall.SIGKILL) })
	defer limit.Stop()
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(argv[0]), err)
	}
	return nil
}

func (s *server) awaitReady(ctx context.Context) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		err := s.program.ready(ctx, s.address())
		if exited(s.cmd.Process.Pid) {
			return errExited
		}
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("no answer within %s: %w", startTimeout, err)
		}
	}
}

// down ends the process group and waits for it. The port and the scratch
// folder are kept for a restart. It does nothing when the server is down.
func (s *server) down() error {
	if s.cmd == nil {
		return nil
	}
	cmd := s.cmd
	s.cmd = nil
	if err := errors.Join(kill(cmd, s.program.quit), kill(cmd, syscall.SIGCONT)); err != nil {
		return fmt.Errorf("stop %s: %w", s.program.name, err)
	}
	limit := time.AfterFunc(stopTimeout, func() { _ = kill(cmd, syscall.SIGKILL) })
	defer limit.Stop()
	var status *exec.ExitError // how a server that was told to end reports it is its own affair
	if err := cmd.Wait(); err != nil && !errors.As(err, &status) {
		return fmt.Errorf("stop %s: %w", s.program.name, err)
	}
	// Children that outlived their parent.
	return kill(cmd, syscall.SIGKILL)
}

// close ends the server and removes its scratch folder.
func (s *server) close() error {
	return errors.Join(s.down(), os.RemoveAll(s.dir))
}

// signal sends a signal to the server's process group.
func (s *server) signal(sig syscall.Signal) error {
	if s.cmd == nil {
		return fmt.Errorf("send %s to %s: it is not running", sig, s.program.name)
	}
	return kill(s.cmd, sig)
}

func (s *server) address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }
func (s *server) logFile() string { return filepath.Join(s.dir, "server.log") }

// tail is the end of the server's output, to be appended to a message.
func (s *server) tail() string {
	content, err := os.ReadFile(s.logFile())
	if err != nil || len(content) == 0 {
		return ""
	}
	content = content[max(0, len(content)-logTail):]
	return "\n" + s.program.name + " said:\n" + strings.TrimSpace(string(content))
}

// explain shows the server's output when the test has failed.
func (s *server) explain(t testing.TB) {
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(s.tail())
		}
	})
}

// kill signals a command's process group; a group that is gone is no error.
func kill(cmd *exec.Cmd, sig syscall.Signal) error {
	if err := syscall.Kill(-cmd.Process.Pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("send %s to process group %d: %w", sig, cmd.Process.Pid, err)
	}
	return nil
}

// credential is the account to run a server as: only root can choose, and some
// servers refuse to be run by root.
func credential(account string) (*syscall.Credential, error) {
	if account == "" || os.Getuid() != 0 {
		return nil, nil
	}
	found, err := user.Lookup(account)
	if err != nil {
		if found, err = user.Lookup("nobody"); err != nil {
			return nil, err
		}
	}
	uid, err := strconv.ParseUint(found.Uid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("account %s: %w", found.Username, err)
	}
	gid, err := strconv.ParseUint(found.Gid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("account %s: %w", found.Username, err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}
