package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/adteco/docarchive/cache"
	"github.com/adteco/docarchive/docextract/docextracttest"
	"github.com/adteco/docarchive/internal/config"
	"github.com/adteco/docarchive/internal/ledger"
	"github.com/adteco/docarchive/internal/store"
)

// The demo's population.
const (
	demoJobs = 5000
	demoDays = 60
	demoOpen = 25
	demoSeed = 2026
	demoKey  = "sk_test_demo_key"
)

func (a *app) demoCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: "Try everything on a bundled simulator: no key, no network",
		Long: `Start the bundled simulator, run the pipelines of jobs.yaml on it, and show
what was written and how to query it. Needs nothing installed. The archive goes
to ./archive unless DOCARCHIVE_BUCKET names another bucket; a second demo finds
nothing new in it.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.demo(cmd) },
	}
}

func (a *app) demo(cmd *cobra.Command) (err error) {
	ctx := cmd.Context()
	bucket, has := a.getenv("DOCARCHIVE_BUCKET")
	if !has || bucket == "" {
		bucket = "file://./archive"
	}
	// The simulator's time stands still at the moment the archive was begun, so
	// that the second demo meets the same jobs as the first.
	at, err := demoTime(ctx, bucket)
	if err != nil {
		return err
	}
	now := func() time.Time { return at }
	sim := docextracttest.New(docextracttest.Config{
		Seed: demoSeed, Jobs: demoJobs, Span: demoDays * 24 * time.Hour, Open: demoOpen, Clock: now, Key: demoKey,
	})
	running, err := sim.Start()
	if err != nil {
		return fmt.Errorf("start the simulator: %w", err)
	}
	defer func() { err = errors.Join(err, running.Close()) }()
	cfg, err := a.demoConfig(running.URL, bucket)
	if err != nil {
		return err
	}
	a.log.Info("simulator started", "jobs", demoJobs, "days", demoDays, "url", running.URL)
	report, err := a.archive(ctx, job{cfg: cfg, now: now, home: cache.NewMemory()})
	if report == nil {
		return err
	}
	if printed := a.printReport(cmd.OutOrStdout(), report, err); printed != nil {
		return errors.Join(err, printed)
	}
	if err == nil && !a.json() && strings.HasPrefix(bucket, "file://") {
		fmt.Fprint(cmd.OutOrStdout(), "\n", queries(cfg, strings.TrimPrefix(bucket, "file://")))
	}
	return err
}

// demoTime is when the archive in the bucket was begun, or now.
func demoTime(ctx context.Context, bucket string) (time.Time, error) {
	s, err := store.Open(ctx, bucket, store.Options{})
	if err != nil {
		return time.Time{}, err
	}
	defer s.Close()
	l, err := ledger.OpenExisting(ctx, s, ledger.Options{})
	switch {
	case errors.Is(err, ledger.ErrNoArchive):
		return time.Now().UTC().Truncate(time.Second), nil
	case err != nil:
		return time.Time{}, err
	}
	return l.Created(), nil
}

// demoConfig reads jobs.yaml as a user would, but speaks to the simulator.
func (a *app) demoConfig(url, bucket string) (*config.Config, error) {
	env := map[string]string{
		"DOCEXTRACT_BASE_URL": url, "DOCEXTRACT_API_KEY": demoKey,
		"DOCARCHIVE_BUCKET": bucket, "DOCARCHIVE_CACHE": "embedded",
	}
	lookup := func(name string) (string, bool) {
		if value, has := env[name]; has {
			return value, true
		}
		return a.getenv(name)
	}
	cfg, err := a.loadConfigWith(config.Options{LookupEnv: lookup})
	if err != nil {
		return nil, err
	}
	cfg.API.BaseURL = url
	return cfg, nil
}

// queries are two lines that show what was written.
func queries(cfg *config.Config, dir string) string {
	for _, p := range cfg.Pipelines {
		for _, s := range p.Sinks {
			if s.Type != "parquet" {
				continue
			}
			files := filepath.ToSlash(filepath.Join(dir, s.Path, "**", "*.parquet"))
			from := fmt.Sprintf("read_parquet('%s', union_by_name=true, hive_partitioning=true)", files)
			return fmt.Sprintf("To query it with DuckDB (https://duckdb.org):\n"+
				"  duckdb -c \"SELECT status, count(*), avg(processing_time_ms) FROM %s GROUP BY ALL\"\n"+
				"  duckdb -c \"DESCRIBE SELECT * FROM %s\"\n", from, from)
		}
	}
	return ""
}
