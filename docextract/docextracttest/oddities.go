package docextracttest

import (
	"strconv"
	"strings"
)

// setOddities draws what is odd about the job in hand.
func (w *writer) setOddities(level string) {
	switch level {
	case "none":
		w.rare = 0
	case "normal":
		w.rare = 10
	default:
		w.rare, w.hostile = 150, true
	}
	if w.d.chance(w.rare) {
		w.conflict = 1 + w.d.below(3)
	}
	w.digits = w.d.chance(w.rare)
}

// reference is a number that now and then is past 2^53.
func (w *writer) reference() int {
	if w.d.chance(2 * w.rare) {
		return 1<<53 + 1 + w.d.below(1<<60)
	}
	return 10_000 + w.d.below(90_000_000)
}

// writeRare adds fields that hardly any document has, with names that are hard
// to keep as columns.
func (w *writer) writeRare() {
	if w.d.chance(w.rare) {
		w.code("PO Number", "PO ", w.d.below(100_000), 5)
	}
	if w.d.chance(w.rare) {
		w.text("vendor.name", "Dotted & Sons")
	}
	if w.d.chance(w.rare) {
		w.text("Notes", "another note") // beside notes
	}
	if w.d.chance(w.rare) {
		w.number("größe", w.d.below(100))
	}
	if w.d.chance(w.rare) {
		w.text("status", "stamped") // the name of a standard column
	}
	if w.hostile {
		w.writeHostile()
	}
}

const deepNesting = 200

func (w *writer) writeHostile() {
	switch w.d.below(12) {
	case 0:
		w.text("half", `\ud83d`) // a surrogate alone
	case 1:
		w.text("nul", `a\u0000b`)
	case 2:
		w.text("twin", "first")
		w.text("twin", "second")
	case 3:
		w.text("", "a field without a name")
	case 4:
		w.key("huge")
		w.b = append(w.b, "1e400"...)
	case 5:
		w.key("deep")
		w.b = append(w.b, strings.Repeat(`{"a":[`, deepNesting)...)
		w.b = append(w.b, strings.Repeat(`]}`, deepNesting)...)
	case 6:
		w.text(strings.Repeat("long_", 60), "a name of 300 bytes")
	case 7:
		w.text(`select\"; drop`, "'; DROP TABLE jobs; --")
	case 8:
		w.text(`line\nbreak`, `\u001b[31mred`)
	case 9:
		w.key("nan")
		w.b = append(w.b, `"NaN"`...)
	case 10:
		w.key("exact")
		w.b = append(w.b, `-0.0`...)
	default:
		w.array("mixed")
		w.b = append(w.b, `null,true,"x",1,{"y":[]},[[]]`...)
		w.close(']')
	}
}

// list writes an array of up to most of the texts; it may be empty or missing.
func (w *writer) list(name string, texts []string, most int) {
	if !w.maybe(name) {
		return
	}
	w.array(name)
	for range w.d.below(most + 1) {
		w.item(pick(&w.d, texts))
	}
	w.close(']')
}

func (w *writer) note(v *words) {
	if w.d.chance(400) && w.maybe("notes") {
		w.text("notes", pick(&w.d, v.notes))
	}
}

func (w *writer) email(name string) {
	w.key(name)
	w.b = append(w.b, `"office.`...)
	w.b = strconv.AppendInt(w.b, int64(w.d.below(10_000)), 10)
	w.b = append(w.b, `@example.com"`...)
}

func (w *writer) phone(name string) {
	w.code(name, "+49 30 ", w.d.below(10_000_000), 7)
}
