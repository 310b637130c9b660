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

// exactFloat returns the float64 whose shortest decimal form has the literal's
// value, so that nothing is lost by holding it as a float64.
func exactFloat(literal []byte) (float64, bool) {
	f, err := strconv.ParseFloat(string(literal), 64)
	if err != nil {
		return 0, false
	}
	if len(literal) <= 15 && f != 0 && math.Abs(f) < 1e16 && math.Abs(f) > 1e-6 {
		return f, true // at most 15 significant digits always survive
	}
	var shortest [32]byte
	var some, others digitBuffer
	back, _ := parseNumber(strconv.AppendFloat(shortest[:0], f, 'e', -1, 64), &some)
	n, ok := parseNumber(literal, &others)
	return f, ok && n.negative == back.negative && n.exp == back.exp && string(n.digits) == string(back.digits)
}

// exactInt returns the int64 that equals the literal, however it is written.
func exactInt(literal []byte) (int64, bool) {
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
