package pipeline

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/adteco/docarchive/docextract"
)

// The method of a [Proof].
const (
	// MethodSnapshot: every slice fitted into one answer.
	MethodSnapshot = "snapshot"
	// MethodUnion: the distinct ids of all answers were as many as the first
	// answer of the same query counted.
	MethodUnion = "union"
	// MethodPoll: nothing was listed, open jobs were asked for one by one.
	MethodPoll = "poll"
)

const (
	// widening is added to both ends of every query, since the API does not say
	// whether its bounds are inclusive or to what resolution they are cut.
	widening = time.Second
	// narrowest is the shortest slice that splitting can still make smaller,
	// given the widening.
	narrowest = time.Second
	// deepest is how many pages one query is walked before it is split.
	deepest = 20
	// passes is how often a slice that cannot be split is read again.
	passes = 25
	// widest is into how many slices one is split at a time.
	widest = 64
	// leave and patience bound the requests for one proof: so many, and so many
	// times the pages that its largest slice has.
	leave    = 1000
	patience = 30
	// recovery is after how many pages larger ones are tried again.
	recovery = 20
	// rebases is how often a slice whose total changes is begun anew.
	rebases = 4
)

// visitor receives what a proof reads. Its methods are called by one goroutine
// at a time, slices in order of time.
type visitor interface {
	// visit is given every page, also those of attempts that prove nothing and
	// with jobs outside the slice. The same job may come many times, and an older
	// state of it after a newer one.
	visit(page *docextract.Page) error
	// proven is called when everything from the proof's start to the time given
	// has been visited for certain.
	proven(to time.Time, evidence Proof) error
}

// gap is a slice that could not be proven.
type gap struct {
	Window
	reason string
}

func (g gap) String() string { return fmt.Sprintf("%s: %s", g.Window, g.reason) }

// Prover reads slices of created_at such that it knows when it has seen
// everything. What it learns of the server's paging serves all later slices. It
// is safe for concurrent use.
//
// The argument: in a slice that no new job can enter, the set behind one query
// only shrinks. If the distinct ids that all answers hold are as many as the
// first answer counted, they are that set, whatever the order, the ties, the
// deletions and the shifts between pages were.
type Prover struct {
	source    Source
	extractor string
	ahead     int // pages of one walk asked for at once

	mu       sync.Mutex
	ask      int  // jobs a page to ask for
	full     int  // most jobs seen on a page
	depth    int  // pages that a walk may take
	failed   int  // walks that did not add up
	most     int  // what ask was at first
	calm     int  // pages since an answer was too large
	unstable bool // the order changes between requests: only single answers prove
}

// NewProver returns a prover of the extractor's jobs, or of all if it is empty.
// pageSize is the limit asked for, ahead the greatest number of requests that
// one walk makes at once.
func NewProver(source Source, extractor string, pageSize, ahead int) *Prover {
	return &Prover{source: source, extractor: extractor, ask: max(1, pageSize), most: max(1, pageSize), ahead: max(1, ahead), depth: deepest}
}

// outcome is what came of a proof.
type outcome struct {
	gaps  []gap // the parts that stay unproven
	total int64 // the server's count for the whole slice, as queried, when it was last asked
}

// prove reads the slice w. The error is the source's, the visitor's or the
// context's; what was proven before it has been reported to the visitor.
func (p *Prover) prove(ctx context.Context, w Window, v visitor) (outcome, error) {
	t := &trial{Prover: p, ctx: ctx, visitor: v, whole: w, total: docextract.UnknownTotal, early: map[Window]chan answered{}}
	err := t.slice(w)
	return outcome{t.gaps, t.total}, err
}

// count asks for the server's count of w, as queried for a proof of w.
func (p *Prover) count(ctx context.Context, w Window) (*docextract.Page, error) {
	return p.source.List(ctx, p.query(w, 1, 0))
}

func (p *Prover) query(w Window, limit, offset int) docextract.Query {
	return docextract.Query{
		ExtractorID:  p.extractor,
		CreatedAfter: w.Start.Add(-widening), CreatedBefore: w.End.Add(widening),
		Limit: limit, Offset: offset,
	}
}

// pages estimates how many pages so many jobs take.
func (p *Prover) pages(jobs int64) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	size := int64(p.ask)
	if p.full > 1 {
		size = int64(p.full)
	}
	return (jobs + size - 1) / size
}

// trial is one call of prove.
type trial struct {
	*Prover
	ctx      context.Context
	visitor  visitor
	whole    Window
	total    int64 // the latest count for the whole
	evidence Proof
	gaps     []gap
	spent    int                      // requests
	allowed  int                      // requests, before a server that cannot be read is given up
	early    map[Window]chan answered // first pages that were asked for ahead of time
}

// allow takes a slice's count as a measure of how much reading is reasonable:
// a server whose filters do not filter must not be asked for ever.
func (t *trial) allow(total int64, items int) {
	if items > 0 {
		t.allowed = max(t.allowed, patience*(1+int(total)/items))
	}
}

// slice proves w, or its parts one after another.
func (t *trial) slice(w Window) error {
	for attempt := 1; ; attempt++ {
		if t.spent > leave+t.allowed {
			t.gaps = append(t.gaps, gap{w, fmt.Sprintf("given up after %d requests", t.spent)})
			return nil
		}
		verdict, err := t.attempt(w)
		if err != nil {
			return err
		}
		switch {
		case verdict.proven:
			return t.report(w, verdict)
		case verdict.parts > 1 && w.End.Sub(w.Start) > narrowest:
			return t.parts(w, verdict.parts)
		case verdict.again && attempt < rebases:
			continue
		case w.End.Sub(w.Start) > narrowest:
			return t.parts(w, 2)
		}
		t.gaps = append(t.gaps, gap{w, verdict.reason})
		return nil
	}
}

// report tells the visitor of a proven slice, unless there is a gap before it.
func (t *trial) report(w Window, v verdict) error {
	t.evidence.Total += v.total
	t.evidence.Unique += v.unique
	if t.evidence.Method != MethodUnion {
		t.evidence.Method = v.method
	}
	if len(t.gaps) > 0 {
		return nil
	}
	err := t.visitor.proven(w.End, t.evidence)
	t.evidence = Proof{}
	return err
}

// parts cuts w into n slices and proves each. While one is read, the first page
// of the next is on its way: its count holds later too, since a slice's jobs
// only become fewer.
func (t *trial) parts(w Window, n int) error {
	slices := cut(w, n)
	var group errgroup.Group
	defer func() { _ = group.Wait() }() // its functions return no error
	for i, part := range slices {
		if i+1 < len(slices) && t.ahead > 1 {
			t.begin(&group, slices[i+1])
		}
		if err := t.slice(part); err != nil {
			return err
		}
	}
	return nil
}

// cut cuts w into n slices, or as many as there can be.
func cut(w Window, n int) []Window {
	width := w.End.Sub(w.Start)
	n = max(2, min(n, widest, int(width/narrowest)))
	step := (width / time.Duration(n)).Truncate(time.Microsecond)
	slices := make([]Window, n)
	for i := range slices {
		slices[i] = Window{Start: w.Start.Add(time.Duration(i) * step), End: w.Start.Add(time.Duration(i+1) * step)}
	}
	slices[n-1].End = w.End
	return slices
}

// begin asks for the first page of a slice that is to be read next.
func (t *trial) begin(group *errgroup.Group, w Window) {
	answer := make(chan answered, 1)
	t.early[w] = answer
	group.Go(func() error {
		page, err := (&walk{trial: t, window: w}).request(0)
		answer <- answered{page, err}
		return nil
	})
}

// verdict is what came of one attempt at a slice.
type verdict struct {
	proven bool
	method string
	total  int64
	unique int64
	parts  int  // split into so many, if more than one
	again  bool // the set changed meanwhile: begin anew
	reason string
}

// attempt makes one attempt at the slice.
func (t *trial) attempt(w Window) (verdict, error) {
	w1 := &walk{trial: t, window: w, members: newMembers(w)}
	first, err := w1.first()
	if err != nil {
		return w1.refused(err, 0)
	}
	items, distinct, total := first.Items(), w1.members.count(), first.Total
	t.allow(total, items)
	if w == t.whole {
		t.total = total
	}
	switch {
	case total == distinct && !t.mayBeFull(first):
		return w1.verdict(MethodSnapshot, total), nil
	case total <= distinct: // the end cannot be seen, or the count is refuted, or there is none
		return w1.single(total, items)
	case items == 0:
		return verdict{again: true, reason: fmt.Sprintf("the server counts %d jobs and shows none", total)}, nil
	}
	return w1.complete(total, items)
}

// single proves a slice whose first page may be all there is, by an empty page
// after it.
func (w *walk) single(total int64, items int) (verdict, error) {
	distinct := w.members.count()
	if items > 0 {
		next, err := w.fetch(items)
		if err != nil {
			return w.refused(err, items)
		}
		if next.Items() > 0 {
			return verdict{parts: 4, reason: "the server does not count, and one page does not hold the slice"}, nil
		}
	}
	if total != distinct && int64(items) != distinct {
		return verdict{again: true, reason: "the only page repeats a job"}, nil
	}
	return w.verdict(MethodSnapshot, distinct), nil
}

// mayBeFull reports whether the page may have been cut by the server's limit,
// which it need not tell.
func (t *trial) mayBeFull(page *docextract.Page) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	items := page.Items()
	if items == 0 || page.Limit > items && t.ask > items {
		return false
	}
	return items >= t.full
}

// learn takes note of how much a page holds.
func (p *Prover) learn(page *docextract.Page) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.full = max(p.full, page.Items())
	if p.calm++; p.calm >= recovery && p.ask < p.most {
		p.ask, p.calm = min(2*p.ask, p.most), 0
	}
}

// refused turns errors that smaller requests avoid into a verdict.
func (w *walk) refused(err error, offset int) (verdict, error) {
	var large *docextract.TooLargeError
	var api *docextract.Error
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case errors.As(err, &large):
		w.ask, w.calm = max(1, w.ask/2), 0
		return verdict{again: true, reason: large.Error()}, nil
	case errors.As(err, &api) && api.Status == http.StatusBadRequest && offset > 0 && w.depth > 1:
		// The server refuses deep offsets: slices must be smaller.
		w.depth = max(1, offset/max(1, w.full))
		return verdict{parts: 2, reason: api.Error()}, nil
	}
	return verdict{}, err
}
