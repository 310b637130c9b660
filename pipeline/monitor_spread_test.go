package pipeline_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/adteco/docarchive/pipeline"
)

func TestSpreadAddsMonitors(t *testing.T) {
	t.Parallel()
	var s pipeline.Spread
	if got := s.Counts([]float64{10}); s.Summary() != nil || !cmp.Equal(got, []int64{0, 0}) {
		t.Errorf("of nothing: %v, %v", s.Summary(), got)
	}
	n := 0
	for _, times := range [][]int{{0, 99, 100, 30_000}, {100, 101, 499, 500, 1 << 39}} {
		m := pipeline.NewMonitor(lastDay(), pipeline.Filter{})
		for i, ms := range times {
			n++
			job := watchedJob(t, n, fmt.Sprintf("ext_%d", i%2), "completed", time.Hour, fmt.Sprintf(`"processing_time_ms":%d`, ms))
			m.Add(&job)
			// What is compared with does not count.
			job = watchedJob(t, n, "ext_0", "completed", 8*24*time.Hour-time.Hour, `"processing_time_ms":7`)
			m.Add(&job)
		}
		s.Add(m)
	}
	if diff := cmp.Diff([]int64{2, 4, 1, 0, 2}, s.Counts([]float64{100, 500, 1000, 10_000})); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	got := s.Summary()
	if got.Jobs != 9 || got.P50 != 101 || got.Max != 1<<39 || got.Avg != float64(99+100+30_000+100+101+499+500+1<<39)/9 {
		t.Errorf("summary %+v", got)
	}
}
