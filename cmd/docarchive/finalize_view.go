package main

import (
	"fmt"
	"io"

	"github.com/adteco/docarchive/internal/words"
	"github.com/adteco/docarchive/pipeline"
)

// printFinal prints what finalize did.
func (a *app) printFinal(out io.Writer, f *finalReport) error {
	out = a.hide.writer(out)
	if a.json() {
		return printJSON(out, f)
	}
	text := ""
	if len(f.Workers) > 0 {
		t := newTable("worker", "began", "took", "requests", "new", "quarantined")
		right(t, 3, 4, 5, 6)
		for _, r := range f.Workers {
			worker := "-"
			if r.Worker != nil {
				worker = fmt.Sprintf("%d of %d", r.Worker.Index, r.Worker.Count)
			}
			t.AppendRow([]any{worker, when(&r.Started), seconds(r.Finished.Sub(r.Started).Seconds()), r.Requests, r.New, r.Quarantined})
		}
		text += t.Render() + "\n\n"
	}
	t := newTable("pipeline", "windows", "behind", "unproven", "open jobs", "sink", "rows loaded")
	right(t, 2, 3, 4, 5, 7)
	for _, p := range f.Pipelines {
		row := []any{p.Name, p.Windows.Due, windowsOf(f.Behind, p.Name), windowsOf(f.Unproven, p.Name), p.Jobs.Open, "", ""}
		for _, s := range p.Sinks {
			row[5], row[6] = s.Label, s.Rows
			t.AppendRow(row)
			row = []any{"", "", "", "", "", "", ""}
		}
		if len(p.Sinks) == 0 {
			t.AppendRow(row)
		}
	}
	text += t.Render() + "\n\n" + f.conclusion()
	_, err := fmt.Fprintln(out, text)
	return err
}

func windowsOf(behind []pipeline.Behind, name string) (n int) {
	for _, b := range behind {
		if b.Pipeline == name {
			n++
		}
	}
	return n
}

// conclusion says in a line what it came to.
func (f *finalReport) conclusion() string {
	due := 0
	for _, p := range f.Pipelines {
		due += p.Windows.Due
	}
	switch {
	case len(f.Behind) > 0:
		return fmt.Sprintf("%d of %s not archived as far as due", len(f.Behind), words.Count(due, "window"))
	case len(f.Unproven) > 0:
		return fmt.Sprintf("%d of %s not proven to be complete", len(f.Unproven), words.Count(due, "window"))
	case !f.Settled:
		return "not finished"
	}
	return fmt.Sprintf("all of %s accounted for", words.Count(due, "window"))
}

// whole is the run as one: what the workers did, and finalize.
func (f *finalReport) whole() *pipeline.Report {
	all := *f.Report
	all.Pipelines = append([]pipeline.PipelineReport(nil), f.Pipelines...)
	for _, w := range f.Workers {
		if w.Started.Before(all.Started) {
			all.Started = w.Started
		}
		all.Requests += w.Requests
		for _, theirs := range w.report.Pipelines {
			for i := range all.Pipelines {
				if all.Pipelines[i].Name == theirs.Name {
					all.Pipelines[i] = all.Pipelines[i].With(theirs)
				}
			}
		}
	}
	return &all
}
