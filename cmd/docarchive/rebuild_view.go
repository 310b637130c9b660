package main

import (
	"fmt"
	"strings"

	"github.com/adteco/docarchive/internal/words"
	"github.com/adteco/docarchive/pipeline"
)

// rebuildText lays out a rebuild's report for people. Its warnings were logged.
func rebuildText(r *pipeline.RebuildReport) string {
	var b strings.Builder
	if r.DryRun {
		t := newTable("pipeline", "windows", "jobs", "raw bytes", "sink")
		right(t, 2, 3, 4)
		row := []any{r.Pipeline, r.Windows, r.Jobs, bytesText(r.RawBytes)}
		for _, label := range r.Targets {
			t.AppendRow(append(row, label))
			row = []any{"", "", "", ""}
		}
		fmt.Fprintf(&b, "%s\n\nnothing was changed", t.Render())
	} else {
		t := newTable("pipeline", "sink", "files", "rows", "bytes")
		right(t, 3, 4, 5)
		for _, s := range r.Sinks {
			t.AppendRow([]any{r.Pipeline, s.Label, s.Files, s.Rows, bytesText(s.Bytes)})
		}
		fmt.Fprintf(&b, "%s\n\n%s", t.Render(), rebuildVerdict(r))
	}
	for i, problem := range r.Problems {
		if i == 10 {
			fmt.Fprintf(&b, "\n  and %s", words.Count(len(r.Problems)-i, "more problem"))
			break
		}
		fmt.Fprintf(&b, "\n  %s %s: %s", r.Pipeline, problem.Window, printable(problem.Message))
	}
	return b.String()
}

// rebuildVerdict says in a line what a rebuild came to.
func rebuildVerdict(r *pipeline.RebuildReport) string {
	what := fmt.Sprintf("rebuild %s: %s written again in %s, no request made", r.RunID, words.Count(r.Jobs, "job"), seconds(r.Seconds))
	if r.Resumed > 0 {
		what += fmt.Sprintf(", %d of them before it was interrupted", r.Resumed)
	}
	if r.Swap > 0 {
		what += fmt.Sprintf(", in the place of %s by swap %d", words.Count(r.Replaced, "file"), r.Swap)
	}
	if n := r.MissingRaw.Jobs; n > 0 {
		what += fmt.Sprintf(", %s without the raw layer left as they were", words.Count(n, "job"))
	}
	return what
}
