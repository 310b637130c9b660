package words_test

import (
	"testing"
	"time"

	"github.com/adteco/docarchive/internal/words"
)

func TestCount(t *testing.T) {
	for n, want := range map[int]string{0: "0 windows", 1: "1 window", 2: "2 windows"} {
		if got := words.Count(n, "window"); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

func TestDuration(t *testing.T) {
	for want, d := range map[string]time.Duration{
		"0s": 0, "30s": 30 * time.Second, "2m": 2 * time.Minute, "1m30s": 90 * time.Second, "10m": 10 * time.Minute,
		"24h": 24 * time.Hour, "1h30m": 90 * time.Minute, "10h0m10s": 10*time.Hour + 10*time.Second, "-2h": -2 * time.Hour, "100ms": 100 * time.Millisecond,
	} {
		if got := words.Duration(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}
