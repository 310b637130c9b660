package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/adteco/docarchive/internal/words"
	"github.com/adteco/docarchive/pipeline"
)

// newTable returns a table in the program's style.
func newTable(header ...any) table.Writer {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Options.DrawBorder = false
	t.Style().Options.SeparateColumns = false
	t.Style().Format.Header = text.FormatDefault
	t.AppendHeader(table.Row(header))
	return t
}

// right aligns the columns with the given numbers, from 1, to the right.
func right(t table.Writer, columns ...int) {
	var configs []table.ColumnConfig
	for _, n := range columns {
		configs = append(configs, table.ColumnConfig{Number: n, Align: text.AlignRight, AlignHeader: text.AlignRight})
	}
	t.SetColumnConfigs(configs)
}

// reportTable lays out a run's report for people. failed says that the run was
// ended by an error.
func reportTable(r *pipeline.Report, failed bool) string {
	t := newTable("pipeline", "windows", "jobs read", "new", "requests", "sink", "rows", "bytes", "time")
	right(t, 2, 3, 4, 5, 7, 8, 9)
	for _, p := range r.Pipelines {
		row := table.Row{
			p.Name, fmt.Sprintf("%d", p.Windows.Due), p.Jobs.Read, p.Jobs.New, p.Requests,
			"", "", "", seconds(p.Seconds),
		}
		for _, s := range p.Sinks {
			row[5], row[6], row[7] = s.Label, s.Rows, bytesText(s.Bytes)
			t.AppendRow(row)
			row = table.Row{"", "", "", "", "", "", "", "", ""}
		}
		if len(p.Sinks) == 0 {
			t.AppendRow(row)
		}
	}
	var b strings.Builder
	b.WriteString(t.Render())
	fmt.Fprintf(&b, "\n\n%s", verdict(r, failed))
	for _, p := range r.Pipelines {
		if p.Jobs.Documents+p.Jobs.NoDocument > 0 {
			fmt.Fprintf(&b, "\n  %s: documents: %d kept, %d not available", p.Name, p.Jobs.Documents, p.Jobs.NoDocument)
		}
		for i, problem := range p.Problems {
			if i == 10 {
				fmt.Fprintf(&b, "\n  %s: and %s", p.Name, words.Count(len(p.Problems)-i, "more problem"))
				break
			}
			fmt.Fprintf(&b, "\n  %s %s: %s", p.Name, problem.Window, printable(problem.Message))
		}
	}
	return b.String()
}

// verdict says in a line what a run came to.
func verdict(r *pipeline.Report, failed bool) string {
	var open, quarantined, unproven int64
	for _, p := range r.Pipelines {
		open += p.Jobs.Open
		quarantined += p.Jobs.Quarantined
		unproven += int64(p.Windows.Unproven)
	}
	what := archived(r)
	switch {
	case r.New() == 0 && failed:
		what = "nothing archived"
	case r.New() == 0:
		what = "nothing new"
	}
	if r.DryRun {
		what += " (dry run: nothing was written)"
	}
	var rest []string
	add := func(n int64, text string) {
		if n > 0 {
			rest = append(rest, text)
		}
	}
	add(open, fmt.Sprintf("%d still processing", open))
	add(quarantined, fmt.Sprintf("%d in quarantine", quarantined))
	add(unproven, words.Count(unproven, "window")+" left open")
	if len(rest) > 0 {
		what += ", " + strings.Join(rest, ", ")
	}
	return fmt.Sprintf("run %s: %s", r.RunID, what)
}

// namedPipelines is of how many pipelines a verdict tells what each archived.
const namedPipelines = 5

// archived says how many jobs were archived. A job that several pipelines take
// counts in each of them, so their sum would be no number of jobs.
func archived(r *pipeline.Report) string {
	var each []string
	for _, p := range r.Pipelines {
		if p.Jobs.New > 0 {
			each = append(each, fmt.Sprintf("%s %d", p.Name, p.Jobs.New))
		}
	}
	switch {
	case len(r.Pipelines) == 1:
		return words.Count(r.New(), "job") + " archived"
	case len(each) > namedPipelines:
		return fmt.Sprintf("%s archived by %d pipelines", words.Count(r.New(), "row"), len(each))
	}
	return "jobs archived: " + strings.Join(each, ", ")
}

func seconds(s float64) string {
	d := time.Duration(s * float64(time.Second))
	if d < 10*time.Second {
		return d.Round(10 * time.Millisecond).String()
	}
	return words.Duration(d.Round(time.Second))
}

// bytesText gives a number of bytes in the largest unit that keeps it above 1.
func bytesText(n int64) string {
	const step = 1000
	if n < step {
		return fmt.Sprintf("%d B", n)
	}
	units, value := "kMGTPE", float64(n)/step
	for value >= step && len(units) > 1 {
		value, units = value/step, units[1:]
	}
	return fmt.Sprintf("%.1f %cB", value, units[0])
}
