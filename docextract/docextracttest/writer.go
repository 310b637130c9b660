package docextracttest

import "strconv"

// writer writes the extracted data of one job.
type writer struct {
	b        []byte
	scratch  []byte // for b, where what is written is not kept
	d        dice
	depth    int
	keys     []span // of the top-level fields, in b
	rare     int    // in 1,000 jobs: how many have a given oddity
	hostile  bool
	conflict int  // the how many-th number from here is written as text; 0: none
	digits   bool // amounts have many digits
}

type span struct{ from, to int }

// key writes a member's name. The name is JSON without its quotes.
func (w *writer) key(name string) {
	w.comma()
	from := len(w.b)
	w.b = append(w.b, '"')
	w.b = append(w.b, name...)
	w.b = append(w.b, '"')
	if w.depth == 1 {
		w.keys = append(w.keys, span{from, len(w.b)})
	}
	w.b = append(w.b, ':')
}

func (w *writer) comma() {
	if c := w.b[len(w.b)-1]; c != '{' && c != '[' {
		w.b = append(w.b, ',')
	}
}

func (w *writer) open(bracket byte) {
	w.b = append(w.b, bracket)
	w.depth++
}

func (w *writer) close(bracket byte) {
	w.b = append(w.b, bracket)
	w.depth--
}

func (w *writer) object(name string) {
	w.key(name)
	w.open('{')
}

func (w *writer) array(name string) {
	w.key(name)
	w.open('[')
}

// element begins an object in an array.
func (w *writer) element() {
	w.comma()
	w.open('{')
}

// maybe decides whether an optional field is there; now and then it is null.
func (w *writer) maybe(name string) bool {
	switch n := w.d.below(100); {
	case n < 8:
		return false
	case n < 13:
		w.key(name)
		w.b = append(w.b, "null"...)
		return false
	}
	return true
}

// text writes a string. value is JSON without its quotes.
func (w *writer) text(name, value string) {
	w.key(name)
	w.quote(value)
}

func (w *writer) quote(value string) {
	w.b = append(w.b, '"')
	w.b = append(w.b, value...)
	w.b = append(w.b, '"')
}

// item writes a string as an array's element.
func (w *writer) item(value string) {
	w.comma()
	w.quote(value)
}

// code writes a string of a prefix and a number of so many digits.
func (w *writer) code(name, prefix string, n, digits int) {
	w.key(name)
	w.b = append(w.b, '"')
	w.b = append(w.b, prefix...)
	w.padded(n, digits)
	w.b = append(w.b, '"')
}

func (w *writer) padded(n, digits int) { w.b = appendPadded(w.b, n, digits) }

// appendPadded appends n, which is not negative, with zeros up to so many digits.
func appendPadded(dst []byte, n, digits int) []byte {
	if digits == 2 && n >= 0 && n < 100 {
		return append(dst, byte('0'+n/10), byte('0'+n%10))
	}
	for limit := pow10(digits - 1); limit > 1 && n < limit; limit /= 10 {
		dst = append(dst, '0')
	}
	return strconv.AppendInt(dst, int64(n), 10)
}

func pow10(n int) int {
	p := 1
	for range n {
		p *= 10
	}
	return p
}

// amount writes a sum of money in hundredths.
func (w *writer) amount(name string, cents int) {
	w.key(name)
	if w.disagrees() {
		w.b = append(w.b, '"')
		w.b = strconv.AppendInt(w.b, int64(cents/100), 10)
		w.b = append(w.b, ',')
		w.padded(cents%100, 2)
		w.b = append(w.b, ` €"`...)
		return
	}
	w.b = strconv.AppendInt(w.b, int64(cents/100), 10)
	w.b = append(w.b, '.')
	w.padded(cents%100, 2)
	if w.digits && w.depth == 1 {
		w.b = append(w.b, "0000000000000017"...)
	}
}

func (w *writer) number(name string, n int) {
	w.key(name)
	if w.disagrees() {
		w.b = append(w.b, `"ca. `...)
		w.b = strconv.AppendInt(w.b, int64(n), 10)
		w.b = append(w.b, '"')
		return
	}
	w.b = strconv.AppendInt(w.b, int64(n), 10)
}

// disagrees reports whether the number in hand is to be a text, against its
// definition.
func (w *writer) disagrees() bool {
	if w.conflict == 0 || w.depth != 1 {
		return false
	}
	w.conflict--
	return w.conflict == 0
}

func (w *writer) boolean(name string, value bool) {
	w.key(name)
	w.b = strconv.AppendBool(w.b, value)
}

// date writes a day, given in days since 1970.
func (w *writer) date(name string, day int) {
	w.key(name)
	w.b = append(w.b, '"')
	w.b = appendDay(w.b, day)
	w.b = append(w.b, '"')
}

func (w *writer) address(name string) {
	w.object(name)
	p := &places[w.d.below(len(places))]
	w.key("street")
	w.b = append(w.b, '"')
	w.b = append(w.b, p.street...)
	w.b = append(w.b, ' ')
	w.b = strconv.AppendInt(w.b, int64(1+w.d.below(180)), 10)
	w.b = append(w.b, '"')
	w.text("city", p.city)
	w.text("country", p.country)
	w.code("postal_code", "", 10_000+w.d.below(89_999), 5)
	w.close('}')
}
