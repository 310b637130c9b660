package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/sourcegraph/conc/pool"
	"github.com/spf13/cobra"

	"github.com/adteco/docarchive/docextract"
)

// waitersAtOnce bounds the requests of a wait that are under way.
const waitersAtOnce = 8

func (a *app) jobsWaitCommand() *cobra.Command {
	var timeout time.Duration
	var how *form
	cmd := &cobra.Command{
		Use:   "wait ID…",
		Short: "Wait until jobs are final",
		Long: `Wait until jobs are final.

The pauses between two questions grow, and grow faster where little is left of
the request budget. Exit status: 0 if all jobs are completed, 3 if some failed or
do not exist, 75 if some are not final when --timeout is over.`,
		Example: "  docarchive jobs wait job_8f3a2b1c --timeout 10m",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if timeout < 0 {
				return usagef("--timeout must not be negative")
			}
			slices.Sort(args)
			return a.waitForJobs(cmd.Context(), cmd.OutOrStdout(), slices.Compact(args), timeout, *how)
		},
	}
	cmd.Flags().DurationVar(&timeout, "timeout", 0, "give up after this long; 0: never")
	how = formFlag(cmd.Flags())
	return cmd
}

// waited is what a wait for one job came to.
type waited struct {
	id  string
	job docextract.Job
	err error
}

func (a *app) waitForJobs(ctx context.Context, out io.Writer, ids []string, timeout time.Duration, how form) (err error) {
	w, err := a.reach(ctx, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	ctx, release := a.untilStopped(ctx)
	defer release()
	if timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, timeout, fmt.Errorf("not final after %v: %w", timeout, context.DeadlineExceeded))
		defer cancel()
	}
	one := w.waiter()
	waiting := pool.NewWithResults[waited]().WithMaxGoroutines(waitersAtOnce)
	for _, id := range ids {
		waiting.Go(func() waited {
			job, err := one.wait(ctx, id)
			if err == nil {
				w.home.Put(ctx, id, job.Raw)
			}
			return waited{id, job, err}
		})
	}
	all := waiting.Wait()
	slices.SortFunc(all, func(a, b waited) int { return slices.Index(ids, a.id) - slices.Index(ids, b.id) })
	return errors.Join(a.printWaited(a.hide.writer(out), all, how), judgeWaited(all))
}

// judgeWaited is what the command ends with.
func judgeWaited(all []waited) error {
	var errs []error
	for _, one := range all {
		switch {
		case docextract.NotFound(one.err):
			errs = append(errs, errPartly)
		case one.err != nil:
			errs = append(errs, errPartly, one.err) // the table has said it
		case one.job.Status != docextract.StatusCompleted:
			errs = append(errs, errPartly)
		}
	}
	return errors.Join(errs...)
}

func (a *app) printWaited(out io.Writer, all []waited, how form) error {
	if how == formTable {
		t := newTable("id", "status", "problem")
		for _, one := range all {
			t.AppendRow([]any{printable(one.id), printable(string(one.job.Status)), printable(one.problem())})
		}
		_, err := fmt.Fprintln(out, t.Render())
		return err
	}
	type row struct {
		ID      string          `json:"id"`
		Problem string          `json:"problem,omitempty"`
		Job     json.RawMessage `json:"job,omitempty"` // as last seen
	}
	rows := make([]row, 0, len(all))
	for _, one := range all {
		rows = append(rows, row{one.id, one.problem(), one.job.Raw})
	}
	if how == formJSON {
		return printJSON(out, rows)
	}
	for _, r := range rows {
		line, err := json.Marshal(r)
		if err == nil {
			_, err = out.Write(printableJSON(append(line, '\n')))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// problem says why the job is not completed; empty if it is.
func (one *waited) problem() string {
	if one.err != nil {
		return one.err.Error()
	}
	if one.job.Status == docextract.StatusCompleted {
		return ""
	}
	fields, err := decodeJob(one.job)
	if err != nil {
		return err.Error()
	}
	for _, path := range []string{"error_details.message", "error_details.code"} {
		if value, ok := lookup(fields, path); ok && value != nil {
			return textOf(value)
		}
	}
	return "failed, the API does not say why"
}
