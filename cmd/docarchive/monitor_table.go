package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/adteco/docarchive/internal/words"
	"github.com/adteco/docarchive/pipeline"
)

// shownFields is how many fields, the least certain, and how many codes a table
// shows of an extractor; JSON has all.
const shownFields = 5

// printVigil prints what monitor found in the form that was asked for.
func (a *app) printVigil(out io.Writer, v *vigil) error {
	out = a.hide.writer(out)
	if a.json() {
		return printJSON(out, v)
	}
	_, err := fmt.Fprintln(out, vigilTable(v))
	return err
}

// vigilTable lays out what monitor found for people.
func vigilTable(v *vigil) string {
	var b strings.Builder
	source := "the archive"
	if v.Source == fromAPI {
		source = "the API, " + words.Count(v.Requests, "request")
	}
	fmt.Fprintf(&b, "%s to %s, from %s\n\n", when(&v.From), when(&v.To), source)
	b.WriteString(healthTable(v))
	for _, part := range []string{codeTable(v), confidenceTable(v)} {
		if part != "" {
			b.WriteString("\n\n" + part)
		}
	}
	if v.Unreadable > 0 {
		fmt.Fprintf(&b, "\n\nnot readable as jobs: %s of the listings", words.Count(v.Unreadable, "element"))
	}
	if len(v.Alerts) == 0 {
		b.WriteString("\n\nno alert")
		return b.String()
	}
	fmt.Fprintf(&b, "\n\n%s:", words.Count(len(v.Alerts), "alert"))
	for i := range v.Alerts {
		fmt.Fprintf(&b, "\n  %s", printable(v.Alerts[i].Message()))
	}
	for _, n := range v.Notices {
		fmt.Fprintf(&b, "\n%s: %d sent to %s (%s), %d held back", n.Pipeline, n.Sent, n.Host, n.Type, n.Held)
		if n.Error != "" {
			b.WriteString(", not delivered: " + printable(n.Error))
		}
	}
	return b.String()
}

func healthTable(v *vigil) string {
	t := newTable("pipeline", "extractor", "jobs", "change", "failed", "rate", "change", "avg", "change", "p50", "p95", "max")
	right(t, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)
	for _, p := range v.Pipelines {
		for _, e := range p.Extractors {
			row := []any{p.Pipeline, extractorText(e.Extractor), e.Now.Jobs(), "-", e.Now.Failed, "-", "-", "-", "-", "-", "-", "-"}
			before := e.Before
			if before == nil {
				before = &pipeline.Health{}
			}
			row[3] = relative(float64(e.Now.Jobs()), float64(before.Jobs()))
			if now := e.Now.FailureRate; now != nil {
				row[5] = fmt.Sprintf("%.1f %%", *now*100)
				if was := before.FailureRate; was != nil {
					row[6] = fmt.Sprintf("%+.1f pt", (*now-*was)*100)
				}
			}
			if now := e.Now.Time; now != nil {
				row[7], row[9], row[10], row[11] = took(now.Avg), took(now.P50), took(now.P95), took(now.Max)
				if was := before.Time; was != nil {
					row[8] = relative(now.Avg, was.Avg)
				}
			}
			t.AppendRow(row)
		}
		if len(p.Extractors) == 0 {
			t.AppendRow([]any{p.Pipeline, "-", 0, "-", 0, "-", "-", "-", "-", "-", "-", "-"})
		}
	}
	return t.Render()
}

func codeTable(v *vigil) string {
	t := newTable("pipeline", "extractor", "error code", "jobs", "of failed", "before")
	right(t, 4, 5, 6)
	for _, p := range v.Pipelines {
		for _, e := range p.Extractors {
			for i, c := range e.Now.Codes {
				if i == shownFields {
					t.AppendRow([]any{p.Pipeline, extractorText(e.Extractor), fmt.Sprintf("and %d more", len(e.Now.Codes)-i)})
					break
				}
				t.AppendRow([]any{
					p.Pipeline, extractorText(e.Extractor), printable(c.Code), c.Jobs,
					fmt.Sprintf("%.0f %%", float64(c.Jobs)/float64(e.Now.Failed)*100), jobsBefore(e.Before, c.Code),
				})
			}
		}
	}
	if t.Length() == 0 {
		return ""
	}
	return t.Render()
}

func jobsBefore(h *pipeline.Health, code string) string {
	if h == nil {
		return "-"
	}
	for _, c := range h.Codes {
		if c.Code == code {
			return fmt.Sprint(c.Jobs)
		}
	}
	return "0"
}

func confidenceTable(v *vigil) string {
	t := newTable("pipeline", "extractor", "field", "jobs", "confidence", "change")
	right(t, 4, 5, 6)
	for _, p := range v.Pipelines {
		for _, e := range p.Extractors {
			for i, f := range e.Now.Confidence {
				if i == shownFields {
					t.AppendRow([]any{p.Pipeline, extractorText(e.Extractor), fmt.Sprintf("and %d more, more certain", len(e.Now.Confidence)-i)})
					break
				}
				change := "-"
				if e.Before != nil {
					if was := e.Before.MeanOf(f.Field); was != nil {
						change = fmt.Sprintf("%+.3f", f.Mean-*was)
					}
				}
				t.AppendRow([]any{p.Pipeline, extractorText(e.Extractor), printable(f.Field), f.Jobs, fmt.Sprintf("%.3f", f.Mean), change})
			}
		}
	}
	if t.Length() == 0 {
		return ""
	}
	return t.Render()
}

func extractorText(id string) string {
	if id == "" {
		return "-"
	}
	return printable(id)
}

// relative is the change from was to now in per cent, if there is one.
func relative(now, was float64) string {
	if was == 0 {
		return "-"
	}
	return fmt.Sprintf("%+.0f %%", (now-was)/was*100)
}

func took(ms float64) string {
	d := time.Duration(ms * float64(time.Millisecond))
	if d < 10*time.Second {
		return d.Round(time.Millisecond).String()
	}
	return d.Round(100 * time.Millisecond).String()
}
