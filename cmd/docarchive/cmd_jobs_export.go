package main

import (
	"context"
	"errors"
	"io"

	"github.com/spf13/cobra"

	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/pipeline"
)

// exportOptions are the flags of jobs export.
type exportOptions struct {
	jobFilter
	exportFile
	pipeline string
}

func (a *app) jobsExportCommand() *cobra.Command {
	var o exportOptions
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write jobs to one CSV, JSON, Parquet or Arrow file",
		Long: `Write jobs to one file whose header has every column that any of them needs.

Columns have the types that the extractors declare, and --pipeline lays the jobs
out by the fields of a pipeline of jobs.yaml: their types, what is dropped or
hashed, and child tables, of which --dataset writes one. It chooses no jobs: the
filters do.

The jobs are read once, kept compressed on the local disk, and encoded when all
columns are known, so that memory does not grow with their number. A file appears
under its name only when it is whole. archived_at and run_id are those of the
export.

The listing is read page by page while jobs come and go: the file is a view and no
proof of completeness. What has to be complete is archived by docarchive run, and
written to one file by docarchive archive export.`,
		Example: `  docarchive jobs export --format csv --extractor ext_invoice --created-after 7d -o invoices.csv
  docarchive jobs export --pipeline invoices --dataset invoices__line_items -o items.parquet
  docarchive jobs export --status failed -o - --format jsonl | jq .error_code`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.export(cmd.Context(), cmd.OutOrStdout(), o) },
	}
	f := cmd.Flags()
	o.jobFilter.bind(f)
	o.exportFile.bind(f)
	f.StringVar(&o.pipeline, "pipeline", "", "lay the jobs out by the fields of this pipeline of jobs.yaml")
	return cmd
}

func (a *app) export(ctx context.Context, stdout io.Writer, o exportOptions) (err error) {
	if err := o.check(); err != nil {
		return err
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
	x, err := a.layout(ctx, w, &o)
	if err != nil {
		return err
	}
	dir, remove, err := a.makeSpool(a.now())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	spool, err := newJobSpool(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, spool.close()) }()
	now := stamp{a.now(), newRunID(a.now())}
	if err := x.learn(func(yield func(*docextract.Job, stamp) error) error {
		return walk.run(ctx, o.limit, func(job docextract.Job) error {
			if err := spool.add(job); err != nil {
				return err
			}
			return yield(&job, now)
		})
	}); err != nil {
		return err
	}
	if err := o.write(stdout, x, func(yield func(*docextract.Job, stamp) error) error {
		return spool.each(func(job *docextract.Job) error { return yield(job, now) })
	}); err != nil {
		return err
	}
	a.log.Info("exported", "jobs", walk.shown, "columns", len(x.columns()), "file", o.output)
	return a.ended(walk)
}

// exportDataset is what an export's rows are called where no pipeline names them.
const exportDataset = "jobs"

// layout says how the jobs become rows.
func (a *app) layout(ctx context.Context, w *workplace, o *exportOptions) (*exporter, error) {
	flat := pipeline.FlattenOptions{Dataset: exportDataset, HashKey: []byte(w.cfg.HashKey)}
	switch {
	case o.pipeline != "":
		pipelines, err := chosen(w.cfg, []string{o.pipeline})
		if err != nil {
			return nil, err
		}
		flat.Dataset = o.pipeline
		if flat.Rules, err = rulesOf(pipelines[0].Fields); err != nil {
			return nil, err
		}
	case o.dataset != "":
		return nil, usagef("--dataset is of use with --pipeline only, whose fields make the tables")
	}
	// What cannot be written is said before anything is asked.
	if _, err := newExporter(flat, o.dataset, unknownSchema); err != nil {
		return nil, err
	}
	rules, err := a.withDeclared(ctx, w.client, flat.Rules, o.extractor)
	if err != nil {
		return nil, err
	}
	flat.Rules = rules
	return newExporter(flat, o.dataset, unknownSchema)
}

// withDeclared adds to the rules what the extractor, or every one if it is
// empty, declares. Where the API does not tell, types are as seen.
func (a *app) withDeclared(ctx context.Context, client *docextract.Client, rules pipeline.Rules, extractor string) (pipeline.Rules, error) {
	var declared []docextract.Extractor
	var err error
	if extractor == "" {
		declared, err = client.Extractors(ctx)
	} else {
		var one docextract.Extractor
		one, err = client.Extractor(ctx, extractor)
		declared = []docextract.Extractor{one}
	}
	var away *docextract.UnavailableError
	switch {
	case err == nil:
		return rules.WithDeclared(declared), nil
	case ctx.Err() != nil || errors.As(err, &away) || docextract.KeyRefused(err):
		return nil, err
	}
	a.log.Warn("the API does not tell what the extractors declare: types are as seen", "error", err)
	return rules, nil
}
