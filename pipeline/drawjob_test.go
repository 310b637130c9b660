package pipeline

import (
	"encoding/json"
	"strings"

	"pgregory.net/rapid"
)

var (
	keyPool = []string{
		"a", "b", "A", "a.b", "a__b", "a b", "", " ", "é", "e\u0301", "É", "😀", "\u0301", "job_id", "Status",
		"overflow", "over\ufb02ow", "data__a", "data__job_id", "confidence__a", "a__text", "amount__text", "value",
		"ordinal", "select", "extracted_data", "~", "/", "~1", "\x00", "İ", "ſ", "straße", "strasse",
		strings.Repeat("k", 300), strings.Repeat("k", 301), strings.Repeat("é", 31), strings.Repeat("é", 32),
		"amount", "day", "flag", "at", "n", "blob", "tags", "prices", "rows", "sub", "gone", "secret",
	}
	textPool = []string{
		`""`, `"x"`, `"5"`, `"-"`, `"null"`, `"[1]"`, `"\"quoted\""`, `"\ud800"`, `"\udc00\ud800"`, `"\u0000"`, `"\ufffd"`,
		`"2024-02-29"`, `"2023-02-29"`, `"2024-2-9"`, `"0000-01-01"`, `"1969-12-31"`, `"9999-12-31"`,
		`"2024-01-01T00:00:00Z"`, `"2024-01-01T00:00:00.123456Z"`, `"2024-01-01T00:00:00.1234567Z"`,
		`"2024-01-01T00:00:00.0000000001Z"`, `"2024-01-01T01:00:00+01:00"`, `"2024-01-01T00:00:00,5Z"`,
		`"1960-01-01T00:00:00.000001Z"`,
	}
	numberPool = []string{
		"0", "-0", "0.0", "-0.0", "1", "-1", "10", "1e2", "0.1", "1.005", "12.30", "1e400", "1e-400", "1e22", "1e23",
		"9007199254740993", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "1e18", "1e19",
		"0.1000000000000000055511151231257827", "123456789012345678.12", "99999999999999999999999999999999999999",
		"1E+2", "5e-324", "2.5e-324", "1.7976931348623157e308", "0e5", "3.0", "9999999999999999999", "99999999999999999999", "999999999999999999", "123456789012345678901", "1e99999999999999999999",
	}
	drawRune   = rapid.SampledFrom([]rune("ab._-/~ \u0301éß日😀\x00\x7f\u2028A1"))
	drawNumber = rapid.StringMatching(`-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,18})?([eE][+-]?[0-9]{1,3})?`)
)

// drawJob draws a final job with that id.
func drawJob(t *rapid.T, id string) string {
	part := func(label string) string {
		if rapid.IntRange(0, 9).Draw(t, label) == 0 {
			return drawValue(t, 3)
		}
		return drawObject(t, 4)
	}
	return jobText(id, part("data"), part("confidence"), part("metadata"))
}

func drawKey(t *rapid.T) string {
	key := ""
	if rapid.IntRange(0, 9).Draw(t, "own") == 0 {
		key = rapid.StringOfN(drawRune, 0, 8, -1).Draw(t, "key")
	} else {
		key = rapid.SampledFrom(keyPool).Draw(t, "key")
	}
	return quotedJSON(key)
}

func quotedJSON(s string) string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func drawObject(t *rapid.T, depth int) string {
	var b strings.Builder
	b.WriteByte('{')
	for i := range rapid.IntRange(0, 4).Draw(t, "members") {
		if i > 0 {
			b.WriteString(" , ")
		}
		b.WriteString(drawKey(t) + ": " + drawValue(t, depth-1))
	}
	b.WriteByte('}')
	return b.String()
}

func drawArray(t *rapid.T, depth int) string {
	elements := make([]string, rapid.IntRange(0, 3).Draw(t, "elements"))
	for i := range elements {
		elements[i] = drawValue(t, depth-1)
	}
	return "[" + strings.Join(elements, ",\n") + "]"
}

func drawValue(t *rapid.T, depth int) string {
	kind := rapid.IntRange(0, 10).Draw(t, "kind")
	if depth <= 0 && kind >= 7 {
		kind -= 5
	}
	switch kind {
	case 0:
		return "null"
	case 1:
		return rapid.SampledFrom([]string{"true", "false"}).Draw(t, "bool")
	case 2, 3:
		return rapid.SampledFrom(numberPool).Draw(t, "number")
	case 4:
		return drawNumber.Draw(t, "number")
	case 5:
		return rapid.SampledFrom(textPool).Draw(t, "text")
	case 6:
		return quotedJSON(rapid.StringOfN(drawRune, 0, 6, -1).Draw(t, "text"))
	case 7, 8:
		return drawArray(t, depth)
	default:
		return drawObject(t, depth)
	}
}
