package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/adteco/docarchive/internal/config"
	"github.com/adteco/docarchive/pipeline"
)

// resubmitOptions are the flags of resubmit.
type resubmitOptions struct {
	extractor    string
	since, until string
	codes        []string
	from         string
	max          int
	maxCredits   float64
	dryRun       bool
	wait         bool
	retryAbsent  bool
}

func (a *app) resubmitCommand() *cobra.Command {
	var o resubmitOptions
	cmd := &cobra.Command{
		Use:   "resubmit PIPELINE",
		Short: "Submit failed jobs of a pipeline again; this costs credits",
		Long: `Submit failed jobs of a pipeline again; this costs credits.

The jobs are taken from the raw layer of the archive, or from the API's listing
with --from api. Each document is fetched again, and submitted with the metadata
of its job and reprocessed_from, which names it. No job is paid for twice: an
intent is recorded in the archive before a document is sent, and the result after
it. Where no answer came the attempt is held, and looked for in the listing by
the next run half an hour later or more. If it is proven not to be there, it
stays held unless --retry-absent allows another attempt.

The limits stand under resubmit: in jobs.yaml; flags take precedence.

Exit status: 0 if all that was due is submitted, 3 if something is held or left,
75 if the API was away, 77 if the key was refused.`,
		Example: `  docarchive resubmit invoices --dry-run
  docarchive resubmit invoices --code timeout --since 7d --max 100 --wait`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			report, err := a.resubmit(cmd.Context(), args[0], &o)
			if report != nil {
				err = errors.Join(err, a.printResubmission(cmd.OutOrStdout(), report))
			}
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.extractor, "extractor", "", "only jobs of this extractor")
	f.StringVar(&o.since, "since", "90d", "only jobs created from this on: a duration back (7d), a date or an RFC 3339 time")
	f.StringVar(&o.until, "until", "", "only jobs created before this")
	f.StringArrayVar(&o.codes, "code", nil, "only jobs with this error code; may be repeated")
	f.StringVar(&o.from, "from", "archive", "archive or api: where failed jobs are looked for")
	f.IntVar(&o.max, "max", 0, "submit at most so many; 0: all")
	f.Float64Var(&o.maxCredits, "max-credits", 0, "spend at most so many credits; 0: no limit")
	f.BoolVar(&o.dryRun, "dry-run", false, "say what would be submitted and what it costs, and ask the balance")
	f.BoolVar(&o.wait, "wait", false, "wait until the new jobs are final")
	f.BoolVar(&o.retryAbsent, "retry-absent", false, "submit again what was proven not to have arrived")
	return cmd
}

// check looks at the flags and returns what they choose, over what jobs.yaml
// says.
func (o *resubmitOptions) check(p config.Pipeline, now time.Time) (c pipeline.Choice, l pipeline.ResubmitLimits, err error) {
	switch {
	case o.max < 0:
		return c, l, usagef("--max must not be negative")
	case !(o.maxCredits >= 0):
		return c, l, usagef("--max-credits must not be negative")
	case o.from != "archive" && o.from != "api":
		return c, l, usagef("--from must be archive or api, not %q", o.from)
	case o.extractor != "" && p.Extractor != "" && o.extractor != p.Extractor:
		return c, l, usagef("pipeline %s has jobs of %s only", p.Name, p.Extractor)
	}
	c, l = resubmitDefaults(p)
	if o.extractor != "" {
		c.Filter.ExtractorID = o.extractor
	}
	if len(o.codes) > 0 {
		c.Codes = o.codes
	}
	if o.maxCredits > 0 {
		l.MaxCredits = o.maxCredits
	}
	c.FromAPI, l.Max, l.Wait, l.RetryAbsent = o.from == "api", o.max, o.wait, o.retryAbsent
	if c.Since, err = moment("--since", o.since, now); err == nil {
		c.Until, err = moment("--until", o.until, now)
	}
	return c, l, err
}

// resubmitDefaults is what jobs.yaml says of a pipeline's resubmissions.
func resubmitDefaults(p config.Pipeline) (pipeline.Choice, pipeline.ResubmitLimits) {
	c := pipeline.Choice{
		Pipeline: p.Name, Window: p.Window,
		Filter: pipeline.Filter{ExtractorID: p.Extractor, Metadata: p.Metadata},
	}
	l := pipeline.ResubmitLimits{MaxAttempts: 2, Concurrency: 10}
	if r := p.Resubmit; r != nil {
		c.Codes = r.Codes
		l.MaxAttempts, l.Concurrency, l.MaxCredits = r.MaxAttempts, r.Concurrency, r.MaxCredits
	}
	return c, l
}

func (a *app) resubmit(ctx context.Context, name string, o *resubmitOptions) (report *pipeline.ResubmitReport, err error) {
	cfg, err := a.loadConfig()
	if err != nil {
		return nil, err
	}
	pipelines, err := chosen(cfg, []string{name})
	if err != nil {
		return nil, err
	}
	choice, limits, err := o.check(pipelines[0], a.now())
	if err != nil {
		return nil, err
	}
	how := writing
	if o.dryRun {
		how = trying
	}
	w, err := a.open(ctx, cfg, how, a.now, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	if !o.dryRun {
		// In an emptied bucket nothing would stand of what was paid.
		if err := w.recognise(ctx, false); err != nil {
			return nil, err
		}
	}
	if _, err := w.begin(ctx, pipelines[0]); err != nil {
		return nil, err
	}
	return a.resubmitWith(ctx, w, newRunID(a.now()), choice, limits, o.dryRun)
}

// resubmitWith carries out a resubmission in an open workplace.
func (a *app) resubmitWith(ctx context.Context, w *workplace, runID string, c pipeline.Choice, l pipeline.ResubmitLimits, dry bool,
) (report *pipeline.ResubmitReport, err error) {
	spool, remove, err := a.makeSpool(a.now())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, remove()) }()
	documents, err := w.openDownloader()
	if err != nil {
		return nil, err
	}
	acc := w.accountOf(c.Pipeline)
	r := &pipeline.Resubmitter{
		Identity: pipeline.Identity{RunID: runID, ToolVersion: version, DryRun: dry},
		ResubmitServices: pipeline.ResubmitServices{
			Source: acc.client, Library: w.ledger, Attempts: w.ledger, Documents: documents, Kept: w.ledger, Purse: acc.client,
		},
		Paging: pipeline.Paging{Size: w.cfg.API.PageSize, InFlight: w.cfg.API.Concurrency},
		Spool:  spool, NewToken: uuid.NewString, Now: w.now, Sleep: pause, Log: a.log, Stopping: a.stop.begin,
	}
	if !dry {
		if r.Submitter, err = acc.openSubmitter(); err != nil {
			return nil, err
		}
	}
	report, err = r.Run(ctx, c, l)
	if err == nil && !dry && report.Partly() {
		err = errPartly
	}
	return report, err
}

// stageAge is how far back a run looks for failed jobs to submit again: it reads
// the raw layer from there on.
const stageAge = 7 * 24 * time.Hour

// resubmitStage submits failed jobs of the pipelines again whose resubmit: is in
// jobs.yaml, and tells r what came of it. It comes after their archive, which
// says what failed.
func (a *app) resubmitStage(ctx context.Context, w *workplace, r *pipeline.Report, pipelines []config.Pipeline) error {
	var failed []error
	partly := false
	for _, p := range pipelines {
		if p.Resubmit == nil {
			continue
		}
		choice, limits := resubmitDefaults(p)
		choice.Since = w.now().Add(-stageAge)
		report, err := a.resubmitWith(ctx, w, r.RunID, choice, limits, false)
		if report != nil {
			r.Resubmit = append(r.Resubmit, shortened(report))
			a.log.Info(resubmitVerdict(report), "pipeline", p.Name)
			for _, j := range report.Jobs {
				if j.State == pipeline.StateHeld {
					a.log.Warn("a resubmission is held", "pipeline", p.Name, "original", j.Original, "reason", j.Reason)
				}
			}
		}
		switch {
		case errors.Is(err, errPartly):
			partly = true
		case err != nil:
			failed = append(failed, fmt.Errorf("pipeline %s: resubmit: %w", p.Name, err))
		}
	}
	if len(failed) == 0 && partly {
		return errPartly
	}
	return errors.Join(failed...)
}
