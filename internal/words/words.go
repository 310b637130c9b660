// Package words puts counts and times into messages for people.
package words

import (
	"fmt"
	"strings"
	"time"
)

// Count is a number of things: 1 window, 2 windows. one is the name of a single
// thing whose plural ends in s.
func Count[N ~int | ~int64](n N, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}

// Duration is d without the zeros that end it: 24h, 1h30m, 2m.
func Duration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
