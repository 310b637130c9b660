package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/adteco/docarchive/internal/config"
	"github.com/adteco/docarchive/internal/words"
	"github.com/adteco/docarchive/pipeline"
)

// finalizeOptions are the flags of finalize.
type finalizeOptions struct {
	since, until string
	compact      bool
	page         string
	metrics      metricsOptions
}

func (a *app) finalizeCommand() *cobra.Command {
	var o finalizeOptions
	cmd := &cobra.Command{
		Use:   "finalize [PIPELINE…]",
		Short: "Do once what is to be done after several workers, and say whether all is archived",
		Long: `Do once what is to be done after the workers of run --shard-index have ended:
publish what a killed worker had committed, finish replacements of files, load
the databases, submit failed jobs again where jobs.yaml says so, send alerts, and
tell metrics. It may be repeated, and does nothing twice.

The archive says which windows are accounted for, the workers' reports up to when
they had to be. While some are behind nothing is submitted and no alert is sent:
start the workers named again, then finalize.

Exit status: 0 if every due window is accounted for, 75 if a worker has not
finished, 3 if a window is not proven to be complete, or jobs are in quarantine.`,
		Example: `  docarchive finalize
  docarchive finalize invoices -o json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := a.loadConfig()
			if err != nil {
				return err
			}
			final, err := a.finalize(cmd.Context(), cfg, args, o)
			if final != nil {
				err = errors.Join(err, a.printFinal(cmd.OutOrStdout(), final))
			}
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.since, "since", "", "only windows from this on, as the workers were told")
	f.StringVar(&o.until, "until", "", "only windows that begin before this, as the workers were told")
	f.BoolVar(&o.compact, "compact", false, "merge the small Parquet files of closed months, as docarchive compact does")
	f.StringVar(&o.page, "report", "", "write a report over the last 30 days, an HTML page, to this file")
	o.metrics.addFlags(cmd)
	return cmd
}

// finalReport is what finalize did, and how it judges what the workers did.
type finalReport struct {
	Kind string `json:"kind"` // finalReportKind
	*pipeline.Report
	Since    time.Time         `json:"workers_since"` // reports of workers that began before do not count
	Workers  []workerReport    `json:"workers"`
	Behind   []pipeline.Behind `json:"behind"`
	Unproven []pipeline.Behind `json:"unproven"` // behind, though their workers have read them
	Settled  bool              `json:"settled"`  // nothing is behind but what is not proven
}

// finalReportKind tells the report of a finalize from that of a run.
const finalReportKind = "finalize"

// unfinishedError means that windows are behind because workers have not ended
// well.
type unfinishedError struct{ behind []pipeline.Behind }

func (e *unfinishedError) Error() string {
	const named = 5
	var each []string
	for i, b := range e.behind {
		if i == named {
			each = append(each, fmt.Sprintf("and %d more", len(e.behind)-i))
			break
		}
		text := b.Pipeline + " " + b.Window
		if b.Worker != nil {
			text += fmt.Sprintf(" (worker %d of %d)", b.Worker.Index, b.Worker.Count)
		}
		each = append(each, text)
	}
	return fmt.Sprintf("%s not archived as far as due: %s; start these workers again, then finalize",
		words.Count(len(e.behind), "window"), strings.Join(each, ", "))
}

// finalize carries out the steps, stores the report and gives the verdict.
func (a *app) finalize(ctx context.Context, cfg *config.Config, names []string, o finalizeOptions) (final *finalReport, err error) {
	defer a.thrifty()()
	pipelines, err := chosen(cfg, names)
	if err != nil {
		return nil, err
	}
	if err := o.metrics.check(); err != nil {
		return nil, err
	}
	var s span
	if s.since, err = moment("--since", o.since, a.now()); err != nil {
		return nil, err
	}
	if s.until, err = moment("--until", o.until, a.now()); err != nil {
		return nil, err
	}
	spool, remove, err := a.makeSpool(a.now())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, remove()) }()
	w, err := a.open(ctx, cfg, reading, a.now, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	if err := w.recognise(ctx, false); err != nil {
		return nil, err
	}
	specs, err := w.specs(ctx, pipelines, w.begin, s, spool)
	if err != nil {
		return nil, err
	}
	meter := a.newMeter(ctx, o.metrics, w)
	defer meter.stop()
	final, err = a.settle(ctx, w, spool, pipelines, specs)
	if final == nil {
		return nil, err
	}
	if err == nil && final.Settled {
		err = a.afterwards(ctx, w, final, pipelines, o)
	}
	err = errors.Join(err, w.keepFinal(ctx, final), final.verdict())
	meter.tell(ctx, final.whole(), pipelines, err)
	return final, err
}

// settle brings the archive and the databases to what the workers committed, and
// compares that with what they had to.
func (a *app) settle(ctx context.Context, w *workplace, spool string, pipelines []config.Pipeline, specs []pipeline.Spec) (*finalReport, error) {
	roll, err := w.muster(ctx, pipelines)
	if err != nil {
		return nil, err
	}
	final := &finalReport{Kind: finalReportKind, Since: roll.since, Workers: roll.workers(), Behind: []pipeline.Behind{}, Unproven: []pipeline.Behind{}}
	var mu sync.Mutex
	bars := a.newProgress(w)
	lanes := w.lanes(a, pipeline.Identity{RunID: newRunID(w.now()), ToolVersion: version}, spool, pipelines, specs, bars.update)
	final.Report, err = pipeline.Together(ctx, lanes, pipelineNames(w.cfg), func(ctx context.Context, l pipeline.Lane) (*pipeline.Report, error) {
		report, behind, err := l.Runner.Finalize(ctx, l.Specs, roll.reached)
		mu.Lock()
		defer mu.Unlock()
		for _, b := range behind {
			if roll.unproven(b) {
				final.Unproven = append(final.Unproven, b)
			} else {
				final.Behind = append(final.Behind, b)
			}
		}
		return report, err
	})
	bars.stop()
	slices.SortFunc(final.Behind, func(a, b pipeline.Behind) int { return a.Covered.Compare(b.Covered) })
	final.Settled = err == nil && len(final.Behind) == 0
	return final, err
}

// afterwards are the steps that follow once all workers are done, in order. What
// is built on a whole archive belongs here. One that fails keeps none of the
// others from being done.
func (a *app) afterwards(ctx context.Context, w *workplace, final *finalReport, pipelines []config.Pipeline, o finalizeOptions) error {
	failed := []error{a.resubmitStage(ctx, w, final.Report, pipelines), a.alertStage(ctx, w, pipelines)}
	if o.compact {
		_, err := a.compact(ctx, w.cfg, pipelines, compactOptions{target: compactTarget})
		failed = append(failed, err)
	}
	if o.page != "" {
		failed = append(failed, a.pageStage(ctx, w.cfg, pipelines, o.page))
	}
	return errors.Join(failed...)
}

// pageStage writes a report over the last days to a file.
func (a *app) pageStage(ctx context.Context, cfg *config.Config, pipelines []config.Pipeline, file string) error {
	var names []string
	for _, p := range pipelines {
		names = append(names, p.Name)
	}
	m, err := a.periodReport(ctx, cfg, names, reportOptions{since: "30d"})
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	page, err := a.render(m)
	if err != nil {
		return err
	}
	if err := writePage(file, page); err != nil {
		return &pipeline.SpoolError{Err: err}
	}
	return nil
}

// alertStage watches the last day of the pipelines that have alerts, in the
// archive where it has the jobs, and sends what is past a threshold.
func (a *app) alertStage(ctx context.Context, w *workplace, pipelines []config.Pipeline) error {
	names := map[string][]string{}
	for _, p := range pipelines {
		switch {
		case p.Alerts == nil:
		case p.Raw:
			names[fromArchive] = append(names[fromArchive], p.Name)
		default:
			names[fromAPI] = append(names[fromAPI], p.Name)
		}
	}
	var failed []error
	for _, from := range []string{fromArchive, fromAPI} {
		if len(names[from]) == 0 {
			continue
		}
		v, err := a.watchHealth(ctx, w.cfg, names[from], monitorOptions{period: "24h", from: from, compare: true, send: true, work: w})
		if err != nil {
			failed = append(failed, fmt.Errorf("alerts: %w", err))
			continue
		}
		for i := range v.Alerts {
			a.log.Warn(v.Alerts[i].Message(), "pipeline", v.Alerts[i].Pipeline, "extractor", v.Alerts[i].Extractor)
		}
		for _, n := range v.Notices {
			if n.Error != "" {
				a.log.Warn("an alert was not delivered, and is tried again the next time", "pipeline", n.Pipeline, "host", n.Host, "error", n.Error)
			}
		}
	}
	return errors.Join(failed...)
}

// keepFinal stores the report among those of the runs.
func (w *workplace) keepFinal(ctx context.Context, final *finalReport) error {
	data, err := json.MarshalIndent(final, "", "  ")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return w.ledger.PutReport(ctx, final.RunID, append(data, '\n'))
}

// verdict is the error that says what is not done; nil if all is.
func (f *finalReport) verdict() error {
	if len(f.Behind) > 0 {
		return &unfinishedError{f.Behind}
	}
	if len(f.Unproven) > 0 || f.Partly() {
		return errPartly
	}
	for _, r := range f.Workers {
		if r.Quarantined > 0 || r.Unfinished > 0 {
			return errPartly
		}
	}
	return nil
}
