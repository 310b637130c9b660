package report

import (
	"math"
	"strings"
	"testing"
)

func TestTexts(t *testing.T) {
	t.Parallel()
	for want, got := range map[string]string{
		"0": count(0), "999": count(999), "1,000": count(1000), "−1,234,567": count(-1_234_567),
		"9,223,372,036,854,775,807": count(math.MaxInt64), "−9,223,372,036,854,775,808": count(math.MinInt64),
		"1 job": things(1, "job"), "2,000 jobs": things(2000, "job"), "and 1 more run": more(1, "run"), "and 60 more runs": more(60, "run"),
		"0.0 %": percent(0), "<0.1 %": percent(0.0004), "99.9 %": percent(0.9989), ">99.9 %": percent(0.99999), "100.0 %": percent(1), "250.0 %": percent(2.5),
		"0 ms": span(0), "999 ms": span(999.4), "1 s": span(999.6), "1.5 s": span(1_460), "59.9 s": span(59_949), "1 min": span(59_951),
		"1 min 1 s": span(61_000), "1 h 0 min": span(3_600_000), "2,000 h 5 min": span(2_000*3_600_000 + 300_000), "–": span(-1),
		"999 B": size(999), "1 kB": size(1000), "1 MB": size(999_960), "61.3 MB": size(61_304_992), "9.2 EB": size(math.MaxInt64),
		"1,353": amount(1353), "0.05": amount(0.05), "−2.5": amount(-2.5), "1e+300": amount(1e300),
		"500": scale(500), "9,000": scale(9000), "20k": scale(20_000), "2.5M": scale(2_500_000), "9.2E": scale(math.MaxInt64),
		"a\\u202eb": name("a\u202eb"), `\x00\t`: name("\x00\t"), "€ ü العربية": name("€ ü العربية"), "…": plain("ab", 0), "ab": plain("ab", 2),
	} {
		if got = strings.ReplaceAll(got, thin, " "); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := percent(math.NaN()); got != "–" {
		t.Errorf("the share of nothing is %q", got)
	}
}

// A scale has at most six lines, and reaches what it is for.
func TestNiceStep(t *testing.T) {
	t.Parallel()
	for most, want := range map[int64]int64{1: 1, 5: 1, 6: 2, 11: 5, 26: 10, 2_101: 500, 9_400: 2_000, 50: 10, 51: 20, 251: 100, mostJobs: 2e14} {
		if got := niceStep(most); got != want {
			t.Errorf("%d: steps of %d, want %d", most, got, want)
		}
	}
}
