package docextracttest

import "math"

// hours is how many jobs come in each hour of the day, UTC: people work by day
// and batches run at two.
var hours = [24]float64{
	2, 2, 9, 3, 2, 3, 6, 14, 32, 44, 48, 45,
	36, 44, 47, 43, 34, 22, 12, 8, 6, 5, 4, 3,
}

const (
	hourMicros = 3_600_000_000
	dayMicros  = 24 * hourMicros
)

// calendar spreads jobs over a time span with the rhythm of hours.
type calendar struct {
	before [25]float64 // weight of the day before each hour
	from   float64     // weight since 1970 at the start of the span
	weight float64     // of the span
}

func newCalendar(from, to micros) calendar {
	var c calendar
	for h, w := range hours {
		c.before[h+1] = c.before[h] + w
	}
	c.from = c.weightAt(from)
	c.weight = c.weightAt(to) - c.from
	return c
}

func (c *calendar) weightAt(t micros) float64 {
	day, in := t/dayMicros, t%dayMicros
	h := in / hourMicros
	part := float64(in%hourMicros) / hourMicros
	return float64(day)*c.before[24] + c.before[h] + part*hours[h]
}

// at returns the time that share (from 0 to 1) of the span's jobs come before.
func (c *calendar) at(share float64) micros {
	w := c.from + share*c.weight
	day := math.Floor(w / c.before[24])
	w -= day * c.before[24]
	h := 0
	for h < 23 && w >= c.before[h+1] {
		h++
	}
	return micros(day)*dayMicros + micros(h)*hourMicros + micros((w-c.before[h])/hours[h]*hourMicros)
}
