package main

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/url"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/lmittmann/tint"
	"golang.org/x/term"
)

func newLogger(w io.Writer, f globalFlags) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(f.logLevel)); err != nil {
		return nil, usagef("--log-level must be debug, info, warn or error, not %q", f.logLevel)
	}
	if f.quiet {
		level = slog.LevelError
	}
	switch f.logFormat {
	case "json":
		return slog.New(slog.NewJSONHandler(jsonPrinter{w}, &slog.HandlerOptions{Level: level})), nil
	case "text":
		return slog.New(tint.NewTextHandler(w, &tint.Options{
			Level: level, TimeFormat: time.TimeOnly, NoColor: !terminal(w),
		})), nil
	}
	return nil, usagef("--log-format must be text or json, not %q", f.logFormat)
}

// terminal reports whether w is one.
func terminal(w io.Writer) bool {
	switch w := w.(type) {
	case *redacting:
		return terminal(w.w)
	case *screen:
		return terminal(w.below)
	case *os.File:
		return term.IsTerminal(int(w.Fd()))
	}
	return false
}

// screen is standard error. While bars are drawn there, what is written goes
// above them.
type screen struct {
	below io.Writer

	mu   sync.Mutex
	bars io.Writer // nil: none are drawn
}

// show lets bars draw on the screen, or ends that if it is nil.
func (s *screen) show(bars io.Writer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bars = bars
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bars != nil {
		return s.bars.Write(p)
	}
	return s.below.Write(p)
}

// redactor replaces secrets in everything that is printed about the work. It
// stands before the last writer, so that no message can go around it.
type redactor struct {
	mu      sync.Mutex
	secrets [][]byte
}

// add makes the texts secret, in the spellings that printing may give them.
func (r *redactor) add(secrets ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range secrets {
		if len(s) < 4 {
			continue // would tear other words apart, and protects nothing
		}
		quoted, err := json.Marshal(s)
		if err != nil {
			continue
		}
		for _, form := range []string{s, string(quoted[1 : len(quoted)-1]), url.QueryEscape(s), url.PathEscape(s)} {
			if b := []byte(form); !slices.ContainsFunc(r.secrets, func(x []byte) bool { return bytes.Equal(x, b) }) {
				r.secrets = append(r.secrets, b)
			}
		}
	}
	// Longer ones first, should one contain another.
	slices.SortFunc(r.secrets, func(a, b []byte) int { return len(b) - len(a) })
}

func (r *redactor) clean(p []byte) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.secrets {
		if bytes.Contains(p, s) {
			p = bytes.ReplaceAll(p, s, []byte("[redacted]"))
		}
	}
	return p
}

func (r *redactor) writer(w io.Writer) io.Writer { return &redacting{r, w} }

// redacting cleans what passes; each message must come in one call.
type redacting struct {
	*redactor
	w io.Writer
}

func (r *redacting) Write(p []byte) (int, error) {
	if _, err := r.w.Write(r.clean(p)); err != nil {
		return 0, err
	}
	return len(p), nil
}
