package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/adteco/docarchive/internal/config"
	"github.com/adteco/docarchive/internal/ledger"
	"github.com/adteco/docarchive/pipeline"
)

func (a *app) planCommand() *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:   "plan [PIPELINE…]",
		Short: "Say what run would read and write; changes nothing",
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := a.loadConfig()
			if err != nil {
				return err
			}
			return a.plan(cmd.Context(), cmd.OutOrStdout(), cfg, args, o)
		},
	}
	cmd.Flags().StringVar(&o.since, "since", "", "only windows from this on")
	cmd.Flags().StringVar(&o.until, "until", "", "only windows that begin before this")
	return cmd
}

func (a *app) plan(ctx context.Context, out io.Writer, cfg *config.Config, names []string, o runOptions) (err error) {
	pipelines, err := chosen(cfg, names)
	if err != nil {
		return err
	}
	var s span
	if s.since, err = moment("--since", o.since, a.now()); err != nil {
		return err
	}
	if s.until, err = moment("--until", o.until, a.now()); err != nil {
		return err
	}
	w := &workplace{cfg: cfg, now: a.now}
	defer func() { err = errors.Join(err, w.close()) }()
	if err := w.connect(a, 1); err != nil {
		return err
	}
	var logbook pipeline.Ledger = emptyLedger{}
	w.store, w.ledger, err = a.openArchive(ctx, cfg, reading, a.now)
	switch {
	case err == nil:
		logbook = w.ledger
	case !errors.Is(err, ledger.ErrNoArchive):
		return err
	}
	runner := &pipeline.Runner{
		Stores: pipeline.Stores{Ledger: logbook},
		Paging: pipeline.Paging{Size: cfg.API.PageSize, InFlight: cfg.API.Concurrency},
		Now:    a.now, Log: slog.New(slog.DiscardHandler),
	}
	var all []planned
	for _, p := range pipelines {
		begin, err := w.begin(ctx, p)
		if err != nil {
			return err
		}
		spec, err := w.spec(p, begin, s)
		if err != nil {
			return err
		}
		client := w.account(p).client
		runner.Source, runner.Requests = client, client.Requests
		outlook, err := runner.Plan(ctx, spec)
		if err != nil {
			return fmt.Errorf("pipeline %s: %w", p.Name, err)
		}
		all = append(all, planned{outlook, p.Key})
	}
	return a.printPlan(out, all, w.demands(all))
}

// begin is where the pipeline's archive begins, or would. It changes nothing.
func (w *workplace) begin(ctx context.Context, p config.Pipeline) (time.Time, error) {
	begin := p.Since.Start(w.now())
	if w.ledger == nil {
		return begin, nil
	}
	was, err := w.ledger.SettingsOf(ctx, p.Name)
	switch {
	case err != nil:
		return begin, err
	case was.Window == 0: // not begun
		return begin, nil
	case was.Window != p.Window:
		is := ledger.Settings{Window: p.Window, First: begin}
		return begin, &ledger.SettingsError{Pipeline: p.Name, Was: was, Is: is}
	case was.First.Before(begin):
		begin = was.First // what was begun is looked after to its end
	}
	return begin, nil
}

// emptyLedger is the ledger of an archive that does not exist yet.
type emptyLedger struct{ pipeline.Ledger }

func (emptyLedger) Load(_ context.Context, name string, w pipeline.Window) (*pipeline.History, error) {
	return &pipeline.History{Pipeline: name, Window: w}, nil
}
