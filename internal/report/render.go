package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
)

//go:embed page.html
var pageTemplate string

//go:embed style.css
var style string

// Render writes the page. Whatever the model holds, the page is well-formed, asks
// for nothing else, and stays below a megabyte or so: lists are cut, and say by
// how much.
func Render(w io.Writer, m *Model) error {
	t, err := template.New("page").Parse(pageTemplate)
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, newPage(m)); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	_, err = w.Write(b.Bytes())
	return err
}

// page is a model, laid out.
type page struct {
	Style    template.CSS
	Title    string
	Badge    *badge
	Facts    []fact
	Tiles    []tile
	Sections []section
	Notes    []string
	Foot     string
}

// badge says in a word how a run ended.
type badge struct{ Class, Text string }

type fact struct{ Name, Value, Machine string }

// tile is one of the figures at the top.
type tile struct{ Label, Value, Note, Class string }

// section is one part of the page, with what can be made of its data.
type section struct {
	ID, Title string
	Class     string
	Lead      string // a sentence that says what the figures come to
	Chart     *chart
	Messages  []line
	Tables    []table
}

// line is one entry of a list of messages.
type line struct{ Where, Text string }

// table has a header for each column, and the first cell heads its row.
type table struct {
	Caption string
	Head    []head
	Rows    [][]cell
	More    string // what was left out
}

type head struct {
	Text string
	Num  bool
}

// cell is a text, or a number with a bar of so many per cent under it.
type cell struct {
	Text  string
	Num   bool
	Bar   bool
	Width float64
	Class string
}

func text(s string) cell { return cell{Text: s} }
func num(s string) cell  { return cell{Text: s, Num: true} }

// bar is a number with a bar; share is of 1.
func bar(s string, share float64, class string) cell {
	return cell{Text: s, Num: true, Bar: true, Width: round(100 * min(1, max(0, share))), Class: class}
}

// heads makes headers; those that begin with # are of numbers.
func heads(names ...string) []head {
	all := make([]head, len(names))
	for i, n := range names {
		if n[0] == '#' {
			all[i] = head{n[1:], true}
		} else {
			all[i] = head{n, false}
		}
	}
	return all
}

// fill makes the rows of a table, at most so many.
func fill[T any](t *table, all []T, most int, what string, row func(*T) []cell) {
	for i := range all {
		if i == most {
			t.More = more(len(all)-i, what)
			break
		}
		t.Rows = append(t.Rows, row(&all[i]))
	}
}
