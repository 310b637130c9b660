package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/internal/ledger"
	"github.com/adteco/docarchive/internal/store"
	"github.com/adteco/docarchive/pipeline"
	"github.com/adteco/docarchive/sinks"
)

// locate adds to a finding about a file that is there which of its rows are
// damaged.
func (a *app) locate(ctx context.Context, w *workplace, f *ledger.Finding) (err error) {
	record, file := recordOf(ctx, w.ledger, f)
	if file == nil {
		return nil
	}
	local, size, err := a.fetch(ctx, w.store, file.Path)
	if errors.Is(err, store.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, local.Close(), os.Remove(local.Name())) }()
	f.Rows = sinks.Locate(file.Path, local, size, file.Rows, belonging(ctx, w.ledger, record, file))
	if len(f.Rows) == 0 {
		f.Rows = []string{"every row can be read and belongs there: the damage is in values, or between them"}
		if path.Ext(file.Path) == ".parquet" { // whose values have checksums of their own
			f.Rows = []string{"every row can be read: the damage is outside of the values"}
		}
	}
	return nil
}

// errFound ends the search for a record.
var errFound = errors.New("found")

// recordOf finds the record and the file that a finding is about; nil if it is
// about something else. A file that a swap brought belongs to no record.
func recordOf(ctx context.Context, l *ledger.Ledger, f *ledger.Finding) (record *pipeline.Record, file *pipeline.File) {
	if f.Swap > 0 {
		// Where the swap itself is damaged, it names no file.
		if file, ok, err := l.SwapFile(ctx, f.Pipeline, f.Swap, f.Path); ok && err == nil {
			return nil, &file
		}
		return nil, nil
	}
	settings, err := l.SettingsOf(ctx, f.Pipeline)
	if err != nil || f.Seq == 0 {
		return nil, nil
	}
	window, err := pipeline.ParseWindow(f.Window, settings.Window)
	if err != nil {
		return nil, nil
	}
	// Where the log itself is damaged, the search ends there.
	_ = l.Records(ctx, f.Pipeline, window, func(r *pipeline.Record) error {
		if r.Seq != f.Seq {
			return nil
		}
		for i := range r.Files {
			if r.Files[i].Path == f.Path && (r.Files[i].Kind == pipeline.KindData || r.Files[i].Kind == pipeline.KindRaw) {
				record, file = r, &r.Files[i]
			}
		}
		return errFound
	})
	return record, file
}

// fetch copies an object of the archive into a local file, which the caller
// closes and removes.
func (a *app) fetch(ctx context.Context, s *store.Store, key string) (local *os.File, size int64, err error) {
	body, err := s.Open(ctx, key)
	if err != nil {
		return nil, 0, err
	}
	defer func() { err = errors.Join(err, body.Close()) }()
	local, err = os.CreateTemp(a.spoolBase(), "docarchive-verify-")
	if err != nil {
		return nil, 0, &pipeline.SpoolError{Err: err}
	}
	if size, err = io.Copy(local, body); err != nil {
		return nil, 0, errors.Join(fmt.Errorf("read %s: %w", key, err), local.Close(), os.Remove(local.Name()))
	}
	return local, size, nil
}

// belonging tells which jobs a record's files may hold: by its own list, else
// by the raw layer. It is nil if neither can say, or there is no record.
func belonging(ctx context.Context, l *ledger.Ledger, r *pipeline.Record, file *pipeline.File) func(string) bool {
	if r == nil {
		return nil
	}
	ids := map[string]bool{}
	for _, id := range r.IDs {
		ids[id] = true
	}
	if len(ids) == 0 && file.Kind != pipeline.KindRaw {
		err := pipeline.RawJobs(ctx, l, r, func(job docextract.Job) error {
			ids[strings.Clone(job.ID)] = true
			return nil
		})
		if err != nil {
			return nil
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return func(id string) bool { return ids[id] }
}
