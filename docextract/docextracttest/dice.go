package docextracttest

import "math/bits"

// dice is a small random generator (splitmix64). The same start gives the same
// numbers on every platform.
type dice uint64

const golden = 0x9e3779b97f4a7c15

func (d *dice) next() uint64 {
	*d += golden
	return mix(uint64(*d))
}

// below returns a number from 0 to n-1.
func (d *dice) below(n int) int {
	high, _ := bits.Mul64(d.next(), uint64(n))
	return int(high)
}

// chance is true in n of 1,000 cases.
func (d *dice) chance(n int) bool { return d.below(1000) < n }

// pick returns one of the list.
func pick(d *dice, list []string) string { return list[d.below(len(list))] }

// unit turns a hash into a number from 0 up to 1.
func unit(x uint64) float64 { return float64(x>>11) / (1 << 53) }

// mix scatters the bits of x. It is a bijection: unmix is its inverse.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func unmix(x uint64) uint64 {
	x = (x ^ x>>31 ^ x>>62) * 0x319642b2d24d8ec3
	x = (x ^ x>>27 ^ x>>54) * 0x96de1b173f119089
	return x ^ x>>30 ^ x>>60
}

// hash combines numbers into one.
func hash(parts ...uint64) uint64 {
	h := uint64(golden)
	for _, p := range parts {
		h = mix(h+p) + golden
	}
	return mix(h)
}

// permutation maps 0…n-1 onto itself, in an order that key chooses. It is a
// Feistel network over the next even power of two, walked until it lands below
// n, so that no list of n numbers is needed.
type permutation struct {
	n    uint64
	half uint
	key  uint64
}

func newPermutation(n int, key uint64) permutation {
	width := uint(bits.Len64(uint64(max(n-1, 1))))
	return permutation{n: uint64(n), half: (width + 1) / 2, key: key}
}

func (p permutation) at(i int) int {
	x := uint64(i)
	mask := uint64(1)<<p.half - 1
	for {
		left, right := x>>p.half, x&mask
		for round := range uint64(4) {
			left, right = right, left^mix(right+p.key+round*golden)&mask
		}
		x = left<<p.half | right
		if x < p.n {
			return int(x)
		}
	}
}
