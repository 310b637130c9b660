package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/internal/config"
	"github.com/adteco/docarchive/internal/ledger"
	"github.com/adteco/docarchive/pipeline"
)

const (
	fromAPI     = "api"
	fromArchive = "archive"

	shortestPeriod = time.Minute
	longestPeriod  = 28 * 24 * time.Hour // twice that, at most, lies within the API's 90 days
)

// monitorOptions are the flags of monitor.
type monitorOptions struct {
	period  string
	from    string
	compare bool
	send    bool
	work    *workplace // to ask the API with; nil: one is opened for it
}

// watched is one pipeline under watch.
type watched struct {
	config.Pipeline
	monitor *pipeline.Monitor
}

// vigil is what monitor found.
type vigil struct {
	From       time.Time         `json:"from"`
	To         time.Time         `json:"to"`
	Before     *time.Time        `json:"before_from,omitempty"` // nil: not compared
	Source     string            `json:"source"`
	Requests   int64             `json:"requests"`
	Unreadable int64             `json:"unreadable"` // elements of listings that are no jobs
	Pipelines  []pipelineHealth  `json:"pipelines"`
	Alerts     []pipeline.Breach `json:"alerts"`
	Notices    []noticeResult    `json:"notices"`
}

// pipelineHealth is how the extractors of one pipeline fared.
type pipelineHealth struct {
	Pipeline   string                     `json:"pipeline"`
	Extractors []pipeline.ExtractorHealth `json:"extractors"`
}

func (a *app) monitorCommand() *cobra.Command {
	var o monitorOptions
	cmd := &cobra.Command{
		Use:   "monitor [PIPELINE…]",
		Short: "Watch processing time, failure rate and confidence; alert past thresholds",
		Long: `Watch processing time, failure rate and confidence per extractor over the last
hour or day, compared with the same span a week before. What is past a threshold
of the pipeline's alerts in jobs.yaml (left out: 10 s on average and 30 s for a
single job, 5 % failures, 0.80 mean confidence of a field) makes the exit status
4 and is posted to its webhooks, the same alert again only after repeat_after. A
webhook that fails is reported and tried again the next time.

Jobs are chosen by the pipeline's extractor and metadata alone: its status and
min_confidence would hide what is watched.

From the API this takes one request for each page of jobs in the period and in
the span that it is compared with (none with --compare=false); the pipelines of
one extractor share them, and all do if one of them has no extractor. Listings
are a view, not a proof: a job that moves between two pages may be missed. From
the archive it takes no request, and sees what runs have archived so far.`,
		Example: `  docarchive monitor --period 1h
  docarchive monitor invoices --from archive --period 7d -o json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			load := a.loadConfig
			if o.from == fromArchive {
				load = a.loadConfigKeyless
			}
			cfg, err := load()
			if err != nil {
				return err
			}
			v, err := a.watchHealth(cmd.Context(), cfg, args, o)
			if err != nil {
				return err
			}
			if err := a.printVigil(cmd.OutOrStdout(), v); err != nil {
				return err
			}
			if len(v.Alerts) > 0 {
				return errAlert
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.period, "period", "24h", "how far back: 1h, 24h, 7d; 28d at most")
	f.StringVar(&o.from, "from", fromAPI, "where jobs are read: api or archive")
	f.BoolVar(&o.compare, "compare", true, "compare with the same span a week before")
	f.BoolVar(&o.send, "send", true, "post alerts to the webhooks")
	return cmd
}

// watchHealth measures the pipelines and sends what is due.
func (a *app) watchHealth(ctx context.Context, cfg *config.Config, names []string, o monitorOptions) (*vigil, error) {
	chosenOnes, err := chosen(cfg, names)
	if err != nil {
		return nil, err
	}
	length, err := parsePeriod(o.period)
	if err != nil {
		return nil, err
	}
	now := a.now().UTC()
	period := pipeline.Window{Start: now.Add(-length), End: now}
	spans := []pipeline.Window{period}
	v := &vigil{
		From: period.Start, To: period.End, Source: o.from,
		Pipelines: []pipelineHealth{}, Alerts: []pipeline.Breach{}, Notices: []noticeResult{},
	}
	if o.compare {
		before := pipeline.WeeksBefore(period)
		spans, v.Before = append(spans, before), &before.Start
	}
	var all []watched
	for _, p := range chosenOnes {
		all = append(all, watched{p, pipeline.NewMonitor(period, pipeline.Filter{ExtractorID: p.Extractor, Metadata: p.Metadata})})
	}
	switch o.from {
	case fromAPI:
		err = a.watchAPI(ctx, cfg, o.work, all, spans, v)
	case fromArchive:
		err = a.watchArchive(ctx, cfg, all, spans)
	default:
		err = usagef("--from must be %s or %s, not %q", fromAPI, fromArchive, o.from)
	}
	if err != nil {
		return nil, err
	}
	mail := &mail{app: a, scope: cfg.API.BaseURL, now: now, send: o.send}
	for _, w := range all {
		health := w.monitor.Health()
		v.Pipelines = append(v.Pipelines, pipelineHealth{w.Name, health})
		var found []pipeline.Breach
		for i := range health {
			found = append(found, thresholds(w.Alerts).Breaches(w.Name, &health[i])...)
		}
		v.Alerts = append(v.Alerts, found...)
		if w.Alerts != nil && len(found) > 0 {
			v.Notices = append(v.Notices, mail.deliver(ctx, w.Pipeline, period, found)...)
		}
	}
	mail.close()
	return v, nil
}

// parsePeriod reads a duration, which may be in days.
func parsePeriod(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if days, whole := strings.CutSuffix(text, "d"); whole {
		n, bad := strconv.ParseUint(days, 10, 8)
		d, err = time.Duration(n)*24*time.Hour, bad
	}
	if err != nil || d < shortestPeriod || d > longestPeriod {
		return 0, usagef("--period must be between 1m and 28d, such as 1h, 24h or 7d, not %q", text)
	}
	return d, nil
}

// thresholds are those of jobs.yaml, or its defaults where a pipeline has none.
func thresholds(c *config.Alerts) pipeline.Thresholds {
	if c == nil {
		return pipeline.Thresholds{Avg: 10 * time.Second, Max: 30 * time.Second, FailureRate: 0.05, MinJobs: 20, Confidence: 0.80}
	}
	return pipeline.Thresholds{
		Avg: c.ProcessingTime.Avg, Max: c.ProcessingTime.Max, FailureRate: c.FailureRate, MinJobs: int64(c.MinJobs), Confidence: c.Confidence,
	}
}

// watchAPI reads the jobs from listings, those of one extractor once for all
// pipelines that watch it.
func (a *app) watchAPI(ctx context.Context, cfg *config.Config, w *workplace, all []watched, spans []pipeline.Window, v *vigil) (err error) {
	if w == nil {
		home, failed := a.openHome(ctx, cfg)
		if failed != nil {
			return failed
		}
		w = &workplace{cfg: cfg, home: home}
		defer func() { err = errors.Join(err, w.close()) }()
		if err := w.connect(a, 1); err != nil {
			return err
		}
	}
	before := w.requests()
	for _, listing := range listings(all) {
		view := pipeline.View{Source: w.accounts[listing.key].client, Extractor: listing.extractor, PageSize: cfg.API.PageSize}
		for _, span := range spans {
			unreadable, err := view.Jobs(ctx, span, func(job docextract.Job) error {
				for _, one := range listing.watchers {
					one.monitor.Add(&job)
				}
				return a.goingOn()
			})
			v.Unreadable += unreadable
			if err != nil {
				return err
			}
		}
	}
	v.Requests = w.requests() - before
	return nil
}

// listing is what one query lists, and who watches it.
type listing struct {
	key       string // whose listing it is
	extractor string // empty: every extractor
	watchers  []watched
}

// listings groups pipelines by the listing that holds their jobs: of one API
// key, that of all extractors if one of them needs it.
func listings(all []watched) []*listing {
	var groups []*listing
	byListing := map[[2]string]*listing{}
	for _, w := range all {
		extractor := w.Extractor
		if slices.ContainsFunc(all, func(other watched) bool { return other.Key == w.Key && other.Extractor == "" }) {
			extractor = ""
		}
		at := [2]string{w.Key, extractor}
		if byListing[at] == nil {
			byListing[at] = &listing{key: w.Key, extractor: extractor}
			groups = append(groups, byListing[at])
		}
		byListing[at].watchers = append(byListing[at].watchers, w)
	}
	return groups
}

// watchArchive reads the jobs from the raw layer.
func (a *app) watchArchive(ctx context.Context, cfg *config.Config, all []watched, spans []pipeline.Window) (err error) {
	for _, w := range all {
		if !w.Raw {
			return &configError{fmt.Errorf("%s: pipeline %s keeps no raw layer (raw: false): watch it with --from api", w.Pos, w.Name)}
		}
	}
	s, l, err := a.openArchive(ctx, cfg, reading, a.now)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	for _, w := range all {
		settings, err := l.SettingsOf(ctx, w.Name)
		if err != nil {
			return err
		}
		if settings.Window == 0 {
			a.log.Warn("nothing is archived yet", "pipeline", w.Name)
			continue
		}
		for _, span := range spans {
			if err := a.watchRaw(ctx, l, w, settings.Window, span); err != nil {
				return err
			}
		}
	}
	return nil
}

func (a *app) watchRaw(ctx context.Context, l *ledger.Ledger, w watched, size time.Duration, span pipeline.Window) error {
	err := pipeline.Archived(ctx, l, w.Name, size, span, func(job docextract.Job) error {
		w.monitor.Add(&job)
		return a.goingOn()
	})
	if errors.Is(err, pipeline.ErrNoRaw) {
		return fmt.Errorf("%w: watch this pipeline with --from api", err)
	}
	return err
}

// goingOn is an error once the program is to stop: a watch may be dropped at
// any time.
func (a *app) goingOn() error {
	select {
	case <-a.stop.begin:
		return pipeline.ErrStopped
	default:
		return nil
	}
}
