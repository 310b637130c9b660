package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/internal/config"
	"github.com/adteco/docarchive/internal/ledger"
	"github.com/adteco/docarchive/internal/store"
	"github.com/adteco/docarchive/pipeline"
)

// archivedJobs reads a pipeline's jobs from the raw layer, as often as is wanted
// the same ones, whatever runs commit meanwhile.
type archivedJobs struct {
	filter       pipeline.Filter
	since, until time.Time // of creation, until excluded; zero: no limit
	limit        int       // 0: none
	goingOn      func() error

	library pipeline.Library
	records []*pipeline.Record // those in question, without their ids
	shown   int                // at the last reading
}

// errEnough ends a reading at its limit.
var errEnough = errors.New("enough")

// open notes what is archived now. It is an error if the raw layer lacks some
// of it.
func (j *archivedJobs) open(ctx context.Context, l *ledger.Ledger, p config.Pipeline) error {
	j.library = l
	settings, err := l.SettingsOf(ctx, p.Name)
	if err != nil {
		return err
	}
	if settings.Window == 0 {
		return fmt.Errorf("pipeline %s has archived nothing yet: docarchive run %[1]s", p.Name)
	}
	names, err := l.Windows(ctx, p.Name)
	if err != nil {
		return err
	}
	for _, name := range names {
		window, err := pipeline.ParseWindow(name, settings.Window)
		if err != nil {
			return err
		}
		if !j.until.IsZero() && !window.Start.Before(j.until) || !window.End.After(j.since) {
			continue
		}
		err = l.Records(ctx, p.Name, window, func(r *pipeline.Record) error { return j.note(r, p) })
		if err != nil {
			return fmt.Errorf("window %s: %w", name, err)
		}
	}
	return nil
}

func (j *archivedJobs) note(r *pipeline.Record, p config.Pipeline) error {
	if err := j.goingOn(); err != nil || r.Rows == 0 {
		return err
	}
	if rawPath(r) == "" {
		return fmt.Errorf("%w; leave such windows out with --since, or %s", pipeline.ErrNoRaw, otherwise(p))
	}
	slim := *r
	slim.IDs, slim.Open = nil, nil
	j.records = append(j.records, &slim)
	return nil
}

// otherwise says how the rows of a pipeline without a raw layer are read.
func otherwise(p config.Pipeline) string {
	for _, s := range p.Sinks {
		if s.Type == "parquet" {
			return fmt.Sprintf("query its files as with DuckDB: FROM read_parquet('%s/**/*.parquet', union_by_name=true)", s.Path)
		}
	}
	return "read its sinks' own files or tables"
}

// each calls yield with the chosen jobs, oldest window first.
func (j *archivedJobs) each(ctx context.Context, yield func(*docextract.Job, stamp) error) error {
	j.shown = 0
	for _, r := range j.records {
		of := stamp{r.CommittedAt, r.RunID}
		err := pipeline.RawJobs(ctx, j.library, r, func(job docextract.Job) error {
			if err := j.goingOn(); err != nil || !j.wants(&job) {
				return err
			}
			if j.limit > 0 && j.shown == j.limit {
				return errEnough
			}
			j.shown++
			return yield(&job, of)
		})
		switch {
		case errors.Is(err, errEnough):
			return nil
		case errors.Is(err, store.ErrNotExist):
			return &ledger.DamageError{Key: rawPath(r), Reason: "the file is missing"}
		case err != nil:
			return err
		}
	}
	return nil
}

// rawPath names the record's file in the raw layer; empty if it has none.
func rawPath(r *pipeline.Record) string {
	for _, f := range r.Files {
		if f.Kind == pipeline.KindRaw {
			return f.Path
		}
	}
	return ""
}

func (j *archivedJobs) wants(job *docextract.Job) bool {
	return !job.CreatedAt.Before(j.since) && (j.until.IsZero() || job.CreatedAt.Before(j.until)) && j.filter.Match(job)
}
