package pipeline

// Spread is the distribution of processing times over several monitors. The zero
// value is empty.
type Spread struct{ all durations }

// Add adds the times of the jobs in the monitor's period.
func (s *Spread) Add(m *Monitor) {
	for _, e := range m.extractors {
		s.all.merge(&e.now.times)
	}
}

// Counts returns how many jobs took less than each of the ascending edges, in
// milliseconds, and not less than the edge before; and last how many took no less
// than all of them. They are as precise as the percentiles.
func (s *Spread) Counts(edges []float64) []int64 {
	counts := make([]int64, len(edges)+1)
	bin := 0
	for i, n := range s.all.counts {
		for bin < len(edges) && bucketMiddle(i) >= edges[bin] {
			bin++
		}
		counts[bin] += n
	}
	return counts
}

// Summary is nil if no job tells its time.
func (s *Spread) Summary() *ProcessingTime { return s.all.summary() }

func (d *durations) merge(other *durations) {
	if n := len(other.counts) - len(d.counts); n > 0 {
		d.counts = append(d.counts, make([]int64, n)...)
	}
	for i, n := range other.counts {
		d.counts[i] += n
	}
	d.n += other.n
	d.sum += other.sum
	d.max = max(d.max, other.max)
}
