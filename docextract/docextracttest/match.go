package docextracttest

import (
	"cmp"
	"math"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/adteco/docarchive/internal/rawjson"
)

// view is what a request sees the store through.
type view struct {
	clock
	oldest  micros // created before: expired
	lag     micros // jobs appear up to this long after they were created
	lowest  bool   // min_confidence means the lowest confidence
	rater   *rater
	sorting string // "", orderID or orderShuffledStable
}

// visible reports whether a job has appeared and not expired.
func (v *view) visible(p *plan, it *item) bool {
	return it.created >= v.oldest && v.appears(p, it) <= v.now
}

// appears is when a job is first seen.
func (v *view) appears(p *plan, it *item) micros {
	if v.lag == 0 {
		return it.created
	}
	return it.created + micros(hash(p.seed, streamLag, uint64(it.created), uint64(it.ref))%uint64(v.lag))
}

// selection is the jobs that a filter selects, by ascending created_at: a range
// of the entries, or a list of indices.
type selection struct {
	first, n int
	list     []int32 // nil: the range
}

func (s *selection) index(i int) int {
	if s.list == nil {
		return s.first + i
	}
	return int(s.list[i])
}

// selectLocked selects. The list is shared and must not be changed.
func (s *store) selectLocked(f filter, v *view) selection {
	first := s.firstLocked(max(f.from, v.oldest))
	end := s.firstLocked(min(f.to, v.now+1))
	if end <= first {
		return selection{}
	}
	plain := f.extractor == "" && f.status == anyStatus && !f.confidence && f.metadata == ""
	if plain && v.lag == 0 && v.sorting == "" {
		return selection{first: first, n: end - first}
	}
	key := matchKey{filter: f, first: first, end: end, lag: v.lag, lowest: v.lowest, stuck: v.stuck, sorting: v.sorting}
	key.from, key.to = 0, 0
	list := s.matches.get(key, v.now, func() ([]int32, micros) { return s.matchLocked(f, v, first, end) })
	return selection{list: list, n: len(list)}
}

// matchLocked tests the entries from first to end. until is when the result may
// change, the range aside.
func (s *store) matchLocked(f filter, v *view, first, end int) (list []int32, until micros) {
	test := newTest(f)
	until = never
	list = []int32{}
	for i := first; i < end; i++ {
		e := &s.entries[i]
		if e.finish > v.now {
			until = min(until, e.nextChange(v.clock))
		}
		if f.status != anyStatus && e.status(v.clock) != f.status {
			continue
		}
		it := s.itemOf(*e)
		if v.lag > 0 {
			if at := v.appears(&s.plan, &it); at > v.now {
				until = min(until, at)
				continue
			}
		}
		if test.accepts(s, &it, v) {
			list = append(list, int32(i))
		}
	}
	if v.sorting != "" {
		s.sortLocked(list, v.sorting)
	}
	return list, until
}

func (s *store) sortLocked(list []int32, order string) {
	salt := uint64(0)
	if order == orderShuffledStable {
		salt = hash(s.plan.seed, streamOrder)
	}
	keys := make(map[int32]uint64, len(list))
	for _, i := range list {
		e := &s.entries[i]
		if order == orderID && e.ref < 0 && s.specials[-1-e.ref].number == 0 {
			keys[i] = math.MaxUint64 // made by hand: by its id, after the others
		} else if number := uint64(uint32(e.ref)); order == orderID {
			if e.ref < 0 {
				number = s.specials[-1-e.ref].number
			}
			keys[i] = s.plan.scatter(number)
		} else {
			keys[i] = mix(number + salt)
		}
	}
	slices.SortFunc(list, func(a, b int32) int {
		return cmp.Or(cmp.Compare(keys[a], keys[b]), cmp.Compare(a, b))
	})
}

// test is a filter made ready.
type test struct {
	filter
	kind     uint8 // of the extractor; noKind where it is none of ours
	metadata []metadataTest
}

// metadataTest is a raw JSON key and the value it must have.
type metadataTest struct{ key, value string }

func newTest(f filter) test {
	t := test{filter: f, kind: kindOf(f.extractor)}
	for line := range strings.SplitSeq(f.metadata, "\n") {
		key, value, ok := strings.Cut(line, "=")
		if !ok {
			continue
		}
		// The lines were escaped by setOther.
		key, _ = url.QueryUnescape(key)
		value, _ = url.QueryUnescape(value)
		t.metadata = append(t.metadata, metadataTest{key, value})
	}
	return t
}

// accepts tests all but the status and the time.
func (t *test) accepts(s *store, it *item, v *view) bool {
	if t.extractor != "" && !t.ofExtractor(it) {
		return false
	}
	if len(t.metadata) > 0 && !t.hasMetadata(s, it) {
		return false
	}
	if t.confidence {
		r, ok := v.rater.rate(it, v.clock)
		return ok && r.reaches(t.minConfidence, v.lowest)
	}
	return true
}

func (t *test) ofExtractor(it *item) bool {
	if t.kind != noKind {
		return it.kind == t.kind
	}
	return it.special != nil && it.special.label == t.extractor
}

func (t *test) hasMetadata(s *store, it *item) bool {
	var raw []byte
	switch {
	case it.special == nil:
		m := s.plan.metadata(uint64(it.ref))
		for _, want := range t.metadata {
			if got, ok := m.get(want.key); !ok || got != want.value {
				return false
			}
		}
		return true
	case it.special.raw != nil:
		raw = member(it.special.raw, "metadata")
	default:
		raw = it.special.metadata
	}
	for _, want := range t.metadata {
		value := member(raw, want.key)
		if len(value) > 0 && value[0] == '"' {
			text, _ := rawjson.Text(value)
			value = []byte(text)
		}
		if value == nil || string(value) != want.value {
			return false
		}
	}
	return true
}

// matchKey names a list of matches.
type matchKey struct {
	filter     // its times are zero: first and end stand for them
	first, end int
	lag        micros
	lowest     bool
	stuck      bool
	sorting    string
}

type matchList struct {
	key         matchKey
	from, until micros // when it holds
	list        []int32
}

// matchCache keeps the last lists of matches, because a client pages through
// one listing by many requests.
type matchCache struct {
	mu    sync.Mutex
	lists []*matchList // the latest used last
}

const (
	cachedLists   = 16
	cachedMatches = 8 << 20 // in all lists
)

func (c *matchCache) get(key matchKey, now micros, make func() ([]int32, micros)) []int32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, m := range c.lists {
		if m.key != key {
			continue
		}
		c.lists = append(slices.Delete(c.lists, i, i+1), m)
		if now < m.from || now >= m.until {
			m.list, m.until = make()
			m.from = now
		}
		return m.list
	}
	m := &matchList{key: key, from: now}
	m.list, m.until = make()
	c.lists = append(c.lists, m)
	held := 0
	for i := len(c.lists) - 1; i >= 0; i-- {
		if held += len(c.lists[i].list); i < len(c.lists)-1 && (held > cachedMatches || len(c.lists)-i > cachedLists) {
			c.lists = slices.Delete(c.lists, 0, i+1)
			break
		}
	}
	return m.list
}

func (c *matchCache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lists = nil
}
