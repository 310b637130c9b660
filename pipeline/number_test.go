package pipeline

import (
	"math"
	"math/big"
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

var drawLiteral = rapid.OneOf(
	rapid.SampledFrom(numberPool),
	drawNumber,
	rapid.Map(rapid.Int64(), func(i int64) string { return strconv.FormatInt(i, 10) }),
	rapid.Map(rapid.Float64(), func(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }),
	rapid.Map(rapid.Float64(), func(f float64) string { return strconv.FormatFloat(f, 'f', 20, 64) }),
	rapid.StringMatching(`-?[1-9][0-9]{0,3}(\.[0-9]{1,4})?[eE](\+|-)?[0-9]{1,2}`),
)

// ratOf returns the literal's exact value; ok is false if it is too large to
// write down, and then nothing holds it.
func ratOf(literal string) (r *big.Rat, ok bool) {
	text := canonicalNumber(literal)
	if text == "-0" {
		return new(big.Rat), true
	}
	return new(big.Rat).SetString(text)
}

// negativeZero reports whether the literal is a zero with a sign, which only a
// float can hold.
func negativeZero(literal string, r *big.Rat) bool { return literal[0] == '-' && r.Sign() == 0 }

func manyLiterals(t *testing.T, check func(t *rapid.T, literal string, value *big.Rat)) {
	for range randomCases / 100 {
		rapid.Check(t, func(t *rapid.T) {
			literal := drawLiteral.Draw(t, "literal")
			if r, ok := ratOf(literal); ok && literal != "1e99999999999999999999" {
				check(t, literal, r)
			}
		})
		if t.Failed() || testing.Short() {
			return
		}
	}
}

func TestExactFloat(t *testing.T) {
	manyLiterals(t, func(t *rapid.T, literal string, value *big.Rat) {
		f, ok := exactFloat([]byte(literal))
		nearest, err := strconv.ParseFloat(literal, 64)
		want := false
		if err == nil {
			shortest, _ := new(big.Rat).SetString(strconv.FormatFloat(nearest, 'e', -1, 64))
			want = shortest.Cmp(value) == 0
		}
		if ok != want {
			t.Fatalf("exactFloat(%s): %v, want %v", literal, ok, want)
		}
		if ok && (f != nearest || math.Signbit(f) != (literal[0] == '-')) {
			t.Fatalf("exactFloat(%s) = %v, want %v", literal, f, nearest)
		}
	})
}

func TestExactInt(t *testing.T) {
	manyLiterals(t, func(t *rapid.T, literal string, value *big.Rat) {
		i, ok := exactInt([]byte(literal))
		want := value.IsInt() && value.Num().IsInt64() && !negativeZero(literal, value)
		if ok != want || ok && i != value.Num().Int64() {
			t.Fatalf("exactInt(%s) = %d, %v; want %s, %v", literal, i, ok, value.RatString(), want)
		}
	})
}

func TestExactDecimal(t *testing.T) {
	manyLiterals(t, func(t *rapid.T, literal string, value *big.Rat) {
		precision := rapid.Int32Range(1, MaxPrecision).Draw(t, "precision")
		scale := rapid.Int32Range(0, precision).Draw(t, "scale")
		d, ok := exactDecimal([]byte(literal), precision, scale)
		power := func(n int32) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }
		scaled := new(big.Rat).Mul(value, new(big.Rat).SetInt(power(scale)))
		want := scaled.IsInt() && new(big.Int).Abs(scaled.Num()).Cmp(power(precision)) < 0 && !negativeZero(literal, value)
		if ok != want || ok && d.BigInt().Cmp(scaled.Num()) != 0 {
			t.Fatalf("exactDecimal(%s, %d, %d) = %s, %v; want %s, %v",
				literal, precision, scale, d.BigInt(), ok, scaled.RatString(), want)
		}
	})
}

func TestDecimalsAtTheEdgeOf64Bits(t *testing.T) {
	for _, literal := range []string{"999999999999999999", "-9999999999999999999", "99999999999999999999", "1e19", "-1e37"} {
		want, _ := ratOf(literal)
		if d, ok := exactDecimal([]byte(literal), MaxPrecision, 0); !ok || d.BigInt().Cmp(want.Num()) != 0 {
			t.Errorf("exactDecimal(%s) = %s, %v", literal, d.BigInt(), ok)
		}
	}
}

func TestNumbersThatNothingHolds(t *testing.T) {
	for _, literal := range []string{"1e400", "-1e400", "1e99999999999999999999", "1e1048577"} {
		if f, ok := exactFloat([]byte(literal)); ok {
			t.Errorf("exactFloat(%s) = %v", literal, f)
		}
		if i, ok := exactInt([]byte(literal)); ok {
			t.Errorf("exactInt(%s) = %v", literal, i)
		}
		if d, ok := exactDecimal([]byte(literal), MaxPrecision, 0); ok {
			t.Errorf("exactDecimal(%s) = %v", literal, d)
		}
	}
}
