package workload

// The streams of chance of one job: each property draws from its own, so that
// it can be told without making the whole job.
const (
	streamJob = iota + 1
	streamID
	streamKind
	streamStatus
	streamTime
)

// dice is a source of chance, SplitMix64.
type dice uint64

// dice returns the source of one stream of job i.
func (s Spec) dice(i int, stream uint64) dice {
	d := dice(s.Seed*0x9e3779b97f4a7c15 ^ stream<<56 ^ uint64(i))
	return dice(d.next())
}

func (d *dice) next() uint64 {
	*d += 0x9e3779b97f4a7c15
	z := uint64(*d)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// below returns a number in [0, n). It favours small ones, by less than n/2³²
// for the n that are used here.
func (d *dice) below(n uint64) uint64 { return d.next() >> 16 % max(1, n) }
