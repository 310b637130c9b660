package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/adteco/docarchive/docextract"
)

// SetAside is what stands in quarantine.
type SetAside struct {
	Window  string `json:"window"`
	ID      string `json:"id,omitempty"` // of the job; empty if it is none
	Reason  string `json:"reason"`       // why it was set aside
	Release string `json:"release"`      // whether it can be released, or what became of it
}

// MethodRelease is the proof of a record that archives what was set aside: nothing
// was listed.
const MethodRelease = "release"

// What becomes of what is set aside.
const (
	ReleasePossible = "possible" // it is a job: flattening it by today's rules decides
	ReleaseNoJob    = "no job"   // it can never be archived
	ReleaseDone     = "released" // by this call
	ReleaseRefused  = "refused"  // the schema does not take it yet
)

// Quarantine calls yield with all that a pipeline has set aside and not released
// since, window by window.
func (r *Runner) Quarantine(ctx context.Context, spec Spec, yield func(SetAside) error) error {
	p := &pipelineRun{Runner: r, Spec: spec}
	return p.setAside(ctx, func(w Window, h *History) error {
		return p.quarantined(ctx, w, h, func(s SetAside, _ *docextract.Job) error { return yield(s) })
	})
}

// Release archives jobs that were set aside: those with the given ids, or all if
// there are none. They are read from quarantine, flattened by the spec's rules,
// and committed in records of their windows, even of sealed ones. A job that the
// schema does not take stays where it is, and so does what is no job. yield is
// told of each; it may be told again where another run was first. The API is not
// asked.
func (r *Runner) Release(ctx context.Context, spec Spec, ids []string, yield func(SetAside)) error {
	p := &pipelineRun{Runner: r, Spec: spec, started: r.Now(), warned: map[string]bool{}}
	if err := p.prepareRelease(ctx); err != nil {
		return &FailedError{spec.Name, err}
	}
	err := p.setAside(ctx, func(w Window, _ *History) error {
		for try := 1; ; try++ {
			told, err := p.releaseWindow(ctx, w, ids)
			if errors.Is(err, ErrConflict) && try < raceTries && ctx.Err() == nil {
				continue
			}
			if err != nil {
				return &WindowError{w.Name(), err}
			}
			for _, s := range told {
				yield(s)
			}
			return nil
		}
	})
	if err == nil {
		err = p.loadWarehouses(ctx)
	}
	if err != nil {
		err = &FailedError{spec.Name, err}
	}
	return err
}

// prepareRelease reads the rules and the schemas as a run does, but for what
// only the API can tell.
func (p *pipelineRun) prepareRelease(ctx context.Context) (err error) {
	p.base = p.now()
	if p.Schema == SchemaFreeze {
		p.Schema = SchemaQuarantine // what the schema does not take stays aside
	}
	if p.Stores.Definitions != nil {
		if p.Rules, err = p.Rules.WithKept(ctx, p.Stores.Definitions, p.Filter.ExtractorID); err != nil {
			return fmt.Errorf("what the extractors declare: %w", err)
		}
	}
	if err := p.settleSwaps(ctx); err != nil {
		return err
	}
	return p.openBooks(ctx)
}

// setAside calls do with the windows that have something in quarantine.
func (p *pipelineRun) setAside(ctx context.Context, do func(Window, *History) error) error {
	names, err := p.Stores.Library.Windows(ctx, p.Spec.Name)
	if err != nil {
		return err
	}
	for _, name := range names {
		w, err := ParseWindow(name, p.Spec.Window)
		if err != nil {
			return err
		}
		h, err := p.Stores.Ledger.Load(ctx, p.Spec.Name, w)
		if err != nil {
			return err
		}
		if len(h.Rejected) == 0 {
			continue
		}
		if err := do(w, h); err != nil {
			return err
		}
	}
	return nil
}

// noJobKey begins the key of what has no id.
const noJobKey = "sha256:"

// quarantined calls yield with what a window has in quarantine, and with the job
// that it is, if it is one.
func (p *pipelineRun) quarantined(ctx context.Context, w Window, h *History, yield func(SetAside, *docextract.Job) error) error {
	inside := map[string]bool{}
	for _, key := range h.Rejected {
		if !strings.HasPrefix(key, noJobKey) {
			inside[key] = true
		}
	}
	return p.Stores.Library.Records(ctx, p.Spec.Name, w, func(r *Record) error {
		for _, f := range r.Files {
			if f.Kind != KindQuarantine {
				continue
			}
			err := p.quarantineFile(ctx, f, func(raw []byte, reason string) error {
				s := SetAside{Window: w.Name(), Reason: reason, Release: ReleaseNoJob}
				job, err := docextract.ParseJob(raw)
				if err != nil {
					return yield(s, nil)
				}
				if !inside[job.ID] {
					return nil // released
				}
				delete(inside, job.ID)
				s.ID, s.Release = job.ID, ReleasePossible
				return yield(s, &job)
			})
			if err != nil {
				return fmt.Errorf("%s: %w", f.Path, err)
			}
		}
		return nil
	})
}

// quarantineFile calls yield with the lines of a file of the quarantine. The
// bytes are yield's to keep.
func (p *pipelineRun) quarantineFile(ctx context.Context, f File, yield func(raw []byte, reason string) error) (err error) {
	file, err := p.Stores.Library.OpenFile(ctx, f)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return eachLine(file, 2*longestJob, func(line []byte) error {
		var aside struct{ Reason, Raw string }
		if err := json.Unmarshal(line, &aside); err != nil {
			return err
		}
		return yield([]byte(aside.Raw), aside.Reason)
	})
}

// releaseWindow archives what a window has set aside, if it can be.
func (p *pipelineRun) releaseWindow(ctx context.Context, w Window, ids []string) (told []SetAside, err error) {
	v := &reading{pipelineRun: p, window: w}
	if v.history, err = p.Stores.Ledger.Load(ctx, p.Spec.Name, w); err != nil || v.history.Head == nil {
		return nil, err
	}
	// What was committed before comes first, as in a run.
	if err := p.Stores.Shelf.Publish(ctx, v.history.Head); err != nil {
		return nil, err
	}
	if err := v.begin(ctx); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, v.collect.output.close()) }()
	err = p.quarantined(ctx, w, v.history, func(s SetAside, job *docextract.Job) error {
		if len(ids) > 0 && !slices.Contains(ids, s.ID) {
			return nil
		}
		if job != nil {
			v.collect.take(job)
		}
		told = append(told, s)
		if v.collect.full() {
			return v.collect.flush()
		}
		return nil
	})
	if err == nil {
		err = v.commitRelease(ctx)
	}
	if err != nil {
		return nil, err
	}
	for i := range told {
		switch {
		case told[i].Release != ReleasePossible:
		case slices.Contains(v.collect.output.ids, told[i].ID):
			told[i].Release = ReleaseDone
		default:
			told[i].Release = ReleaseRefused
		}
	}
	return told, nil
}

// commitRelease commits the jobs that were released. The record says of the rest
// of the window what the one before said, so that a sealed window stays sealed.
func (v *reading) commitRelease(ctx context.Context) error {
	if err := v.collect.flush(); err != nil {
		return err
	}
	o := v.collect.output
	if len(o.ids) == 0 {
		return nil
	}
	if err := o.finish(ctx); err != nil {
		return err
	}
	schemas, err := o.publishSchemas(ctx)
	if err != nil {
		return err
	}
	head := v.history.Head
	r := &Record{
		RecordIdentity: RecordIdentity{RunID: v.RunID, ToolVersion: v.ToolVersion, CommittedAt: o.archivedAt},
		Content:        Content{Schemas: schemas, Rows: int64(len(o.ids)), Released: v.history.released(o.ids)},
		Coverage:       head.Coverage,
	}
	r.Proof, r.Gone = Proof{Method: MethodRelease, Cutoff: head.Proof.Cutoff}, nil
	if r.Files, err = o.stage(ctx); err != nil {
		return err
	}
	next, err := v.Stores.Ledger.Append(ctx, v.history, r, o.ids)
	if err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	if err := v.Stores.Shelf.Publish(ctx, next.Head); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	v.collect.archived.advance(ctx, next, o.ids)
	return nil
}

// released lists those of ids, which are archived now, that were set aside
// before, sorted.
func (h *History) released(ids []string) []string {
	var out []string
	for _, id := range ids {
		if _, aside := slices.BinarySearch(h.Rejected, id); aside {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out
}
