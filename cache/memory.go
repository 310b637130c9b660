package cache

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/adteco/docarchive/pipeline"
)

// What Memory holds at most; the oldest goes first.
const (
	maxMemoryIDs  = 1_000_000
	maxMemoryJobs = 64 << 20 // bytes
)

// Memory is a [Home] that ends with the process. It is of bounded size.
type Memory struct {
	*localLeases
	now func() time.Time

	mu         sync.Mutex
	seen       map[windowName]*memorySet
	ids        int // in all sets
	turn       int64
	jobs       map[string]memoryJob
	jobOrder   []string // as put
	jobBytes   int
	identities map[string]string
}

// windowName says whose set it is, whatever its head.
type windowName struct{ archive, pipeline, window string }

func windowOf(set pipeline.SeenSet) windowName {
	return windowName{archive: set.ArchiveID, pipeline: set.Pipeline, window: set.Window}
}

type memorySet struct {
	head string
	ids  map[string]struct{}
	turn int64 // when it was last marked
}

type memoryJob struct {
	raw []byte
	put time.Time
}

// NewMemory returns an empty home.
func NewMemory() *Memory { return newMemory(time.Now, holderOrDefault("")) }

func newMemory(now func() time.Time, holder string) *Memory {
	return &Memory{
		localLeases: newLocalLeases(holder),
		now:         now,
		seen:        map[windowName]*memorySet{},
		jobs:        map[string]memoryJob{},
		identities:  map[string]string{},
	}
}

// Filter implements [pipeline.Seen].
func (m *Memory) Filter(_ context.Context, set pipeline.SeenSet, ids []string) ([]string, bool, error) {
	if set.Count == 0 {
		return slices.Clone(ids), true, nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	held := m.seen[windowOf(set)]
	if held == nil || held.head != set.Head || int64(len(held.ids)) != set.Count {
		return nil, false, nil
	}
	fresh := make([]string, 0, len(ids))
	for _, id := range ids {
		if _, ok := held.ids[id]; !ok {
			fresh = append(fresh, id)
		}
	}
	return fresh, true, nil
}

// Mark implements [pipeline.Seen].
func (m *Memory) Mark(_ context.Context, set pipeline.SeenSet, ids []string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	name := windowOf(set)
	held := m.seen[name]
	switch {
	case held != nil && held.head == set.Head:
	case held != nil && set.Base != "" && held.head == set.Base:
		held.head = set.Head
	default:
		m.drop(name)
		held = &memorySet{head: set.Head, ids: map[string]struct{}{}}
		m.seen[name] = held
	}
	before := len(held.ids)
	for _, id := range ids {
		held.ids[id] = struct{}{}
	}
	m.ids += len(held.ids) - before
	m.turn++
	held.turn = m.turn
	for m.ids > maxMemoryIDs && len(m.seen) > 0 {
		m.drop(slices.MinFunc(slices.Collect(maps.Keys(m.seen)), func(a, b windowName) int {
			return int(m.seen[a].turn - m.seen[b].turn)
		}))
	}
	return nil
}

// drop forgets a window's set; m.mu is held.
func (m *Memory) drop(name windowName) {
	if held := m.seen[name]; held != nil {
		m.ids -= len(held.ids)
		delete(m.seen, name)
	}
}

// Get implements [Jobs].
func (m *Memory) Get(_ context.Context, id string) ([]byte, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	job, ok := m.jobs[id]
	if !ok || m.now().Sub(job.put) >= jobLife {
		return nil, false
	}
	return slices.Clone(job.raw), true
}

// Put implements [Jobs].
func (m *Memory) Put(_ context.Context, id string, raw []byte) {
	if !completed(id, raw) {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if old, ok := m.jobs[id]; ok {
		m.jobBytes -= len(old.raw)
	} else {
		m.jobOrder = append(m.jobOrder, id)
	}
	m.jobs[id] = memoryJob{raw: slices.Clone(raw), put: m.now()}
	m.jobBytes += len(raw)
	for m.jobBytes > maxMemoryJobs {
		oldest := m.jobOrder[0]
		m.jobOrder = m.jobOrder[1:]
		m.jobBytes -= len(m.jobs[oldest].raw)
		delete(m.jobs, oldest)
	}
}

// Remember implements [Identities].
func (m *Memory) Remember(_ context.Context, archiveURL, archiveID string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	previous := m.identities[archiveURL]
	if previous == "" && archiveID != "" {
		m.identities[archiveURL] = archiveID
	}
	return previous, nil
}

// Forget implements [Identities].
func (m *Memory) Forget(_ context.Context, archiveURL string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.identities, archiveURL)
	return nil
}

// Close implements [Home]. What is in memory may still be used.
func (m *Memory) Close() error { return nil }
