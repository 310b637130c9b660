package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/adteco/docarchive/cache"
	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/internal/config"
	"github.com/adteco/docarchive/internal/ledger"
	"github.com/adteco/docarchive/internal/store"
	"github.com/adteco/docarchive/pipeline"
)

// errorsByStatus has errors of every kind, each with the status that it ends
// the program with, those first that need a person most.
var errorsByStatus = []struct {
	status int
	errors []error
}{
	{exitPartly, []error{
		&docextract.AmbiguousError{Err: &docextract.RedirectError{Host: "h"}}, &docextract.AmbiguousError{Err: &docextract.Error{Status: 500}},
	}},
	{exitUsage, []error{usagef("--since: %s", "no")}},
	{exitDamaged, []error{&ledger.DamageError{Key: "k", Reason: "r"}}},
	{exitRefused, []error{
		&docextract.Error{Status: 401, Code: "invalid_api_key"}, &docextract.Error{Status: 403}, store.ErrDenied,
		&docextract.RejectedError{Err: &docextract.Error{Status: 401}},
	}},
	{exitConfig, []error{
		&config.Problems{{File: "jobs.yaml", Line: 1, Column: 2, Message: "m"}}, &configError{io.ErrUnexpectedEOF},
		ledger.ErrNoArchive, &ledger.SettingsError{}, &ledger.IdentityError{}, &ledger.VersionError{},
		store.ErrNoConditionalWrites, store.ErrNoBucket, cache.ErrAuth, cache.ErrURL,
		&pipeline.SkewError{}, &docextract.RedirectError{Host: "h"},
		&docextract.RejectedError{Err: &docextract.RedirectError{Host: "h"}},
	}},
	{exitLocal, []error{
		&pipeline.SpoolError{Err: syscall.ENOSPC}, store.ErrLocal, &os.PathError{Op: "write", Path: "p", Err: syscall.EFBIG}, syscall.EDQUOT,
	}},
	{exitTemporary, []error{
		&docextract.UnavailableError{Attempts: 6, Err: syscall.ECONNREFUSED},
		&docextract.UnavailableError{Attempts: 6, Err: &docextract.Error{Status: 503}},
		&docextract.UnavailableError{Attempts: 3, Err: &docextract.MalformedError{Err: io.EOF}},
		store.ErrTemporary, store.ErrUnknown, pipeline.ErrStopped, pipeline.ErrConflict,
		&cache.ErrHeld{Name: "l", Holder: "h"}, context.DeadlineExceeded, &signalError{os.Interrupt}, &ledger.StaleError{Path: "p"},
		&docextract.NotSentError{Err: io.ErrUnexpectedEOF}, &docextract.RejectedError{Err: &docextract.Error{Status: 429}},
	}},
	{exitPartly, []error{
		errPartly, &docextract.RejectedError{Err: &docextract.Error{Status: 402}}, &docextract.RejectedError{Err: &docextract.Error{Status: 422}},
		&docextract.DownloadError{Host: "h", Path: "/p", Err: io.EOF}, &docextract.GoneError{Host: "h", Path: "/p", Status: 404},
		&docextract.UnsafeURLError{Host: "h", Path: "/p", Reason: "r"},
	}},
	{exitFailed, []error{io.ErrUnexpectedEOF, &docextract.Error{Status: 400}, context.Canceled}},
}

func TestExitStatus(t *testing.T) {
	if got := exitStatus(nil); got != exitDone {
		t.Errorf("no error: exit status %d", got)
	}
	for i, class := range errorsByStatus {
		for _, err := range class.errors {
			for form, err := range map[string]error{
				"alone":   err,
				"wrapped": fmt.Errorf("pipeline p: %w", fmt.Errorf("window w: %w", err)),
				"joined":  errors.Join(fmt.Errorf("pipeline a: %w", err), nil, fmt.Errorf("pipeline b: %w", err)),
			} {
				if got := exitStatus(err); got != class.status {
					t.Errorf("%s %T %q: exit status %d, want %d", form, err, err, got, class.status)
				}
			}
			// Of several, the one that most needs a person counts.
			for _, lesser := range errorsByStatus[i+1:] {
				for _, other := range lesser.errors {
					for _, joined := range []error{errors.Join(err, other), fmt.Errorf("run: %w", errors.Join(other, err))} {
						if got := exitStatus(joined); got != class.status {
							t.Errorf("%q and %q: exit status %d, want %d", err, other, got, class.status)
						}
					}
				}
			}
		}
	}
}

func TestReport(t *testing.T) {
	problems := &config.Problems{
		{File: "jobs.yaml", Line: 1, Column: 2, Message: "first"}, {File: "jobs.yaml", Line: 3, Column: 4, Message: "second"},
	}
	for _, c := range []struct {
		name   string
		err    error
		signal os.Signal
		json   bool
		status int
		want   string
	}{
		{name: "done"},
		{name: "partly done is no error to print", err: errPartly, status: exitPartly},
		{name: "one", err: usagef("no"), status: exitUsage, want: "docarchive: no\n"},
		{name: "several", err: errors.Join(pipeline.ErrConflict, io.EOF), status: exitTemporary, want: fmt.Sprintf("docarchive: %v\ndocarchive: EOF\n", pipeline.ErrConflict)},
		{name: "problems", err: &configError{problems}, status: exitConfig, want: "jobs.yaml:1:2: first\njobs.yaml:3:4: second\n"},
		{name: "for machines", err: usagef("no"), json: true, status: exitUsage, want: `{"level":"ERROR","msg":"no","exit_status":64}` + "\n"},
		{name: "terminated", signal: syscall.SIGTERM, status: exitTerminated},
		{name: "interrupted", signal: os.Interrupt, status: exitInterrupted},
		{name: "terminated while away", err: pipeline.ErrStopped, signal: syscall.SIGTERM, status: exitTerminated, want: "docarchive: " + pipeline.ErrStopped.Error() + "\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var stderr bytes.Buffer
			a := &app{system: system{stderr: &stderr}, stop: newStopper()}
			if c.json {
				a.flags.logFormat = "json"
				a.log = slog.New(slog.NewJSONHandler(&stderr, &slog.HandlerOptions{ReplaceAttr: withoutTime}))
			}
			if c.signal != nil {
				a.stop.request(c.signal)
			}
			if got := a.report(c.err); got != c.status || stderr.String() != c.want {
				t.Errorf("exit status %d and %q, want %d and %q", got, stderr.String(), c.status, c.want)
			}
		})
	}
}

func withoutTime(groups []string, attr slog.Attr) slog.Attr {
	if len(groups) == 0 && attr.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return attr
}

// Every message is one line that tells something.
func TestErrorsAreOneLine(t *testing.T) {
	for _, class := range errorsByStatus {
		for _, err := range class.errors {
			if text := err.Error(); text == "" || strings.ContainsAny(text, "\n\r") {
				t.Errorf("%T says %q", err, text)
			}
		}
	}
}
