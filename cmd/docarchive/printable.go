package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// printable makes a text that others chose fit for a line of a terminal or a
// log. Control characters, and those that hide or reorder what stands beside
// them, come out as Go writes them in a string.
func printable(text string) string {
	if !strings.ContainsFunc(text, unprintable) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if !unprintable(r) {
			b.WriteRune(r)
			continue
		}
		quoted := strconv.QuoteRuneToASCII(r)
		b.WriteString(quoted[1 : len(quoted)-1])
	}
	return b.String()
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) }

// printableJSON does the same to JSON, whose own line feeds it keeps: the value
// stays as it was. encoding/json escapes no more than JSON itself demands.
func printableJSON(data []byte) []byte {
	var out []byte
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		switch {
		case r == '\n' || !unprintable(r):
			out = append(out, data[i:i+size]...)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
		i += size
	}
	return out
}

// jsonPrinter passes JSON on in printable form; each value must come in one
// call.
type jsonPrinter struct{ w io.Writer }

func (p jsonPrinter) Write(data []byte) (int, error) {
	if _, err := p.w.Write(printableJSON(data)); err != nil {
		return 0, err
	}
	return len(data), nil
}
