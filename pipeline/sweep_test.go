package pipeline_test

import (
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestSweep makes each call of two nights' runs fail in turn, runs once more,
// and compares the archive with the truth.
func TestSweep(t *testing.T) {
	// A run's encoders have large buffers, whatever the number of its rows: half of
	// the time of so many small runs would go into collecting them.
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	for _, c := range []struct {
		name  string
		where place
		modes []mode
	}{
		{"calls", inCalls, []mode{before, after, away, cancel}},
		{"storage", inStorage, []mode{before, after, cancel}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Cleanup(func() { goleak.VerifyNone(t, goleak.IgnoreCurrent()) })
			a := newAccount(t)
			start := time.Now()
			names := sweepOnce(t, a, c.where, 0, unharmed)
			met := map[string]int{}
			for _, m := range c.modes {
				for i := 0; i < len(names); i += sweepStride {
					name := names[i]
					if !sensible(m, name) {
						continue
					}
					sweepOnce(t, a, c.where, i, m)
					met[name]++
				}
			}
			t.Logf("%d calls, %v, %v", len(names), met, time.Since(start))
		})
	}
}

// sensible reports whether there is something to learn from a call that goes
// wrong in this way.
func sensible(m mode, name string) bool {
	switch m {
	case away:
		return strings.HasPrefix(name, "source.")
	case cancel:
		return !slices.Contains([]string{"store.read", "store.stat", "store.delete"}, name)
	}
	return true
}

// sweepOnce archives for two nights with a fault, and a third time without, and
// returns the calls that could fail.
func sweepOnce(t *testing.T, a *account, where place, at int, m mode) []string {
	t.Helper()
	y := newTry(t, a)
	f := &faults{at: at, mode: m}
	var failed []error
	for _, night := range nights {
		a.turn(night)
		if err := y.night(f, where); err != nil {
			failed = append(failed, err)
		}
	}
	calls := slices.Clone(f.calls)
	if err := y.night(&faults{}, where); err != nil {
		t.Errorf("call %d, %s, %s: a run in peace after it: %v", at, f.met, m, err)
	}
	if f.met == "" && (m == before || where == inCalls && m != unharmed) {
		t.Errorf("call %d does not come", at)
	}
	if m == before && f.met != "" && !strings.HasPrefix(f.met, "seen.") && len(failed) == 0 {
		t.Errorf("call %d, %s: nobody noticed that it was not done", at, f.met)
	}
	if found := y.wrong(); len(found) > 0 {
		t.Errorf("call %d, %s, %s: %v\n%q", at, f.met, m, failed, found)
	}
	if err := y.bucket.Close(); err != nil {
		t.Error(err)
	}
	if t.Failed() {
		t.FailNow()
	}
	return calls
}
