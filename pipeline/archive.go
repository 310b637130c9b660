package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/internal/failpoint"
	"github.com/adteco/docarchive/internal/words"
)

// window brings one window up to date: what was left of an earlier commit is
// published, what is due is read, and what came of it is committed. Where
// another run was first, everything is computed again from what it left.
func (p *pipelineRun) window(ctx context.Context, w Window) error {
	var kept results
	for try := 1; ; try++ {
		v := &reading{pipelineRun: p, window: w, results: kept}
		err := v.run(ctx)
		if errors.Is(err, ErrConflict) && try < raceTries && ctx.Err() == nil {
			p.Log.Info("another run was first, the window is computed again", "pipeline", p.Spec.Name, "window", w.Name())
			kept = v.results
			continue
		}
		v.account()
		return err
	}
}

// reading is one attempt at a window.
type reading struct {
	*pipelineRun
	window  Window
	history *History
	collect *collector
	plan    plan

	evidence Proof
	covered  time.Time // everything before it is accounted for
	baseline int64
	gaps     []gap
	gone     []string // open jobs that the API no longer has, since the last commit
	results  results
}

// results is what a reading has committed.
type results struct {
	files     []File
	rows      int64
	rejected  int
	read      bool
	changed   bool
	sealed    bool
	unsettled []string // jobs that were not final when the window was sealed
}

// plan says what a reading has to do.
type plan struct {
	slice Window // to be proven; may be empty
	whole bool   // the slice is the window as far as it is settled
	last  bool   // the last call: the window is sealed if all of it is proven
	poll  []string
}

func (v *reading) run(ctx context.Context) (err error) {
	if err := v.prepare(ctx); err != nil || v.collect == nil {
		return err
	}
	defer func() { err = errors.Join(err, v.collect.output.close()) }()
	read := v.read(ctx)
	if read != nil && !progressKept(ctx, read) {
		return read
	}
	// What was read before the API went away is good, and kept.
	if err := v.commit(ctx, read == nil); err != nil {
		return errors.Join(read, err)
	}
	return read
}

// prepare publishes what was left, and makes ready to read what is due. If that
// is anything, there is a collector then, whose output the caller closes.
func (v *reading) prepare(ctx context.Context) (err error) {
	if v.history, err = v.Stores.Ledger.Load(ctx, v.Spec.Name, v.window); err != nil {
		return err
	}
	if v.history.Head != nil {
		if err := v.Stores.Shelf.Publish(ctx, v.history.Head); err != nil {
			return fmt.Errorf("publish what was committed: %w", err)
		}
	}
	if v.history.Sealed() {
		v.results.sealed = true
		return nil
	}
	v.covered, v.baseline = v.history.CoveredTo(), docextract.UnknownTotal
	if v.history.Head != nil {
		v.baseline = v.history.Head.Baseline
	}
	if v.plan, err = v.makePlan(ctx); err != nil {
		return err
	}
	if v.plan.slice.Empty() && len(v.plan.poll) == 0 {
		return nil
	}
	if err := v.begin(ctx); err != nil {
		return err
	}
	v.results.read = true
	return nil
}

// makePlan decides what to read. It audits windows in which nothing is left to
// do: one request tells whether a job has come into them late.
func (v *reading) makePlan(ctx context.Context) (plan, error) {
	end := v.window.End
	if settled := v.base.Add(-v.Settle); settled.Before(end) {
		end = settled
	}
	everything := Window{Start: v.window.Start, End: end}
	if v.base.Sub(v.window.End) >= lastCallAge {
		return plan{slice: everything, whole: true, last: true}, nil
	}
	if v.history.Head == nil {
		return plan{slice: everything, whole: true}, nil
	}
	open := v.history.Open()
	if n := int64(len(open)); n > 0 && n > v.prover.pages(v.known()) {
		return plan{slice: everything, whole: true}, nil
	}
	if v.covered.Before(end) {
		return plan{slice: Window{Start: v.covered, End: end}, poll: open}, nil
	}
	fresh := v.history.Head.CommittedAt.After(v.report.begun) // by a run beside this one
	if v.covered.Equal(v.window.End) && !fresh {
		page, err := v.prover.count(ctx, v.window)
		if err != nil {
			return plan{}, fmt.Errorf("audit: %w", err)
		}
		// A window whose count could not be had when it was closed has a baseline
		// below every count: the first that can be had leads to one more reading.
		if page.Total > v.baseline {
			v.Log.Warn("jobs came into a window after it was settled: it is read again",
				"pipeline", v.Spec.Name, "window", v.window.Name(), "known", v.baseline, "now", page.Total)
			return plan{slice: everything, whole: true}, nil
		}
	}
	return plan{slice: Window{Start: end, End: end}, poll: open}, nil
}

// known is how many jobs of the window are accounted for.
func (v *reading) known() int64 {
	h := v.history
	return h.Archived + h.Excluded + int64(len(h.Open())+len(h.Rejected))
}

func (v *reading) begin(ctx context.Context) error {
	o, err := newOutput(v.pipelineRun, v.window, v.history.NextSeq())
	if err != nil {
		return err
	}
	v.collect = &collector{
		ctx: ctx, run: v.pipelineRun, window: v.window, output: o,
		states: map[string]seenState{}, wasOpen: map[string]bool{}, rejects: map[string]bool{},
		archived: &archivedSet{run: v.pipelineRun, window: v.window, head: v.history},
	}
	v.collect.tally.before = v.history.Excluded
	for _, id := range v.history.Open() {
		v.collect.wasOpen[id] = true
	}
	for _, key := range v.history.Rejected {
		v.collect.rejects[key] = true
	}
	return nil
}

// read does what the plan says.
func (v *reading) read(ctx context.Context) error {
	if !v.plan.slice.Empty() {
		out, err := v.prover.prove(ctx, v.plan.slice, v)
		v.gaps = out.gaps
		if err != nil {
			return err
		}
		if err := v.setBaseline(ctx, out.total); err != nil {
			return err
		}
	}
	return v.pollOpen(ctx)
}

// setBaseline notes the count that later audits compare with, once the window
// has been read to its end.
func (v *reading) setBaseline(ctx context.Context, total int64) error {
	switch {
	case len(v.gaps) > 0 || !v.plan.slice.End.Equal(v.window.End):
		v.baseline = docextract.UnknownTotal
	case v.plan.whole:
		v.baseline = total
	default:
		page, err := v.prover.count(ctx, v.window)
		if err != nil {
			return err
		}
		v.baseline = page.Total
	}
	return nil
}

// pollOpen asks for the jobs that were not final, one by one.
func (v *reading) pollOpen(ctx context.Context) error {
	for _, id := range v.plan.poll {
		if v.collect.states[id] != 0 {
			continue // seen meanwhile
		}
		job, err := v.prover.source.Job(ctx, id)
		v.evidence.Requests++
		if docextract.NotFound(err) {
			v.gone = append(v.gone, id)
			delete(v.collect.wasOpen, id)
			continue
		}
		if err != nil {
			return err
		}
		if err := v.collect.job(&job); err != nil {
			return err
		}
	}
	if v.evidence.Method == "" {
		v.evidence.Method = MethodPoll
	}
	return nil
}

// visit implements visitor.
func (v *reading) visit(page *docextract.Page) error { return v.collect.visit(page) }

// proven implements visitor. A large window is committed piece by piece, so
// that neither memory nor lost work grows with it.
func (v *reading) proven(to time.Time, evidence Proof) error {
	if to.After(v.covered) {
		v.covered = to
	}
	v.evidence.Total += evidence.Total
	v.evidence.Unique += evidence.Unique
	v.evidence.Requests += evidence.Requests
	if v.evidence.Method != MethodUnion {
		v.evidence.Method = evidence.Method
	}
	if err := v.collect.settled(to); err != nil {
		return err
	}
	if len(v.collect.output.ids)+len(v.collect.pending) < chunkRows || to.Equal(v.plan.slice.End) || v.frozen() {
		return nil
	}
	return v.commit(v.collect.ctx, false)
}

// commit makes what was collected durable, if it says anything new. done says
// that the whole plan was carried out.
func (v *reading) commit(ctx context.Context, done bool) error {
	if err := v.collect.flush(); err != nil {
		return err
	}
	all := done && v.plan.whole && len(v.gaps) == 0
	open := v.collect.open(all)
	seal := all && v.plan.last
	o := v.collect.output
	if !v.news(open, seal) {
		return nil
	}
	if err := o.finish(ctx); err != nil {
		return err
	}
	schemas, err := o.publishSchemas(ctx)
	if err != nil {
		return err
	}
	r := &Record{
		RecordIdentity: RecordIdentity{RunID: v.RunID, ToolVersion: v.ToolVersion, CommittedAt: o.archivedAt},
		Content:        Content{Schemas: schemas, Rows: int64(len(o.ids)), Rejected: v.collect.tally.rejected, Released: v.history.released(o.ids)},
		Coverage: Coverage{
			CoveredTo: v.covered, Open: open, Excluded: v.excluded(all), Baseline: v.baseline,
			Proof: v.evidence, State: StateOpen, Gone: v.gone,
		},
	}
	r.Proof.Cutoff = v.base.Add(-v.Settle)
	if seal {
		r.State, r.Unfinished, r.Open = StateSealed, open, nil
	}
	if r.Files, err = o.stage(ctx); err != nil {
		return err
	}
	slices.Sort(o.ids) // the order in which the ledger and the cache take them best
	next, err := v.Stores.Ledger.Append(ctx, v.history, r, o.ids)
	if err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	v.committed(r, next)
	if err := v.Stores.Shelf.Publish(ctx, next.Head); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	v.collect.archived.advance(ctx, next, o.ids)
	if err := failpoint.Hit(failpoint.MarkAfter); err != nil {
		return err
	}
	return v.next(done)
}

// next makes ready for what is still to be read of the window.
func (v *reading) next(done bool) error {
	o := v.collect.output
	if done {
		return nil
	}
	fresh, err := newOutput(v.pipelineRun, v.window, v.history.NextSeq())
	if err != nil {
		return err
	}
	v.collect.output = fresh
	v.collect.tally.rejected, v.collect.tally.reason = nil, ""
	v.evidence, v.gone = Proof{}, nil
	return o.close()
}

// news reports whether a record would say anything that the head does not.
func (v *reading) news(open []string, seal bool) bool {
	if len(v.collect.output.ids) > 0 || len(v.collect.tally.rejected) > 0 || seal {
		return true
	}
	h := v.history
	return v.covered.After(h.CoveredTo()) || h.Head != nil && (!slices.Equal(open, h.Open()) ||
		v.baseline > h.Head.Baseline)
}

func (v *reading) committed(r *Record, next *History) {
	v.history = next
	v.results.changed = true
	v.results.files = append(v.results.files, r.Files...)
	v.results.rows += r.Rows
	v.results.rejected += len(r.Rejected)
	v.foundDocuments(v.collect.output)
	v.warnOfQuarantine(r)
	v.results.sealed = r.State == StateSealed
	v.results.unsettled = r.Unfinished
}

// account adds the reading's results to the pipeline's report: the window is
// done with.
func (v *reading) account() {
	v.mu.Lock()
	defer v.mu.Unlock()
	defer v.progress(1)
	r, res := &v.report, v.results
	r.add(res.files)
	r.Jobs.New += res.rows
	r.Jobs.Quarantined += int64(res.rejected)
	if v.collect != nil {
		r.Jobs.Read += v.collect.tally.read
		r.Jobs.Excluded += v.collect.tally.excluded
	}
	if res.read {
		r.Windows.Read++
	}
	if res.changed {
		r.Windows.Changed++
	}
	if res.sealed {
		r.Windows.Sealed++
	}
	if v.history != nil {
		r.Jobs.Open += int64(len(v.history.Open()))
	}
	if n := len(res.unsettled); n > 0 {
		r.Jobs.Unfinished += int64(n)
		r.Problems = append(r.Problems, Problem{v.window.Name(), fmt.Sprintf("never finished: %s", words.Count(n, "job"))})
	}
	if len(v.gaps) > 0 {
		r.leftOpen(v.window)
		r.Problems = append(r.Problems, Problem{v.window.Name(), fmt.Sprintf(
			"not proven to be complete, left open: %s%s", v.gaps[0], more(len(v.gaps)-1))})
	}
}
