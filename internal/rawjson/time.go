package rawjson

// Micros reads a quoted RFC 3339 time in UTC, as most are written:
// "2026-11-24T12:00:00Z", perhaps with up to six digits of a fraction. It
// returns microseconds since 1970; ok is false of any other string, which may
// be a time nevertheless.
func Micros(raw []byte) (micros int64, ok bool) {
	const shape = `"2026-11-24T12:00:00Z"`
	if len(raw) < len(shape) || len(raw) > len(shape)+len(".000000") {
		return 0, false
	}
	body := raw[1 : len(raw)-1]
	days, ok := day(body[:10])
	hour, minute, second := two(body[11:]), two(body[14:]), two(body[17:])
	if !ok || body[10] != 'T' || body[13] != ':' || body[16] != ':' || body[len(body)-1] != 'Z' ||
		hour > 23 || minute > 59 || second > 59 {
		return 0, false
	}
	fraction, unit := int64(0), int64(1_000_000)
	if digits := body[19 : len(body)-1]; len(digits) > 0 {
		if digits[0] != '.' || len(digits) == 1 {
			return 0, false
		}
		for _, c := range digits[1:] {
			if c < '0' || c > '9' {
				return 0, false
			}
			unit /= 10
			fraction += int64(c-'0') * unit
		}
	}
	seconds := days*86_400 + int64(hour*3600+minute*60+second)
	return seconds*1_000_000 + fraction, true
}

// Days reads a quoted date such as "2026-11-24" and returns days since 1970; ok
// is false of any other string.
func Days(raw []byte) (days int64, ok bool) {
	if len(raw) != len(`"2026-11-24"`) {
		return 0, false
	}
	return day(raw[1 : len(raw)-1])
}

// day reads a date of ten bytes in the years 1 to 9999.
func day(b []byte) (days int64, ok bool) {
	year, month, of := 100*two(b)+two(b[2:]), two(b[5:]), two(b[8:])
	if b[4] != '-' || b[7] != '-' || year < 1 || year > 9999 || month < 1 || month > 12 || of < 1 || of > 31 {
		return 0, false
	}
	leap := year%4 == 0 && (year%100 != 0 || year%400 == 0)
	switch {
	case month == 2 && (of > 29 || of == 29 && !leap):
		return 0, false
	case of == 31 && (month == 4 || month == 6 || month == 9 || month == 11):
		return 0, false
	}
	// Years are counted from March, so that the day that is added stands last.
	y, m := int64(year), int64(month)
	if m <= 2 {
		y--
		m += 12
	}
	const daysBefore1970 = 719_468 // since the first of March in the year 0
	return 365*y + y/4 - y/100 + y/400 + (153*(m-3)+2)/5 + int64(of) - 1 - daysBefore1970, true
}

// wrong is greater than any number of two digits, and than a hundred of them.
const wrong = 1 << 20

// two reads two digits; wrong stands for anything else.
func two(b []byte) int {
	tens, units := b[0]-'0', b[1]-'0'
	if tens > 9 || units > 9 {
		return wrong
	}
	return int(10*tens + units)
}
