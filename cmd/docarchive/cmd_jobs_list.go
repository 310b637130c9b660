package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// listOptions are the flags of jobs list.
type listOptions struct {
	jobFilter
	limit   int
	all     bool
	columns string
	form    *form
}

func (a *app) jobsListCommand() *cobra.Command {
	var o listOptions
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List jobs, with every filter that the API has",
		Long: `List jobs, with every filter that the API has.

The listing is read page by page while jobs come and go: each job is shown once,
but the listing is a view and no proof of completeness. What has to be complete
is archived by docarchive run.

--columns takes names of the job's fields, with dots for what lies deeper, and
mean_confidence. Without it, JSON is what the API sent.`,
		Example: `  docarchive jobs list --status failed --created-after 24h
  docarchive jobs list --extractor ext_invoice --columns id,extracted_data.total_amount,metadata.batch_id
  docarchive jobs list --metadata department=accounting --client-side --all -o jsonl`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.listJobs(cmd.Context(), cmd.OutOrStdout(), o) },
	}
	f := cmd.Flags()
	o.bind(f)
	f.IntVar(&o.limit, "limit", 50, "show at most so many jobs")
	f.BoolVar(&o.all, "all", false, "show all jobs, whatever --limit says")
	f.StringVar(&o.columns, "columns", "", "what to show of each job, with commas between the names")
	o.form = formFlag(f)
	return cmd
}

func (a *app) listJobs(ctx context.Context, out io.Writer, o listOptions) (err error) {
	columns, err := columnsOf(o.columns)
	if err != nil {
		return err
	}
	most := o.limit
	if o.limit < 1 {
		return usagef("--limit must be at least 1, not %d", o.limit)
	}
	if o.all {
		most = 0
	}
	w, err := a.reach(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	walk, err := a.walk(w, &o.jobFilter)
	if err != nil {
		return err
	}
	out = a.hide.writer(out)
	view := newJobView(out, *o.form, columns)
	if err := walk.run(ctx, most, view.add); err != nil {
		return errors.Join(err, view.flush())
	}
	if err := view.end(); err != nil {
		return err
	}
	if names := view.absent(); len(names) > 0 {
		a.log.Warn("no job shown has this", "columns", strings.Join(names, ","))
	}
	if *o.form == formTable {
		if _, err := fmt.Fprintln(out, listed(walk)); err != nil {
			return err
		}
	}
	return a.ended(walk)
}

// listed says how much of the listing a table shows.
func listed(w *jobWalk) string {
	switch {
	case w.shown == 0:
		return "no jobs"
	case w.more && w.total >= 0 && !w.clientSide:
		return fmt.Sprintf("\n%d of %d jobs; --all shows the rest", w.shown, w.total)
	case w.more:
		return fmt.Sprintf("\nthe first %d jobs; --all shows the rest", w.shown)
	}
	return fmt.Sprintf("\n%d jobs", w.shown)
}
