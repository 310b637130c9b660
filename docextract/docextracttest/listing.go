package docextracttest

import (
	"bytes"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// list answers a listing.
func (x *exchange) list() answer {
	q, refused := parseQuery(x.request.URL.Query(), x.set)
	if refused == nil && x.set.filter.refuseExtractor && q.extractor != "" && kindOf(q.extractor) == noKind {
		return x.notFound("extractor")
	}
	if refused != nil {
		return x.refuse(refused)
	}
	v := x.sim.view(x.set)
	items, matching := x.page(q, &v)
	buf := x.sim.pools.buffer()
	b := append(buf.AvailableBuffer(), `{"jobs":`...)
	if len(items) == 0 && x.set.listing.nullJobs {
		b = append(b, "null"...)
	} else {
		b = x.appendJobs(b, items, &v)
	}
	b = x.appendTotal(b, q, matching, len(items))
	if x.set.listing.echo {
		b = append(b, `,"limit":`...)
		b = strconv.AppendInt(b, int64(q.limit), 10)
		b = append(b, `,"offset":`...)
		b = strconv.AppendInt(b, int64(q.offset), 10)
	}
	b = append(b, '}')
	buf = bytes.NewBuffer(b) // which keeps the grown memory for the next page
	return answer{status: http.StatusOK, contentType: jsonType, body: b, pooled: buf}
}

func (x *exchange) appendJobs(b []byte, items []item, v *view) []byte {
	press := x.sim.press(x.set)
	b = append(b, '[')
	for i := range items {
		if i > 0 {
			b = append(b, ',')
		}
		b = press.append(b, &items[i], v.clock)
	}
	return append(b, ']')
}

// page selects the jobs of a page; matching is how many the filter selects.
func (x *exchange) page(q query, v *view) (items []item, matching int) {
	s := x.sim.store
	s.mu.RLock()
	defer s.mu.RUnlock()
	sel := s.selectLocked(q.filter, v)
	d := dice(hash(x.sim.config.Seed, streamOrder, uint64(x.number)))
	offset, limit := q.offset, q.limit
	if x.hit(faultShift) && offset > 0 {
		offset += 1 - 2*d.below(2)
	}
	n := max(0, min(limit, sel.n-offset))
	if n > 1 && unit(d.next()) < x.set.listing.shortPages {
		n = 1 + d.below(n-1)
	}
	order := s.orderLocked(x.set, sel, uint64(d.next()))
	items = make([]item, 0, n+1)
	for i := range n {
		items = append(items, s.itemLocked(order(offset+i)))
	}
	if x.hit(faultDuplicate) && n > 0 {
		items = append(items, items[d.below(n)])
	}
	return items, sel.n
}

// orderLocked returns the function from a rank in the listing to an index of the
// store. key differs from request to request.
func (s *store) orderLocked(set *settings, sel selection, key uint64) func(rank int) int {
	switch set.listing.order {
	case orderAsc, orderID, orderShuffledStable:
		return sel.index
	case orderShuffled:
		p := newPermutation(sel.n, key)
		return func(rank int) int { return sel.index(p.at(rank)) }
	case orderUnstableTies:
		t := &ties{store: s, sel: sel, unit: set.look.stored.Microseconds(), key: key}
		return func(rank int) int { return sel.index(t.at(sel.n - 1 - rank)) }
	default:
		return func(rank int) int { return sel.index(sel.n - 1 - rank) }
	}
}

// ties permutes among themselves the jobs that have the same created_at.
type ties struct {
	store       *store
	sel         selection
	unit        micros
	key         uint64
	first, last int // the group that at was asked for last: first ≤ i < last
	group       permutation
}

func (t *ties) created(i int) micros { return t.store.entries[t.sel.index(i)].created / t.unit }

func (t *ties) at(i int) int {
	if i < t.first || i >= t.last {
		c := t.created(i)
		for t.first = i; t.first > 0 && t.created(t.first-1) == c; t.first-- {
		}
		for t.last = i + 1; t.last < t.sel.n && t.created(t.last) == c; t.last++ {
		}
		t.group = newPermutation(t.last-t.first, mix(t.key+uint64(c)))
	}
	return t.first + t.group.at(i-t.first)
}

// appendTotal appends the total, in whatever way the knob wants it.
func (x *exchange) appendTotal(b []byte, q query, matching, listed int) []byte {
	l := &x.set.listing
	total := matching
	switch l.total {
	case "missing":
		return b
	case "null":
		return append(b, `,"total":null`...)
	case "string":
		b = append(b, `,"total":"`...)
		return append(strconv.AppendInt(b, int64(total), 10), '"')
	case "negative":
		total = -1
	case "short":
		total -= min(total, 1+total/100)
	case "high":
		total += 1 + total/100
	case "page":
		total = listed
	case "capped":
		total = min(total, int(l.totalCap))
	case "stale":
		total = x.sim.stale.total(q.filter, x.now, total)
	}
	b = append(b, `,"total":`...)
	return strconv.AppendInt(b, int64(total), 10)
}

// staleTotals remember the total of a listing for some time.
type staleTotals struct {
	mu    sync.Mutex
	known map[filter]staleTotal
}

type staleTotal struct {
	total int
	at    time.Time
}

const (
	staleFor  = 10 * time.Minute
	mostStale = 4096 // totals remembered; past it all are forgotten
)

func (s *staleTotals) total(f filter, now time.Time, exact int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if old, ok := s.known[f]; ok && now.Sub(old.at) < staleFor {
		return old.total
	}
	if s.known == nil || len(s.known) >= mostStale {
		s.known = map[filter]staleTotal{}
	}
	s.known[f] = staleTotal{exact, now}
	return exact
}
