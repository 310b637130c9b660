package docextracttest

import "time"

// appendTime appends t in RFC 3339, UTC, with as many digits as the resolution
// has.
func appendTime(dst []byte, t micros, resolution time.Duration) []byte {
	unit := resolution.Microseconds()
	t -= ((t % unit) + unit) % unit
	day := t / dayMicros
	in := t % dayMicros
	if in < 0 {
		day, in = day-1, in+dayMicros
	}
	dst = appendDay(dst, int(day))
	dst = append(dst, 'T')
	seconds := int(in / 1_000_000)
	dst = appendPadded(dst, seconds/3600, 2)
	dst = append(dst, ':')
	dst = appendPadded(dst, seconds/60%60, 2)
	dst = append(dst, ':')
	dst = appendPadded(dst, seconds%60, 2)
	fraction := int(in % 1_000_000)
	switch {
	case resolution < time.Millisecond:
		dst = appendPadded(append(dst, '.'), fraction, 6)
	case resolution < time.Second:
		dst = appendPadded(append(dst, '.'), fraction/1000, 3)
	}
	return append(dst, 'Z')
}

// appendDay appends the date of a day since 1970, by the algorithm of Howard
// Hinnant's civil_from_days.
func appendDay(dst []byte, day int) []byte {
	z := day + 719_468
	era := z / 146_097
	inEra := z - era*146_097
	year := (inEra - inEra/1460 + inEra/36_524 - inEra/146_096) / 365
	inYear := inEra - (365*year + year/4 - year/100)
	m := (5*inYear + 2) / 153
	d := inYear - (153*m+2)/5 + 1
	year += era * 400
	if m += 3; m > 12 {
		m -= 12
		year++
	}
	dst = appendPadded(dst, year, 4)
	dst = append(dst, '-')
	dst = appendPadded(dst, m, 2)
	dst = append(dst, '-')
	return appendPadded(dst, d, 2)
}
