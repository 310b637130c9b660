package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/internal/words"
)

// printDraft says what was found and written, and what to do next.
func (a *app) printDraft(out io.Writer, d *draft, path string) error {
	out = a.hide.writer(out)
	next := nextCommands(path)
	if a.json() {
		return printJSON(jsonPrinter{out}, struct {
			File string `json:"file"`
			*draft
			Next []string `json:"next"`
		}{path, d, next})
	}
	var b strings.Builder
	b.WriteString(draftTable(d))
	for _, note := range d.Notes {
		fmt.Fprintf(&b, "\nnote: %s", note)
	}
	if len(d.Notes) > 0 {
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "\n%s is written: %s; the first run makes about %s, %s\n\nnext:\n  %s    # the key, the bucket and whatever else a run needs\n  %s       # archives\n",
		path, words.Count(len(d.Pipelines), "pipeline"), words.Count(d.Requests, "request"), timeFor(d.Requests, d.PerMinute), next[0], next[1])
	_, err := io.WriteString(out, b.String())
	return err
}

// draftTable lists the extractors, or the one pipeline that takes them all.
func draftTable(d *draft) string {
	t := newTable("extractor", "name", "fields", "jobs in 90 days", "a day", "pipeline", "window", "requests", "time")
	right(t, 3, 4, 5, 7, 8, 9)
	about := map[string]extractor{}
	for _, e := range d.Extractors {
		about[e.ID] = e
	}
	for _, p := range d.Pipelines {
		id := p.Extractor
		if id == "" {
			id = "(all)"
		}
		e := about[p.Extractor]
		t.AppendRow([]any{
			id, printable(e.Name), len(e.Fields), jobsText(p.Jobs), jobsText(perDay(p.Jobs)), p.Name,
			fmt.Sprintf("%dh", p.Hours), p.Requests, timeFor(p.Requests, d.PerMinute),
		})
	}
	for _, id := range d.Left {
		e := about[id]
		t.AppendRow([]any{printable(id), printable(e.Name), len(e.Fields), 0, 0, "(none: no jobs)", "", "", ""})
	}
	return t.Render() + "\n"
}

func perDay(jobs int64) int64 {
	if jobs == docextract.UnknownTotal {
		return jobs
	}
	return jobs / surveyDays
}

func jobsText(n int64) string {
	if n == docextract.UnknownTotal {
		return "unknown"
	}
	return fmt.Sprint(n)
}

// nextCommands are what to do after init.
func nextCommands(path string) []string {
	config := ""
	if path != "jobs.yaml" {
		config = " --config " + shellWord(path)
	}
	return []string{"docarchive doctor" + config, "docarchive run" + config}
}

// shellWord quotes a word for a shell where it must be.
func shellWord(word string) string {
	plain := func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-/", r))
	}
	if !strings.ContainsFunc(word, plain) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
