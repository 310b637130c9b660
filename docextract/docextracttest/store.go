package docextracttest

import (
	"cmp"
	"slices"
	"sort"
	"sync"
)

// store holds all jobs in the order of created_at. It is safe for concurrent
// use: methods that end in Locked want the lock held, for reading at least.
type store struct {
	plan plan

	mu       sync.RWMutex
	entries  []entry
	removed  []item
	specials []*special
	byID     map[string]int // index of a special
	replaced map[string]bool
	arrived  int
	next     micros // when the next job arrives
	matches  matchCache
}

// submittedBase is the number of the first submitted job: past all generated
// ones.
const submittedBase = 1 << 40

func newStore(p plan) *store {
	s := &store{plan: p, byID: map[string]int{}, replaced: map[string]bool{}, next: never}
	s.entries = make([]entry, p.jobs)
	for i := range s.entries {
		s.entries[i] = p.entry(i)
	}
	byCreated := func(a, b entry) int { return cmp.Compare(a.created, b.created) }
	if !slices.IsSortedFunc(s.entries, byCreated) {
		slices.SortStableFunc(s.entries, byCreated)
	}
	if p.arrivals > 0 {
		s.next = p.created(p.jobs)
	}
	return s
}

// advance lets the jobs in that have arrived by now.
func (s *store) advance(now micros) {
	s.mu.RLock()
	due := now >= s.next
	s.mu.RUnlock()
	if !due {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for n := s.plan.arrived(now); s.arrived < n; s.arrived++ {
		s.insertLocked(s.plan.entry(s.plan.jobs + s.arrived))
	}
	s.next = s.plan.created(s.plan.jobs + s.arrived)
}

// insertLocked wants the lock for writing.
func (s *store) insertLocked(e entry) {
	i := len(s.entries)
	if i > 0 && s.entries[i-1].created > e.created {
		i = s.firstLocked(e.created + 1)
	}
	s.entries = slices.Insert(s.entries, i, e)
	s.matches.clear()
}

// addLocked inserts a special job; it wants the lock for writing.
func (s *store) addLocked(e entry, sp *special) {
	e.ref = int32(-1 - len(s.specials))
	s.specials = append(s.specials, sp)
	if sp.id != "" {
		s.byID[sp.id] = -1 - int(e.ref)
	}
	s.insertLocked(e)
}

// firstLocked is the index of the first job created at t or later.
func (s *store) firstLocked(t micros) int {
	return sort.Search(len(s.entries), func(i int) bool { return s.entries[i].created >= t })
}

func (s *store) itemLocked(i int) item { return s.itemOf(s.entries[i]) }

func (s *store) itemOf(e entry) item {
	it := item{entry: e}
	if e.ref < 0 {
		it.special = s.specials[-1-e.ref]
	}
	return it
}

// find returns the job of that id, whether or not it can be seen yet.
func (s *store) find(id string) (item, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	i, ok := s.indexLocked(id)
	if !ok {
		return item{}, false
	}
	return s.itemLocked(i), true
}

func (s *store) indexLocked(id string) (int, bool) {
	if i, ok := s.byID[id]; ok {
		return s.scanLocked(int32(-1 - i))
	}
	number, ok := s.plan.number(id)
	if !ok || number >= uint64(s.plan.jobs+s.arrived) || s.replaced[id] {
		return 0, false
	}
	created := s.plan.created(int(number))
	for i := s.firstLocked(created); i < len(s.entries) && s.entries[i].created == created; i++ {
		if s.entries[i].ref == int32(number) {
			return i, true
		}
	}
	return 0, false
}

// scanLocked looks for a special job: there are few, and they tend to be late.
func (s *store) scanLocked(ref int32) (int, bool) {
	for i := len(s.entries) - 1; i >= 0; i-- {
		if s.entries[i].ref == ref {
			return i, true
		}
	}
	return 0, false
}

// remove takes a job away; it reports whether there was one.
func (s *store) remove(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, ok := s.indexLocked(id)
	if !ok {
		return false
	}
	s.removed = append(s.removed, s.itemLocked(i))
	s.entries = slices.Delete(s.entries, i, i+1)
	s.matches.clear()
	return true
}

// replace puts a job made by hand in the place of another.
func (s *store) replace(id string, sp *special, outcome status, kind uint8) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, ok := s.indexLocked(id)
	if !ok {
		return false
	}
	s.replaced[id] = true
	delete(s.byID, id)
	e := &s.entries[i]
	e.ref, e.outcome, e.kind, e.finish, e.work = int32(-1-len(s.specials)), outcome, kind, e.created, 0
	s.specials = append(s.specials, sp)
	if sp.id != "" {
		s.byID[sp.id] = -1 - int(e.ref)
	}
	s.matches.clear()
	return true
}

// snapshot copies all jobs, those removed at the end.
func (s *store) snapshot() (items []item, removed int) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	items = make([]item, 0, len(s.entries)+len(s.removed))
	for i := range s.entries {
		items = append(items, s.itemLocked(i))
	}
	return append(items, s.removed...), len(s.removed)
}
