package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/adteco/docarchive/cache"
	"github.com/adteco/docarchive/internal/config"
	"github.com/adteco/docarchive/internal/ledger"
	"github.com/adteco/docarchive/pipeline"
)

// runOptions are the flags of run.
type runOptions struct {
	since, until string
	maxDuration  time.Duration
	dryRun       bool
	newArchive   bool
	metrics      metricsOptions
	shard        pipeline.Shard
	page         string
}

func (a *app) runCommand() *cobra.Command {
	var o runOptions
	var which shardOptions
	cmd := &cobra.Command{
		Use:   "run [PIPELINE…]",
		Short: "Archive what is new: the nightly job",
		Long: `Archive what is new, for all pipelines of jobs.yaml or for those named.

A run may be interrupted, repeated and run beside another one at any time: what
is committed stands, and nothing is written twice.

Several workers may share the windows: each is told which of how many it is, by
flags or by a Kubernetes Indexed Job (with DOCARCHIVE_SHARD_COUNT), an AWS Batch
array, a Cloud Run job or a Slurm array. If several of these say so, flags count
first, then the engines that say how many workers there are, then Kubernetes. A
worker is done when its own windows are; docarchive finalize does what is to be
done once, after all of them. Several workers help where several API keys are
used, or where reading the answers is the slow part: one key allows no more
requests for being shared.`,
		Example: `  docarchive run
  docarchive run invoices --max-duration 5h30m
  docarchive run --shard-index 0 --shard-count 4
  docarchive run --since 2026-11-01 --until 2026-11-08 -o json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			shard, err := which.shard(a.getenv)
			if err != nil {
				return err
			}
			o.shard = shard
			cfg, err := a.loadConfig()
			if err != nil {
				return err
			}
			report, err := a.archive(cmd.Context(), job{cfg: cfg, names: args, options: o, now: a.now})
			if report != nil {
				err = errors.Join(err, a.printReport(cmd.OutOrStdout(), report, err))
			}
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.since, "since", "", "only windows from this on: a duration back (7d), a date or an RFC 3339 time")
	f.StringVar(&o.until, "until", "", "only windows that begin before this")
	f.DurationVar(&o.maxDuration, "max-duration", 0, "begin no window after this long; exit 75 if work is left")
	f.BoolVar(&o.dryRun, "dry-run", false, "read and flatten, but write nothing")
	o.metrics.addFlags(cmd)
	which.addFlags(cmd)
	f.StringVar(&o.page, "report", "", "also write the report of the run, an HTML page, to this file")
	f.BoolVar(&o.newArchive, "new-archive", false, "accept that the bucket holds another archive than before")
	return cmd
}

// job is one execution of run: its configuration, its clock and its cache.
type job struct {
	cfg     *config.Config
	names   []string
	options runOptions
	now     clock
	home    cache.Home // opened as configured if nil
}

// archive runs the pipelines and stores the run's report.
func (a *app) archive(ctx context.Context, j job) (report *pipeline.Report, err error) {
	defer a.thrifty()()
	pipelines, err := chosen(j.cfg, j.names)
	if err != nil {
		return nil, err
	}
	if err := j.options.metrics.check(); err != nil {
		return nil, err
	}
	var s span
	if s.since, err = moment("--since", j.options.since, j.now()); err != nil {
		return nil, err
	}
	if s.until, err = moment("--until", j.options.until, j.now()); err != nil {
		return nil, err
	}
	spool, remove, err := a.makeSpool(j.now())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, remove()) }()
	how := writing
	if j.options.dryRun {
		how = trying
	}
	w, err := a.openShared(ctx, j.cfg, how, j.now, j.home, j.options.shard.Count)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	begin := w.begin
	if !j.options.dryRun {
		begin = w.recordBegin
		if err := w.recognise(ctx, j.options.newArchive); err != nil {
			return nil, err
		}
	}
	specs, err := w.specs(ctx, pipelines, begin, s, spool)
	if err != nil {
		return nil, err
	}
	if d := j.options.maxDuration; d > 0 {
		timer := time.AfterFunc(d, func() { a.stop.request(nil) })
		defer timer.Stop()
	}
	bars := a.newProgress(w)
	meter := a.newMeter(ctx, j.options.metrics, w)
	is := pipeline.Identity{RunID: newRunID(w.now()), ToolVersion: version, DryRun: j.options.dryRun, Shard: j.options.shard}
	lanes := w.lanes(a, is, spool, pipelines, specs, meter.watch(bars.update))
	report, err = pipeline.Together(ctx, lanes, pipelineNames(j.cfg), func(ctx context.Context, l pipeline.Lane) (*pipeline.Report, error) {
		return l.Runner.Run(ctx, l.Specs)
	})
	bars.stop()
	meter.stop()
	report.Pace = w.pace(pipelines)
	if !j.options.dryRun {
		err = errors.Join(err, w.keepReport(ctx, report))
	}
	if err == nil && report.Partly() {
		err = errPartly
	}
	alone := j.options.shard.Alone() // else finalize does what is to be done once
	if alone && !j.options.dryRun && (err == nil || errors.Is(err, errPartly)) {
		if staged := a.resubmitStage(ctx, w, report, pipelines); staged != nil {
			err = staged
		}
	}
	a.chronicle(ctx, w, report, pipelines, j.options, err)
	if alone {
		meter.tell(ctx, report, pipelines, err)
	}
	return report, err
}

// lanes gives each account the pipelines that use it. specs are those of
// pipelines.
func (w *workplace) lanes(a *app, is pipeline.Identity, spool string, pipelines []config.Pipeline, specs []pipeline.Spec,
	progress func(pipeline.Progress),
) []pipeline.Lane {
	stores := w.stores()
	if is.DryRun {
		stores = pipeline.DryRun(stores)
	}
	var lanes []pipeline.Lane
	for _, g := range w.byAccount(pipelines) {
		lane := pipeline.Lane{Key: g.Name, Runner: &pipeline.Runner{
			Identity: is, Source: g.client, Catalog: g.client, Requests: g.client.Requests, Stores: stores,
			Paging: pipeline.Paging{Size: w.cfg.API.PageSize, InFlight: w.cfg.API.Concurrency},
			Spool:  spool, Now: w.now, Log: a.log, Progress: progress, Stopping: a.stop.begin,
		}}
		for _, p := range g.pipelines {
			i := slices.IndexFunc(specs, func(s pipeline.Spec) bool { return s.Name == p.Name })
			lane.Specs = append(lane.Specs, specs[i])
		}
		lanes = append(lanes, lane)
	}
	return lanes
}

// recordBegin is begin that fixes, on a pipeline's first run, where its archive
// begins.
func (w *workplace) recordBegin(ctx context.Context, p config.Pipeline) (time.Time, error) {
	is := ledger.Settings{Window: p.Window, First: p.Since.Start(w.now())}
	if _, err := w.ledger.Settings(ctx, p.Name, is); err != nil {
		return time.Time{}, err
	}
	return w.begin(ctx, p)
}

// specs translates the pipelines; begin says where the archive of each begins.
func (w *workplace) specs(ctx context.Context, pipelines []config.Pipeline,
	begin func(context.Context, config.Pipeline) (time.Time, error), s span, spool string,
) ([]pipeline.Spec, error) {
	var specs []pipeline.Spec
	for _, p := range pipelines {
		first, err := begin(ctx, p)
		if err != nil {
			return nil, err
		}
		spec, err := w.spec(p, first, s)
		if err == nil {
			err = w.addSinks(ctx, &spec, p, spool)
		}
		if err != nil {
			return nil, err
		}
		specs = append(specs, spec)
	}
	return specs, nil
}

// keepReport stores the report beside the archive. It is written even when the
// run was stopped.
func (w *workplace) keepReport(ctx context.Context, report *pipeline.Report) error {
	data, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return w.ledger.PutReport(ctx, report.RunID, append(data, '\n'))
}

// printReport prints a run's report in the form that was asked for; ended is
// what ended the run. To people it says nothing of a run that failed before it
// did anything: its error says all.
func (a *app) printReport(out io.Writer, report *pipeline.Report, ended error) error {
	out = a.hide.writer(out)
	if a.json() {
		return printJSON(out, report)
	}
	failed := ended != nil && !errors.Is(ended, errPartly)
	if failed && idle(report) {
		return nil
	}
	if report.Shard != nil {
		fmt.Fprintln(out, report.Shard)
	}
	_, err := fmt.Fprintln(out, reportTable(report, failed))
	return err
}

// idle reports whether a run read nothing, wrote nothing and has nothing to
// say.
func idle(r *pipeline.Report) bool {
	for _, p := range r.Pipelines {
		if p.Windows.Read > 0 || len(p.Sinks) > 0 || len(p.Problems) > 0 {
			return false
		}
	}
	return true
}

func printJSON(out io.Writer, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	_, err = out.Write(printableJSON(append(data, '\n')))
	return err
}

// moment reads a point in time from a flag: a duration back from now, a date,
// or a time. Empty is the zero time.
func moment(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	since, err := config.ParseSince(text)
	if err != nil {
		return time.Time{}, usagef("%s: %v", flag, err)
	}
	return since.Start(now), nil
}
