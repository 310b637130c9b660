package pipeline

import (
	"fmt"
	"hash/fnv"
	"time"
)

// Shard is one of several workers that archive the same pipelines, each its own
// windows. The zero Shard is a worker that does everything.
type Shard struct {
	Index int `json:"index"` // from 0
	Count int `json:"count"` // of all workers; 0 and 1: there are no others
}

// Alone reports whether there are no other workers.
func (s Shard) Alone() bool { return s.Count <= 1 }

// Owns reports whether the worker looks after a window of a pipeline. Every
// window has exactly one owner among the workers of one count.
//
// It follows from the pipeline's name and the window alone, never from what is
// archived or from the time: workers that begin on two sides of midnight, or
// find the archive in different states, agree. In a row of as many windows as
// there are workers, each has one; the order shifts from row to row, so that
// with seven workers none has every Monday. The name's hash keeps several
// pipelines from beginning with the same worker.
func (s Shard) Owns(pipeline string, w Window) bool {
	return s.Alone() || owner(pipeline, w, uint64(s.Count)) == uint64(s.Index)
}

func owner(pipeline string, w Window, workers uint64) uint64 {
	size := int64(w.End.Sub(w.Start) / time.Second)
	number := uint64(w.Start.Unix() / size) // windows are counted from the epoch
	name := fnv.New32a()
	_, _ = name.Write([]byte(pipeline)) // never fails
	return (number + number/workers + uint64(name.Sum32())) % workers
}

// Owner is the worker that looks after a window if there are so many.
func Owner(pipeline string, w Window, workers int) Shard {
	return Shard{Index: int(owner(pipeline, w, uint64(max(1, workers)))), Count: workers}
}

// shard is what a report says of it; nil if there are no other workers.
func (id Identity) shard() *Shard {
	if id.Shard.Alone() {
		return nil
	}
	return &id.Shard
}

func (s Shard) String() string {
	if s.Alone() {
		return "the only worker"
	}
	return fmt.Sprintf("worker %d of %d (numbered from 0)", s.Index, s.Count)
}

// due lists the windows that the run looks after, oldest first: the first to
// expire is the first to be read.
func (p *pipelineRun) due() []Window {
	from := p.From
	if oldest := p.base.Add(-Retention); from.Before(oldest) {
		from = oldest
	}
	to := p.base.Add(-p.Settle)
	if !p.Until.IsZero() && p.Until.Before(to) {
		to = p.Until
	}
	var own []Window
	for _, w := range Windows(from, to, p.Spec.Window) {
		if p.Shard.Owns(p.Spec.Name, w) {
			own = append(own, w)
		}
	}
	return own
}

// FirstRunError means that several workers cannot make a schema that none of
// them may add to.
type FirstRunError struct{}

func (*FirstRunError) Error() string {
	return "there is no schema yet, and schema: freeze or quarantine lets no later window add to it: " +
		"make the first run with one worker, or with schema: evolve"
}

// checkFirstRun refuses a first run of several workers under a policy by which
// the first run makes the schema: the first window of any would freeze it for
// all.
func (p *pipelineRun) checkFirstRun() error {
	if p.Shard.Alone() || p.Schema == SchemaEvolve || p.books[p.Spec.Name].settled {
		return nil
	}
	return &FirstRunError{}
}
