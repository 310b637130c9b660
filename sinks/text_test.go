package sinks

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// TestShortNumbers compares with the general way of writing a number.
func TestShortNumbers(t *testing.T) {
	check := func(t rapid.TB, v float64) {
		want := strconv.FormatFloat(v, 'f', -1, 64)
		if size := math.Abs(v); size != 0 && (size < 1e-6 || size >= 1e21) {
			want = strconv.FormatFloat(v, 'e', -1, 64)
		}
		if got := string(appendFloat(nil, v)); got != want {
			t.Errorf("%s was written as %s", want, got)
		}
	}
	for _, v := range []float64{
		0, math.Copysign(0, -1), 1, -1, 0.1, 0.0001, 0.00001, 0.5, 99.99, 1e10, 1e10 - 0.0001, 9999999999.9999,
		0.1 + 0.2, 1.005, 1.0000000000000002, math.MaxFloat64, math.SmallestNonzeroFloat64,
	} {
		check(t, v)
	}
	rapid.Check(t, func(t *rapid.T) {
		check(t, rapid.Float64().Draw(t, "any"))
		check(t, float64(rapid.Int64Range(-1e15, 1e15).Draw(t, "digits"))/math.Pow10(rapid.IntRange(0, 8).Draw(t, "fraction")))
		check(t, math.Nextafter(float64(rapid.IntRange(-1e6, 1e6).Draw(t, "near"))/1e4, math.Inf(1)))
	})
}

func TestTextsAreQuotedWhereTheyMustBe(t *testing.T) {
	e := &csvEncoder{}
	rapid.Check(t, func(t *rapid.T) {
		text := strings.ToValidUTF8(rapid.StringOfN(rapid.SampledFrom([]rune("aé,\"\r\n\\\t\x00 -z😀")), 0, 40, -1).Draw(t, "text"), "")
		field := string(e.appendText(nil, text))
		if quoted := field[:min(1, len(field))] == `"`; quoted != (text == "" || strings.ContainsAny(text, ",\"\r\n")) {
			t.Errorf("CSV: %q was written as %s", text, field)
		}
		var back string
		written := appendJSONString(nil, text)
		if err := json.Unmarshal(written, &back); err != nil || back != text || !utf8.Valid(written) {
			t.Errorf("JSON: %q was written as %s", text, written)
		}
	})
}
