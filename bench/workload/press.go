package workload

import (
	"strconv"
	"time"
)

// press writes one job's JSON. The texts it is given need no escaping.
type press struct {
	buf  []byte
	dice dice
}

func (w *press) open(bracket byte) { w.buf = append(w.buf, bracket) }

func (w *press) close(bracket byte) { w.buf = append(w.buf, bracket) }

// comma separates an element from the one before it.
func (w *press) comma() {
	if last := w.buf[len(w.buf)-1]; last != '{' && last != '[' {
		w.buf = append(w.buf, ',')
	}
}

func (w *press) key(name string) {
	w.comma()
	w.buf = append(w.buf, '"')
	w.buf = append(w.buf, name...)
	w.buf = append(w.buf, '"', ':')
}

func (w *press) text(name, value string) {
	w.key(name)
	w.buf = append(w.buf, '"')
	w.buf = append(w.buf, value...)
	w.buf = append(w.buf, '"')
}

// label writes a text that ends in a number of so many digits.
func (w *press) label(name, prefix string, digits int) {
	w.key(name)
	w.buf = append(w.buf, '"')
	w.buf = append(w.buf, prefix...)
	w.digits(digits)
	w.buf = append(w.buf, '"')
}

func (w *press) digits(n int) {
	for v := w.dice.next(); n > 0; n-- {
		w.buf = append(w.buf, '0'+byte(v%10))
		v /= 10
	}
}

func (w *press) hex(v uint64, digits int) {
	for shift := 4 * (digits - 1); shift >= 0; shift -= 4 {
		w.buf = append(w.buf, "0123456789abcdef"[v>>shift&15])
	}
}

func (w *press) null(name string) {
	w.key(name)
	w.buf = append(w.buf, "null"...)
}

func (w *press) bool(name string) {
	w.key(name)
	w.buf = strconv.AppendBool(w.buf, w.dice.below(2) == 0)
}

func (w *press) int(name string, value uint64) {
	w.key(name)
	w.buf = strconv.AppendUint(w.buf, value, 10)
}

// money writes an amount with two decimals.
func (w *press) money(name string, limit uint64) {
	w.key(name)
	cents := w.dice.below(limit * 100)
	w.buf = strconv.AppendUint(w.buf, cents/100, 10)
	w.buf = append(w.buf, '.', '0'+byte(cents/10%10), '0'+byte(cents%10))
}

// confidence writes a number between 0.7 and 1.
func (w *press) confidence(name string) {
	w.key(name)
	w.buf = strconv.AppendFloat(w.buf, float64(7000+w.dice.below(3000))/10_000, 'f', -1, 64)
}

// date writes a day of the years 2020 to 2029.
func (w *press) date(name string) {
	w.key(name)
	w.buf = append(w.buf, `"202`...)
	w.buf = append(w.buf, '0'+byte(w.dice.below(10)), '-')
	for _, limit := range []uint64{12, 28} {
		n := 1 + w.dice.below(limit)
		w.buf = append(w.buf, '0'+byte(n/10), '0'+byte(n%10), '-')
	}
	w.buf[len(w.buf)-1] = '"'
}

func (w *press) time(name string, t time.Time) {
	w.key(name)
	w.buf = append(w.buf, '"')
	w.buf = t.AppendFormat(w.buf, "2006-01-02T15:04:05.000000Z")
	w.buf = append(w.buf, '"')
}

func (w *press) object(name string, fill func()) {
	w.key(name)
	w.open('{')
	fill()
	w.close('}')
}

// list writes an array of n objects.
func (w *press) list(name string, n int, fill func()) {
	w.key(name)
	w.open('[')
	for range n {
		w.comma()
		w.open('{')
		fill()
		w.close('}')
	}
	w.close(']')
}

func (w *press) pick(from []string) string { return from[w.dice.below(uint64(len(from)))] }

// often reports true in so many of a hundred cases.
func (w *press) often(percent uint64) bool { return w.dice.below(100) < percent }
