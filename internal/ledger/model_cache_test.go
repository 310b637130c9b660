package ledger_test

import (
	"maps"

	"github.com/adteco/docarchive/pipeline"
)

// reliance is what the runs of a world believe of their common cache.
type reliance int

const (
	byHead     reliance = iota // a set belongs to one head, and counts only in full
	asTruth                    // what the cache does not hold is not archived
	beforehand                 // what is about to be archived is archived, unless the cache is empty
)

// recall is the cache that the runs of a world share. It may be emptied at any
// time.
type recall struct {
	use  reliance
	sets map[string]map[string]bool // hash of a head, or nothing for a mutant → archived ids
}

func (c *recall) empty() { c.sets = nil }

func (c *recall) set(head string) map[string]bool {
	if c.use != byHead {
		head = ""
	}
	if c.sets == nil {
		c.sets = map[string]map[string]bool{}
	}
	if c.sets[head] == nil {
		c.sets[head] = map[string]bool{}
	}
	return c.sets[head]
}

// known returns the ids that are archived as of a history, if it knows.
func (c *recall) known(h *pipeline.History) (archived map[string]bool, ok bool) {
	set := c.set(h.HeadHash)
	switch c.use {
	case asTruth:
		return set, true
	case beforehand:
		return set, len(set) > 0
	}
	return set, int64(len(set)) == h.Archived
}

// intend is called before anything is written.
func (c *recall) intend(ids []string) {
	if c.use == beforehand {
		c.add("", ids)
	}
}

// mark is called when all is done: the new head's set is the old one's and ids.
func (c *recall) mark(before, after *pipeline.History, ids []string) {
	if c.use == byHead {
		maps.Copy(c.set(after.HeadHash), c.set(before.HeadHash))
	}
	c.add(after.HeadHash, ids)
}

func (c *recall) add(head string, ids []string) {
	set := c.set(head)
	for _, id := range ids {
		set[id] = true
	}
}
