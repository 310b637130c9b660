package rawjson

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// Text decodes the raw string raw, quotes included. exact is false where the
// string cannot be held in UTF-8 (a lone surrogate, bytes that are not UTF-8);
// U+FFFD stands in their place then. raw must be a string that a [Scanner]
// returned.
func Text(raw []byte) (text string, exact bool) {
	body := raw[1 : len(raw)-1]
	if bytes.IndexByte(body, '\\') < 0 && utf8.Valid(body) {
		return string(body), true
	}
	out, exact := AppendText(make([]byte, 0, len(body)), raw)
	return string(out), exact
}

// AppendText is [Text] into dst.
func AppendText(dst, raw []byte) (out []byte, exact bool) {
	body := raw[1 : len(raw)-1]
	if bytes.IndexByte(body, '\\') < 0 && utf8.Valid(body) {
		return append(dst, body...), true
	}
	exact = true
	for i := 0; i < len(body); {
		c := body[i]
		switch {
		case c == '\\' && body[i+1] == 'u':
			r := hex4(body[i+2:])
			i += 6
			if utf16.IsSurrogate(r) {
				low := rune(-1)
				if i+6 <= len(body) && body[i] == '\\' && body[i+1] == 'u' {
					low = hex4(body[i+2:])
				}
				if pair := utf16.DecodeRune(r, low); low >= 0 && pair != utf8.RuneError {
					r = pair
					i += 6
				} else {
					r, exact = utf8.RuneError, false
				}
			}
			dst = utf8.AppendRune(dst, r)
		case c == '\\':
			dst = append(dst, unescape(body[i+1]))
			i += 2
		case c < utf8.RuneSelf:
			dst = append(dst, c)
			i++
		default:
			r, n := utf8.DecodeRune(body[i:])
			if r == utf8.RuneError && n == 1 {
				exact = false
			}
			dst = utf8.AppendRune(dst, r)
			i += n
		}
	}
	return dst, exact
}

func unescape(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return c
}

func hex4(b []byte) rune {
	n, err := strconv.ParseUint(string(b[:4]), 16, 16)
	if err != nil {
		return utf8.RuneError
	}
	return rune(n)
}

// AppendPrintable appends the JSON text raw so that it is valid UTF-8: a byte
// that is not UTF-8 becomes the escape \udcNN of the lone surrogate that
// stands for it (the convention of PEP 383), so that the text stays JSON and
// the byte can be had back.
func AppendPrintable(dst, raw []byte) []byte {
	if utf8.Valid(raw) {
		return append(dst, raw...)
	}
	for len(raw) > 0 {
		if raw[0] < utf8.RuneSelf {
			dst = append(dst, raw[0])
			raw = raw[1:]
			continue
		}
		r, n := utf8.DecodeRune(raw)
		if r == utf8.RuneError && n == 1 {
			dst = append(dst, `\udc`...)
			dst = append(dst, "0123456789abcdef"[raw[0]>>4], "0123456789abcdef"[raw[0]&15])
			raw = raw[1:]
			continue
		}
		dst = append(dst, raw[:n]...)
		raw = raw[n:]
	}
	return dst
}

// AppendQuoted appends text as a JSON string.
func AppendQuoted(dst []byte, text string) []byte {
	dst = append(dst, '"')
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c < 0x20:
			dst = append(dst, `\u00`...)
			dst = append(dst, "0123456789abcdef"[c>>4], "0123456789abcdef"[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}
