package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/adteco/docarchive/internal/ledger"
	"github.com/adteco/docarchive/pipeline"
)

// Several processes on one folder archive every job once between them.
func TestConcurrentRuns(t *testing.T) {
	t.Parallel()
	url := "file://" + t.TempDir()
	const runs, jobs = 4, 24
	var done sync.WaitGroup
	for run := range runs {
		l := openLedger(t, openStore(t, url), ledger.Options{InlineIDs: 2})
		spool := filepath.Join(t.TempDir(), "spool")
		done.Go(func() {
			for job := 0; job < jobs; {
				switch err := archive(t.Context(), l, spool, run, job); {
				case err == nil:
					job++
				case !errors.Is(err, pipeline.ErrConflict):
					t.Error(err)
					return
				}
			}
		})
	}
	done.Wait()
	l := openLedger(t, openStore(t, url), options())
	ids := archived(t, l, load(t, l))
	slices.Sort(ids)
	var want []string
	for job := range jobs {
		want = append(want, fmt.Sprintf("job-%03d", job))
	}
	if diff := cmp.Diff(want, ids); diff != "" {
		t.Error(diff)
	}
	if findings := verify(t, l); len(findings) > 0 {
		t.Error(findings)
	}
}

// archive commits one job, unless it is archived.
func archive(ctx context.Context, l *ledger.Ledger, spool string, run, job int) error {
	h, err := l.Load(ctx, "invoices", day)
	if err != nil {
		return err
	}
	id, known := fmt.Sprintf("job-%03d", job), false
	if err := l.ArchivedIDs(ctx, h, func(ids []string) error {
		known = known || slices.Contains(ids, id)
		return nil
	}); err != nil || known {
		return err
	}
	p := spooled(spool, fmt.Sprintf("invoices/m=1/20261122-%06d.csv", h.NextSeq()), fmt.Sprint(run, id), 1)
	if err := l.Stage(ctx, p); err != nil {
		return err
	}
	if h, err = l.Append(ctx, h, record([]string{id}, p), []string{id}); err != nil {
		return err
	}
	return l.Publish(ctx, h.Head)
}
