package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/adteco/docarchive/internal/config"
	"github.com/adteco/docarchive/internal/report"
	"github.com/adteco/docarchive/internal/words"
	"github.com/adteco/docarchive/pipeline"
)

// reportOptions are the flags of report.
type reportOptions struct {
	since, until string
	out          string
}

// reportPage is where report writes if nothing else is said.
const reportPage = "report.html"

func (a *app) reportCommand() *cobra.Command {
	var o reportOptions
	cmd := &cobra.Command{
		Use:   "report [PIPELINE…]",
		Short: "Make an HTML report over any period from the archive",
		Long: `Make an HTML report over the jobs created in a period: throughput by day, requests
against the budget, success by extractor, processing times, confidence by field,
errors, schema changes, days to expiry, and the runs of the period. It is one
file that needs nothing else, and is read without a network.

All of it comes from the archive, with no request to the API: the jobs from its
raw layer, the requests from the reports of its runs. Every run leaves such a
report of its own in the archive, as _archive/runs/RUN_ID.html.`,
		Example: `  docarchive report
  docarchive report invoices --since 2026-10-01 --until 2026-11-01 --out october.html
  docarchive report --since 7d -o json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.out == "-" && a.json() {
				return usagef("--out - and -o json both want standard output: name a file with --out, or leave it out")
			}
			if o.out == "" && !a.json() {
				o.out = reportPage
			}
			cfg, err := a.loadConfigKeyless()
			if err != nil {
				return err
			}
			m, err := a.periodReport(cmd.Context(), cfg, args, o)
			if err != nil {
				return err
			}
			return a.publish(cmd.OutOrStdout(), m, o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.since, "since", "30d", "jobs created from this on: a duration back (7d), a date or an RFC 3339 time")
	f.StringVar(&o.until, "until", "", "jobs created before this; left out: now")
	f.StringVar(&o.out, "out", "", "file to write, - for standard output (default "+reportPage+", or none with -o json)")
	return cmd
}

// publish writes the page where it is to be, and says so.
func (a *app) publish(stdout io.Writer, m *report.Model, o reportOptions) error {
	if o.out != "" {
		page, err := a.render(m)
		if err != nil {
			return err
		}
		if o.out == "-" {
			_, err := stdout.Write(page)
			return err
		}
		if err := writePage(o.out, page); err != nil {
			return &pipeline.SpoolError{Err: err}
		}
	}
	if a.json() {
		return printJSON(a.hide.writer(stdout), m)
	}
	_, err := fmt.Fprintf(stdout, "%s: %s created from %s to %s\n", o.out, words.Count(m.Health.Measured, "job"),
		when(&m.Subject.From), when(&m.Subject.To))
	return err
}

// periodReport reads the archive.
func (a *app) periodReport(ctx context.Context, cfg *config.Config, names []string, o reportOptions) (m *report.Model, err error) {
	pipelines, err := chosen(cfg, names)
	if err != nil {
		return nil, err
	}
	now := a.now().UTC()
	// A run that has just ended belongs to the period: ids of runs have seconds.
	period := pipeline.Window{End: now.Truncate(time.Second).Add(time.Second)}
	if period.Start, err = moment("--since", o.since, now); err != nil {
		return nil, err
	}
	if o.until != "" {
		if period.End, err = moment("--until", o.until, now); err != nil {
			return nil, err
		}
	}
	if period.Start = period.Start.UTC(); !period.Start.Before(period.End) {
		return nil, usagef("--since must be before --until")
	}
	s, l, err := a.openArchive(ctx, cfg, reading, a.now)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	b := &periodBuilder{app: a, ledger: l, period: period, gathering: newGathering(period), model: &report.Model{
		Subject: report.Subject{
			Kind: report.KindPeriod, ArchiveID: l.ID(), ToolVersion: version, From: period.Start, To: period.End.UTC(), Made: now,
		},
		Pipelines: []report.Pipeline{}, Resubmissions: []report.Resubmission{}, Runs: []report.Run{},
		Problems: []report.Message{}, Notes: []string{},
	}}
	for _, p := range pipelines {
		if err := b.addPipeline(ctx, p, now); err != nil {
			return nil, fmt.Errorf("pipeline %s: %w", p.Name, err)
		}
	}
	if err := b.addRuns(ctx, pipelines); err != nil {
		return nil, err
	}
	b.readSchemas(ctx, l, pipelines, b.holds)
	return b.finish(pipelines), nil
}

// runTime is when a run began, as its id says.
func runTime(id string) (time.Time, bool) {
	if len(id) < len(runIDTime) {
		return time.Time{}, false
	}
	t, err := time.Parse(runIDTime, id[:len(runIDTime)])
	return t, err == nil
}
