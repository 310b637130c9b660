package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/adteco/docarchive/internal/config"
	"github.com/adteco/docarchive/internal/words"
)

// The states of a check.
const (
	healthOK   = "ok"
	healthWarn = "warn"
	healthFail = "fail"
)

// checkup is what one check found.
type checkup struct {
	Area  string `json:"area"`
	Check string `json:"check"`
	State string `json:"state"` // ok, warn or fail
	Found string `json:"found"`
	Do    string `json:"do,omitempty"` // about it
}

// doctor looks at everything that a run needs and notes what it finds.
type doctor struct {
	*app
	cfg      *config.Config
	checks   []checkup
	failures []error
}

// examination bounds one area, so that what hangs does not hide the rest.
const examination = 45 * time.Second

func (a *app) doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Check the key, the bucket, the cache, databases and disks; leaves nothing behind",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := a.loadConfig()
			if err != nil {
				return err
			}
			d := &doctor{app: a, cfg: cfg}
			d.ok("configuration", cfg.File, words.Count(len(cfg.Pipelines), "pipeline"))
			for _, area := range []func(context.Context){d.accounts, d.bucket, d.cache, d.databases, d.local} {
				limited, cancel := context.WithTimeout(cmd.Context(), examination)
				area(limited)
				cancel()
				if cmd.Context().Err() != nil {
					return context.Cause(cmd.Context())
				}
			}
			return d.tell(cmd.OutOrStdout())
		},
	}
}

func (d *doctor) ok(area, check, format string, args ...any) {
	d.checks = append(d.checks, checkup{Area: area, Check: check, State: healthOK, Found: found(format, args)})
}

func (d *doctor) warn(area, check, do, format string, args ...any) {
	d.checks = append(d.checks, checkup{Area: area, Check: check, State: healthWarn, Found: found(format, args), Do: do})
}

// fail notes a failure. An error that has no status of its own is one of the
// configuration: what is checked here is what it names.
func (d *doctor) fail(area, check, do string, err error) {
	if exitStatus(err) == exitFailed {
		err = &configError{err}
	}
	d.failures = append(d.failures, err)
	d.checks = append(d.checks, checkup{Area: area, Check: check, State: healthFail, Found: found("%v", []any{err}), Do: do})
}

// found is one printable line.
func found(format string, args []any) string {
	text := format
	if len(args) > 0 {
		text = fmt.Sprintf(format, args...)
	}
	return printable(strings.Join(strings.Fields(text), " "))
}

// unhealthyError means that checks failed, which has been said. It is of the
// kind of their errors.
type unhealthyError struct {
	checks int
	err    error
}

func (e *unhealthyError) Error() string {
	return words.Count(e.checks, "check") + " failed: what to do stands beside each"
}

func (e *unhealthyError) Unwrap() error { return e.err }

// tell prints what was found. The error, if any, has the status of the worst.
func (d *doctor) tell(out io.Writer) error {
	out = d.hide.writer(out)
	var err error
	if len(d.failures) > 0 {
		err = &unhealthyError{len(d.failures), errors.Join(d.failures...)}
	}
	warnings := 0
	for _, c := range d.checks {
		if c.State == healthWarn {
			warnings++
		}
	}
	if d.json() {
		return errors.Join(printJSON(jsonPrinter{out}, map[string]any{
			"checks": d.checks, "warnings": warnings, "failures": len(d.failures), "exit_status": exitStatus(err),
		}), err)
	}
	t := newTable("", "area", "check", "found")
	var advice strings.Builder
	for _, c := range d.checks {
		t.AppendRow([]any{c.State, c.Area, printable(c.Check), c.Found})
		if c.Do != "" {
			fmt.Fprintf(&advice, "\n%s %s, %s: %s", c.State, c.Area, printable(c.Check), c.Do)
		}
	}
	text := t.Render() + "\n" + advice.String()
	if advice.Len() > 0 {
		text += "\n"
	}
	_, failed := fmt.Fprintf(out, "%s\n%s, %s\n", text, words.Count(warnings, "warning"), words.Count(len(d.failures), "failure"))
	return errors.Join(failed, err)
}
