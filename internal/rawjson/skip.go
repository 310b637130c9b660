package rawjson

import "fmt"

// skip reads an object or an array, which comes next. It keeps its own stack of
// open brackets, so that a deeply nested text costs no call stack.
func (s *Scanner) skip() error {
	base := len(s.stack)
	err := s.skipNested(base)
	s.stack = s.stack[:base]
	return err
}

func (s *Scanner) skipNested(base int) error {
	for {
		switch c := s.next(); c {
		case '{', '[':
			s.pos++
			if s.next() == closing(c) {
				s.pos++
				break
			}
			s.stack = append(s.stack, closing(c))
			if c == '{' {
				if err := s.key(); err != nil {
					return err
				}
			}
			continue
		case '"':
			end, _ := stringEnd(s.data, s.pos)
			if end < 0 {
				return s.badString()
			}
			s.pos = end
		case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
			if err := s.number(); err != nil {
				return err
			}
		default:
			if err := s.word(kindOf(c)); err != nil {
				return err
			}
		}
		if done, err := s.close(base); done || err != nil {
			return err
		}
	}
}

// close reads what stands after a value inside what is skipped: the brackets
// that close, and a comma, and the key after it in an object. done is true when
// everything is closed.
func (s *Scanner) close(base int) (done bool, err error) {
	for len(s.stack) > base {
		closer := s.stack[len(s.stack)-1]
		switch s.next() {
		case ',':
			s.pos++
			if closer == '}' {
				err = s.key()
			}
			return false, err
		case closer:
			s.pos++
			s.stack = s.stack[:len(s.stack)-1]
		default:
			return false, s.fail(fmt.Sprintf("expected ',' or '%c'", closer))
		}
	}
	return true, nil
}

// key reads a key and the colon after it.
func (s *Scanner) key() error {
	s.next()
	end, _ := stringEnd(s.data, s.pos)
	if end < 0 {
		return s.badString()
	}
	s.pos = end
	if s.next() != ':' {
		return s.fail("expected ':' after an object key")
	}
	s.pos++
	return nil
}

// word reads null, true or false.
func (s *Scanner) word(kind Kind) error {
	var w string
	switch kind {
	case Null:
		w = "null"
	case True:
		w = "true"
	case False:
		w = "false"
	default:
		return s.fail("expected a value")
	}
	if len(s.data)-s.pos < len(w) || string(s.data[s.pos:s.pos+len(w)]) != w {
		return s.fail("expected " + w)
	}
	s.pos += len(w)
	return nil
}
