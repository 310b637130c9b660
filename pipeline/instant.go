package pipeline

import (
	"strings"
	"time"

	"github.com/apache/arrow/go/v17/arrow"

	"github.com/adteco/docarchive/internal/rawjson"
)

// exactTime reads an RFC 3339 time that microseconds since 1970 can hold. Where
// the offset from UTC is to be kept, only that of UTC itself is exact.
func exactTime(v value, anyOffset bool) (micros int64, ok bool) {
	if micros, ok := rawjson.Micros(v.raw); ok {
		return micros, true
	}
	text, exact := rawjson.Text(v.raw)
	at, err := time.Parse(time.RFC3339Nano, text)
	if !exact || err != nil || finerThanMicro(text) || at.Year() < 1 || at.Year() > 9999 {
		return 0, false
	}
	_, offset := at.Zone()
	return at.UnixMicro(), offset == 0 || anyOffset
}

// finerThanMicro reports whether the second of an RFC 3339 time has digits other
// than 0 after the sixth of its fraction. The parsed time does not tell: it ends
// at the ninth.
func finerThanMicro(text string) bool {
	point := strings.IndexAny(text, ".,")
	if point < 0 {
		return false
	}
	for i, c := range text[point+1:] {
		if c < '0' || c > '9' {
			break
		}
		if i >= 6 && c != '0' {
			return true
		}
	}
	return false
}

// exactDate reads an ISO 8601 calendar date as days since 1970.
func exactDate(v value) (days int64, ok bool) {
	if days, ok := rawjson.Days(v.raw); ok {
		return days, true
	}
	text, exact := rawjson.Text(v.raw)
	at, err := time.Parse(time.DateOnly, text)
	if !exact || err != nil || at.Year() < 1 {
		return 0, false
	}
	return int64(arrow.Date32FromTime(at)), true
}
