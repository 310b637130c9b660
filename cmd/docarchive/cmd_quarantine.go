package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/adteco/docarchive/cache"
	"github.com/adteco/docarchive/internal/config"
	"github.com/adteco/docarchive/internal/words"
	"github.com/adteco/docarchive/pipeline"
)

func (a *app) quarantineCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "quarantine",
		Short: "What runs have set aside: list it, and archive what can be archived now",
	}
	cmd.AddCommand(a.quarantineListCommand(), a.quarantineReleaseCommand())
	return cmd
}

func (a *app) quarantineListCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list PIPELINE",
		Short: "List what a pipeline has set aside and not released since",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			all := []pipeline.SetAside{}
			err := a.quarantine(cmd.Context(), args, func(ctx context.Context, r *pipeline.Runner, spec pipeline.Spec) error {
				return r.Quarantine(ctx, spec, func(s pipeline.SetAside) error {
					all = append(all, s)
					return nil
				})
			})
			return errors.Join(err, a.printAside(cmd.OutOrStdout(), all, "in quarantine"))
		},
	}
}

func (a *app) quarantineReleaseCommand() *cobra.Command {
	var ids []string
	cmd := &cobra.Command{
		Use:   "release PIPELINE",
		Short: "Archive the jobs that were set aside and that the schema takes now, with no API call",
		Long: `Archive the jobs that schema: quarantine has set aside, by what jobs.yaml says
now: under schema: evolve their new fields become columns. They are read from the
quarantine, not from the API, which may have dropped them. Each is archived once,
in a window that is sealed, too. What is no job stays where it is.

Exit status 3 if the schema does not take a job yet: its policy is still freeze
or quarantine, and it has a field that is neither a column nor dropped.`,
		Example: `  docarchive quarantine list invoices
  docarchive quarantine release invoices --job job_1a2b3c`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			told := []pipeline.SetAside{}
			err := a.quarantine(cmd.Context(), args, func(ctx context.Context, r *pipeline.Runner, spec pipeline.Spec) error {
				return r.Release(ctx, spec, ids, func(s pipeline.SetAside) { told = append(told, s) })
			})
			if err == nil && countAside(told, pipeline.ReleaseRefused) > 0 {
				err = errPartly
			}
			return errors.Join(err, a.printAside(cmd.OutOrStdout(), told, "looked at"))
		},
	}
	cmd.Flags().StringArrayVar(&ids, "job", nil, "only this job, by its id; may be repeated")
	return cmd
}

// quarantine opens the archive for work on a pipeline's quarantine.
func (a *app) quarantine(ctx context.Context, names []string, do func(context.Context, *pipeline.Runner, pipeline.Spec) error) (err error) {
	cfg, err := a.loadConfigKeyless()
	if err != nil {
		return err
	}
	pipelines, err := chosen(cfg, names)
	if err != nil {
		return err
	}
	w := &workplace{cfg: cfg, now: a.now, log: a.log}
	defer func() { err = errors.Join(err, w.close()) }()
	if w.store, w.ledger, err = a.openArchive(ctx, cfg, reading, a.now); err != nil {
		return err
	}
	spool, remove, err := a.makeSpool(a.now())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	specs, err := w.specs(ctx, []config.Pipeline{pipelines[0]}, w.begin, span{}, spool)
	if err != nil {
		return err
	}
	stores := w.stores()
	stores.Seen, stores.Leases = cache.NewMemory(), nil // the ledger itself is asked
	return do(ctx, &pipeline.Runner{
		Identity: pipeline.Identity{RunID: newRunID(a.now()), ToolVersion: version},
		Stores:   stores, Spool: spool, Now: a.now, Log: a.log, Stopping: a.stop.begin,
	}, specs[0])
}

func countAside(all []pipeline.SetAside, what string) int {
	n := 0
	for _, s := range all {
		if s.Release == what {
			n++
		}
	}
	return n
}

// printAside prints what was set aside in the form that was asked for.
func (a *app) printAside(out io.Writer, all []pipeline.SetAside, where string) error {
	out = a.hide.writer(out)
	if a.json() {
		return printJSON(out, all)
	}
	if len(all) > 0 {
		t := newTable("window", "job", "release", "reason")
		for _, s := range all {
			t.AppendRow([]any{s.Window, printable(s.ID), s.Release, printable(s.Reason)})
		}
		if _, err := fmt.Fprintf(out, "%s\n\n", t.Render()); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(out, "quarantine: %s %s, %d released, %d refused by the schema, %d no job\n", words.Count(len(all), "element"), where,
		countAside(all, pipeline.ReleaseDone), countAside(all, pipeline.ReleaseRefused), countAside(all, pipeline.ReleaseNoJob))
	return err
}
