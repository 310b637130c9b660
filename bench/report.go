package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// report is what was measured.
type report struct {
	Started  time.Time `json:"started"`
	Seconds  float64   `json:"seconds"`
	Machine  string    `json:"machine"`
	Rows     []row     `json:"rows"`
	Goals    []goal    `json:"goals"`
	Growth   []series  `json:"growth"`
	Queries  []query   `json:"queries"`
	Skipped  []string  `json:"skipped"`
	Commands []string  `json:"commands"`
}

// row is one contestant: medians over its rounds, the largest of the peaks.
type row struct {
	Name    string  `json:"name"`
	Reads   string  `json:"reads"`
	Jobs    int     `json:"jobs"`
	Median  sample  `json:"median"`
	CPUEach float64 `json:"cpu_us_per_job"`
	Rate    float64 `json:"jobs_per_s"`

	Samples []*sample `json:"samples"`
}

// goal is a number with the limit it should keep to.
type goal struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Limit float64 `json:"limit"`
	Least bool    `json:"at_least"` // the limit is a lower one
	Unit  string  `json:"unit"`
	Note  string  `json:"note,omitempty"`
}

func (g *goal) met() bool {
	if g.Least {
		return g.Value >= g.Limit
	}
	return g.Value <= g.Limit
}

// query is one query on two sets of files.
type query struct {
	Name  string  `json:"name"`
	Ours  float64 `json:"ours_ms"`
	Their float64 `json:"duckdb_ms"`
}

func newReport() *report {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	return &report{
		Started: time.Now().UTC().Truncate(time.Second),
		Machine: fmt.Sprintf("%s, %s/%s, %d CPUs, %s", host, runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version()),
	}
}

func (r *report) finish() { r.Seconds = time.Since(r.Started).Seconds() }

func (r *report) json(w io.Writer) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	_, err = w.Write(append(data, '\n'))
	return err
}

// command notes a command that was run, once.
func (r *report) command(line string) {
	if !slices.Contains(r.Commands, line) {
		r.Commands = append(r.Commands, line)
	}
}

// skip notes what was left out.
func (r *report) skip(what string) {
	if !slices.Contains(r.Skipped, what) {
		r.Skipped = append(r.Skipped, what)
	}
}

// add sums up the rounds of a contestant.
func (r *report) add(name, reads string, jobs int, samples []*sample) {
	if len(samples) == 0 {
		return
	}
	of := func(value func(*sample) float64) float64 { return medianOf(samples, value) }
	w := row{Name: name, Reads: reads, Jobs: jobs, Samples: samples, Median: sample{
		Wall: of(func(s *sample) float64 { return s.Wall }),
		User: of(func(s *sample) float64 { return s.User }),
		Sys:  of(func(s *sample) float64 { return s.Sys }),
	}}
	for _, s := range samples {
		w.Median.RSS = max(w.Median.RSS, s.RSS)
	}
	last := samples[len(samples)-1]
	w.Median.Counters, w.Median.Output = last.Counters, last.Output
	w.CPUEach = w.Median.cpu() * 1e6 / float64(jobs)
	w.Rate = float64(jobs) / w.Median.Wall
	r.Rows = append(r.Rows, w)
}

// aim notes a goal that a value should not exceed.
func (r *report) aim(name string, value, limit float64, unit, note string) {
	r.Goals = append(r.Goals, goal{Name: name, Value: value, Limit: limit, Unit: unit, Note: note})
}

// reach notes a goal that a value should reach.
func (r *report) reach(name string, value, limit float64, unit, note string) {
	r.Goals = append(r.Goals, goal{Name: name, Value: value, Limit: limit, Unit: unit, Note: note, Least: true})
}

// missed counts the goals that are not met.
func (r *report) missed() (n int) {
	for i := range r.Goals {
		if !r.Goals[i].met() {
			n++
		}
	}
	return n
}

// median returns the middle of the values, or the mean of the two in the
// middle; NaN of none.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	if n == 0 {
		return math.NaN()
	}
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

func medianOf(samples []*sample, value func(*sample) float64) float64 {
	values := make([]float64, len(samples))
	for i, s := range samples {
		values[i] = value(s)
	}
	return median(values)
}

// ratio is the median, over the rounds that both were run in, of one wall time
// through the other.
func ratio(of, to []*sample) float64 {
	var values []float64
	for i := range min(len(of), len(to)) {
		values = append(values, of[i].Wall/to[i].Wall)
	}
	return median(values)
}

// markdown lays the report out.
func (r *report) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "## docarchive bench, %s\n\n%s, %.0f s in all\n", r.Started.Format(time.RFC3339), r.Machine, r.Seconds)
	if len(r.Rows) > 0 {
		t := newTable("what", "reads", "jobs", "wall s", "jobs/s", "CPU s", "CPU µs/job", "peak MB", "requests", "MB in", "files MB")
		for i := range r.Rows {
			w := &r.Rows[i]
			m := &w.Median
			t.add(w.Name, w.Reads, fmt.Sprint(w.Jobs), number(m.Wall), fmt.Sprintf("%.0f", w.Rate), number(m.cpu()), number(w.CPUEach),
				fmt.Sprintf("%.0f", m.RSS), unless(m.Counters.Requests == 0, fmt.Sprint(m.Counters.Requests)),
				unless(m.Counters.Bytes == 0, fmt.Sprintf("%.1f", float64(m.Counters.Bytes)/1e6)),
				unless(m.Output == 0, fmt.Sprintf("%.1f", float64(m.Output)/1e6)))
		}
		fmt.Fprintf(&b, "\n### Runs\n\n%s", t)
	}
	if len(r.Queries) > 0 {
		t := newTable("query", "on docarchive's files, ms", "on DuckDB's files, ms", "ratio")
		for _, q := range r.Queries {
			t.add(q.Name, number(q.Ours), number(q.Their), number(q.Ours/q.Their))
		}
		fmt.Fprintf(&b, "\n### Queries\n\n%s", t)
	}
	for i := range r.Growth {
		b.WriteString(r.Growth[i].markdown())
	}
	if len(r.Goals) > 0 {
		t := newTable("goal", "measured", "limit", "met", "note")
		for i := range r.Goals {
			g := &r.Goals[i]
			t.add(g.Name, number(g.Value)+g.Unit, g.bound(), map[bool]string{true: "yes", false: "**no**"}[g.met()], g.Note)
		}
		fmt.Fprintf(&b, "\n### Goals: %d of %d met\n\n%s", len(r.Goals)-r.missed(), len(r.Goals), t)
	}
	list := func(title string, lines []string, format string) {
		if len(lines) > 0 {
			fmt.Fprintf(&b, "\n### %s\n\n", title)
			for _, line := range lines {
				fmt.Fprintf(&b, format, strings.ReplaceAll(line, "\n", "\n    "))
			}
		}
	}
	list("SKIPPED", r.Skipped, "- **%s**\n")
	list("Commands", r.Commands, "    %s\n")
	return b.String()
}

func (g *goal) bound() string {
	if g.Least {
		return "≥ " + number(g.Limit) + g.Unit
	}
	return "≤ " + number(g.Limit) + g.Unit
}

func unless(absent bool, text string) string {
	if absent {
		return ""
	}
	return text
}

// number prints a value with three digits that count.
func number(v float64) string {
	switch size := math.Abs(v); {
	case math.IsNaN(v):
		return "?"
	case size >= 100 || v == math.Trunc(v) && size >= 1:
		return fmt.Sprintf("%.0f", v)
	case size >= 10:
		return fmt.Sprintf("%.1f", v)
	case size >= 1:
		return fmt.Sprintf("%.2f", v)
	default:
		return fmt.Sprintf("%.3f", v)
	}
}

// grid is a Markdown table whose columns stand in line.
type grid [][]string

func newTable(header ...string) *grid { return &grid{header} }

func (g *grid) add(cells ...string) { *g = append(*g, cells) }

func (g *grid) String() string {
	widths := make([]int, len((*g)[0]))
	for _, cells := range *g {
		for i, cell := range cells {
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	var b strings.Builder
	for n, cells := range *g {
		for i, cell := range cells {
			pad := strings.Repeat(" ", widths[i]-len([]rune(cell)))
			if numeric(cell) {
				fmt.Fprintf(&b, "| %s%s ", pad, cell)
			} else {
				fmt.Fprintf(&b, "| %s%s ", cell, pad)
			}
		}
		b.WriteString("|\n")
		if n == 0 {
			for _, width := range widths {
				fmt.Fprintf(&b, "|%s", strings.Repeat("-", width+2))
			}
			b.WriteString("|\n")
		}
	}
	return b.String()
}

// numeric reports whether a cell is a number, perhaps with a unit or a bound.
func numeric(cell string) bool {
	parts := strings.Fields(strings.TrimLeft(cell, "≤≥ "))
	if len(parts) == 0 || len(parts) > 2 {
		return false
	}
	_, err := strconv.ParseFloat(parts[0], 64)
	return err == nil
}
