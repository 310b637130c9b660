package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/adteco/docarchive/bench/pageserver"
)

// childMark is set in the environment of processes that are this program again.
const childMark = "DOCARCHIVE_BENCH_CHILD"

// command is a process to be measured.
type command struct {
	argv  []string
	env   []string // added to the environment
	dir   string
	stdin []byte
	shown string // what to print instead of argv, where that is long
}

// sample is what one process cost.
type sample struct {
	Wall     float64             `json:"wall_s"`
	User     float64             `json:"user_s"`
	Sys      float64             `json:"sys_s"`
	RSS      float64             `json:"peak_rss_mb"`
	Counters pageserver.Counters `json:"server"`
	Output   int64               `json:"output_bytes"`

	stdout []byte
}

func (s *sample) cpu() float64 { return s.User + s.Sys }

// exec runs a command to its end, or kills it with all its children.
func (b *bench) exec(ctx context.Context, c command) (*sample, error) {
	shown := c.shown
	if shown == "" {
		shown = strings.Join(c.argv, " ")
	}
	b.report.command(strings.ReplaceAll(shown, b.dir, "$WORK"))
	ctx, cancel := context.WithTimeout(ctx, b.each)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.argv[0], c.argv[1:]...)
	cmd.Env = slices.Concat(os.Environ(), []string{childMark + "=1"}, c.env)
	cmd.Dir = c.dir
	cmd.Stdin = bytes.NewReader(c.stdin)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	ownGroup(cmd)
	cmd.WaitDelay = 5 * time.Second
	begun := time.Now()
	err := cmd.Run()
	s := &sample{Wall: time.Since(begun).Seconds(), stdout: stdout.Bytes()}
	if cmd.ProcessState != nil {
		s.User, s.Sys = cmd.ProcessState.UserTime().Seconds(), cmd.ProcessState.SystemTime().Seconds()
		s.RSS = peakRSS(cmd.ProcessState)
	}
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return nil, fmt.Errorf("%s: %w: %s", shown, err, tail(stderr.String()))
	}
	return s, nil
}

// tail is the end of a text.
func tail(text string) string {
	const most = 2000
	text = strings.TrimSpace(text)
	return text[max(0, len(text)-most):]
}
