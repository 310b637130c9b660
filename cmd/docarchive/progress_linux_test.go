package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// terminals opens a pseudo-terminal: what is written to tty can be read from
// screen.
func terminals(t *testing.T) (screen, tty *os.File) {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("there are no pseudo-terminals here: %v", err)
	}
	t.Cleanup(func() { screen.Close() })
	fd := int(screen.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("there are no pseudo-terminals here: %v", err)
	}
	t.Cleanup(func() { tty.Close() })
	if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 120}); err != nil {
		t.Fatal(err)
	}
	return screen, tty
}

// onTerminal executes docarchive with standard error on a terminal, and calls
// block when the run has come to the roadblock.
func (s *shell) onTerminal(b *roadblock, block func(shown *notice), args ...string) (stdout, shown string) {
	s.t.Helper()
	screen, tty := terminals(s.t)
	seen := newNotice("windows")
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		io.Copy(seen, screen) // ends with an error when the terminal is closed
	}()
	var out bytes.Buffer
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.into(&out, tty, args...)
	}()
	wait(s.t, b.reached, "a window is read")
	block(seen)
	close(b.release)
	wait(s.t, done, "the run ends")
	if err := tty.Close(); err != nil {
		s.t.Error(err)
	}
	wait(s.t, drained, "all that was shown is read")
	return out.String(), seen.String()
}

func TestBarsOnTerminal(t *testing.T) {
	s := newShell(t)
	s.insertMalformed(3)
	b := s.block(4)
	stdout, shown := s.onTerminal(b, func(shown *notice) { wait(t, shown.seen, "a bar is drawn") }, "run")
	if !regexp.MustCompile(`jobs +[0-6]/6 windows.*[0-9]+ jobs, [0-9]+ new`).MatchString(shown) {
		t.Errorf("no bar is drawn:\n%q", shown)
	}
	// Warnings stand above the bars, each whole.
	left := visible(shown)
	if n := len(regexp.MustCompile(`(?m)^.*WRN.*3 jobs put into quarantine.*file=.*jsonl.zst.*$`).FindAllString(left, -1)); n != 1 {
		t.Errorf("%d whole warnings are shown, want 1:\n%q", n, shown)
	}
	if n := strings.Count(left, " windows "); n != 1 {
		t.Errorf("%d bars are left on the screen, want 1:\n%s", n, left)
	}
	if !strings.Contains(stdout, "jobs archived") || strings.Contains(stdout, "\x1b") {
		t.Errorf("standard output has %q", stdout)
	}
}

// visible is what a terminal still shows after a text with the escape sequences
// that move the cursor up and clear what is below it; others change no text.
func visible(text string) string {
	lines, row := []string{""}, 0
	sequence := regexp.MustCompile("^\x1b\\[([0-9;?]*)([A-Za-z])")
	for len(text) > 0 {
		if m := sequence.FindStringSubmatch(text); m != nil {
			text = text[len(m[0]):]
			switch m[2] {
			case "A":
				n, _ := strconv.Atoi(m[1])
				row = max(0, row-max(1, n))
			case "J":
				lines = append(lines[:row:row], "")
			}
			continue
		}
		if text[0] == '\n' {
			if row++; row == len(lines) {
				lines = append(lines, "")
			}
		} else if text[0] != '\r' {
			lines[row] += text[:1]
		}
		text = text[1:]
	}
	return strings.Join(lines, "\n")
}

func TestNoBarsWhenQuiet(t *testing.T) {
	s := newShell(t)
	s.insertMalformed(1)
	b := s.block(3)
	if _, shown := s.onTerminal(b, func(*notice) {}, "run", "--quiet"); shown != "" {
		t.Errorf("shown is %q", shown)
	}
}

// insertMalformed adds elements that are not jobs.
func (s *shell) insertMalformed(n int) {
	for i := range n {
		s.sim.AddRaw(shellTime.AddDate(0, 0, -1), fmt.Appendf(nil, `{"status":"completed","n":%d}`, i))
	}
}
