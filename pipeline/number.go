package pipeline

import (
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/apache/arrow/go/v17/arrow/decimal128"
)

// number is a JSON number's decimal value: ± digits × 10^exp, the digits
// without leading or trailing zeros. Zero has no digits.
type number struct {
	negative bool
	digits   []byte
	exp      int
}

// digitBuffer is room for the digits of all but freak numbers.
type digitBuffer [40]byte

// parseNumber reads a valid JSON number literal; the digits stand in buf if they
// fit. ok is false if the exponent is absurd.
func parseNumber(literal []byte, buf *digitBuffer) (n number, ok bool) {
	i := 0
	if literal[0] == '-' {
		n.negative = true
		i++
	}
	digits := buf[:0]
	point, fraction := false, 0
	for ; i < len(literal); i++ {
		c := literal[i]
		switch {
		case c == '.':
			point = true
			continue
		case c >= '0' && c <= '9':
			digits = append(digits, c)
			if point {
				fraction++
			}
			continue
		}
		exp, err := strconv.Atoi(string(literal[i+1:]))
		if err != nil || exp > 1<<20 || exp < -1<<20 {
			return number{}, false
		}
		n.exp = exp
		break
	}
	n.exp -= fraction
	for len(digits) > 0 && digits[0] == '0' {
		digits = digits[1:]
	}
	for len(digits) > 0 && digits[len(digits)-1] == '0' {
		digits = digits[:len(digits)-1]
		n.exp++
	}
	if len(digits) == 0 {
		n.exp = 0
	}
	n.digits = digits
	return n, true
}

// mantissa is a number as most are written: a few digits, perhaps a point among
// them, no exponent. It is value divided by 10^fraction.
type mantissa struct {
	value    int64
	digits   int // leading zeros included
	fraction int // digits after the point
}

const (
	// maxMantissa is how many digits an int64 surely holds.
	maxMantissa = 18
	// exactDigits is how many digits a float64 surely keeps.
	exactDigits = 15
)

// powersOfTen are all exact. It is never changed.
var powersOfTen = [maxMantissa + 1]float64{
	1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
}

// readMantissa reads a valid JSON number literal, or reports that it is of
// another kind.
func readMantissa(literal []byte) (m mantissa, ok bool) {
	if len(literal) > maxMantissa+2 { // digits, sign and point
		return m, false
	}
	point := len(literal)
	for i, c := range literal {
		switch {
		case c >= '0' && c <= '9':
			m.value = 10*m.value + int64(c-'0')
			m.digits++
		case c == '.':
			point = i + 1
		case c != '-':
			return m, false
		}
	}
	m.fraction = len(literal) - point
	if literal[0] == '-' {
		m.value = -m.value
	}
	return m, m.digits <= maxMantissa
}

// exactFloat returns the float64 whose shortest decimal form has the literal's
// value, so that nothing is lost by holding it as a float64.
func exactFloat(literal []byte) (float64, bool) {
	if m, ok := readMantissa(literal); ok && m.digits <= exactDigits && m.value != 0 {
		// Both are floats without error, and so their quotient is the nearest; at
		// most 15 digits always survive.
		return float64(m.value) / powersOfTen[m.fraction], true
	}
	f, err := strconv.ParseFloat(string(literal), 64)
	if err != nil {
		return 0, false
	}
	var shortest [32]byte
	var some, others digitBuffer
	back, _ := parseNumber(strconv.AppendFloat(shortest[:0], f, 'e', -1, 64), &some)
	n, ok := parseNumber(literal, &others)
	return f, ok && n.negative == back.negative && n.exp == back.exp && string(n.digits) == string(back.digits)
}

// exactFloatBits is exactFloat as the bits of the float.
func exactFloatBits(literal []byte) (uint64, bool) {
	f, ok := exactFloat(literal)
	return math.Float64bits(f), ok
}

// exactInt returns the int64 that equals the literal, however it is written.
func exactInt(literal []byte) (int64, bool) {
	if m, ok := readMantissa(literal); ok && m.fraction == 0 && m.value != 0 {
		return m.value, true
	}
	if i, err := strconv.ParseInt(string(literal), 10, 64); err == nil {
		return i, !(i == 0 && literal[0] == '-')
	}
	var buf digitBuffer
	n, ok := parseNumber(literal, &buf)
	if !ok || n.exp < 0 || n.exp > 18 || len(n.digits) == 0 {
		return 0, ok && len(n.digits) == 0 && !n.negative
	}
	i, err := strconv.ParseInt(n.plain(n.exp), 10, 64)
	return i, err == nil
}

// exactDecimal returns the literal's value times 10^scale, if that is an
// integer of at most precision digits.
func exactDecimal(literal []byte, precision, scale int32) (decimal128.Num, bool) {
	if m, ok := readMantissa(literal); ok && m.value != 0 && m.fraction <= int(scale) {
		if zeros := int(scale) - m.fraction; m.digits+zeros <= min(int(precision), maxMantissa) {
			return decimal128.FromI64(m.value * int64(powersOfTen[zeros])), true
		}
	}
	var buf digitBuffer
	n, ok := parseNumber(literal, &buf)
	if !ok || n.negative && len(n.digits) == 0 {
		return decimal128.Num{}, false
	}
	zeros := n.exp + int(scale)
	if zeros < 0 || len(n.digits) > 0 && len(n.digits)+zeros > int(precision) {
		return decimal128.Num{}, false
	}
	if len(n.digits) == 0 {
		return decimal128.Num{}, true
	}
	if len(n.digits)+zeros <= 18 {
		return decimal128.FromI64(n.small(zeros)), true
	}
	large, ok := new(big.Int).SetString(n.plain(zeros), 10)
	if !ok {
		return decimal128.Num{}, false
	}
	return decimal128.FromBigInt(large), true
}

// plain returns the integer that the digits and zeros more of them are.
func (n number) plain(zeros int) string {
	text := string(n.digits) + strings.Repeat("0", zeros)
	if n.negative {
		return "-" + text
	}
	return text
}

// small is plain for at most 18 digits.
func (n number) small(zeros int) (i int64) {
	for _, c := range n.digits {
		i = 10*i + int64(c-'0')
	}
	for range zeros {
		i *= 10
	}
	if n.negative {
		return -i
	}
	return i
}
