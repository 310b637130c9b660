package ledger

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/adteco/docarchive/internal/store"
	"github.com/adteco/docarchive/internal/words"
	"github.com/adteco/docarchive/pipeline"
)

// Garbage is what a collection removed.
type Garbage struct {
	Staged    int   // parts that no record names, or that are published; progress of rebuilds
	IDs       int   // files of ids that no record names
	Lists     int   // lists of files that no swap names
	Replaced  int   // files that a swap replaced and that were still there
	Documents int   // that no list names
	Temporary int   // leftovers of crashed writes
	Bytes     int64 // of all but the temporary files
}

// GC removes what is older than age at the given time, by the storage's own
// dates, and what no record needs: parts that were staged and not committed, or
// that are published; files of ids and lists of files; progress of rebuilds that
// were given up; documents that no list names; leftovers of crashed writes. What a finished swap replaced goes
// whatever its age. An age of less than twice the commit age is refused, since a
// part may still be committed then. If any log cannot be read, nothing is
// removed.
func (l *Ledger) GC(ctx context.Context, now time.Time, age time.Duration) (Garbage, error) {
	var g Garbage
	if age < 2*l.options.CommitAge {
		return g, fmt.Errorf("garbage must be at least %s old, not %s: parts may still be committed", words.Duration(2*l.options.CommitAge), words.Duration(age))
	}
	before := now.Add(-age)
	old, err := l.aged(ctx, before)
	if err != nil {
		return g, err
	}
	if len(old) > 0 {
		// The logs are read after the listing: what was committed since is seen.
		if err := l.spare(ctx, old); err != nil {
			return g, err
		}
	}
	for key := range old {
		removed, err := l.removeAged(ctx, key, before)
		if err != nil {
			return g, err
		}
		switch {
		case removed < 0:
			continue
		case strings.HasPrefix(key, idsDir):
			g.IDs++
		case strings.HasPrefix(key, filesDir):
			g.Lists++
		default:
			g.Staged++
		}
		g.Bytes += removed
	}
	if err := l.removeReplaced(ctx, &g); err != nil {
		return g, err
	}
	if err := l.removeDocuments(ctx, &g, before); err != nil {
		return g, err
	}
	g.Temporary, err = l.store.Sweep(ctx, before)
	return g, err
}

// aged lists what garbage collection is about and is old enough.
func (l *Ledger) aged(ctx context.Context, before time.Time) (map[string]struct{}, error) {
	old := map[string]struct{}{}
	for _, dir := range []string{stagingDir, idsDir, filesDir, rebuildsDir} {
		err := l.store.List(ctx, dir, func(o store.Object) error {
			if o.Modified.Before(before) {
				old[o.Key] = struct{}{}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return old, nil
}

// removeAged removes an object and returns its size, or -1 if it was written
// again meanwhile.
func (l *Ledger) removeAged(ctx context.Context, key string, before time.Time) (int64, error) {
	o, err := l.store.Stat(ctx, key)
	if err != nil {
		_, err := l.absent(ctx, err)
		return -1, err
	}
	if !o.Modified.Before(before) {
		return -1, nil
	}
	return o.Size, l.store.Delete(ctx, key)
}

// spare takes out of old what the records of all logs still need.
func (l *Ledger) spare(ctx context.Context, old map[string]struct{}) error {
	err := l.records(ctx, func(r *pipeline.Record) error {
		delete(old, idsKey(r.IDsFile))
		return l.spareStaged(ctx, old, r.Pipeline, r.Files)
	})
	if err != nil {
		return err
	}
	names, err := l.swapPipelines(ctx)
	if err != nil {
		return err
	}
	for _, name := range names {
		err := l.walkSwaps(ctx, name, func(s *pipeline.Swap, _, lists string) error {
			delete(old, namedKey(filesDir, lists))
			return l.spareStaged(ctx, old, name, s.Files)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// spareStaged takes out of old what is staged of files and still is to be
// published.
func (l *Ledger) spareStaged(ctx context.Context, old map[string]struct{}, pipelineName string, files []pipeline.File) error {
	for i := range files {
		f := &files[i]
		key := stagingKey(f)
		if _, candidate := old[key]; !candidate {
			continue
		}
		needless, err := l.inPlace(ctx, f)
		if err == nil && !needless {
			needless, err = l.replaced(ctx, pipelineName, f)
		}
		if err != nil {
			return err
		}
		if !needless {
			delete(old, key)
		}
	}
	return nil
}

// records calls fn with every record of every pipeline. Which windows there are
// is taken from a listing; each log is then read to its end.
func (l *Ledger) records(ctx context.Context, fn func(r *pipeline.Record) error) error {
	logs, err := l.listLogs(ctx, logDir)
	if err != nil {
		return err
	}
	for name, windows := range logs {
		for window := range windows {
			if err := l.walk(ctx, name, window, func(r *pipeline.Record, _ string) error { return fn(r) }); err != nil {
				return err
			}
		}
	}
	return nil
}
