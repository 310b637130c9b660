package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/adteco/docarchive/internal/config"
	"github.com/adteco/docarchive/pipeline"
)

// rebuildOptions are the flags of rebuild.
type rebuildOptions struct {
	sinks       []string
	dryRun      bool
	prune       bool
	skipMissing bool
	maxDuration time.Duration
}

func (a *app) rebuildCommand() *cobra.Command {
	var o rebuildOptions
	cmd := &cobra.Command{
		Use:   "rebuild PIPELINE",
		Short: "Write a pipeline's sinks again from the raw layer, with no API call",
		Long: `Write a pipeline's sinks again from the raw layer, by what jobs.yaml says now:
its fields, sinks, formats and partitions. No request is made to the API. A sink
or a child table that was added later gets all of the history.

The new files are staged first, and take the place of the old ones all at once,
at the end. Databases are loaded again record by record. A rebuild may be
stopped and repeated: it goes on where it was. It may run beside run.

A column keeps its type for ever; what a changed type asks for is told, and what
does not fit stands in NAME__text, as in a run. What drop and hash hide is gone
from the files and tables that are written again; the raw layer still has it.`,
		Example: `  docarchive rebuild invoices --dry-run
  docarchive rebuild invoices
  docarchive rebuild invoices --sink csv:invoices_csv --sink postgres:invoices`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := a.loadConfigKeyless()
			if err != nil {
				return err
			}
			pipelines, err := chosen(cfg, args)
			if err != nil {
				return err
			}
			report, err := a.rebuild(cmd.Context(), cfg, pipelines[0], o)
			if report != nil {
				err = errors.Join(err, a.printRebuild(cmd.OutOrStdout(), report, err))
			}
			return err
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&o.sinks, "sink", nil, "only this sink, by its label such as parquet:invoices; may be repeated")
	f.BoolVar(&o.dryRun, "dry-run", false, "say what would be read and written, and write nothing")
	f.BoolVar(&o.prune, "prune", false, "remove the files of sinks that jobs.yaml does not have any more")
	f.BoolVar(&o.skipMissing, "skip-missing-raw", false, "leave jobs as they are that were archived with raw: false; exit 3")
	f.DurationVar(&o.maxDuration, "max-duration", 0, "begin no window after this long; exit 75 if work is left")
	return cmd
}

// rebuild writes a pipeline's sinks again.
func (a *app) rebuild(ctx context.Context, cfg *config.Config, p config.Pipeline, o rebuildOptions) (report *pipeline.RebuildReport, err error) {
	defer a.thrifty()()
	w := &workplace{cfg: cfg, now: a.now, log: a.log}
	defer func() { err = errors.Join(err, w.close()) }()
	if w.store, w.ledger, err = a.openArchive(ctx, cfg, reading, a.now); err != nil {
		return nil, err
	}
	spool, remove, err := a.makeSpool(a.now())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, remove()) }()
	specs, err := w.specs(ctx, []config.Pipeline{p}, w.begin, span{}, spool)
	if err != nil {
		return nil, err
	}
	spec := specs[0]
	options := pipeline.RebuildOptions{
		Progress: w.ledger, Prune: o.prune, SkipMissingRaw: o.skipMissing, DryRun: o.dryRun,
	}
	if err := chooseSinks(&spec, &options, p, o.sinks); err != nil {
		return nil, err
	}
	if d := o.maxDuration; d > 0 {
		timer := time.AfterFunc(d, func() { a.stop.request(nil) })
		defer timer.Stop()
	}
	bars := a.newProgress(w)
	runner := &pipeline.Runner{
		Identity: pipeline.Identity{RunID: newRunID(a.now()), ToolVersion: version, DryRun: o.dryRun},
		Stores: pipeline.Stores{
			ArchiveID: w.ledger.ID(), Ledger: w.ledger, Shelf: w.ledger, Schemas: w.ledger, Library: w.ledger, Definitions: w.ledger,
			Swaps: w.ledger,
		},
		Paging: pipeline.Paging{InFlight: max(2, cfg.API.Concurrency)}, // windows at once
		Spool:  spool, Now: a.now, Log: a.log, Progress: bars.update, Stopping: a.stop.begin,
	}
	report, err = runner.Rebuild(ctx, spec, options)
	bars.stop()
	if err == nil && report.Partly() {
		err = errPartly
	}
	return report, err
}

// chooseSinks narrows the spec to the sinks with the given labels, all if there
// are none, and says what decides the output of those.
func chooseSinks(spec *pipeline.Spec, o *pipeline.RebuildOptions, p config.Pipeline, labels []string) error {
	files, warehouses := spec.Sinks, spec.Warehouses
	spec.Sinks, spec.Warehouses = nil, nil
	var known []string
	for _, c := range p.Sinks {
		var label string
		if c.Type == "database" {
			label = warehouses[0].Label()
		} else {
			label = files[0].Label()
			o.Configured = append(o.Configured, label)
		}
		known = append(known, label)
		wanted := len(labels) == 0 || slices.Contains(labels, label)
		if wanted {
			o.Output = append(o.Output, outputOf(c))
		}
		switch {
		case c.Type == "database" && wanted:
			spec.Warehouses = append(spec.Warehouses, warehouses[0])
			fallthrough
		case c.Type == "database":
			warehouses = warehouses[1:]
		case wanted:
			spec.Sinks = append(spec.Sinks, files[0])
			fallthrough
		default:
			files = files[1:]
		}
	}
	for _, label := range labels {
		if !slices.Contains(known, label) {
			return usagef("pipeline %s has no sink %q; it has: %s", p.Name, label, strings.Join(known, ", "))
		}
	}
	return nil
}

// outputOf says what decides what a sink writes and where, without secrets.
func outputOf(c config.Sink) string {
	where := ""
	if u, err := url.Parse(c.URL); err == nil {
		where = u.Redacted()
	}
	return fmt.Sprintf("%q", []any{c.Type, c.Path, c.Partition, c.Compression, c.EscapeFormulas, where, c.Table})
}

// printRebuild prints a rebuild's report in the form that was asked for; ended
// is what ended the rebuild.
func (a *app) printRebuild(out io.Writer, r *pipeline.RebuildReport, ended error) error {
	out = a.hide.writer(out)
	if a.json() {
		return printJSON(out, r)
	}
	if ended != nil && !errors.Is(ended, errPartly) {
		return nil // its error says all
	}
	_, err := fmt.Fprintln(out, rebuildText(r))
	return err
}
