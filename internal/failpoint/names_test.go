package failpoint_test

import (
	"slices"
	"testing"

	"github.com/adteco/docarchive/internal/failpoint"
)

func TestNamesAreDistinct(t *testing.T) {
	t.Parallel()
	names := failpoint.Names()
	slices.Sort(names)
	if n := len(slices.Compact(slices.Clone(names))); n != len(names) {
		t.Errorf("%d names, %d of them distinct", len(names), n)
	}
}

// Without a plan, with or without the build tag, the program runs as ever. The
// test is alone, as it counts allocations.
func TestHitIsQuiet(t *testing.T) {
	for _, name := range failpoint.Names() {
		if err := failpoint.Hit(name); err != nil {
			t.Error(err)
		}
	}
	if failpoint.Enabled {
		return
	}
	if n := testing.AllocsPerRun(100, func() { _ = failpoint.Hit(failpoint.LoadAfter) }); n > 0 {
		t.Errorf("a hit allocates %v times", n)
	}
}
