package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/adteco/docarchive/cache"
	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/internal/config"
	"github.com/adteco/docarchive/internal/ledger"
	"github.com/adteco/docarchive/internal/store"
	"github.com/adteco/docarchive/pipeline"
)

// loadConfig reads jobs.yaml and makes its secrets unprintable.
func (a *app) loadConfig() (*config.Config, error) {
	return a.loadConfigWith(config.Options{LookupEnv: a.getenv})
}

// loadConfigKeyless is loadConfig for commands that make no request: they do
// not need the API key.
func (a *app) loadConfigKeyless() (*config.Config, error) {
	return a.loadConfigWith(config.Options{LookupEnv: a.getenv, KeyOptional: true})
}

func (a *app) loadConfigWith(o config.Options) (*config.Config, error) {
	cfg, err := config.Load(a.flags.config, o)
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			err = fmt.Errorf("%w; name it with --config, or start from the jobs.yaml that comes with docarchive", err)
		}
		return nil, &configError{err}
	}
	a.hide.add(cfg.Secrets()...)
	return cfg, nil
}

// clock is the program's time, the simulator's in a demo.
type clock func() time.Time

// workplace holds what a command that touches the archive works with.
type workplace struct {
	cfg    *config.Config
	store  *store.Store
	ledger *ledger.Ledger
	home   cache.Home
	client *docextract.Client // of the default key
	budget *docextract.Budget // likewise
	now    clock
	log    *slog.Logger

	accounts   map[string]*account // by the name of the key; the default one's is empty
	warehouses []pipeline.Warehouse
	downloader *docextract.Downloader // of documents; nil as long as none is fetched
}

// access says what a command does with the archive.
type access int

const (
	reading access = iota // there must be an archive
	writing               // one is begun if there is none
	trying                // if there is none, one is begun in memory
)

// openArchive opens the bucket and the ledger in it.
func (a *app) openArchive(ctx context.Context, cfg *config.Config, how access, now clock) (*store.Store, *ledger.Ledger, error) {
	s, err := store.Open(ctx, cfg.Archive, store.Options{})
	if err != nil { // nothing was read yet: the URL is wrong
		return nil, nil, &configError{fmt.Errorf("open the archive: %w", err)}
	}
	o := ledger.Options{ToolVersion: version, Clock: now}
	var l *ledger.Ledger
	if how == writing {
		if err = s.Probe(ctx); err == nil {
			l, err = ledger.Open(ctx, s, o)
		}
	} else {
		l, err = ledger.OpenExisting(ctx, s, o)
	}
	if how == trying && errors.Is(err, ledger.ErrNoArchive) {
		nothing := *cfg
		nothing.Archive = "mem://"
		if err := s.Close(); err != nil {
			return nil, nil, err
		}
		return a.openArchive(ctx, &nothing, writing, now)
	}
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("open the archive: %w", err), s.Close())
	}
	return s, l, nil
}

// openHome opens the cache that the configuration names. A cache that is away
// is no reason to fail, but a wrong password is: it would be wrong for ever.
func (a *app) openHome(ctx context.Context, cfg *config.Config) (cache.Home, error) {
	if cfg.Cache != "embedded" {
		home, err := cache.OpenRedis(ctx, cfg.Cache, cache.RedisOptions{Logger: a.log})
		if err != nil {
			return nil, fmt.Errorf("open the cache: %w", err)
		}
		return home, nil
	}
	dir, has := a.cacheDir()
	if !has {
		return cache.NewMemory(), nil
	}
	return cache.OpenEmbedded(dir, cache.EmbeddedOptions{Logger: a.log})
}

// cacheDir is the folder of the embedded cache. There is none without a home
// directory, as in a bare container.
func (a *app) cacheDir() (dir string, has bool) {
	if dir, has := a.getenv("DOCARCHIVE_CACHE_DIR"); has {
		return dir, true
	}
	base, err := os.UserCacheDir()
	if err != nil {
		return "", false
	}
	return filepath.Join(base, "docarchive"), true
}

// open opens everything that archiving needs.
func (a *app) open(ctx context.Context, cfg *config.Config, how access, now clock, home cache.Home) (*workplace, error) {
	return a.openShared(ctx, cfg, how, now, home, 1)
}

// openShared is open for one of so many workers.
func (a *app) openShared(ctx context.Context, cfg *config.Config, how access, now clock, home cache.Home, workers int) (w *workplace, err error) {
	w = &workplace{cfg: cfg, home: home, now: now, log: a.log}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
			w = nil
		}
	}()
	if w.home == nil {
		if w.home, err = a.openHome(ctx, cfg); err != nil {
			return w, err
		}
	}
	if err := w.connect(a, workers); err != nil {
		return w, err
	}
	w.store, w.ledger, err = a.openArchive(ctx, cfg, how, now)
	return w, err
}

// recognise refuses an archive that is not the one that the bucket held before.
func (w *workplace) recognise(ctx context.Context, another bool) error {
	where := w.store.Redacted()
	if another {
		if err := w.home.Forget(ctx, where); err != nil {
			return err
		}
	}
	previous, err := w.home.Remember(ctx, where, w.ledger.ID())
	if err == nil && previous != "" && previous != w.ledger.ID() {
		return &configError{fmt.Errorf("%s held archive %s before and now holds %s: was it emptied, or is something else mounted there? "+
			"if this is intended, run once with --new-archive", where, previous, w.ledger.ID())}
	}
	return nil // a cache that is away remembers nothing
}

func (w *workplace) close() error {
	var errs []error
	for _, warehouse := range w.warehouses {
		errs = append(errs, warehouse.Close())
	}
	for _, acc := range w.accounts {
		acc.client.CloseIdle()
	}
	if w.downloader != nil {
		w.downloader.CloseIdle()
	}
	if w.home != nil {
		errs = append(errs, w.home.Close())
	}
	if w.store != nil {
		errs = append(errs, w.store.Close())
	}
	return errors.Join(errs...)
}

// chosen returns the pipelines named, or all.
func chosen(cfg *config.Config, names []string) ([]config.Pipeline, error) {
	if len(names) == 0 {
		return cfg.Pipelines, nil
	}
	var all []config.Pipeline
	for _, name := range names {
		i := 0
		for ; i < len(cfg.Pipelines) && cfg.Pipelines[i].Name != name; i++ {
		}
		if i == len(cfg.Pipelines) {
			return nil, usagef("there is no pipeline %q in %s; it has: %s", name, cfg.File, strings.Join(pipelineNames(cfg), ", "))
		}
		all = append(all, cfg.Pipelines[i])
	}
	return all, nil
}

func pipelineNames(cfg *config.Config) []string {
	var names []string
	for _, p := range cfg.Pipelines {
		names = append(names, p.Name)
	}
	return names
}

// span narrows the windows of a run.
type span struct{ since, until time.Time }

// spec translates a pipeline of jobs.yaml. first is where its archive begins.
func (w *workplace) spec(p config.Pipeline, first time.Time, s span) (pipeline.Spec, error) {
	spec := pipeline.Spec{
		Name: p.Name,
		Filter: pipeline.Filter{
			ExtractorID: p.Extractor, MinConfidence: p.MinConfidence, Metadata: p.Metadata,
		},
		From: first, Until: s.until, Window: p.Window, Settle: p.Settle, Keep: pipeline.Keep{Raw: p.Raw},
		HashKey: []byte(w.cfg.HashKey), Schema: schemaPolicy(p.Schema),
	}
	if s.since.After(first) {
		spec.From = s.since
	}
	for _, status := range p.Status {
		spec.Filter.Status = append(spec.Filter.Status, docextract.Status(status))
	}
	rules, err := rulesOf(p.Fields)
	if err != nil {
		return spec, err
	}
	spec.Rules = rules
	spec.Documents, err = w.documentKeeper(p)
	return spec, err
}

// stores adapts the workplace to what a runner needs.
func (w *workplace) stores() pipeline.Stores {
	return pipeline.Stores{
		ArchiveID: w.ledger.ID(), Ledger: w.ledger, Shelf: w.ledger, Schemas: w.ledger, Library: w.ledger, Swaps: w.ledger, Seen: w.home,
		Leases:      leases{w.home, w.ledger.ID(), w.log},
		Definitions: w.ledger,
	}
}

// runIDTime is how a run's id begins.
const runIDTime = "20060102T150405Z"

// newRunID returns an id that sorts by time.
func newRunID(now time.Time) string {
	var b [4]byte
	rand.Read(b[:]) // never fails
	return now.UTC().Format(runIDTime) + "-" + hex.EncodeToString(b[:])
}

// spoolAge is after how long the spool of a run that died is removed.
const spoolAge = 48 * time.Hour

// spoolBase is the local folder in which runs make their spools.
func (a *app) spoolBase() string {
	if base, has := a.getenv("DOCARCHIVE_SPOOL"); has && base != "" {
		return base
	}
	return os.TempDir()
}

// makeSpool returns a fresh local folder for files in the making.
func (a *app) makeSpool(now time.Time) (dir string, remove func() error, err error) {
	base := a.spoolBase()
	stale, _ := filepath.Glob(filepath.Join(base, "docarchive-spool-*")) // the pattern is well formed
	for _, old := range stale {
		if info, err := os.Stat(old); err == nil && now.Sub(info.ModTime()) > spoolAge {
			if err := os.RemoveAll(old); err != nil {
				a.log.Warn("an old spool cannot be removed", "error", err)
			}
		}
	}
	dir, err = os.MkdirTemp(base, "docarchive-spool-")
	if err != nil {
		return "", nil, &pipeline.SpoolError{Err: fmt.Errorf("%w; set DOCARCHIVE_SPOOL to a folder with room", err)}
	}
	return dir, func() error { return os.RemoveAll(dir) }, nil
}
