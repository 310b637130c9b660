package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Names and messages longer than this many characters are cut.
const (
	longestName    = 80
	longestMessage = 400
)

// name makes a name that others chose fit for a page.
func name(s string) string {
	if s == "" {
		return "–"
	}
	return plain(s, longestName)
}

func message(s string) string { return plain(s, longestMessage) }

// plain cuts a text after so many characters. Characters that do not show, or
// that reorder what stands beside them, come out as Go writes them in a string.
func plain(s string, most int) string {
	var b strings.Builder
	n := 0
	for _, r := range s {
		if n == most {
			b.WriteString("…")
			break
		}
		n++
		if unicode.IsPrint(r) {
			b.WriteRune(r)
			continue
		}
		quoted := strconv.QuoteRuneToASCII(r)
		b.WriteString(quoted[1 : len(quoted)-1])
	}
	return b.String()
}

// thin separates a number from its unit and keeps them on one line.
const thin = "\u202f"

// count writes a whole number with commas between thousands.
func count(n int64) string {
	digits := strconv.FormatUint(uint64(max(n, -n)), 10)
	var b strings.Builder
	if n < 0 {
		b.WriteString("−")
	}
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return b.String()
}

// scale writes a round number in the room beside a chart: 500, 20k, 1.5M.
func scale(n int64) string {
	units, value := []string{"k", "M", "G", "T", "P", "E"}, float64(n)/1000
	if n < 10_000 {
		return count(n)
	}
	for value >= 1000 && len(units) > 1 {
		value, units = value/1000, units[1:]
	}
	return decimal(value) + units[0]
}

// things is a number of things: 1 job, 2,000 jobs.
func things(n int64, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return count(n) + " " + one + "s"
}

func are(n int64) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// more ends a list that was cut.
func more(n int, one string) string {
	return "and " + strings.Replace(things(int64(n), one), " ", " more ", 1)
}

// percent writes a share of 1. A share short of all, or more than nothing, is
// never rounded to it.
func percent(share float64) string {
	value := math.Round(share*1000) / 10
	switch {
	case math.IsNaN(share) || math.IsInf(share, 0):
		return "–"
	case value >= 100 && share < 1:
		return ">99.9" + thin + "%"
	case value <= 0 && share > 0:
		return "<0.1" + thin + "%"
	}
	return strconv.FormatFloat(value, 'f', 1, 64) + thin + "%"
}

// span writes a time in milliseconds in the unit that suits it.
func span(ms float64) string {
	switch {
	case math.IsNaN(ms) || math.IsInf(ms, 0) || ms < 0:
		return "–"
	case ms < 999.5:
		return strconv.FormatFloat(math.Round(ms), 'f', 0, 64) + thin + "ms"
	case ms < 59_950:
		return decimal(ms/1000) + thin + "s"
	case ms < 3_600_000:
		s := int64(math.Round(ms / 1000))
		if s%60 == 0 {
			return count(s/60) + thin + "min"
		}
		return fmt.Sprintf("%d%smin %d%ss", s/60, thin, s%60, thin)
	}
	m := int64(math.Round(ms / 60_000))
	return fmt.Sprintf("%s%sh %d%smin", count(m/60), thin, m%60, thin)
}

// decimal writes a number with one place after the point, if it is not zero.
func decimal(v float64) string {
	return strings.TrimSuffix(strconv.FormatFloat(v, 'f', 1, 64), ".0")
}

// size writes a number of bytes in the largest unit that keeps it above 1.
func size(n int64) string {
	if n < 1000 {
		return count(n) + thin + "B"
	}
	units, value := []string{"kB", "MB", "GB", "TB", "PB", "EB"}, float64(n)/1000
	for value >= 999.95 && len(units) > 1 {
		value, units = value/1000, units[1:]
	}
	return decimal(value) + thin + units[0]
}

// amount writes credits.
func amount(v float64) string {
	whole, frac := math.Modf(math.Round(v*100) / 100)
	if math.IsNaN(v) || math.Abs(v) > 1e15 {
		return strconv.FormatFloat(v, 'g', 6, 64)
	}
	text := count(int64(whole))
	if frac != 0 {
		text += strings.TrimRight(strconv.FormatFloat(math.Abs(frac), 'f', 2, 64)[1:], "0")
	}
	return text
}

func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") }

func date(t time.Time) string { return t.UTC().Format(time.DateOnly) }

func shortDate(t time.Time) string { return t.UTC().Format("2 Jan") }

func machine(t time.Time) string { return t.UTC().Format(time.RFC3339) }
