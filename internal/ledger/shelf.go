package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/adteco/docarchive/internal/failpoint"
	"github.com/adteco/docarchive/internal/store"
	"github.com/adteco/docarchive/pipeline"
)

// Stage uploads a part to a name where no reader looks. It may be repeated, and
// leaves the spooled file alone. A spooled file whose size or checksum is not
// the part's is an error.
func (l *Ledger) Stage(ctx context.Context, p pipeline.Part) error {
	if err := checkSpool(&p); err != nil {
		return fmt.Errorf("stage %s: %w", p.Path, err)
	}
	key := stagingKey(&p.File)
	if err := store.CheckKey(key); err != nil {
		return fmt.Errorf("stage %s: %w", p.Path, err)
	}
	now := l.options.Clock()
	since := now
	o, err := l.store.Stat(ctx, key)
	switch {
	case err == nil && o.Size == p.Size && now.Sub(o.Modified) < l.options.CommitAge/2:
		since = earlier(now, o.Modified)
	case err != nil && !errors.Is(err, store.ErrNotExist):
		return fmt.Errorf("stage %s: %w", p.Path, err)
	default:
		// An old one is written again: garbage collection goes by its age.
		if err := l.store.PutFile(ctx, key, p.Spool); err != nil {
			return fmt.Errorf("stage %s: %w", p.Path, err)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.staged[key] = since
	return failpoint.Hit(failpoint.StageEach)
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// checkSpool makes sure that what is staged for ever is what was encoded.
func checkSpool(p *pipeline.Part) error {
	f, err := os.Open(p.Spool)
	if err != nil {
		return fmt.Errorf("%w: %w", store.ErrLocal, err)
	}
	defer f.Close()
	sum := sha256.New()
	n, err := io.Copy(sum, f)
	if err != nil {
		return fmt.Errorf("%w: %w", store.ErrLocal, err)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); n != p.Size || got != p.SHA256 {
		return fmt.Errorf("%w: the spooled file has %d bytes with checksum %s, the part %d with %s",
			store.ErrLocal, n, got, p.Size, p.SHA256)
	}
	return nil
}

// Publish gives every file of a committed record its final name and, when all
// have theirs, removes what was staged. It may be repeated, by several processes
// at once, and then costs one look at each file. A file that a swap replaced is
// left alone; one that is neither staged nor published nor replaced is a
// [DamageError].
func (l *Ledger) Publish(ctx context.Context, r *pipeline.Record) error {
	for i := range r.Files {
		if err := checkFile(r.Pipeline, &r.Files[i]); err != nil {
			return damaged(recordKey(r.Pipeline, r.Window, r.Seq), "%v", err)
		}
	}
	if err := failpoint.Hit(failpoint.PublishBefore); err != nil {
		return err
	}
	copied := make([]bool, len(r.Files))
	if err := l.each(ctx, len(r.Files), func(ctx context.Context, i int) (err error) {
		if copied[i], err = l.publish(ctx, r.Pipeline, &r.Files[i]); err == nil {
			err = failpoint.Hit(failpoint.PublishEach)
		}
		return err
	}); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	if err := failpoint.Hit(failpoint.PublishCopied); err != nil {
		return err
	}
	if err := l.each(ctx, len(r.Files), func(ctx context.Context, i int) error {
		if !copied[i] {
			return nil
		}
		if err := l.store.Delete(ctx, stagingKey(&r.Files[i])); err != nil {
			return fmt.Errorf("publish: %w", err)
		}
		return nil
	}); err != nil {
		return err
	}
	l.published(r.Files)
	return failpoint.Hit(failpoint.PublishAfter)
}

// each calls f with 0 to n-1, a few at once.
func (l *Ledger) each(ctx context.Context, n int, f func(ctx context.Context, i int) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(l.options.AtOnce)
	for i := range n {
		g.Go(func() error { return f(ctx, i) })
	}
	return g.Wait()
}

func (l *Ledger) publish(ctx context.Context, pipelineName string, f *pipeline.File) (copied bool, err error) {
	done, err := l.inPlace(ctx, f)
	if done || err != nil {
		return false, err
	}
	// What this process has just committed is not replaced yet. Of anything else
	// a leftover may be staged, which must not come back.
	if !l.committedHere(f) {
		if replaced, err := l.replaced(ctx, pipelineName, f); replaced || err != nil {
			return false, err
		}
	}
	copied, err = l.copyInPlace(ctx, f)
	var missing *DamageError
	if errors.As(err, &missing) {
		if replaced, err := l.replaced(ctx, pipelineName, f); replaced || err != nil {
			return false, err
		}
	}
	return copied, err
}

func (l *Ledger) committedHere(f *pipeline.File) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, here := l.unpublished[f.Path]
	return here
}

// replaced reports whether a swap has replaced a file of a record.
func (l *Ledger) replaced(ctx context.Context, pipelineName string, f *pipeline.File) (bool, error) {
	if f.Kind != pipeline.KindData {
		return false, nil
	}
	by, err := l.swapsOf(pipelineName).replacedBy(ctx, f.Path)
	return by > 0, err
}

// copyInPlace gives a staged file its final name, where it was not seen yet.
func (l *Ledger) copyInPlace(ctx context.Context, f *pipeline.File) (copied bool, err error) {
	err = l.store.Copy(ctx, stagingKey(f), f.Path, f.Size)
	if !errors.Is(err, store.ErrNotExist) {
		return err == nil, err
	}
	// Another process may have published it and removed the staged one.
	if done, statErr := l.inPlace(ctx, f); done || statErr != nil {
		return false, statErr
	}
	if gone, err := l.absent(ctx, err); !gone {
		return false, err
	}
	return false, damaged(f.Path, "a committed file is neither staged nor published")
}

// inPlace reports whether a file has its final name.
func (l *Ledger) inPlace(ctx context.Context, f *pipeline.File) (bool, error) {
	o, err := l.store.Stat(ctx, f.Path)
	if errors.Is(err, store.ErrNotExist) {
		return false, nil
	}
	return err == nil && o.Size == f.Size, err
}
