//go:build unix

package report_test

import (
	_ "embed"
	"flag"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/adteco/docarchive/internal/report"
	"github.com/adteco/docarchive/internal/testserver/browser"
)

// contrastScript finds every text of a page that shows, and returns those whose
// contrast to what lies behind them is less than WCAG's AA asks for, with the
// number of all.
//
//go:embed testdata/contrast.js
var contrastScript string

// contrasts is what contrastScript returns.
type contrasts struct {
	Texts int
	Worst float64
	Poor  []string
}

// A reader with any of these screens sees all of the page: nothing is wider than
// the screen, nothing is too pale, nothing is asked for, nothing is complained of.
func TestInBrowser(t *testing.T) {
	b := browser.Open(t)
	dir := t.TempDir()
	for name, m := range map[string]*report.Model{
		"run": sampleRun(), "period": samplePeriod(), "hostile": hostile(), "empty": {},
	} {
		file := filepath.Join(dir, name+".html")
		if err := os.WriteFile(file, render(t, m), 0o600); err != nil {
			t.Fatal(err)
		}
		address := (&url.URL{Scheme: "file", Path: file}).String()
		for _, screen := range []struct {
			scheme        browser.Scheme
			width, height int64
		}{
			{browser.Light, 1280, 800},
			{browser.Dark, 1280, 800},
			{browser.Light, 768, 1024},
			{browser.Light, 360, 740},
			{browser.Dark, 360, 740},
		} {
			what := fmt.Sprintf("%s-%s-%d", name, screen.scheme, screen.width)
			p := b.Show(address, screen.scheme, screen.width, screen.height)
			if name == "run" || name == "period" {
				keep(t, what, p)
			}
			inspect(t, what, p, screen.width)
			if got := p.Requests(); len(got) != 1 || got[0] != address {
				t.Errorf("%s: the page asks for %q", what, got)
			}
			if got := p.Messages(); len(got) > 0 {
				t.Errorf("%s: the browser says %q", what, got)
			}
		}
	}
}

// inspect measures a page, with its tables of charts unfolded.
func inspect(t *testing.T, what string, p *browser.Page, width int64) {
	t.Helper()
	ground := browser.Evaluate[string](p, `getComputedStyle(document.body).backgroundColor`)
	if dark := ground == "rgb(17, 21, 27)"; dark != strings.Contains(what, "dark") {
		t.Errorf("%s: the ground is %s", what, ground)
	}
	widths := browser.Evaluate[[2]int64](p, `document.querySelectorAll("details").forEach(d => d.open = true),
		[document.scrollingElement.scrollWidth, innerWidth]`)
	if widths[0] > widths[1] || widths[1] != width {
		t.Errorf("%s: the page is %d wide on a screen of %d", what, widths[0], widths[1])
	}
	c := browser.Evaluate[contrasts](p, contrastScript)
	if c.Texts < 20 || len(c.Poor) > 0 {
		t.Errorf("%s: of %d texts these have too little contrast: %s", what, c.Texts, strings.Join(c.Poor, "; "))
	}
	t.Logf("%s: %d texts, contrast %.2f or more", what, c.Texts, c.Worst)
}

// On paper the page is black on white, whatever the screen likes.
func TestPrinted(t *testing.T) {
	file := filepath.Join(t.TempDir(), "run.html")
	if err := os.WriteFile(file, render(t, sampleRun()), 0o600); err != nil {
		t.Fatal(err)
	}
	p := browser.Open(t).Show((&url.URL{Scheme: "file", Path: file}).String(), browser.Dark, 1280, 800)
	p.Print()
	keep(t, "run-print", p)
	got := browser.Evaluate[[3]string](p, `[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color,
		getComputedStyle(document.querySelector("nav")).display]`)
	if got != [3]string{"rgb(255, 255, 255)", "rgb(0, 0, 0)", "none"} {
		t.Errorf("ground, ink and navigation are %q", got)
	}
	c := browser.Evaluate[contrasts](p, contrastScript)
	if len(c.Poor) > 0 {
		t.Errorf("too little contrast: %s", strings.Join(c.Poor, "; "))
	}
}

// keep leaves a picture for people to look at where go test -artifacts says.
func keep(t *testing.T, name string, p *browser.Page) {
	t.Helper()
	if f := flag.Lookup("test.artifacts"); f == nil || f.Value.String() != "true" {
		return
	}
	if err := os.WriteFile(filepath.Join(t.ArtifactDir(), name+".png"), p.Screenshot(), 0o600); err != nil {
		t.Error(err)
	}
}
