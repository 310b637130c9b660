package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
)

// series is how time and memory grow with something.
type series struct {
	Name   string  `json:"name"`
	Of     string  `json:"of"` // what grows
	Points []point `json:"points"`
}

// point is one measurement of a series.
type point struct {
	X    float64 `json:"x"`
	Wall float64 `json:"wall_s"`
	CPU  float64 `json:"cpu_s"`
	RSS  float64 `json:"peak_rss_mb"`
}

// slope is the exponent k of the growth value ~ X^k, by least squares in
// logarithms: 1 is linear. NaN if there are fewer than two points.
func (s *series) slope(value func(point) float64) float64 {
	var n, sx, sy, sxx, sxy float64
	for _, p := range s.Points {
		if p.X <= 0 || value(p) <= 0 {
			continue
		}
		x, y := math.Log(p.X), math.Log(value(p))
		n, sx, sy, sxx, sxy = n+1, sx+x, sy+y, sxx+x*x, sxy+x*y
	}
	if n < 2 {
		return math.NaN()
	}
	return (n*sxy - sx*sy) / (n*sxx - sx*sx)
}

func wall(p point) float64 { return p.Wall }
func rss(p point) float64  { return p.RSS }

// steepest is the greatest slope between two neighbours: a bend that a fit over
// everything would hide.
func (s *series) steepest(value func(point) float64) float64 {
	worst := math.Inf(-1)
	for i := 1; i < len(s.Points); i++ {
		pair := series{Points: s.Points[i-1 : i+1]}
		worst = max(worst, pair.slope(value))
	}
	return worst
}

func (s *series) markdown() string {
	t := newTable(s.Of, "wall s", "CPU s", "peak MB", "wall µs each")
	for _, p := range s.Points {
		t.add(fmt.Sprintf("%.0f", p.X), number(p.Wall), number(p.CPU), fmt.Sprintf("%.0f", p.RSS), number(p.Wall*1e6/p.X))
	}
	return fmt.Sprintf("\n### Growth: %s\n\n%s\nLog-log slope of wall %s (steepest between neighbours %s), of memory %s; 1 is linear.\n\n%s",
		s.Name, t, number(s.slope(wall)), number(s.steepest(wall)), number(s.slope(rss)), s.plot())
}

const (
	plotWidth  = 64
	plotHeight = 12
)

// plot draws wall time against what grows, both logarithmic, with a line of
// slope 1 through the first point.
func (s *series) plot() string {
	if len(s.Points) < 2 {
		return ""
	}
	f := s.frame(wall)
	cells := make([][]byte, plotHeight)
	for i := range cells {
		cells[i] = []byte(strings.Repeat(" ", plotWidth))
	}
	set := func(x, y float64, mark byte) {
		column, line := int(f.across(x)*(plotWidth-1)), int((1-f.up(y))*(plotHeight-1))
		if line >= 0 && line < plotHeight && column >= 0 && column < plotWidth {
			cells[line][column] = mark
		}
	}
	first := s.Points[0]
	for i := range plotWidth {
		x := f.x0 * math.Pow(f.x1/f.x0, float64(i)/(plotWidth-1))
		set(x, first.Wall*x/first.X, '.')
	}
	for _, p := range s.Points {
		set(p.X, p.Wall, '*')
	}
	var b strings.Builder
	for i, line := range cells {
		label := ""
		switch i {
		case 0:
			label = number(f.y1) + " s"
		case plotHeight - 1:
			label = number(f.y0) + " s"
		}
		fmt.Fprintf(&b, "    %10s |%s\n", label, strings.TrimRight(string(line), " "))
	}
	fmt.Fprintf(&b, "    %10s +%s\n    %10s  %-*.0f%.0f %s   (* measured, . linear)\n", "", strings.Repeat("-", plotWidth), "",
		plotWidth-12, f.x0, f.x1, s.Of)
	return b.String()
}

// frame is the bounds of a logarithmic plot.
type frame struct{ x0, x1, y0, y1 float64 }

func (s *series) frame(value func(point) float64) frame {
	f := frame{math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)}
	for _, p := range s.Points {
		f.x0, f.x1 = min(f.x0, p.X), max(f.x1, p.X)
		f.y0, f.y1 = min(f.y0, value(p)), max(f.y1, value(p))
	}
	f.y0, f.y1 = f.y0/1.2, f.y1*1.2
	return f
}

func (f frame) across(x float64) float64 { return math.Log(x/f.x0) / math.Log(f.x1/f.x0) }
func (f frame) up(y float64) float64     { return math.Log(y/f.y0) / math.Log(f.y1/f.y0) }

// draw writes each series as an SVG file into the folder.
func (r *report) draw(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	var failed []error
	for i := range r.Growth {
		s := &r.Growth[i]
		name := filepath.Join(dir, "growth-"+strings.ReplaceAll(s.Of, " ", "-")+".svg")
		failed = append(failed, writeFile(name, s.svg))
	}
	return errors.Join(failed...)
}

const (
	panelWidth  = 420.0
	panelHeight = 300.0
	margin      = 50.0
)

// svg draws time and memory side by side, logarithmic, with a dashed line of
// slope 1 through the first point.
func (s *series) svg(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" font-family="sans-serif" font-size="12">`+"\n",
		2*panelWidth, panelHeight)
	b.WriteString(`<rect width="100%" height="100%" fill="white"/>` + "\n")
	s.panel(&b, 0, "wall time, s", wall)
	s.panel(&b, panelWidth, "peak memory, MB", rss)
	b.WriteString("</svg>\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func (s *series) panel(b *strings.Builder, left float64, title string, value func(point) float64) {
	if len(s.Points) < 2 {
		return
	}
	f := s.frame(value)
	at := func(x, y float64) (float64, float64) {
		return left + margin + f.across(x)*(panelWidth-2*margin), panelHeight - margin - f.up(y)*(panelHeight-2*margin)
	}
	label := func(x, y float64, text string) { fmt.Fprintf(b, `<text x="%.1f" y="%.1f">%s</text>`+"\n", x, y, text) }
	label(left+margin, margin/2, fmt.Sprintf("%s: %s (slope %s)", s.Name, title, number(s.slope(value))))
	first := s.Points[0]
	x0, y0 := at(first.X, value(first))
	top := min(f.x1, first.X*f.y1/value(first))
	x1, y1 := at(top, value(first)*top/first.X)
	fmt.Fprintf(b, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="gray" stroke-dasharray="4"/>`+"\n", x0, y0, x1, y1)
	var line []string
	for _, p := range s.Points {
		x, y := at(p.X, value(p))
		line = append(line, fmt.Sprintf("%.1f,%.1f", x, y))
		fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="3"/>`+"\n", x, y)
		label(x+4, y-6, number(value(p)))
		label(x-10, panelHeight-margin/2, fmt.Sprintf("%.0f", p.X))
	}
	fmt.Fprintf(b, `<polyline points="%s" fill="none" stroke="black"/>`+"\n", strings.Join(line, " "))
	label(left+panelWidth/2, panelHeight-6, s.Of)
}
