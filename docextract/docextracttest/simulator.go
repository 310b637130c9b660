package docextracttest

import (
	"maps"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Config describes a population of jobs and the clock they live by. The zero
// Config is an empty account.
type Config struct {
	Seed       uint64
	Jobs       int              // created before the start, over Span, with the rhythm of a working day
	Span       time.Duration    // 60 days if 0
	Clock      func() time.Time // time.Now if nil; the only clock but for latencies
	Key        string           // the bearer key accepted; empty: any that is not empty
	Keys       []RateKey        // further keys that are accepted, each with limits of its own
	Arrivals   float64          // new jobs a minute from the start on
	Retention  time.Duration    // 90 days if 0
	Failed     float64          // share of jobs that fail; 0.04 if 0, none if negative
	Open       int              // of Jobs, those not final at the start: the last ones, and a few old ones
	Burst      int              // of Jobs, those created within one and the same second
	CacheBytes int64            // of rendered jobs kept in memory; 512 MiB if 0, nothing kept if negative
}

const (
	day               = 24 * time.Hour
	defaultSpan       = 60 * day
	defaultRetention  = 90 * day
	defaultFailed     = 0.04
	defaultCacheBytes = 512 << 20
)

func (c Config) withDefaults() Config {
	if c.Span <= 0 {
		c.Span = defaultSpan
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Retention <= 0 {
		c.Retention = defaultRetention
	}
	if c.Failed == 0 {
		c.Failed = defaultFailed
	}
	if c.CacheBytes == 0 {
		c.CacheBytes = defaultCacheBytes
	}
	c.Jobs = max(c.Jobs, 0)
	return c
}

// Simulator is one account of the simulated API. It is safe for concurrent use.
type Simulator struct {
	config  Config
	kinds   [kindCount]kind
	store   *store
	knobs   *Knobs
	faults  *Faults
	rates   *rates
	account account
	traffic traffic
	stale   staleTotals
	pools   pools

	host struct {
		mu    sync.Mutex
		base  string // of document URLs, where no knob says otherwise
		press *press // for the look that was asked for last
	}
}

// vendorDocuments is where the vendor keeps documents.
const vendorDocuments = "https://storage.adteco.com/files"

// New makes a simulator whose population exists from now on.
func New(c Config) *Simulator {
	c = c.withDefaults()
	s := &Simulator{
		config: c,
		kinds:  newKinds(),
		store:  newStore(newPlan(c, c.Clock().UnixMicro())),
		knobs:  newKnobs(),
		faults: newFaults(c.Seed),
		rates:  newRates(c.Keys),
	}
	s.host.base = vendorDocuments
	return s
}

// Knobs are the ways in which the server behaves.
func (s *Simulator) Knobs() *Knobs { return s.knobs }

// Faults are the ways in which the server fails.
func (s *Simulator) Faults() *Faults { return s.faults }

// Handler answers the API, under /v1/.
func (s *Simulator) Handler() http.Handler { return http.HandlerFunc(s.serveAPI) }

// DocumentHandler answers for the documents' host, under /files/. Unless Start
// is used, the knob document_base must say where it is served.
func (s *Simulator) DocumentHandler() http.Handler { return http.HandlerFunc(s.serveDocument) }

// view is the store as it is now.
func (s *Simulator) view(set *settings) view {
	now := s.config.Clock().UnixMicro()
	s.store.advance(now)
	v := view{
		clock:  clock{now: now, start: s.store.plan.start, stuck: set.stuck},
		oldest: now - s.config.Retention.Microseconds(),
		lag:    set.filter.commitLag.Microseconds(),
		lowest: set.filter.lowestConfidence,
		rater:  s.press(set).rater,
	}
	if o := set.listing.order; o == orderID || o == orderShuffledStable {
		v.sorting = o
	}
	return v
}

// press is what renders jobs as the settings say.
func (s *Simulator) press(set *settings) *press {
	l := set.look
	s.host.mu.Lock()
	defer s.host.mu.Unlock()
	if l.documentBase == "" {
		l.documentBase = s.host.base
	}
	l.documentBase = strings.TrimRight(l.documentBase, "/")
	p := s.host.press
	if p == nil || p.look != l {
		p = newPress(&s.store.plan, l, &s.kinds, s.config.CacheBytes)
		s.host.press = p
		s.store.matches.clear()
	}
	return p
}

func (s *Simulator) setDocumentBase(base string) {
	s.host.mu.Lock()
	defer s.host.mu.Unlock()
	s.host.base = base
}

// traffic counts requests.
type traffic struct {
	api   atomic.Int64
	files atomic.Int64
	leaks atomic.Int64

	mu     sync.Mutex
	byPath map[string]int64
}

func (t *traffic) count(path string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byPath == nil {
		t.byPath = map[string]int64{}
	}
	t.byPath[path]++
}

// Requests is the number of requests to the API so far, answered or faulted.
func (s *Simulator) Requests() int64 { return s.traffic.api.Load() }

// RequestsByPath counts the requests to both hosts, by method and path; ids
// stand as {id}, paths that do not exist as "other".
func (s *Simulator) RequestsByPath() map[string]int64 {
	s.traffic.mu.Lock()
	defer s.traffic.mu.Unlock()
	return maps.Clone(s.traffic.byPath)
}

// KeyLeaks is the number of requests to the documents' host that carried
// credentials, which belong to the API alone.
func (s *Simulator) KeyLeaks() int64 { return s.traffic.leaks.Load() }
