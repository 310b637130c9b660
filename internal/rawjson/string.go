package rawjson

import (
	"encoding/binary"
	"math/bits"
)

// A byte in each of the eight places of a word.
const (
	ones  = 0x0101010101010101
	highs = 0x80 * ones
)

// stringEnd returns the offset behind the string that begins at d[i], or a
// negative number if there is no valid one. plain is true of a string that has
// no escapes and nothing but ASCII.
//
// It looks at eight bytes at a time: x-ones borrows into the high bit of every
// byte of x that is 0, and x-ones*' ' into that of every byte below the space.
// A borrow may reach the bytes after such a byte, but the first is right, and
// only the first is asked for.
func stringEnd(d []byte, i int) (end int, plain bool) {
	if i >= len(d) || d[i] != '"' {
		return -1, false
	}
	i++
	var seen uint64 // bytes of the string, or'ed
	escaped := false
	for {
		for i+8 <= len(d) {
			w := binary.LittleEndian.Uint64(d[i:])
			quote, escape := w^(ones*'"'), w^(ones*'\\')
			stop := ((quote-ones)&^quote | (escape-ones)&^escape | (w-ones*' ')&^w) & highs
			if stop == 0 {
				seen |= w
				i += 8
				continue
			}
			first := bits.TrailingZeros64(stop) &^ 7
			seen |= w & (1<<first - 1)
			i += first >> 3
			break
		}
		if i >= len(d) {
			return -1, false
		}
		switch c := d[i]; {
		case c == '"':
			return i + 1, !escaped && seen&highs == 0
		case c == '\\':
			n := escapeLen(d[i:])
			if n == 0 {
				return -1, false
			}
			escaped = true
			i += n
		case c < ' ':
			return -1, false
		default: // among the last bytes of the text
			seen |= uint64(c)
			i++
		}
	}
}

// badString says what is wrong with the string that should come next.
func (s *Scanner) badString() error {
	if s.pos >= len(s.data) || s.data[s.pos] != '"' {
		return s.fail("expected a string")
	}
	for s.pos++; s.pos < len(s.data); s.pos++ {
		switch c := s.data[s.pos]; {
		case c == '\\':
			n := escapeLen(s.data[s.pos:])
			if n == 0 {
				return s.fail("bad escape in a string")
			}
			s.pos += n - 1
		case c < ' ':
			return s.fail("control character in a string")
		}
	}
	return s.fail("unterminated string")
}

// escapeLen is the length of the escape that b starts with, or 0.
func escapeLen(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if len(b) >= 6 && isHex(b[2]) && isHex(b[3]) && isHex(b[4]) && isHex(b[5]) {
			return 6
		}
	}
	return 0
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}
