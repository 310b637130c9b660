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
	depth int    // of what Object and Array follow
	stack []byte // closing brackets that skip expects; kept for its memory
}

// NewScanner returns a Scanner at the start of data.
func NewScanner(data []byte) *Scanner { return &Scanner{data: data} }

// Reset puts the scanner at the start of data.
func (s *Scanner) Reset(data []byte) { *s = Scanner{data: data, stack: s.stack[:0]} }

// Offset is the number of bytes read.
func (s *Scanner) Offset() int { return s.pos }

// Peek returns the kind of the value that comes next, without reading it.
func (s *Scanner) Peek() Kind { return kindOf(s.next()) }

// kindOf is the kind of a value that begins with c.
func kindOf(c byte) Kind {
	switch c {
	case '{':
		return Object
	case '[':
		return Array
	case '"':
		return String
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return Number
	case 't':
		return True
	case 'f':
		return False
	case 'n':
		return Null
	}
	return Invalid
}

// Object reads an object and calls member for each of its members with the raw
// key, quotes included. member must read exactly the value, by one call on the
// scanner.
func (s *Scanner) Object(member func(key []byte) error) error {
	more, err := s.OpenObject()
	for more && err == nil {
		var key []byte
		if key, err = s.Key(); err != nil {
			return err
		}
		if err = member(key); err != nil {
			return err
		}
		more, err = s.NextMember()
	}
	return err
}

// OpenObject begins to read an object. more is false if it has no members; else
// the caller reads each by [Scanner.Key], or [Scanner.KeyIs], and one call for
// the value, and goes on by [Scanner.NextMember].
func (s *Scanner) OpenObject() (more bool, err error) { return s.open('{') }

// Key reads the key of a member, and the colon after it. It returns the raw
// key, quotes included.
func (s *Scanner) Key() ([]byte, error) {
	s.next()
	start := s.pos
	end, _ := stringEnd(s.data, start)
	if end < 0 {
		return nil, s.badString()
	}
	s.pos = end
	if s.next() != ':' {
		return nil, s.fail("expected ':' after an object key")
	}
	s.pos++
	return s.data[start:end], nil
}

// KeyIs is [Scanner.Key] for a caller who expects the raw key guess, which an
// earlier call of Key returned. It reads nothing and reports false if another
// key comes, or white space.
func (s *Scanner) KeyIs(guess string) bool {
	end := s.pos + len(guess)
	if end < len(s.data) && s.data[end] == ':' && string(s.data[s.pos:end]) == guess {
		s.pos = end + 1
		return true
	}
	return false
}

// NextMember reads what stands after a member's value: a comma (true) or the
// object's end.
func (s *Scanner) NextMember() (more bool, err error) { return s.after('}') }

// Array reads an array and calls element before each of its elements. element
// must read exactly the value, by one call on the scanner.
func (s *Scanner) Array(element func() error) error {
	more, err := s.open('[')
	for more && err == nil {
		if err = element(); err != nil {
			return err
		}
		more, err = s.after(']')
	}
	return err
}

// Value reads any value, validates it and returns its span.
func (s *Scanner) Value() ([]byte, error) {
	_, raw, _, err := s.Read()
	return raw, err
}

// Read is [Scanner.Value] that tells the value's kind as well. plain is true of
// a string that has no escapes and nothing but ASCII.
func (s *Scanner) Read() (kind Kind, raw []byte, plain bool, err error) {
	c := s.next()
	start, end := s.pos, 0
	switch kind = kindOf(c); kind {
	case String:
		if end, plain = stringEnd(s.data, start); end < 0 {
			return kind, nil, false, s.badString()
		}
		s.pos = end
	case Number:
		err = s.number()
	case Object, Array:
		err = s.skip()
	default:
		err = s.word(kind)
	}
	if err != nil {
		return kind, nil, false, err
	}
	return kind, s.data[start:s.pos], plain, nil
}

// End reports an error if anything but white space follows.
func (s *Scanner) End() error {
	s.next()
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

// open reads the bracket c that opens an object or an array, and the closing
// one if it follows.
func (s *Scanner) open(c byte) (more bool, err error) {
	if s.next() != c {
		return false, s.fail(fmt.Sprintf("expected '%c'", c))
	}
	if s.depth++; s.depth > MaxDepth {
		return false, s.fail("nested too deeply")
	}
	s.pos++
	if s.next() == closing(c) {
		s.pos++
		s.depth--
		return false, nil
	}
	return true, nil
}

// after reads a comma (true) or the closing bracket c (false).
func (s *Scanner) after(c byte) (more bool, err error) {
	switch s.next() {
	case ',':
		s.pos++
		return true, nil
	case c:
		s.pos++
		s.depth--
		return false, nil
	}
	return false, s.fail(fmt.Sprintf("expected ',' or '%c'", c))
}

// closing is the bracket that closes what c opens.
func closing(c byte) byte { return c + 2 }

// next skips white space and returns the byte that follows, which it does not
// read; 0 at the end.
func (s *Scanner) next() byte {
	if s.pos < len(s.data) && s.data[s.pos] > ' ' {
		return s.data[s.pos]
	}
	return s.pastSpace()
}

func (s *Scanner) pastSpace() byte {
	for s.pos < len(s.data) {
		switch c := s.data[s.pos]; c {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return c
		}
	}
	return 0
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
