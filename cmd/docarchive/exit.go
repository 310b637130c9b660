package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"

	"github.com/adteco/docarchive/cache"
	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/internal/config"
	"github.com/adteco/docarchive/internal/ledger"
	"github.com/adteco/docarchive/internal/store"
	"github.com/adteco/docarchive/pipeline"
	"github.com/adteco/docarchive/pipeline/submission"
	"github.com/adteco/docarchive/sinks/database"
)

// The exit statuses, the same for every command. Those from 64 on follow
// sysexits.h.
const (
	exitDone        = 0
	exitFailed      = 1
	exitPartly      = 3   // an unproven window, quarantined or unfinished jobs
	exitAlert       = 4   // monitor raised an alert
	exitUsage       = 64  // wrong command line
	exitDamaged     = 65  // the archive contradicts itself
	exitLocal       = 74  // local disk
	exitTemporary   = 75  // something is away; progress is kept
	exitRefused     = 77  // a key or a credential was refused
	exitConfig      = 78  // jobs.yaml, another archive, a store that cannot serve
	exitInterrupted = 130 // SIGINT
	exitTerminated  = 143 // SIGTERM
)

// usageError is a mistake on the command line.
type usageError struct{ message string }

func (e *usageError) Error() string { return e.message }

func usagef(format string, args ...any) error {
	return &usageError{fmt.Sprintf(format, args...)}
}

// configError is a mistake in the configuration that shows only when it is
// used.
type configError struct{ error }

func (e *configError) Unwrap() error { return e.error }

// errPartly means that a command did what it could, and said what it could not.
var errPartly = errors.New("partly done")

// errAlert means that monitor found what is past a threshold, and said so.
var errAlert = errors.New("alerts were raised")

// report prints the error that ended a command and returns the exit status.
func (a *app) report(err error) int {
	status := exitStatus(err)
	if sig := a.stop.received(); sig != nil {
		status = signalStatus(sig)
	}
	if err == nil || errors.Is(err, errPartly) || errors.Is(err, errAlert) {
		return status
	}
	var problems *config.Problems
	lines, prefix := distinct(err), "docarchive: "
	if errors.As(err, &problems) {
		lines, prefix = strings.Split(problems.Error(), "\n"), "" // each line begins with its place
	}
	for _, line := range lines {
		line = printable(line)
		if a.log != nil && a.flags.logFormat == "json" {
			a.log.Error(line, "exit_status", status)
		} else {
			fmt.Fprintf(a.stderr, "%s%s\n", prefix, line)
		}
	}
	return status
}

// exitStatus classifies an error. Where several are joined, the one that most
// needs a person counts.
func exitStatus(err error) int {
	if err == nil {
		return exitDone
	}
	for _, class := range classes {
		if class.match(err) {
			return class.status
		}
	}
	return exitFailed
}

// classes are tried in order.
var classes = []struct {
	status int
	match  func(error) bool
}{
	{exitPartly, as[*docextract.AmbiguousError]}, // before what it wraps
	{exitUsage, as[*usageError]},
	{exitDamaged, func(err error) bool { return as[*ledger.DamageError](err) || as[*submission.DamagedError](err) }},
	{exitRefused, refused},
	{exitConfig, misconfigured},
	{exitLocal, func(err error) bool { return as[*pipeline.SpoolError](err) || store.Local(err) || diskFull(err) }},
	{exitTemporary, temporary},
	{exitPartly, partly},
	{exitAlert, func(err error) bool { return errors.Is(err, errAlert) }},
}

// diskFull reports whether a local disk failed, or takes no more: the spool's,
// or that of an embedded database.
func diskFull(err error) bool {
	for _, failure := range []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG, syscall.EIO, syscall.EROFS} {
		if errors.Is(err, failure) {
			return true
		}
	}
	return false
}

func as[T error](err error) bool {
	var target T
	return errors.As(err, &target)
}

func refused(err error) bool {
	return docextract.KeyRefused(err) || store.Denied(err)
}

// some looks at every error that err is made of, where errors.As would stop at
// the first of its type.
func some(err error, match func(error) bool) bool {
	if err == nil {
		return false
	}
	if match(err) {
		return true
	}
	switch err := err.(type) {
	case interface{ Unwrap() error }:
		return some(err.Unwrap(), match)
	case interface{ Unwrap() []error }:
		return slices.ContainsFunc(err.Unwrap(), func(err error) bool { return some(err, match) })
	}
	return false
}

// passes reports whether a submission or a download may succeed later.
func passes(err error) bool {
	switch err := err.(type) {
	case *docextract.NotSentError:
		return true
	case *docextract.RejectedError:
		var api *docextract.Error
		return errors.As(err, &api) && api.Retryable()
	case *docextract.DownloadError:
		return err.Retryable()
	}
	return false
}

// partly are what a command said and went on from, and refusals that no
// repetition mends: of a submission, which made no job, or of a document.
func partly(err error) bool {
	return errors.Is(err, errPartly) || as[*docextract.RejectedError](err) || as[*docextract.DownloadError](err) ||
		as[*docextract.GoneError](err) || as[*docextract.UnsafeURLError](err)
}

func misconfigured(err error) bool {
	for _, sentinel := range []error{
		ledger.ErrNoArchive, store.ErrNoConditionalWrites, store.ErrNoBucket, cache.ErrAuth, cache.ErrURL,
	} {
		if errors.Is(err, sentinel) {
			return true
		}
	}
	return as[*config.Problems](err) || as[*configError](err) || as[*ledger.SettingsError](err) ||
		as[*ledger.IdentityError](err) || as[*ledger.VersionError](err) ||
		as[*database.SchemaDriftError](err) || as[*database.LimitError](err) || as[*pipeline.SkewError](err) || as[*pipeline.FirstRunError](err) || as[*docextract.RedirectError](err)
}

func temporary(err error) bool {
	return as[*docextract.UnavailableError](err) || store.Temporary(err) || errors.Is(err, store.ErrUnknown) ||
		errors.Is(err, pipeline.ErrStopped) || errors.Is(err, pipeline.ErrConflict) || errors.Is(err, pipeline.ErrHeld) || as[*cache.ErrHeld](err) ||
		errors.Is(err, context.DeadlineExceeded) || as[*signalError](err) || as[*unfinishedError](err) || as[*ledger.StaleError](err) ||
		as[*database.AwayError](err) || errors.Is(err, submission.ErrInUse) || some(err, passes)
}
