// Package rawjson reads JSON in one pass over the bytes it arrived in. It
// validates strictly (RFC 8259), copies nothing it need not copy, and hands out
// the exact span of every value, so that numbers keep all their digits and a
// job can be archived byte for byte as it was received.
//
// It is lenient in one point only: bytes inside a string that are not UTF-8 are
// let through, because an archive must keep what it was given. [Text] tells
// whether a string could be decoded without loss.
package rawjson

import (
	"fmt"
)

// MaxDepth is the deepest nesting of objects and arrays that [Scanner.Object]
// and [Scanner.Array] follow, which call themselves for each level. Skipping a
// value has no such limit: one job that nests absurdly must not cost the others
// of its page.
const MaxDepth = 10_000

// Kind is the kind of a JSON value.
type Kind byte

// The kinds of value. Invalid means that no value starts here.
const (
	Invalid Kind = iota
	Null
	True
	False
	Number
	String
	Array
	Object
)

// SyntaxError says what is wrong with a text and where.
type SyntaxError struct {
	Offset  int // in bytes from the start of the text
	Message string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("invalid JSON at byte %d: %s", e.Offset, e.Message)
}

// Scanner walks over one JSON text. The zero Scanner with [Scanner.Reset] is
// ready; it is not safe for concurrent use. Spans that it returns share the
// text's memory.
type Scanner struct {
	data  []byte
	pos   int
	depth int
}

// NewScanner returns a Scanner at the start of data.
func NewScanner(data []byte) *Scanner { return &Scanner{data: data} }

// Reset puts the scanner at the start of data.
func (s *Scanner) Reset(data []byte) { *s = Scanner{data: data} }

// Offset is the number of bytes read.
func (s *Scanner) Offset() int { return s.pos }

// Peek returns the kind of the value that comes next, without reading it.
func (s *Scanner) Peek() Kind {
	s.space()
	if s.pos >= len(s.data) {
		return Invalid
	}
	switch c := s.data[s.pos]; {
	case c == '{':
		return Object
	case c == '[':
		return Array
	case c == '"':
		return String
	case c == '-' || c >= '0' && c <= '9':
		return Number
	case c == 't':
		return True
	case c == 'f':
		return False
	case c == 'n':
		return Null
	}
	return Invalid
}

// Object reads an object and calls member for each of its members with the raw
// key, quotes included. member must read exactly the value, by one call on the
// scanner.
func (s *Scanner) Object(member func(key []byte) error) error {
	if err := s.open('{'); err != nil {
		return err
	}
	if s.closing('}') {
		return nil
	}
	for {
		s.space()
		key, err := s.str()
		if err != nil {
			return err
		}
		s.space()
		if s.pos >= len(s.data) || s.data[s.pos] != ':' {
			return s.fail("expected ':' after an object key")
		}
		s.pos++
		if err := member(key); err != nil {
			return err
		}
		more, err := s.comma('}')
		if err != nil || !more {
			return err
		}
	}
}

// Array reads an array and calls element before each of its elements. element
// must read exactly the value, by one call on the scanner.
func (s *Scanner) Array(element func() error) error {
	if err := s.open('['); err != nil {
		return err
	}
	if s.closing(']') {
		return nil
	}
	for {
		if err := element(); err != nil {
			return err
		}
		more, err := s.comma(']')
		if err != nil || !more {
			return err
		}
	}
}

// Value reads any value, validates it and returns its span.
func (s *Scanner) Value() ([]byte, error) {
	s.space()
	start := s.pos
	if err := s.skip(); err != nil {
		return nil, err
	}
	return s.data[start:s.pos], nil
}

// End reports an error if anything but white space follows.
func (s *Scanner) End() error {
	s.space()
	if s.pos < len(s.data) {
		return s.fail("data after the value")
	}
	return nil
}

// Check reports whether data is one valid JSON value and nothing else.
func Check(data []byte) error {
	s := Scanner{data: data}
	if _, err := s.Value(); err != nil {
		return err
	}
	return s.End()
}

// skip reads a value of any kind. It keeps its own stack of open brackets, so
// that a deeply nested text costs no call stack.
func (s *Scanner) skip() error {
	var stack []byte
	for {
		switch s.Peek() {
		case Object, Array:
			c := s.data[s.pos]
			s.pos++
			s.depth++
			stack = append(stack, c+2) // '{'+2 == '}' and '['+2 == ']'
			if s.closing(c + 2) {
				stack = stack[:len(stack)-1]
				break
			}
			if c == '{' {
				if err := s.key(); err != nil {
					return err
				}
			}
			continue
		default:
			if err := s.scalar(); err != nil {
				return err
			}
		}
		for {
			if len(stack) == 0 {
				return nil
			}
			closer := stack[len(stack)-1]
			more, err := s.comma(closer)
			if err != nil {
				return err
			}
			if !more {
				stack = stack[:len(stack)-1]
				continue
			}
			if closer == '}' {
				if err := s.key(); err != nil {
					return err
				}
			}
			break
		}
	}
}

func (s *Scanner) key() error {
	s.space()
	if _, err := s.str(); err != nil {
		return err
	}
	s.space()
	if s.pos >= len(s.data) || s.data[s.pos] != ':' {
		return s.fail("expected ':' after an object key")
	}
	s.pos++
	return nil
}

func (s *Scanner) scalar() error {
	switch s.Peek() {
	case String:
		_, err := s.str()
		return err
	case Number:
		return s.number()
	case True:
		return s.word("true")
	case False:
		return s.word("false")
	case Null:
		return s.word("null")
	default:
		return s.fail("expected a value")
	}
}

func (s *Scanner) open(c byte) error {
	s.space()
	if s.pos >= len(s.data) || s.data[s.pos] != c {
		return s.fail(fmt.Sprintf("expected '%c'", c))
	}
	if s.depth++; s.depth > MaxDepth {
		return s.fail("nested too deeply")
	}
	s.pos++
	return nil
}

// closing reads c if it comes next.
func (s *Scanner) closing(c byte) bool {
	s.space()
	if s.pos < len(s.data) && s.data[s.pos] == c {
		s.pos++
		s.depth--
		return true
	}
	return false
}

// comma reads a comma (true) or the closing bracket c (false).
func (s *Scanner) comma(c byte) (bool, error) {
	if s.closing(c) {
		return false, nil
	}
	if s.pos < len(s.data) && s.data[s.pos] == ',' {
		s.pos++
		return true, nil
	}
	return false, s.fail(fmt.Sprintf("expected ',' or '%c'", c))
}

func (s *Scanner) word(w string) error {
	if len(s.data)-s.pos < len(w) || string(s.data[s.pos:s.pos+len(w)]) != w {
		return s.fail("expected " + w)
	}
	s.pos += len(w)
	return nil
}

// str reads a string and returns its span, quotes included.
func (s *Scanner) str() ([]byte, error) {
	start := s.pos
	if s.pos >= len(s.data) || s.data[s.pos] != '"' {
		return nil, s.fail("expected a string")
	}
	i := s.pos + 1
	for i < len(s.data) {
		switch c := s.data[i]; {
		case c == '"':
			s.pos = i + 1
			return s.data[start:s.pos], nil
		case c == '\\':
			n := escapeLen(s.data[i:])
			if n == 0 {
				s.pos = i
				return nil, s.fail("bad escape in a string")
			}
			i += n
		case c < 0x20:
			s.pos = i
			return nil, s.fail("control character in a string")
		default:
			i++
		}
	}
	s.pos = i
	return nil, s.fail("unterminated string")
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

func (s *Scanner) space() {
	for s.pos < len(s.data) {
		switch s.data[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

func (s *Scanner) fail(message string) error {
	if s.pos >= len(s.data) {
		message += ", but the text ends"
	}
	return &SyntaxError{Offset: s.pos, Message: message}
}

// Since returns the bytes read since offset, which an earlier [Scanner.Offset]
// returned, less the white space before them.
func (s *Scanner) Since(offset int) []byte {
	span := s.data[offset:s.pos]
	for len(span) > 0 && (span[0] == ' ' || span[0] == '\t' || span[0] == '\n' || span[0] == '\r') {
		span = span[1:]
	}
	return span
}
