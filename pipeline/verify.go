package pipeline

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/internal/rawjson"
)

// Kind of a [Difference].
const (
	// DiffMissing: the API has the job in a final state, the pipeline takes it,
	// it is settled, and it is not archived.
	DiffMissing = "missing"
	// DiffChanged: the API now gives another JSON than was archived.
	DiffChanged = "changed"
	// DiffGone: the job is archived, and the API has it no more. It is what an
	// archive is for, and no fault.
	DiffGone = "gone"
	// DiffUnproven: it could not be proven that a window was read completely.
	DiffUnproven = "unproven"
)

// Difference is one way in which an archive and the API differ.
type Difference struct {
	Kind   string `json:"kind"`
	Window string `json:"window"`
	JobID  string `json:"job_id,omitempty"`
	Detail string `json:"detail,omitempty"`
}

// Fault reports whether the difference is one that should not be.
func (d Difference) Fault() bool { return d.Kind != DiffGone }

// Comparison counts what an archive and the API have in common.
type Comparison struct {
	Pipeline string `json:"pipeline"`
	Windows  int    `json:"windows"` // compared: those that the API still keeps
	Same     int64  `json:"same"`    // jobs archived as the API has them
	NoRaw    int64  `json:"no_raw"`  // archived without the raw layer: only their ids were compared
	Missing  int64  `json:"missing"`
	Changed  int64  `json:"changed"`
	Gone     int64  `json:"gone"`
	Unproven int64  `json:"unproven"` // windows
	Requests int64  `json:"requests"`
}

// Compare reads the jobs that the API still keeps and compares them with the
// pipeline's archive; report is called with each difference, window by window.
// It changes nothing. The memory that it needs grows with the largest window.
func (r *Runner) Compare(ctx context.Context, spec Spec, report func(Difference) error) (Comparison, error) {
	c := &comparison{Comparison: Comparison{Pipeline: spec.Name}, report: report}
	before := r.Requests()
	base, _, err := r.cutoffBase(ctx)
	if err != nil {
		return c.Comparison, err
	}
	c.pipelineRun = &pipelineRun{Runner: r, Spec: spec, base: base, warned: map[string]bool{}}
	c.prover = NewProver(r.Source, spec.Filter.ExtractorID, r.Paging.Size, r.Paging.InFlight)
	for _, w := range c.due() {
		if err := c.window(ctx, w); err != nil {
			return c.Comparison, &WindowError{w.Name(), err}
		}
		c.Windows++
	}
	c.Requests = r.Requests() - before
	return c.Comparison, nil
}

type comparison struct {
	*pipelineRun
	Comparison
	report func(Difference) error
}

// sighting is what the API shows of a job.
type sighting struct {
	digest digest
	final  bool
	taken  bool // by the pipeline's filter
}

// sightings collects the jobs of one window. It implements visitor.
type sightings struct {
	filter Filter
	window Window
	jobs   map[string]sighting
}

func (s *sightings) visit(page *docextract.Page) error {
	for i := range page.Jobs {
		job := &page.Jobs[i]
		if !s.window.Contains(job.CreatedAt) || s.jobs[job.ID].final {
			continue // a final job does not change; an older state may come after it
		}
		sum, err := jobDigest(job.Raw)
		if err != nil {
			return fmt.Errorf("job %.80q: %w", job.ID, err)
		}
		final := job.Status.Final()
		s.jobs[strings.Clone(job.ID)] = sighting{digest: sum, final: final, taken: final && s.filter.Match(job)}
	}
	return nil
}

func (s *sightings) proven(time.Time, Proof) error { return nil }

// window compares one window as far as it is settled.
func (c *comparison) window(ctx context.Context, w Window) error {
	history, err := c.Stores.Ledger.Load(ctx, c.Spec.Name, w)
	if err != nil {
		return err
	}
	slice := w
	if settled := c.base.Add(-c.Settle); settled.Before(slice.End) {
		slice.End = settled
	}
	seen := &sightings{filter: c.Filter, window: slice, jobs: map[string]sighting{}}
	out, err := c.prover.prove(ctx, slice, seen)
	if err != nil {
		return err
	}
	archived, err := c.archivedJobs(ctx, w, history)
	if err != nil {
		return err
	}
	if len(out.gaps) > 0 {
		c.Unproven++
		err := c.report(Difference{Kind: DiffUnproven, Window: w.Name(), Detail: out.gaps[0].String() + more(len(out.gaps)-1)})
		if err != nil {
			return err
		}
	}
	if err := c.missing(w, history, seen.jobs, archived); err != nil {
		return err
	}
	return c.archivedNow(w, seen.jobs, archived, len(out.gaps) == 0)
}

// missing reports what the API shows and the archive should have.
func (c *comparison) missing(w Window, h *History, seen map[string]sighting, archived digests) error {
	open := h.Open()
	for _, id := range slices.Sorted(maps.Keys(seen)) {
		if _, has := archived[id]; has || !seen[id].taken {
			continue
		}
		detail := "no run has seen it"
		switch {
		case h.Head == nil:
			detail = "no run has read its window yet"
		case slices.Contains(open, id):
			detail = "it was not finished at the last run: the next one archives it"
		case h.Sealed():
			detail = "its window is sealed: no run will read it again"
		}
		c.Missing++
		if err := c.report(Difference{Kind: DiffMissing, Window: w.Name(), JobID: id, Detail: detail}); err != nil {
			return err
		}
	}
	return nil
}

// archivedNow compares what is archived with what the API shows of it. all says
// that the API showed everything that it has.
func (c *comparison) archivedNow(w Window, seen map[string]sighting, archived digests, all bool) error {
	for _, id := range slices.Sorted(maps.Keys(archived)) {
		now, has := seen[id]
		was := archived[id]
		d := Difference{Window: w.Name(), JobID: id}
		switch {
		case !has && all:
			c.Gone++
			d.Kind = DiffGone
		case !has:
			continue
		case was == nil:
			c.NoRaw++
			continue
		case *was == now.digest:
			c.Same++
			continue
		default:
			c.Changed++
			d.Kind, d.Detail = DiffChanged, "the API now has another JSON than was archived"
		}
		if err := c.report(d); err != nil {
			return err
		}
	}
	return nil
}

// digests are archived jobs by their ids; nil: the raw layer does not hold the
// job.
type digests map[string]*digest

type digest [sha256.Size]byte

// archivedJobs returns the jobs that are archived of a window.
func (c *comparison) archivedJobs(ctx context.Context, w Window, h *History) (digests, error) {
	jobs := make(digests, h.Archived)
	err := c.Stores.Ledger.ArchivedIDs(ctx, h, func(ids []string) error {
		for _, id := range ids {
			jobs[id] = nil
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return jobs, c.Stores.Library.Records(ctx, c.Spec.Name, w, func(r *Record) error {
		err := RawJobs(ctx, c.Stores.Library, r, func(job docextract.Job) error {
			sum, err := jobDigest(job.Raw)
			jobs[job.ID] = &sum
			return err
		})
		if errors.Is(err, ErrNoRaw) {
			return nil
		}
		return err
	})
}

// jobDigest is a hash of what a job says: of its fields but for the URL of its
// document, whose signature may be new in every answer, whatever their order
// and the spaces between them are.
func jobDigest(raw []byte) (sum digest, err error) {
	var fields []string
	scanner := rawjson.NewScanner(raw)
	err = scanner.Object(func(key []byte) error {
		value, err := scanner.Value()
		if err != nil || string(key) == `"document_url"` {
			return err
		}
		field := bytes.NewBuffer(append(bytes.Clone(key), ':'))
		err = json.Compact(field, value)
		fields = append(fields, field.String())
		return err
	})
	if err != nil {
		return sum, err
	}
	slices.Sort(fields)
	h := sha256.New()
	for _, field := range fields {
		fmt.Fprintf(h, "%d:%s", len(field), field)
	}
	return digest(h.Sum(nil)), nil
}
