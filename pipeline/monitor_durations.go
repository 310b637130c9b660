package pipeline

import (
	"math"
	"math/bits"
)

const (
	// durationBits is the precision of durations: what needs more bits than
	// this and one is cut to so many, an error of at most 1 in 512 to the middle
	// of the bucket.
	durationBits = 8
	// longestDuration bounds what is believed of a processing time: about 35
	// years, in milliseconds.
	longestDuration = 1 << 40
)

// durations counts milliseconds in buckets whose width grows with the value.
// Values below 512 have a bucket each. The zero value is empty.
type durations struct {
	counts []int64 // as long as the greatest value needs, at most 8,449
	n      int64
	sum    float64
	max    int64
}

// add counts a value between 0 and longestDuration.
func (d *durations) add(ms int64) {
	i := bucketOf(ms)
	if i >= len(d.counts) {
		d.counts = append(d.counts, make([]int64, i+1-len(d.counts))...)
	}
	d.counts[i]++
	d.n++
	d.sum += float64(ms)
	d.max = max(d.max, ms)
}

// bucketOf numbers the buckets in the order of their values, without gaps.
func bucketOf(ms int64) int {
	shift := max(0, bits.Len64(uint64(ms))-durationBits-1)
	return shift<<durationBits + int(ms>>shift)
}

// bucketMiddle is the middle of a bucket's values.
func bucketMiddle(i int) float64 {
	shift := max(0, i>>durationBits-1)
	low := int64(i-shift<<durationBits) << shift
	return float64(low) + float64(int64(1)<<shift-1)/2
}

// quantile is the least value that a share q of all does not exceed.
func (d *durations) quantile(q float64) float64 {
	rank := max(1, int64(math.Ceil(q*float64(d.n))))
	for i, count := range d.counts {
		if rank -= count; rank <= 0 {
			return min(bucketMiddle(i), float64(d.max))
		}
	}
	return float64(d.max)
}

// summary returns nil if nothing was counted.
func (d *durations) summary() *ProcessingTime {
	if d.n == 0 {
		return nil
	}
	return &ProcessingTime{
		Jobs: d.n, Avg: d.sum / float64(d.n), P50: d.quantile(0.50), P95: d.quantile(0.95), Max: float64(d.max),
	}
}
