package cachetest

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/adteco/docarchive/pipeline"
)

// anyHistory plays arbitrary interleavings of commits, marks that are whole,
// partial, late, repeated or left out, questions and losses against one home.
// Whatever happened, an answer that is known is the right one.
func anyHistory(t *testing.T, open func(t *testing.T) Instance) {
	in := open(t)
	round := 0
	rapid.Check(t, func(t *rapid.T) {
		round++
		h := &history{Instance: in, archive: fmt.Sprint("archive-", round), heads: []commit{{}}}
		t.Repeat(map[string]func(*rapid.T){
			"commit": h.commit,
			"mark":   h.mark,
			"seed":   h.seed,
			"filter": h.filter,
			"flush":  h.flush,
		})
	})
}

// history is the truth: the commits of one window, each with all that was
// archived up to it.
type history struct {
	Instance
	archive string
	heads   []commit
}

type commit struct {
	head, base string
	added      []string
	all        []string
}

var someIDs = rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f", "g", "h"}), 0, 4)

func (h *history) commit(t *rapid.T) {
	base := h.heads[len(h.heads)-1]
	all := map[string]bool{}
	for _, id := range base.all {
		all[id] = true
	}
	var added []string
	for _, id := range someIDs.Draw(t, "archived") {
		if !all[id] {
			all[id] = true
			added = append(added, id)
		}
	}
	h.heads = append(h.heads, commit{
		head: fmt.Sprint("head-", len(h.heads)), base: base.head, added: added, all: slices.Sorted(maps.Keys(all)),
	})
}

// mark tells the home of a commit, perhaps long after it, perhaps again, and
// perhaps only a part before the process dies.
func (h *history) mark(t *rapid.T) {
	c := h.any(t)
	part := rapid.IntRange(0, len(c.added)).Draw(t, "part")
	h.tell(t, h.set(c, c.base), c.added[:part])
	if rapid.Bool().Draw(t, "go on") {
		h.tell(t, h.set(c, c.base), c.added)
	}
}

// seed tells the home what the ledger's lists say, in slices.
func (h *history) seed(t *rapid.T) {
	c := h.any(t)
	told := rapid.IntRange(0, len(c.all)).Draw(t, "ids told")
	for _, id := range c.all[:told] {
		h.tell(t, h.set(c, ""), []string{id})
	}
}

func (h *history) tell(t *rapid.T, s pipeline.SeenSet, ids []string) {
	if err := h.Home.Mark(t.Context(), s, ids); err != nil {
		t.Fatal(err)
	}
}

func (h *history) filter(t *rapid.T) {
	c := h.any(t)
	asked := someIDs.Draw(t, "asked")
	fresh, known, err := h.Home.Filter(t.Context(), h.set(c, ""), asked)
	if err != nil {
		t.Fatal(err)
	}
	if !known {
		return
	}
	want := []string{}
	for _, id := range asked {
		if !slices.Contains(c.all, id) {
			want = append(want, id)
		}
	}
	if fresh == nil {
		fresh = []string{}
	}
	if diff := cmp.Diff(want, fresh); diff != "" {
		t.Fatalf("a known answer about %s is wrong (-want +got):\n%s", c.head, diff)
	}
}

func (h *history) flush(t *rapid.T) {
	if h.Flush == nil {
		t.Skip("cannot be emptied")
	}
	h.Flush()
}

func (h *history) any(t *rapid.T) commit {
	return h.heads[rapid.IntRange(0, len(h.heads)-1).Draw(t, "commit")]
}

func (h *history) set(c commit, base string) pipeline.SeenSet {
	return pipeline.SeenSet{
		ArchiveID: h.archive, Pipeline: "invoices", Window: "20261122",
		Head: c.head, Base: base, Count: int64(len(c.all)),
	}
}
