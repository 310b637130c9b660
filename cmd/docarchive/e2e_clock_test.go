package main

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"
)

// TestClockJumps sets the machine's clock by a day in the middle of a run,
// forward and back, early and late.
func TestClockJumps(t *testing.T) {
	readings := func(a *adversary, from int64, by time.Duration) *atomic.Int64 {
		var n atomic.Int64
		a.clock = func() time.Time {
			if n.Add(1) > from {
				return a.now.Add(by)
			}
			return a.now
		}
		return &n
	}
	// How often it is read in all.
	calm := newAdversary(t, 300, nil, nil)
	all := readings(calm, 0, 0)
	if status, _, stderr := calm.run(wholeConfig, "run"); status != exitDone {
		t.Fatalf("exit %d\n%s", status, stderr)
	}
	for _, by := range []time.Duration{dayLong, -dayLong} {
		for _, share := range []int64{2, 8} {
			t.Run(fmt.Sprintf("%v after a part in %d", by, share), func(t *testing.T) {
				a := newAdversary(t, 300, nil, nil)
				n := readings(a, all.Load()/share, by)
				if status, _, stderr := a.run(wholeConfig, "run"); status != exitDone {
					t.Fatalf("exit %d\n%s", status, stderr)
				}
				if n.Load() <= all.Load()/share {
					t.Fatal("the clock did not jump")
				}
				a.compare("all", a.truth(15*time.Minute))
				a.clock = nil
				a.now = a.now.Add(dayLong)
				if status, _, stderr := a.run(wholeConfig, "run"); status != exitDone {
					t.Fatalf("the day after: exit %d\n%s", status, stderr)
				}
				a.compare("all", a.truth(15*time.Minute))
				if status, stdout, _ := a.run(wholeConfig, "verify"); status != exitDone {
					t.Errorf("verify: exit %d\n%s", status, stdout)
				}
			})
		}
	}
}
