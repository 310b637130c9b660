package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/adteco/docarchive/internal/failpoint"
	"github.com/adteco/docarchive/pipeline"
)

// Append makes r the window's next record, with ids as the jobs it archives,
// and returns the history that it leads to. It fills in r's identity but for
// RunID and CommittedAt, which are the caller's, and its ids, which it sorts.
//
// On success, and only then, the record is durable; if another run took the
// number, the error is [pipeline.ErrConflict]. With [store.ErrUnknown] it may or
// may not have been written, and the next Load will tell. Parts that this ledger
// did not stage within the commit age are a [StaleError].
func (l *Ledger) Append(ctx context.Context, h *pipeline.History, r *pipeline.Record, ids []string) (*pipeline.History, error) {
	key := recordKey(h.Pipeline, h.Window.Name(), h.NextSeq())
	if err := l.complete(ctx, h, r, ids); err != nil {
		return nil, fmt.Errorf("append %s: %w", key, err)
	}
	if err := l.check(r, r.RecordIdentity); err != nil {
		return nil, fmt.Errorf("append %s: the record is wrong and was not written: %w", key, err)
	}
	if err := l.fresh(r.Files); err != nil {
		return nil, err
	}
	if err := failpoint.Hit(failpoint.CommitBefore); err != nil {
		return nil, err
	}
	hash, err := l.create(ctx, key, r)
	if err != nil {
		return nil, err
	}
	if err := failpoint.Hit(failpoint.CommitAfter); err != nil {
		return nil, err
	}
	l.forget(r.Files)
	l.appended(r.Files)
	next := *h
	fold(&next, r, hash)
	return &next, nil
}

// complete fills in what the record says of itself and of its ids.
func (l *Ledger) complete(ctx context.Context, h *pipeline.History, r *pipeline.Record, ids []string) error {
	if err := checkName("pipeline", h.Pipeline); err != nil {
		return err
	}
	r.RecordIdentity = pipeline.RecordIdentity{
		Version: pipeline.RecordVersion, ArchiveID: l.identity.UUID,
		Pipeline: h.Pipeline, Window: h.Window.Name(), Seq: h.NextSeq(), Prev: h.HeadHash,
		Nonce: l.options.NewNonce(), RunID: r.RunID, ToolVersion: l.options.ToolVersion,
		CommittedAt: r.CommittedAt.UTC(),
	}
	r.CoveredTo, r.Proof.Cutoff = r.CoveredTo.UTC(), r.Proof.Cutoff.UTC()
	sorted := slices.Sorted(slices.Values(ids))
	switch {
	case !ascending(sorted):
		return errors.New("an id is empty or given twice")
	case int64(len(sorted)) != r.Rows:
		return fmt.Errorf("%d ids are given for %d rows", len(sorted), r.Rows)
	}
	r.IDs, r.IDsFile = nil, ""
	if len(sorted) <= l.options.InlineIDs {
		r.IDs = sorted
		return nil
	}
	sum, err := l.putNamed(ctx, idsDir, sorted)
	r.IDsFile = sum
	return err
}

// fresh refuses files that garbage collection could take before it sees them in
// a record.
func (l *Ledger) fresh(files []pipeline.File) error {
	now := l.options.Clock()
	l.mu.Lock()
	defer l.mu.Unlock()
	paths := make(map[string]struct{}, len(files))
	for i := range files {
		f := &files[i]
		since, known := l.staged[stagingKey(f)]
		if !known {
			return &StaleError{Path: f.Path}
		}
		if age := now.Sub(since); age > l.options.CommitAge {
			return &StaleError{Path: f.Path, Age: age}
		}
		if _, twice := paths[f.Path]; twice {
			return fmt.Errorf("two files of one record have the name %s", f.Path)
		}
		paths[f.Path] = struct{}{}
	}
	return nil
}

// appended remembers what this process has committed and not published yet.
func (l *Ledger) appended(files []pipeline.File) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range files {
		l.unpublished[files[i].Path] = struct{}{}
	}
}

// published forgets what has its final name.
func (l *Ledger) published(files []pipeline.File) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range files {
		delete(l.unpublished, files[i].Path)
	}
}

// forget forgets when files were staged, and those that never were committed.
func (l *Ledger) forget(files []pipeline.File) {
	now := l.options.Clock()
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range files {
		delete(l.staged, stagingKey(&files[i]))
	}
	for key, since := range l.staged {
		if now.Sub(since) > l.options.CommitAge {
			delete(l.staged, key)
		}
	}
}
