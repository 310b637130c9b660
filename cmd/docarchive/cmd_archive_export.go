package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/internal/config"
	"github.com/adteco/docarchive/internal/ledger"
	"github.com/adteco/docarchive/pipeline"
)

// archiveExportOptions are the flags of archive export.
type archiveExportOptions struct {
	exportFile
	extractor, status string
	since, until      string
	confidence        float64
	metadata          []string
}

func (a *app) archiveExportCommand() *cobra.Command {
	var o archiveExportOptions
	cmd := &cobra.Command{
		Use:   "export [PIPELINE]",
		Short: "Write archived jobs to one CSV, JSON, Parquet or Arrow file",
		Long: `Write a pipeline's archived jobs to one file whose header has every column of
the table, as jobs export does, but from the archive: no request is made, and what
the API has dropped is there, too.

The rows are made from the raw layer by the fields of today's jobs.yaml, so that
they are those of the archive's own files unless the fields were changed since.
archived_at and run_id are those of the run that archived the job. The raw layer
is read twice, for the columns and for the rows, so that memory does not grow with
the number of jobs. A file appears under its name only when it is whole.

PIPELINE may be left out if jobs.yaml has only one, or --dataset names a table of
one. --since and --until are read as by run, and may be called --created-after and
--created-before as in jobs export.`,
		Example: `  docarchive archive export invoices --format csv -o invoices.csv
  docarchive archive export --dataset invoices__line_items --since 2026-11-01 --until 2026-12-01 -o items.parquet
  docarchive archive export invoices --status failed --format jsonl -o - | jq .error_code`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.exportArchive(cmd.Context(), cmd.OutOrStdout(), args, o)
		},
	}
	f := cmd.Flags()
	o.exportFile.bind(f)
	f.StringVar(&o.extractor, "extractor", "", "only jobs of this extractor (ext_…)")
	f.StringVar(&o.status, "status", "", "only completed or only failed jobs")
	f.StringVar(&o.since, "since", "", "only jobs created from this on: a duration back (24h, 7d), a date or an RFC 3339 time")
	f.StringVar(&o.until, "until", "", "only jobs created before this")
	f.Float64Var(&o.confidence, "min-confidence", 0, "only jobs of at least this mean confidence, 0 to 1; failed ones have none and stay")
	f.StringArrayVar(&o.metadata, "metadata", nil, "only jobs that carry KEY=VALUE; may be repeated")
	f.SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		switch name {
		case "created-after":
			name = "since"
		case "created-before":
			name = "until"
		}
		return pflag.NormalizedName(name)
	})
	return cmd
}

// filter is what the flags choose among the archived jobs.
func (o *archiveExportOptions) filter() (f pipeline.Filter, err error) {
	f.ExtractorID, f.MinConfidence = o.extractor, o.confidence
	switch s := docextract.Status(o.status); {
	case s == "":
	case s != docextract.StatusCompleted && s != docextract.StatusFailed:
		return f, usagef("--status must be completed or failed, not %q: only final jobs are archived", o.status)
	default:
		f.Status = []docextract.Status{s}
	}
	if !(o.confidence >= 0 && o.confidence <= 1) {
		return f, usagef("--min-confidence must be from 0 to 1, not %v", o.confidence)
	}
	f.Metadata, err = pairs("--metadata", o.metadata)
	return f, err
}

func (a *app) exportArchive(ctx context.Context, stdout io.Writer, args []string, o archiveExportOptions) (err error) {
	if err := o.check(); err != nil {
		return err
	}
	jobs := &archivedJobs{limit: o.limit, goingOn: a.goingOn}
	if jobs.filter, err = o.filter(); err != nil {
		return err
	}
	if jobs.since, err = moment("--since", o.since, a.now()); err != nil {
		return err
	}
	if jobs.until, err = moment("--until", o.until, a.now()); err != nil {
		return err
	}
	if !jobs.since.IsZero() && !jobs.until.IsZero() && !jobs.since.Before(jobs.until) {
		return usagef("no time lies from --since %s on and before --until %s", o.since, o.until)
	}
	cfg, err := a.loadConfigKeyless()
	if err != nil {
		return err
	}
	p, err := pipelineFor(cfg, args, o.dataset)
	if err != nil {
		return err
	}
	s, l, err := a.openArchive(ctx, cfg, reading, a.now)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	x, err := archiveLayout(ctx, l, cfg, p, o.dataset)
	if err != nil {
		return err
	}
	if err := jobs.open(ctx, l, p); err != nil {
		return err
	}
	source := func(yield func(*docextract.Job, stamp) error) error { return jobs.each(ctx, yield) }
	if err := x.learn(source); err != nil {
		return err
	}
	if err := o.write(stdout, x, source); err != nil {
		return err
	}
	a.log.Info("exported", "pipeline", p.Name, "jobs", jobs.shown, "columns", len(x.columns()), "file", o.output)
	return nil
}

// pipelineFor is the pipeline that is named, or that has the dataset, or the
// only one.
func pipelineFor(cfg *config.Config, args []string, dataset string) (config.Pipeline, error) {
	if len(args) == 1 {
		pipelines, err := chosen(cfg, args)
		if err != nil {
			return config.Pipeline{}, err
		}
		return pipelines[0], nil
	}
	if dataset != "" {
		for _, p := range cfg.Pipelines {
			datasets, err := datasetsOf(p)
			if err != nil || slices.Contains(datasets, dataset) {
				return p, err
			}
		}
		return config.Pipeline{}, usagef("no pipeline of %s has the table %q", cfg.File, dataset)
	}
	if len(cfg.Pipelines) != 1 {
		return config.Pipeline{}, usagef("name one pipeline of %s: %s", cfg.File, strings.Join(pipelineNames(cfg), ", "))
	}
	return cfg.Pipelines[0], nil
}

// archiveLayout says how a pipeline's archived jobs become rows: by its rules as
// they are today, in the columns that the archive has.
func archiveLayout(ctx context.Context, l *ledger.Ledger, cfg *config.Config, p config.Pipeline, dataset string) (*exporter, error) {
	rules, err := rulesOf(p.Fields)
	if err != nil {
		return nil, err
	}
	if rules, err = rules.WithKept(ctx, l, p.Extractor); err != nil {
		return nil, fmt.Errorf("what the extractors declared: %w", err)
	}
	flat := pipeline.FlattenOptions{Dataset: p.Name, Rules: rules, HashKey: []byte(cfg.HashKey)}
	return newExporter(flat, dataset, func(dataset string) (*pipeline.Schema, error) { return l.LatestSchema(ctx, dataset) })
}
