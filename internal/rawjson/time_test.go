package rawjson_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/adteco/docarchive/internal/rawjson"
)

func TestEveryDay(t *testing.T) {
	for at := time.Date(1580, 1, 1, 0, 0, 0, 0, time.UTC); at.Year() <= 2420; at = at.AddDate(0, 0, 1) {
		text := at.Format(`"` + time.DateOnly + `"`)
		if days, ok := rawjson.Days([]byte(text)); !ok || days*86_400 != at.Unix() {
			t.Fatalf("Days(%s) = %d, %v", text, days, ok)
		}
	}
}

// FuzzTimes takes nothing for a time that package time does not, and reads it
// as that does.
func FuzzTimes(f *testing.F) {
	for _, text := range []string{
		"2026-11-24T12:00:00Z", "2026-11-24T12:00:00.5Z", "2024-02-29T23:59:59.123456Z", "2023-02-29T00:00:00Z",
		"2026-11-24T12:00:00.1234567Z", "2026-11-24T12:00:00+01:00", "2026-11-24", "2026-04-31", "0000-01-01", "9999-12-31",
		"2026-11-24T12:00:00.Z", "2026-11-24T24:00:00Z", "2026-11-24T12:60:00Z", "2026-11-24T12:00:60Z", "2026-00-24", "20-6-11-24",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		raw := []byte(strconv.Quote(text))
		if micros, ok := rawjson.Micros(raw); ok {
			at, err := time.Parse(time.RFC3339Nano, text)
			if err != nil || at.UnixMicro() != micros || at.Nanosecond()%1000 != 0 {
				t.Fatalf("Micros(%q) = %d; package time: %v, %v", text, micros, at, err)
			}
		}
		if days, ok := rawjson.Days(raw); ok {
			at, err := time.Parse(time.DateOnly, text)
			if err != nil || at.Unix() != days*86_400 {
				t.Fatalf("Days(%q) = %d; package time: %v, %v", text, days, at, err)
			}
		}
		want, err := time.Parse("2006-01-02T15:04:05.999999Z", text)
		micros, ok := rawjson.Micros(raw)
		if err == nil && want.Year() >= 1 && len(text) <= len("2006-01-02T15:04:05.999999Z") && len(text) >= 20 && text[19] != ',' &&
			(!ok || micros != want.UnixMicro()) {
			t.Fatalf("Micros(%q) = %d, %v; package time: %v", text, micros, ok, want)
		}
	})
}
