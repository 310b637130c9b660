package docextracttest

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Faults are the ways in which the server or the network fails. Each hits a
// request with its probability; of several the first in the table is taken. The
// seed and the number of the request decide, so a run can be repeated.
type Faults struct {
	seed  uint64
	table []fault

	mu            sync.Mutex
	probabilities map[string]float64
	scheduled     map[int64]string // by number of the request
	hits          map[string]int64
}

// fault is one row of the table of faults.
type fault struct {
	name, text string
	stage      stage
	scope      func(*exchange) bool // nil: every request
}

// stage is when a fault strikes.
type stage int

const (
	instead stage = iota // of an answer: the request has no effect
	during               // the listing is wrong
	after                // the request has its effect, the answer is spoiled
)

func newFaults(seed uint64) *Faults {
	return &Faults{
		seed: seed, table: faultTable(), probabilities: map[string]float64{},
		scheduled: map[int64]string{}, hits: map[string]int64{},
	}
}

// Set sets how often a fault hits, from 0 to 1. The error says which faults
// there are.
func (f *Faults) Set(name string, probability float64) error {
	if err := f.check(name); err != nil {
		return err
	}
	if !(probability >= 0 && probability <= 1) {
		return fmt.Errorf("set fault %s: %v is not a probability from 0 to 1", name, probability)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.probabilities[name] = probability
	return nil
}

// At lets a fault hit the request of that number, the first being 1, as
// [Simulator.Requests] counts them; whether the fault can hit that kind of
// request is not asked until then.
func (f *Faults) At(name string, request int64) error {
	if err := f.check(name); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.scheduled[request] = name
	return nil
}

// Clear ends all faults, those scheduled too.
func (f *Faults) Clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.probabilities)
	clear(f.scheduled)
}

// Hits counts how often each fault has hit.
func (f *Faults) Hits() map[string]int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.hits)
}

// Names describes all faults.
func (f *Faults) Names() []Doc {
	docs := make([]Doc, len(f.table))
	for i, row := range f.table {
		docs[i] = Doc{Name: row.name, Values: "a probability from 0 to 1", Default: "0", Text: row.text}
	}
	return docs
}

// String lists the faults that can hit, as name=probability.
func (f *Faults) String() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var set []string
	for _, row := range f.table {
		if p := f.probabilities[row.name]; p > 0 {
			set = append(set, row.name+"="+strconv.FormatFloat(p, 'g', -1, 64))
		}
	}
	return strings.Join(set, " ")
}

func (f *Faults) check(name string) error {
	names := make([]string, len(f.table))
	for i, row := range f.table {
		names[i] = row.name
	}
	if !slices.Contains(names, name) {
		return fmt.Errorf("there is no fault %q; there are %s", name, strings.Join(names, ", "))
	}
	return nil
}

// draw decides what hits a request; nil if nothing does.
func (f *Faults) draw(x *exchange) *fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.table {
		row := &f.table[i]
		p := f.probabilities[row.name]
		hit := p > 0 && unit(hash(f.seed, streamFault, uint64(i), uint64(x.number), uint64(x.host))) < p
		hit = hit || x.host == apiHost && f.scheduled[x.number] == row.name
		if hit && (row.scope == nil || row.scope(x)) {
			f.hits[row.name]++
			return row
		}
	}
	return nil
}
