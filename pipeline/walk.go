package pipeline

import (
	"crypto/sha256"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/internal/failpoint"
)

// walk reads the pages of one query.
type walk struct {
	*trial
	window  Window
	members *members
}

// first returns the first page and passes it on. It may have been asked for
// ahead of time.
func (w *walk) first() (*docextract.Page, error) {
	answer, begun := w.early[w.window]
	if !begun {
		return w.fetch(0)
	}
	delete(w.early, w.window)
	got := <-answer
	if got.err != nil {
		return nil, got.err
	}
	return got.page, w.take(got.page)
}

// fetch makes one listing request and passes its page on.
func (w *walk) fetch(offset int) (*docextract.Page, error) {
	page, err := w.request(offset)
	if err != nil {
		return nil, err
	}
	return page, w.take(page)
}

func (w *walk) request(offset int) (*docextract.Page, error) {
	w.mu.Lock()
	ask := w.ask
	w.mu.Unlock()
	return w.source.List(w.ctx, w.query(w.window, ask, offset))
}

func (w *walk) take(page *docextract.Page) error {
	if err := failpoint.Hit(failpoint.ProvePage); err != nil {
		return err
	}
	w.evidence.Requests++
	w.spent++
	w.learn(page)
	w.members.add(page)
	return w.visitor.visit(page)
}

func (w *walk) verdict(method string, total int64) verdict {
	return verdict{proven: true, method: method, total: total, unique: w.members.inside()}
}

// complete reads the rest of a slice of total jobs whose first page had items.
func (w *walk) complete(total int64, items int) (verdict, error) {
	w.mu.Lock()
	depth, unstable, full := w.depth, w.unstable, w.full
	w.mu.Unlock()
	if items < full && w.members.count() == int64(items) {
		// The page is not cut by the limit: perhaps the server counts jobs that it
		// does not have.
		next, err := w.fetch(items)
		if err != nil {
			return w.refused(err, items)
		}
		if next.Items() == 0 {
			return w.verdict(MethodSnapshot, int64(items)), nil
		}
	}
	pages := int((total + int64(items) - 1) / int64(items))
	divisible := w.window.End.Sub(w.window.Start) > narrowest
	if divisible && unstable {
		return verdict{parts: 2 * pages}, nil
	}
	if divisible && pages > depth {
		return verdict{parts: (4*pages + 3*depth - 1) / (3 * depth)}, nil
	}
	limit := 2
	if !divisible {
		limit = passes
	}
	for n := range limit {
		start := items
		if n > 0 {
			start = 0
		}
		same, err := w.pass(start, items, total)
		if err != nil {
			return w.refused(err, items)
		}
		if !same {
			return verdict{again: true, reason: "the number of jobs changed while they were read"}, nil
		}
		if w.members.count() == total {
			return w.verdict(MethodUnion, total), nil
		}
	}
	w.mu.Lock()
	if w.failed++; w.failed > 1 {
		w.unstable = true
	}
	w.mu.Unlock()
	return verdict{parts: 2 * pages, reason: fmt.Sprintf(
		"the server counts %d jobs and shows %d", total, w.members.count())}, nil
}

// pass reads the pages from start on once, to where the server's own count says
// that the end is, and looks whether it is. same is false if the count was
// refuted.
func (w *walk) pass(start, step int, total int64) (same bool, err error) {
	last := 0
	coming := &readAhead{walk: w, offset: start, step: step, total: total}
	defer coming.stop()
	for offset := start; int64(offset) < total; {
		page, err := coming.next()
		if err != nil {
			return false, err
		}
		if err := w.take(page); err != nil {
			return false, err
		}
		if page.Total != total && page.Total != docextract.UnknownTotal {
			return false, nil
		}
		next := offset + step
		last = page.Items()
		// A page with fewer jobs than the others leaves a hole behind it.
		for at := offset + last; at < next && int64(at) < total && page.Items() > 0; at += page.Items() {
			if page, err = w.fetch(at); err != nil {
				return false, err
			}
		}
		offset = next
	}
	if int64(start) < total && last >= step && total%int64(step) == 0 {
		after, err := w.fetch(int(total))
		if err != nil || after.Items() > 0 {
			return false, err
		}
	}
	return w.members.count() <= total, nil
}

// readAhead reads the pages of one query in their order. While one is being
// worked on, those after it are on their way, so that neither side waits for
// the other. It is used by one goroutine; stop ends it.
type readAhead struct {
	walk   *walk
	offset int // of the next request
	step   int
	total  int64 // where the pages end

	asked []chan answered // in order
	group errgroup.Group
}

// answered is what came of one request.
type answered struct {
	page *docextract.Page
	err  error
}

// next returns the next page. There is one as long as less than the total has
// been asked for.
func (r *readAhead) next() (*docextract.Page, error) {
	for len(r.asked) < r.walk.ahead && int64(r.offset) < r.total {
		answer, at := make(chan answered, 1), r.offset
		r.group.Go(func() error {
			page, err := r.walk.request(at)
			answer <- answered{page, err}
			return nil
		})
		r.asked = append(r.asked, answer)
		r.offset += r.step
	}
	first := <-r.asked[0]
	r.asked = r.asked[1:]
	return first.page, first.err
}

// stop waits for the requests that nobody waits for any more.
func (r *readAhead) stop() { _ = r.group.Wait() }

// members is the set of distinct elements that the answers to one query held.
type members struct {
	window Window
	jobs   map[string]bool // id → whether it lies inside the slice
	within int64
	broken map[[sha256.Size]byte]int // malformed elements: how often one page held them
	odd    int64                     // their number
}

func newMembers(w Window) *members {
	return &members{window: w, jobs: map[string]bool{}}
}

func (m *members) add(page *docextract.Page) {
	for i := range page.Jobs {
		job := &page.Jobs[i]
		if _, known := m.jobs[job.ID]; known {
			continue
		}
		inside := m.window.Contains(job.CreatedAt)
		m.jobs[job.ID] = inside
		if inside {
			m.within++
		}
	}
	if len(page.Malformed) == 0 {
		return
	}
	// What has no id is told apart by its bytes; equal bytes count as often as a
	// single page held them, for another page may have repeated them.
	here := map[[sha256.Size]byte]int{}
	for _, broken := range page.Malformed {
		here[sha256.Sum256(broken.Raw)]++
	}
	if m.broken == nil {
		m.broken = map[[sha256.Size]byte]int{}
	}
	for sum, n := range here {
		if more := n - m.broken[sum]; more > 0 {
			m.broken[sum] = n
			m.odd += int64(more)
		}
	}
}

// count is the number of distinct elements.
func (m *members) count() int64 { return int64(len(m.jobs)) + m.odd }

// inside is the number of those that lie in the slice, as far as is known.
func (m *members) inside() int64 { return m.within + m.odd }
