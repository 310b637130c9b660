package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/adteco/docarchive/pipeline"
)

// printResubmission prints what a resubmission did in the form that was asked
// for. Jobs that were submitted are only counted for people, unless it is known
// how they ended.
func (a *app) printResubmission(out io.Writer, r *pipeline.ResubmitReport) error {
	out = a.hide.writer(out)
	if a.json() {
		return printJSON(out, r)
	}
	t := newTable("original", "error", "attempt", "state", "job", "credits", "reason")
	right(t, 3, 6)
	rows := 0
	for _, j := range r.Jobs {
		if j.State == pipeline.ResubmitState(pipeline.OutcomeSubmitted) && j.Status == "" && j.Reason == "" {
			continue
		}
		state, attempt, credits := string(j.State), "", ""
		if j.Status != "" {
			state = j.Status
		}
		if j.Attempt > 0 {
			attempt = fmt.Sprint(j.Attempt)
		}
		if j.Credits > 0 {
			credits = amount(j.Credits)
		}
		t.AppendRow([]any{
			printable(j.Original), printable(j.Code), attempt, printable(state), printable(j.JobID), credits, printable(j.Reason),
		})
		rows++
	}
	var b strings.Builder
	if rows > 0 {
		fmt.Fprintf(&b, "%s\n\n", t.Render())
	}
	fmt.Fprintln(&b, resubmitVerdict(r))
	for _, p := range r.Problems {
		fmt.Fprintf(&b, "  %s\n", printable(strings.TrimSpace(p.Window+" "+p.Message)))
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// resubmitVerdict says in a line what a resubmission came to.
func resubmitVerdict(r *pipeline.ResubmitReport) string {
	c := r.Counts
	what := fmt.Sprintf("resubmit: %d failed jobs, %d submitted again for %s credits", c.Failed, c.Submitted, amount(r.Credits))
	if r.DryRun {
		what = fmt.Sprintf("resubmit: %d failed jobs, %d due for at most %s credits", c.Failed, c.Due, amount(r.Credits))
	}
	for _, more := range []struct {
		n    int
		what string
	}{
		{c.Done, "submitted before"},
		{c.Refused, "not to be had or not taken"},
		{c.Exhausted, "tried as often as allowed"},
		{c.Held, "held"},
		{c.Left, "left"},
	} {
		if more.n > 0 {
			what += fmt.Sprintf(", %d %s", more.n, more.what)
		}
	}
	if r.Balance != nil {
		what += fmt.Sprintf("; the balance was %s", amount(*r.Balance))
	}
	if r.DryRun {
		what += "; nothing was submitted"
	}
	if r.Stopped != "" {
		what += "; stopped: " + printable(r.Stopped)
	}
	return what
}
