package report

import (
	"fmt"
	"math"
	"time"
)

// A chart's plot, in pixels. Its width is in per cent of the page's, so that
// texts keep their size on a narrow screen.
const (
	plotTop    = 14
	plotHeight = 170
	plotBottom = plotTop + plotHeight
)

// chart is a column chart, laid out.
type chart struct {
	ID      string
	Title   string
	Text    string // what the chart says, for those who do not see it
	Columns []column
	Grid    []gridline
	Labels  []label
	Legend  []legend
	Head    []string // of the table of the chart's figures
	Rows    [][]string
}

// column is one stack. Positions and widths are in per cent, heights in pixels.
type column struct {
	X, Width float64
	Parts    []part
	Tip      string
}

type part struct {
	Y, Height float64
	Class     string
}

type gridline struct {
	Y    float64
	Text string
}

type label struct {
	X      float64
	Anchor string
	Text   string
}

type legend struct{ Class, Text string }

// figures are a column's values from the bottom up.
type figures struct {
	name   string
	values []int64
}

// columns lays out stacks beside each other, with a scale from zero.
func (c *chart) columns(all []figures, classes []string) {
	var most int64 = 1
	for _, f := range all {
		var sum int64
		for i, v := range f.values {
			f.values[i] = min(max(v, 0), mostJobs)
			sum += f.values[i]
		}
		most = max(most, sum)
	}
	step := niceStep(most)
	top := (most + step - 1) / step * step
	for v := int64(0); v <= top; v += step {
		c.Grid = append(c.Grid, gridline{Y: round(plotBottom - height(v, top)), Text: scale(v)})
	}
	slot := 100 / float64(len(all))
	for i, f := range all {
		col := column{X: round(slot*float64(i) + slot*0.1), Width: round(slot * 0.8), Tip: f.name}
		y := float64(plotBottom)
		for k, v := range f.values {
			h := height(v, top)
			if v > 0 {
				h = max(h, 1) // what is there is seen
				y -= h
				col.Parts = append(col.Parts, part{Y: round(y), Height: round(h), Class: classes[k]})
			}
		}
		c.Columns = append(c.Columns, col)
	}
}

func height(v, top int64) float64 { return float64(v) / float64(top) * plotHeight }

func round(v float64) float64 { return math.Round(v*100) / 100 }

// mostJobs bounds what a chart draws, so that no sum overflows.
const mostJobs = 1e15

// niceStep is 1, 2 or 5 times a power of ten, such that at most five steps
// reach the value.
func niceStep(most int64) int64 {
	base := int64(1)
	for base*50 < most {
		base *= 10
	}
	for _, m := range []int64{1, 2, 5} {
		if base*m*5 >= most {
			return base * m
		}
	}
	return base * 10
}

// mostColumns is how many columns a chart of days has at most: a quarter. A
// longer period is shown by weeks, and then by spans of four weeks.
const mostColumns = 92

// grouped adds up days so that there are at most mostColumns groups, and returns
// how many days each has.
func grouped(days []Day) ([]Day, int) {
	size := 1
	for _, size = range []int{1, 7, 28, 364} {
		if len(days) <= size*mostColumns {
			break
		}
	}
	if len(days) > size*mostColumns {
		days = days[len(days)-size*mostColumns:]
	}
	var groups []Day
	for i, d := range days {
		if i%size == 0 {
			groups = append(groups, Day{Date: d.Date})
		}
		g := &groups[len(groups)-1]
		g.Completed += d.Completed
		g.Failed += d.Failed
	}
	return groups, size
}

// leastColumns keeps a few days from becoming blocks.
const leastColumns = 14

// dayChart draws the jobs by day of creation; nil if there are none.
func dayChart(days []Day) *chart {
	if len(days) == 0 {
		return nil
	}
	groups, size := grouped(days)
	for len(groups) < leastColumns {
		groups = append([]Day{{Date: groups[0].Date.AddDate(0, 0, -size)}}, groups...)
	}
	unit := "day"
	if size > 1 {
		unit = fmt.Sprintf("%d days", size)
	}
	c := &chart{
		ID: "chart-days", Title: "Jobs by " + unit + " of creation",
		Legend: []legend{{"completed", "completed"}, {"failed", "failed"}},
		Head:   []string{"From (UTC)", "Completed", "Failed"},
	}
	var all []figures
	var sum int64
	busiest := groups[0]
	for _, g := range groups {
		if g.Completed+g.Failed > 0 {
			c.Rows = append(c.Rows, []string{date(g.Date), count(g.Completed), count(g.Failed)})
		}
		all = append(all, figures{
			fmt.Sprintf("%s: %s completed, %s failed", date(g.Date), count(g.Completed), count(g.Failed)),
			[]int64{g.Completed, g.Failed},
		})
		sum += g.Completed + g.Failed
		if g.Completed+g.Failed > busiest.Completed+busiest.Failed {
			busiest = g
		}
	}
	c.columns(all, []string{"completed", "failed"})
	last := len(groups) - 1
	for _, at := range []struct {
		i      int
		anchor string
	}{{0, "start"}, {last / 2, "middle"}, {last, "end"}} {
		x := 100 * (float64(at.i) + 0.5) / float64(len(groups))
		switch at.anchor {
		case "start":
			x = 0
		case "end":
			x = 100
		}
		c.Labels = append(c.Labels, label{round(x), at.anchor, dayLabel(groups[at.i].Date, groups[0].Date, groups[last].Date)})
	}
	c.Text = fmt.Sprintf("%s, created from %s to %s; the busiest %s is %s with %s.",
		things(sum, "job"), date(days[0].Date), date(days[len(days)-1].Date), unit, date(busiest.Date), count(busiest.Completed+busiest.Failed))
	return c
}

// dayLabel leaves out the year where it goes without saying.
func dayLabel(t, first, last time.Time) string {
	if first.Year() == last.Year() {
		return shortDate(t)
	}
	return date(t)
}

// timeChart draws the distribution of processing times; nil if none is known.
func timeChart(bins []Bin) *chart {
	first, last := -1, -1
	var sum int64
	for i, b := range bins {
		if b.Jobs > 0 {
			if first < 0 {
				first = i
			}
			last = i
		}
		sum += b.Jobs
	}
	if first < 0 {
		return nil
	}
	// Some empty bins around show how narrow a distribution is.
	for last-first+1 < min(leastColumns, len(bins)) {
		first, last = max(0, first-1), min(len(bins)-1, last+1)
	}
	bins = bins[first : last+1]
	c := &chart{
		ID: "chart-times", Title: "Jobs by processing time",
		Head: []string{"Processing time", "Jobs", "Share"},
	}
	var all []figures
	mode := bins[0]
	for _, b := range bins {
		text := binText(b)
		all = append(all, figures{text + ": " + things(b.Jobs, "job"), []int64{b.Jobs}})
		if b.Jobs > 0 {
			c.Rows = append(c.Rows, []string{text, count(b.Jobs), percent(float64(b.Jobs) / float64(sum))})
		}
		if b.Jobs > mode.Jobs {
			mode = b
		}
	}
	c.columns(all, []string{"time"})
	for i, b := range bins {
		if !powerOfTen(b.From) {
			continue
		}
		anchor := "middle"
		if i == 0 {
			anchor = "start"
		}
		c.Labels = append(c.Labels, label{round(100 * float64(i) / float64(len(bins))), anchor, span(b.From)})
	}
	c.Text = fmt.Sprintf("Processing times of %s; most took %s.", things(sum, "job"), binText(mode))
	return c
}

// powerOfTen reports whether v is 1, 10, 100 and so on: what a scale of growing
// steps is labelled with.
func powerOfTen(v float64) bool {
	for power := 1.0; power <= v; power *= 10 {
		if power == v {
			return true
		}
	}
	return false
}

func binText(b Bin) string {
	switch {
	case b.To == 0:
		return span(b.From) + " or more"
	case b.From == 0:
		return "less than " + span(b.To)
	}
	return span(b.From) + " to " + span(b.To)
}
