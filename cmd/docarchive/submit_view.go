package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/pipeline/submission"
)

// submitView prints what becomes of documents: the results to standard output,
// what is wrong with one to standard error, a line each.
type submitView struct {
	app    *app
	out    io.Writer
	form   form
	block  table.Writer
	rows   int
	tally  submitTally
	failed int   // jobs that were waited for and are not completed
	away   error // why documents were not sent, or not waited for
	shown  *submitProgress
	err    error // of printing
}

func (a *app) newSubmitView(out io.Writer, o submitOptions) *submitView {
	return &submitView{app: a, out: out, form: *o.form, tally: submitTally{}, shown: a.newSubmitProgress()}
}

// submitTally counts documents by what became of them.
type submitTally map[submission.Outcome]int

func (t submitTally) total() (n int) {
	for _, count := range t {
		n += count
	}
	return n
}

// String lists the outcomes that there are.
func (t submitTally) String() string {
	var parts []string
	for _, outcome := range []submission.Outcome{
		submission.Submitted, submission.Planned, submission.Skipped, submission.Held, submission.Refused, submission.Unsent,
	} {
		if n := t[outcome]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, outcome))
		}
	}
	if len(parts) == 0 {
		return "no documents"
	}
	return strings.Join(parts, ", ")
}

// add prints a result.
func (v *submitView) add(r submission.Result) {
	v.tally[r.Outcome]++
	v.shown.update(v.tally.String())
	switch {
	case r.Outcome == submission.Unsent:
		v.away = r.Err
	case r.Outcome == submission.Submitted && r.Err != nil: // the wait failed
		v.away = r.Err
	case r.Status == docextract.StatusFailed:
		v.failed++
		r.Reason = "its job failed"
	}
	if r.Reason != "" && r.Outcome != submission.Skipped && r.Outcome != submission.Planned {
		v.app.complain(r)
	}
	if v.err == nil {
		v.err = v.print(r)
	}
}

// complain says in a line what is wrong with a document.
func (a *app) complain(r submission.Result) {
	if a.flags.logFormat == "json" {
		a.log.Error("document", "file", r.File, "outcome", r.Outcome, "reason", r.Reason)
		return
	}
	fmt.Fprintf(a.stderr, "docarchive: %s: %s\n", printable(r.File), printable(r.Reason))
}

func (v *submitView) print(r submission.Result) error {
	if v.form == formTable {
		if v.block == nil {
			v.block = newTable("file", "outcome", "job", "status", "note")
		}
		note := ""
		if r.Outcome == submission.Skipped || r.Outcome == submission.Planned {
			note = r.Reason
		}
		v.block.AppendRow([]any{printable(r.File), r.Outcome, printable(r.JobID), printable(string(r.Status)), printable(note)})
		if v.rows++; v.rows == viewBlock {
			return v.flush()
		}
		return nil
	}
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	switch {
	case v.form == formLines:
		line = append(line, '\n')
	case v.tally.total() == 1:
		line = append([]byte("[\n"), line...)
	default:
		line = append([]byte(",\n"), line...)
	}
	_, err = v.out.Write(printableJSON(line))
	return err
}

func (v *submitView) flush() error {
	if v.block == nil {
		return nil
	}
	text := v.block.Render()
	v.block, v.rows = nil, 0
	_, err := fmt.Fprintln(v.out, text)
	return err
}

// end prints what is left and returns what the batch came to.
func (v *submitView) end() error {
	v.shown.stop()
	text := ""
	switch {
	case v.form == formTable:
		if v.err == nil {
			v.err = v.flush()
		}
		text = fmt.Sprintf("\n%s\n", v.tally)
	case v.form == formJSON && v.tally.total() == 0:
		text = "[]\n"
	case v.form == formJSON:
		text = "\n]\n"
	}
	if v.err == nil {
		_, v.err = io.WriteString(v.out, text)
	}
	if v.err != nil {
		return v.err
	}
	var partly error
	if n := v.tally; v.failed+n[submission.Held]+n[submission.Refused]+n[submission.Unsent] > 0 || v.away != nil {
		partly = errPartly
	}
	if v.away == nil {
		return partly
	}
	// The cause was printed with its document; it counts for the exit status.
	return errors.Join(partly, &docextract.UnavailableError{Attempts: 1, Err: v.away})
}
