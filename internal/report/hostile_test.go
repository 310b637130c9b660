package report_test

import (
	"strings"

	"github.com/adteco/docarchive/internal/report"
)

// hostile is a model whose every text comes from someone who means ill.
func hostile() *report.Model {
	const evil = "</title></style></svg><script>alert(1)</script><img src=//evil.example/x onerror=alert(1)>" +
		"\u202e\u2066\x00\x07\x1b[31m\r\n\t\u200b\ufeff\xff{{.}}\" onload='x' style=\"background:url(//evil.example)\" "
	long := evil + strings.Repeat("W", 10_000)
	huge, tiny := 1<<62, -5
	m := sampleRun()
	m.Subject.RunID, m.Subject.ArchiveID, m.Subject.ToolVersion = long, long, long
	m.Subject.Outcome = "javascript:alert(1)"
	at := night
	for range 200 {
		m.Pipelines = append(m.Pipelines, report.Pipeline{
			Name: long, Requests: 1 << 62, Totals: report.Totals{Read: 1, Seconds: 1e300, Archived: -1 << 63},
			Sinks: []report.Sink{{Label: long, Files: 1, Rows: 1 << 62, Bytes: 1<<63 - 1}}, Standing: &report.Standing{Reached: &at, Behind: &at, DaysLeft: &huge},
		}, report.Pipeline{Name: "العربية", Standing: &report.Standing{DaysLeft: &tiny}})
		m.Health.Extractors = append(m.Health.Extractors, report.Extractor{
			Pipeline: long, ID: long, Completed: 1 << 40, Time: &report.Timing{Avg: 1e300, P50: -1, P95: 0, Max: 1e18},
		})
		m.Health.Fields = append(m.Health.Fields, report.Field{Pipeline: long, Extractor: long, Name: long, Mean: 1e300})
		m.Health.Errors = append(m.Health.Errors, report.ErrorCount{Pipeline: long, Extractor: long, Code: long, Jobs: 1})
		m.Alerts = append(m.Alerts, report.Message{Pipeline: long, Place: long, Text: long})
		m.Problems = append(m.Problems, report.Message{Pipeline: long, Place: long, Text: long})
		m.Schema = append(m.Schema, report.SchemaChange{Dataset: long, Column: long, Type: long, Source: long, RunID: long})
		m.Resubmissions = append(m.Resubmissions, report.Resubmission{
			Pipeline: long, Credits: 1e300, Stopped: long, Messages: []report.Message{{long, long, long}},
		})
		m.Runs = append(m.Runs, report.Run{ID: long, Started: at, Seconds: -1, Requests: report.Requests{Made: 5, Budget: 1}})
		m.Notes = append(m.Notes, long)
	}
	for i := range 5_000 {
		m.Days = append(m.Days, report.Day{Date: at.AddDate(0, 0, i+1), Completed: 1 << 50})
	}
	m.Health.Fields[0], m.Health.Errors[0] = m.Health.Fields[10], m.Health.Errors[10]
	return m
}
