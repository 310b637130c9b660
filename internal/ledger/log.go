package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/adteco/docarchive/internal/failpoint"
	"github.com/adteco/docarchive/internal/store"
	"github.com/adteco/docarchive/pipeline"
)

// Load reads and folds the records of a window. A log that does not hang
// together is a [DamageError].
func (l *Ledger) Load(ctx context.Context, pipelineName string, w pipeline.Window) (*pipeline.History, error) {
	h := &pipeline.History{Pipeline: pipelineName, Window: w}
	err := l.walk(ctx, pipelineName, w.Name(), func(r *pipeline.Record, hash string) error {
		fold(h, r, hash)
		return nil
	})
	if err == nil {
		err = failpoint.Hit(failpoint.LoadAfter)
	}
	if err != nil {
		return nil, err
	}
	return h, nil
}

// fold adds a record to a history.
func fold(h *pipeline.History, r *pipeline.Record, hash string) {
	h.Head, h.HeadHash = r, hash
	h.Archived += r.Rows
	h.Excluded = r.Excluded
	h.Rejected = append(slices.Clip(h.Rejected), r.Rejected...)
	slices.Sort(h.Rejected)
	h.Rejected = slices.Compact(h.Rejected)
	if len(r.Released) > 0 {
		h.Rejected = slices.DeleteFunc(h.Rejected, func(key string) bool {
			_, released := slices.BinarySearch(r.Released, key)
			return released
		})
	}
}

// walk calls fn with a window's records in order, each checked and with the
// hash of its bytes.
func (l *Ledger) walk(ctx context.Context, pipelineName, window string, fn func(r *pipeline.Record, hash string) error) error {
	if err := checkName("pipeline", pipelineName); err != nil {
		return err
	}
	prev := ""
	for seq := 1; ; seq++ {
		key := recordKey(pipelineName, window, seq)
		data, err := l.store.Get(ctx, key, store.MaxCreate)
		if err != nil {
			if end, err := l.absent(ctx, err); err != nil || end {
				return err
			}
		}
		r, err := l.parse(key, data)
		if err != nil {
			return err
		}
		if err := l.check(r, pipeline.RecordIdentity{
			Pipeline: pipelineName, Window: window, Seq: seq, Prev: prev,
		}); err != nil {
			return damaged(key, "%v", err)
		}
		prev = hashOf(data)
		if err := fn(r, prev); err != nil {
			return err
		}
	}
}

func (l *Ledger) parse(key string, data []byte) (*pipeline.Record, error) {
	r := new(pipeline.Record)
	err := decode(data, r)
	if err == nil && r.Version == pipeline.RecordVersion {
		return r, nil
	}
	if err == nil {
		err = fmt.Errorf("it has format version %d", r.Version)
	}
	return nil, unreadable(key, data, pipeline.RecordVersion, err)
}

// check compares a record with its place in the log.
func (l *Ledger) check(r *pipeline.Record, place pipeline.RecordIdentity) error {
	switch {
	case r.ArchiveID != l.identity.UUID:
		return fmt.Errorf("it belongs to archive %q", r.ArchiveID)
	case r.Pipeline != place.Pipeline || r.Window != place.Window || r.Seq != place.Seq:
		return fmt.Errorf("it calls itself number %d of window %q of pipeline %q", r.Seq, r.Window, r.Pipeline)
	case r.Prev != place.Prev:
		return errors.New("its predecessor is not the one it was written after")
	case r.State != pipeline.StateOpen && r.State != pipeline.StateSealed:
		return fmt.Errorf("it has the unknown state %q", r.State)
	case r.IDsFile == "" && int64(len(r.IDs)) != r.Rows:
		return fmt.Errorf("it lists %d ids for %d rows", len(r.IDs), r.Rows)
	case r.IDsFile != "" && len(r.IDs) > 0:
		return errors.New("it lists ids and names a file of them")
	case !ascending(r.IDs) || !ascending(r.Released):
		return errors.New("its ids are not in order")
	}
	for i := range r.Files {
		if err := checkFile(r.Pipeline, &r.Files[i]); err != nil {
			return err
		}
	}
	return nil
}

// ascending reports whether ids are sorted, distinct and not empty.
func ascending(ids []string) bool {
	last := ""
	for _, id := range ids {
		if id <= last {
			return false
		}
		last = id
	}
	return true
}
