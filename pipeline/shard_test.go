package pipeline_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/adteco/docarchive/pipeline"
)

// sizes are the sizes that windows may have.
func sizes() []time.Duration {
	return []time.Duration{time.Hour, 2 * time.Hour, 6 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour, 31 * 24 * time.Hour}
}

// TestEveryWindowHasOneOwner: whatever the workers' number, the pipeline and the
// windows, each window is looked after by exactly one worker, whichever slice of
// time each of them looks at.
func TestEveryWindowHasOneOwner(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		workers := rapid.IntRange(1, 40).Draw(t, "workers")
		name := rapid.StringMatching(`[a-z0-9][a-z0-9_-]{0,20}`).Draw(t, "pipeline")
		size := rapid.SampledFrom(sizes()).Draw(t, "size")
		start := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "start"), 0)
		span := time.Duration(rapid.IntRange(1, 120).Draw(t, "windows")) * size
		// Each worker begins at a moment of its own, as before and after midnight.
		owners := map[string][]int{}
		for i := range workers {
			shard := pipeline.Shard{Index: i, Count: workers}
			begins := start.Add(time.Duration(rapid.Int64Range(0, int64(size)).Draw(t, "later")))
			for _, w := range pipeline.Windows(begins.Add(-span), begins, size) {
				if shard.Owns(name, w) {
					owners[w.Name()] = append(owners[w.Name()], i)
				}
				if owner := pipeline.Owner(name, w, workers); (owner.Index == i) != shard.Owns(name, w) {
					t.Fatalf("worker %d of %d owns %s: %v, and the owner is %v", i, workers, w, shard.Owns(name, w), owner)
				}
			}
		}
		for _, w := range pipeline.Windows(start.Add(-span).Add(size), start, size) { // that all have looked at
			if len(owners[w.Name()]) != 1 {
				t.Fatalf("%s has the owners %v of %d workers", w, owners[w.Name()], workers)
			}
		}
	})
}

// TestWindowsAreSpreadEvenly: a backfill of several pipelines falls on all
// workers alike, and so does every day of the week.
func TestWindowsAreSpreadEvenly(t *testing.T) {
	const pipelines = 6
	now := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	for _, workers := range []int{2, 3, 4, 5, 7, 8, 14, 16} {
		count, mondays := make([]int, workers), make([]int, workers)
		for p := range pipelines {
			of := make([]int, workers)
			for _, w := range pipeline.Windows(now.Add(-90*24*time.Hour), now, 24*time.Hour) {
				for i := range workers {
					if (pipeline.Shard{Index: i, Count: workers}).Owns(fmt.Sprintf("pipeline%d", p), w) {
						of[i]++
						count[i]++
						if w.Start.Weekday() == time.Monday {
							mondays[i]++
						}
					}
				}
			}
			if spread := most(of) - least(of); spread > 2 {
				t.Errorf("%d workers have between %d and %d windows of one pipeline", workers, least(of), most(of))
			}
		}
		even := 91 * pipelines / workers
		if least(count) < even*9/10-1 || most(count) > even*11/10+2 {
			t.Errorf("%d workers have between %d and %d windows, %d would be even", workers, least(count), most(count), even)
		}
		if total := 13 * pipelines; most(mondays) > 2*total/workers+2 {
			t.Errorf("one of %d workers has %d of %d Mondays", workers, most(mondays), total)
		}
	}
}

func most(counts []int) int {
	n := counts[0]
	for _, c := range counts {
		n = max(n, c)
	}
	return n
}

func least(counts []int) int {
	n := counts[0]
	for _, c := range counts {
		n = min(n, c)
	}
	return n
}

// TestOwnersNeverChange: an engine restarts a worker with a newer version of
// this program, and it must find its windows.
func TestOwnersNeverChange(t *testing.T) {
	w := pipeline.WindowAt(time.Date(2026, 11, 22, 5, 0, 0, 0, time.UTC), 24*time.Hour)
	hour := pipeline.WindowAt(w.Start.Add(6*time.Hour), time.Hour)
	for _, c := range []struct {
		name    string
		w       pipeline.Window
		workers int
		want    int
	}{
		{"invoices", w, 2, 1}, {"invoices", w, 4, 2}, {"receipts", w, 4, 1}, {"invoices", hour, 4, 2}, {"invoices", w, 1, 0},
	} {
		if got := pipeline.Owner(c.name, c.w, c.workers); got.Index != c.want {
			t.Errorf("%s %s of %d workers: worker %d, want %d", c.name, c.w.Name(), c.workers, got.Index, c.want)
		}
	}
}
