// Package cachetest is the suite that every home of the cache passes.
package cachetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/adteco/docarchive/cache"
	"github.com/adteco/docarchive/pipeline"
)

// Instance is one home under test, empty at first.
type Instance struct {
	Home cache.Home
	// Advance moves the home's time; nil if the home's time cannot be moved.
	Advance func(time.Duration)
	// Flush empties the home behind its back; nil if that cannot be done.
	Flush func()
}

// Run runs the suite. open returns a new, empty home, which ends with the test.
func Run(t *testing.T, open func(t *testing.T) Instance) {
	for name, test := range map[string]func(*testing.T, Instance){
		"an unknown set is not known":        unknownSet,
		"a marked set is known":              markedSet,
		"a set of another size is not known": wrongSize,
		"a set is carried over":              carriedOver,
		"a set built in slices":              builtInSlices,
		"sets are kept apart":                setsApart,
		"many ids":                           manyIDs,
		"flushed":                            flushed,
		"jobs":                               jobs,
		"jobs grow old":                      jobsGrowOld,
		"leases":                             leases,
		"lease of many":                      leaseOfMany,
		"identities":                         identities,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
	t.Run("any history", func(t *testing.T) { anyHistory(t, open) })
}

func set(head, base string, count int) pipeline.SeenSet {
	return pipeline.SeenSet{
		ArchiveID: "archive", Pipeline: "invoices", Window: "20261122", Head: head, Base: base, Count: int64(count),
	}
}

func mark(t *testing.T, home cache.Home, s pipeline.SeenSet, ids ...string) {
	t.Helper()
	if err := home.Mark(t.Context(), s, ids); err != nil {
		t.Fatal(err)
	}
}

func wantFresh(t *testing.T, home cache.Home, s pipeline.SeenSet, ids, want []string) {
	t.Helper()
	fresh, known, err := home.Filter(t.Context(), s, ids)
	if err != nil || !known {
		t.Fatalf("Filter: known %v, error %v; want a known set", known, err)
	}
	if diff := cmp.Diff(want, fresh); diff != "" {
		t.Errorf("fresh ids (-want +got):\n%s", diff)
	}
}

func wantUnknown(t *testing.T, home cache.Home, s pipeline.SeenSet) {
	t.Helper()
	fresh, known, err := home.Filter(t.Context(), s, []string{"a", "z"})
	if err != nil || known || fresh != nil {
		t.Errorf("Filter: fresh %q, known %v, error %v; want a set that is not known", fresh, known, err)
	}
}

func unknownSet(t *testing.T, in Instance) {
	wantUnknown(t, in.Home, set("h1", "", 2))
	// Nothing is archived before the first record: no set is needed to know that.
	wantFresh(t, in.Home, set("", "", 0), []string{"a", "b"}, []string{"a", "b"})
}

func markedSet(t *testing.T, in Instance) {
	mark(t, in.Home, set("h1", "", 2), "a", "b")
	want := []string{"z", "y", "z"}
	wantFresh(t, in.Home, set("h1", "", 2), []string{"z", "a", "y", "b", "z"}, want)
	mark(t, in.Home, set("h1", "", 2), "b", "a", "a")
	wantFresh(t, in.Home, set("h1", "", 2), []string{"z", "a", "y", "b", "z"}, want)
	wantFresh(t, in.Home, set("h1", "", 2), nil, []string{})
}

func wrongSize(t *testing.T, in Instance) {
	mark(t, in.Home, set("h1", "", 3), "a", "b")
	wantUnknown(t, in.Home, set("h1", "", 3))
	wantUnknown(t, in.Home, set("h1", "", 1))
	wantUnknown(t, in.Home, set("h1", "", -1))
}

func carriedOver(t *testing.T, in Instance) {
	mark(t, in.Home, set("h1", "", 2), "a", "b")
	mark(t, in.Home, set("h2", "h1", 3), "c")
	wantFresh(t, in.Home, set("h2", "", 3), []string{"a", "b", "c", "d"}, []string{"d"})
	// A record that archived nothing has a head, too.
	mark(t, in.Home, set("h3", "h2", 3))
	wantFresh(t, in.Home, set("h3", "", 3), []string{"c", "d"}, []string{"d"})
	// What is said again of an old head does no harm to the new one's truth.
	mark(t, in.Home, set("h2", "h1", 3), "c")
	wantUnknown(t, in.Home, set("h2", "", 3))
	// A base that is not held gives a set that is not whole.
	mark(t, in.Home, set("h9", "h8", 4), "z")
	wantUnknown(t, in.Home, set("h9", "", 4))
}

func builtInSlices(t *testing.T, in Instance) {
	mark(t, in.Home, set("h1", "", 4), "a", "b")
	wantUnknown(t, in.Home, set("h1", "", 4))
	mark(t, in.Home, set("h1", "", 4), "b", "c", "d")
	wantFresh(t, in.Home, set("h1", "", 4), []string{"a", "d", "e"}, []string{"e"})
}

func setsApart(t *testing.T, in Instance) {
	whole := set("h1", "", 1)
	mark(t, in.Home, whole, "a")
	for _, change := range []func(*pipeline.SeenSet){
		func(s *pipeline.SeenSet) { s.ArchiveID = "another" },
		func(s *pipeline.SeenSet) { s.Pipeline = "receipts" },
		func(s *pipeline.SeenSet) { s.Window = "20261123" },
		func(s *pipeline.SeenSet) { s.Head = "h2" },
	} {
		other := whole
		change(&other)
		wantUnknown(t, in.Home, other)
	}
	wantFresh(t, in.Home, whole, []string{"a", "b"}, []string{"b"})
}

func manyIDs(t *testing.T, in Instance) {
	const count = 25_000
	ids := make([]string, count)
	for i := range ids {
		ids[i] = fmt.Sprintf("job_%06d", i)
	}
	mark(t, in.Home, set("h1", "", count-1), ids[1:]...)
	wantFresh(t, in.Home, set("h1", "", count-1), ids, ids[:1])
	mark(t, in.Home, set("h2", "h1", count), ids[0])
	wantFresh(t, in.Home, set("h2", "", count), ids, []string{})
}

func flushed(t *testing.T, in Instance) {
	if in.Flush == nil {
		t.Log("this home cannot be emptied behind its back")
		return
	}
	mark(t, in.Home, set("h1", "", 1), "a")
	in.Flush()
	wantUnknown(t, in.Home, set("h1", "", 1))
	mark(t, in.Home, set("h2", "h1", 2), "b")
	wantUnknown(t, in.Home, set("h2", "", 2))
	mark(t, in.Home, set("h2", "", 2), "a", "b")
	wantFresh(t, in.Home, set("h2", "", 2), []string{"a", "b", "c"}, []string{"c"})
}
