package rawjson

// number reads a number by the grammar of RFC 8259, which allows no leading
// zeros, plus signs or bare points.
func (s *Scanner) number() error {
	i, d := s.pos, s.data
	if i < len(d) && d[i] == '-' {
		i++
	}
	switch {
	case i < len(d) && d[i] == '0':
		i++
	default:
		n := digits(d[i:])
		if n == 0 {
			s.pos = i
			return s.fail("expected a digit")
		}
		i += n
	}
	if i < len(d) && d[i] == '.' {
		n := digits(d[i+1:])
		if n == 0 {
			s.pos = i
			return s.fail("expected a digit after the decimal point")
		}
		i += 1 + n
	}
	if i < len(d) && (d[i] == 'e' || d[i] == 'E') {
		i++
		if i < len(d) && (d[i] == '+' || d[i] == '-') {
			i++
		}
		n := digits(d[i:])
		if n == 0 {
			s.pos = i
			return s.fail("expected a digit in the exponent")
		}
		i += n
	}
	s.pos = i
	return nil
}

func digits(b []byte) int {
	n := 0
	for n < len(b) && b[n] >= '0' && b[n] <= '9' {
		n++
	}
	return n
}
