package main

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/docextract/docextracttest"
)

// shell executes command lines in the test's own process, where a test can hand
// in signals and the API. Nothing that an execution starts may outlive the test.
type shell struct {
	t       *testing.T
	dir     string // holds jobs.yaml, archive, cache and spool
	env     map[string]string
	signals chan os.Signal
	exit    func(status int)
	sim     *docextracttest.Simulator
}

// result is what an execution came to.
type result struct {
	status         int
	stdout, stderr string
}

// shellTime is when the shells' commands are executed.
var shellTime = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

const shellKey = "sk_live_of+the/shell=0123456789"

// newShell returns a shell with the configuration of the scripts and an account
// of 200 jobs over four days, whose API it still has to be told of.
func newShell(t *testing.T) *shell {
	t.Helper()
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
	s := &shell{
		t: t, dir: t.TempDir(), signals: make(chan os.Signal, 2),
		exit: func(status int) { t.Errorf("the program ends at once with status %d", status) },
		sim: docextracttest.New(docextracttest.Config{
			Seed: 7, Jobs: 200, Span: 4 * 24 * time.Hour, Key: shellKey, Clock: func() time.Time { return shellTime },
		}),
	}
	s.env = map[string]string{
		"DOCEXTRACT_API_KEY": shellKey, "DOCARCHIVE_BUCKET": "file://" + filepath.Join(s.dir, "archive"),
		"DOCARCHIVE_CACHE_DIR": filepath.Join(s.dir, "cache"), "DOCARCHIVE_SPOOL": filepath.Join(s.dir, "spool"),
	}
	if err := os.Mkdir(s.env["DOCARCHIVE_SPOOL"], 0o700); err != nil {
		t.Fatal(err)
	}
	small, err := os.ReadFile("testdata/script/small.yaml")
	if err != nil {
		t.Fatal(err)
	}
	s.configure(string(small))
	return s
}

func (s *shell) configure(text string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, "jobs.yaml"), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// execute executes docarchive with the arguments.
func (s *shell) execute(args ...string) result {
	s.t.Helper()
	var stdout, stderr bytes.Buffer
	status := s.into(&stdout, &stderr, args...)
	return result{status, stdout.String(), stderr.String()}
}

// buffer is what an execution writes to.
type buffer interface{ Write([]byte) (int, error) }

func (s *shell) into(stdout, stderr buffer, args ...string) int {
	env := maps.Clone(s.env)
	return run(system{
		args: append([]string{"--config", filepath.Join(s.dir, "jobs.yaml")}, args...),
		getenv: func(name string) (string, bool) {
			value, has := env[name]
			return value, has
		},
		stdin: strings.NewReader(""), stdout: stdout, stderr: stderr, signals: s.signals, exit: s.exit,
		now: func() time.Time { return shellTime },
		tune: func(o *docextract.Options) {
			o.Retry.First, o.Retry.Longest = time.Millisecond, 2*time.Millisecond
		},
	})
}

// want executes docarchive, which must end with the status and print what the
// pattern matches on standard output.
func (s *shell) want(status int, pattern string, args ...string) result {
	s.t.Helper()
	r := s.execute(args...)
	if r.status != status || !regexp.MustCompile(pattern).MatchString(r.stdout) {
		s.t.Fatalf("%s: exit status %d, want %d and %q\n%s%s", strings.Join(args, " "), r.status, status, pattern, r.stdout, r.stderr)
	}
	return r
}

// notice is a buffer that tells when a text has been written to it.
type notice struct {
	text string
	seen chan struct{} // closed once

	mu  sync.Mutex
	all bytes.Buffer
}

func newNotice(text string) *notice { return &notice{text: text, seen: make(chan struct{})} }

func (n *notice) Write(p []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	before := strings.Contains(n.all.String(), n.text)
	n.all.Write(p)
	if !before && strings.Contains(n.all.String(), n.text) {
		close(n.seen)
	}
	return len(p), nil
}

func (n *notice) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.all.String()
}
