package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	keys "path"
	"time"
)

// Compactor merges the small files of closed months.
type Compactor struct {
	Identity
	Stores   Stores
	Spool    string   // local folder for files in the making; about three times Target must fit
	Target   int64    // bytes that a new file is to have at most, as its sources count
	Months   []string // such as 2026-08; empty: all
	Now      func() time.Time
	Log      *slog.Logger
	Progress func(CompactProgress) // may be nil
	Stopping <-chan struct{}       // once closed, no new file is begun; may be nil
}

// CompactProgress is how far the compaction of a pipeline has come.
type CompactProgress struct {
	Pipeline    string
	Files, Done int   // new files
	Bytes       int64 // of the sources read so far
}

// Compaction is what was done to one pipeline.
type Compaction struct {
	Pipeline string            `json:"pipeline"`
	Swaps    int               `json:"swaps"`
	Folders  []CompactedFolder `json:"folders"`
	Left     []LeftMonth       `json:"left,omitempty"`
}

// CompactedFolder compares the files of one month in one folder before and
// after.
type CompactedFolder struct {
	Dataset     string `json:"dataset"`
	Sink        string `json:"sink"`
	Folder      string `json:"folder"`
	Month       string `json:"month"`
	FilesBefore int    `json:"files_before"`
	FilesAfter  int    `json:"files_after"`
	BytesBefore int64  `json:"bytes_before"`
	BytesAfter  int64  `json:"bytes_after,omitempty"` // absent in a dry run, where it is not known
	Rows        int64  `json:"rows"`
}

// LeftMonth is a month that was left alone.
type LeftMonth struct {
	Month  string `json:"month"`
	Files  int    `json:"files"` // small ones
	Reason string `json:"reason"`
}

const (
	// compactTries is how often the work is begun anew where another process
	// replaced files, too.
	compactTries = 10
	// swapBytes is after how many bytes of new files they are put in their place:
	// no more than that is done in vain if the process dies.
	swapBytes = 1 << 30
)

// Compact merges the small files of a pipeline's closed months. It may be
// stopped and repeated at any time, and several may run at once, also beside a
// run. What the report holds was done, whatever the error.
func (c *Compactor) Compact(ctx context.Context, spec Spec) (*Compaction, error) {
	report := &Compaction{Pipeline: spec.Name, Folders: []CompactedFolder{}}
	for try := 1; ; try++ {
		p := &compactPass{Compactor: c, spec: spec, report: report, schemas: map[string]*Schema{}}
		err := p.run(ctx)
		if errors.Is(err, ErrConflict) && try < compactTries && ctx.Err() == nil {
			c.Log.Info("another process replaced files, the rest is computed again", "pipeline", spec.Name)
			continue
		}
		return report, err
	}
}

// compactPass is one attempt.
type compactPass struct {
	*Compactor
	spec    Spec
	report  *Compaction
	schemas map[string]*Schema

	seq      int // of the swap in the making
	files    []File
	replaces []string
	bytes    int64
	touched  []*compactFolder // that the files are in
	progress CompactProgress
}

func (p *compactPass) run(ctx context.Context) (err error) {
	if !p.DryRun {
		if err := p.Stores.Swaps.SettleSwaps(ctx, p.spec.Name); err != nil {
			return err
		}
	}
	if p.seq, err = p.Stores.Swaps.NextSwap(ctx, p.spec.Name); err != nil {
		return err
	}
	folders, err := p.survey(ctx)
	if err != nil {
		return err
	}
	if p.DryRun {
		p.foresee(folders)
		return nil
	}
	p.progress = CompactProgress{Pipeline: p.spec.Name}
	for _, f := range folders {
		p.progress.Files += len(f.groups)
	}
	err = p.mergeAll(ctx, folders)
	if err == nil || !errors.Is(err, ErrConflict) && ctx.Err() == nil {
		err = errors.Join(err, p.swap(ctx)) // what was merged before is good
	}
	return err
}

func (p *compactPass) mergeAll(ctx context.Context, folders []*compactFolder) error {
	for _, f := range folders {
		for _, group := range f.groups {
			select {
			case <-p.Stopping:
				return ErrStopped
			default:
			}
			if err := p.merge(ctx, f, group); err != nil {
				return fmt.Errorf("merge files in %s: %w", f.Folder, err)
			}
			p.progress.Done++
			if p.Progress != nil {
				p.Progress(p.progress)
			}
			if p.bytes >= swapBytes {
				if err := p.swap(ctx); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// foresee reports what a compaction would do.
func (p *compactPass) foresee(folders []*compactFolder) {
	for _, f := range folders {
		f.FilesAfter, f.BytesAfter = f.FilesBefore, 0
		for _, group := range f.groups {
			f.FilesAfter -= len(group) - 1
		}
		p.report.Folders = append(p.report.Folders, f.CompactedFolder)
	}
}

// swap puts the files that are merged in the place of their sources.
func (p *compactPass) swap(ctx context.Context) error {
	if len(p.files) == 0 {
		return nil
	}
	s := &Swap{Reason: SwapCompact, Schemas: map[string]int{}, Files: p.files, Replaces: p.replaces}
	s.Pipeline, s.Seq, s.RunID, s.CommittedAt = p.spec.Name, p.seq, p.RunID, p.Now()
	for i := range p.files {
		dataset := p.files[i].Dataset
		s.Schemas[dataset] = p.schemas[dataset].Version
	}
	if err := p.Stores.Swaps.AppendSwap(ctx, s); err != nil {
		return err
	}
	p.report.Swaps++
	for _, f := range p.touched {
		p.done(f)
	}
	p.files, p.replaces, p.bytes, p.touched = nil, nil, 0, nil
	p.seq++
	return p.Stores.Swaps.SettleSwaps(ctx, p.spec.Name)
}

// done reports what was done to a folder so far.
func (p *compactPass) done(f *compactFolder) {
	for i := range p.report.Folders {
		r := &p.report.Folders[i]
		if r.Sink == f.Sink && r.Dataset == f.Dataset && r.Folder == f.Folder && r.Month == f.Month {
			r.FilesAfter, r.BytesAfter = f.FilesAfter, f.BytesAfter
			return
		}
	}
	p.report.Folders = append(p.report.Folders, f.CompactedFolder)
}

// name is the final key of the pass's next file. It follows from the swap, the
// month and the file's number in the swap.
func (p *compactPass) name(f *compactFolder) string {
	month := f.Month[:4] + f.Month[5:]
	return keys.Join(f.Folder, fmt.Sprintf("%s%s-%06d-%03d.parquet", compactPrefix, month, p.seq, len(p.files)+1))
}
