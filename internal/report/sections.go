package report

import (
	"fmt"
	"math"
	"strings"
)

func throughput(m *Model) *section {
	t := m.Totals
	s := &section{ID: "throughput", Title: "Throughput", Chart: dayChart(m.Days)}
	switch days := m.Subject.To.Sub(m.Subject.From).Hours() / 24; {
	case t.Archived == 0 && m.Subject.Kind == KindPeriod:
		s.Lead = "No job of the period is archived."
	case t.Archived == 0:
		s.Lead = "Nothing new was archived."
	case m.Subject.Kind == KindPeriod:
		s.Lead = things(t.Archived, "job") + " created in the period " + are(t.Archived) + " archived"
		if days >= 1 {
			s.Lead += ", " + count(int64(math.Round(float64(t.Archived)/days))) + " a day"
		}
		s.Lead += "."
	default:
		s.Lead = things(t.Archived, "job") + " archived"
		if t.Seconds > 0 {
			s.Lead += " in " + span(t.Seconds*1000) + ", " + rate(t.Archived, t.Seconds)
		}
		if t.Rows > 0 {
			s.Lead += fmt.Sprintf("; %s and %s written to the sinks", things(t.Rows, "row"), size(t.Bytes))
		}
		s.Lead += "."
	}
	if m.Subject.Kind == KindRun {
		by := table{Caption: "What the run did, by pipeline", Head: heads(
			"Pipeline", "#Windows", "#Read", "#Archived", "#Excluded", "#Open", "#Quarantined", "#Time")}
		fill(&by, m.Pipelines, mostRows, "pipeline", func(p *Pipeline) []cell {
			return []cell{
				text(name(p.Name)), num(count(int64(p.Windows.Due))), num(count(p.Totals.Read)), num(count(p.Totals.Archived)),
				num(count(p.Totals.Excluded)), num(count(p.Totals.Open)), num(count(p.Totals.Quarantined)), num(span(p.Totals.Seconds * 1000)),
			}
		})
		s.add(by)
	}
	type written struct {
		pipeline string
		sink     Sink
	}
	var sinks []written
	for _, p := range m.Pipelines {
		for _, one := range p.Sinks {
			sinks = append(sinks, written{p.Name, one})
		}
	}
	to := table{Caption: "What was written, by sink", Head: heads("Pipeline", "Sink", "#Files", "#Rows", "#Size")}
	fill(&to, sinks, mostRows, "sink", func(w *written) []cell {
		files, bytes := count(int64(w.sink.Files)), size(w.sink.Bytes)
		if w.sink.Files == 0 { // a database
			files, bytes = "–", "–"
		}
		return []cell{text(name(w.pipeline)), text(name(w.sink.Label)), num(files), num(count(w.sink.Rows)), num(bytes)}
	})
	s.add(to)
	return s
}

// add adds a table that has rows.
func (s *section) add(t table) {
	if len(t.Rows) > 0 {
		s.Tables = append(s.Tables, t)
	}
}

func requests(m *Model) *section {
	r := m.Requests
	s := &section{ID: "requests", Title: "Requests against the budget"}
	s.Lead = things(r.Made, "request") + " to the API"
	switch {
	case r.Budget > 0 && r.PerMinute > 0:
		s.Lead += fmt.Sprintf(", %s of the %s that %s a minute allow in that time.", percent(share(r.Made, r.Budget)), count(r.Budget), count(r.PerMinute))
	case r.Budget > 0:
		s.Lead += fmt.Sprintf(", %s of the %s that were allowed in the minutes the runs took.", percent(share(r.Made, r.Budget)), count(r.Budget))
	default:
		s.Lead += "; the rate limit is not known."
	}
	if m.Subject.Kind != KindRun {
		return s
	}
	whole, head := r.Budget, "#Of the budget"
	if whole == 0 {
		whole, head = r.Made, "#Of the requests"
	}
	t := table{Caption: "Requests by pipeline", Head: heads("Pipeline", head, "#Requests", "#Per 1,000 jobs")}
	fill(&t, m.Pipelines, mostRows, "pipeline", func(p *Pipeline) []cell {
		per := "–"
		if p.Totals.Read > 0 {
			per = decimal(1000 * float64(p.Requests) / float64(p.Totals.Read))
		}
		part := share(p.Requests, whole)
		return []cell{text(name(p.Name)), bar(percent(part), part, "requests"), num(count(p.Requests)), num(per)}
	})
	s.add(t)
	return s
}

func success(m *Model) *section {
	s := &section{ID: "success", Title: "Success by extractor"}
	h := m.Health
	if len(h.Extractors) == 0 {
		s.Lead = "No job was measured."
		return s
	}
	var completed, failed int64
	for _, e := range h.Extractors {
		completed, failed = completed+e.Completed, failed+e.Failed
	}
	s.Lead = fmt.Sprintf("%s of %s completed, %s failed.", count(completed), things(completed+failed, "job"), count(failed))
	t := table{Caption: "Jobs by extractor", Head: heads("Extractor", "#Success", "#Completed", "#Failed", "Pipeline")}
	fill(&t, h.Extractors, mostRows, "extractor", func(e *Extractor) []cell {
		part := share(e.Completed, e.Completed+e.Failed)
		rate := bar(percent(part), part, "completed")
		if e.Completed+e.Failed == 0 {
			rate = num("–")
		}
		return []cell{text(name(e.ID)), rate, num(count(e.Completed)), num(count(e.Failed)), text(name(e.Pipeline))}
	})
	s.add(t)
	return s
}

func times(m *Model) *section {
	h := m.Health
	if h.Time == nil {
		return nil
	}
	s := &section{ID: "times", Title: "Processing time", Chart: timeChart(h.Times)}
	s.Lead = fmt.Sprintf("Half of the jobs took %s or less, 95%s%% %s or less; the mean is %s, the longest %s.",
		span(h.Time.P50), thin, span(h.Time.P95), span(h.Time.Avg), span(h.Time.Max))
	var timed []Extractor
	for _, e := range h.Extractors {
		if e.Time != nil {
			timed = append(timed, e)
		}
	}
	t := table{Caption: "Processing time by extractor", Head: heads("Extractor", "#Median", "#95th percentile", "#Mean", "#Longest", "Pipeline")}
	fill(&t, timed, mostRows, "extractor", func(e *Extractor) []cell {
		return []cell{
			text(name(e.ID)), num(span(e.Time.P50)), num(span(e.Time.P95)), num(span(e.Time.Avg)), num(span(e.Time.Max)),
			text(name(e.Pipeline)),
		}
	})
	s.add(t)
	return s
}

func confidence(m *Model) *section {
	fields := m.Health.Fields
	if len(fields) == 0 {
		return nil
	}
	s := &section{ID: "confidence", Title: "Confidence by field"}
	s.Lead = fmt.Sprintf("The mean over the jobs that give one, least certain first: %s at %.3f.", name(fields[0].Name), fields[0].Mean)
	t := table{Caption: "Mean confidence by field", Head: heads("Field", "#Confidence", "#Jobs", "Extractor", "Pipeline")}
	fill(&t, fields, mostRows, "field", func(f *Field) []cell {
		return []cell{
			text(name(f.Name)), bar(fmt.Sprintf("%.3f", f.Mean), f.Mean, "confidence"), num(count(f.Jobs)),
			text(name(f.Extractor)), text(name(f.Pipeline)),
		}
	})
	s.add(t)
	return s
}

func errorCodes(m *Model) *section {
	h := m.Health
	if h.Measured == 0 {
		return nil
	}
	s := &section{ID: "errors", Title: "Errors"}
	var failed int64
	for _, e := range h.Errors {
		failed += e.Jobs
	}
	if failed == 0 {
		s.Lead = "No job failed."
		return s
	}
	top := h.Errors[0]
	s.Lead = fmt.Sprintf("%s failed; the most frequent code is %s with %s.", things(failed, "job"), name(top.Code), count(top.Jobs))
	t := table{Caption: "Failed jobs by error code", Head: heads("Error code", "#Of all failed", "#Jobs", "Extractor", "Pipeline")}
	fill(&t, h.Errors, mostRows, "code", func(e *ErrorCount) []cell {
		part := share(e.Jobs, failed)
		return []cell{
			text(name(e.Code)), bar(percent(part), part, "failed"), num(count(e.Jobs)), text(name(e.Extractor)), text(name(e.Pipeline)),
		}
	})
	s.add(t)
	return s
}

func schema(m *Model) *section {
	s := &section{ID: "schema", Title: "Schema changes"}
	if len(m.Schema) == 0 {
		s.Lead = "No column is new."
		return s
	}
	byDataset := map[string]bool{}
	for _, c := range m.Schema {
		byDataset[c.Dataset] = true
	}
	s.Lead = fmt.Sprintf("%s new in %s; columns never change or go.", things(int64(len(m.Schema)), "column"), things(int64(len(byDataset)), "dataset"))
	t := table{Caption: "New columns", Head: heads("Column", "Dataset", "Type", "Source in the job")}
	if m.Subject.Kind == KindPeriod {
		t.Head = append(t.Head, head{"Run", false})
	}
	fill(&t, m.Schema, mostNew, "column", func(c *SchemaChange) []cell {
		row := []cell{text(name(c.Column)), text(name(c.Dataset)), text(name(c.Type)), text(name(c.Source))}
		if m.Subject.Kind == KindPeriod {
			row = append(row, text(name(c.RunID)))
		}
		return row
	})
	s.add(t)
	return s
}

// retention is how many days the API keeps a job.
const retention = 90

func expiry(m *Model) *section {
	s := &section{ID: "expiry", Title: "Days to expiry"}
	t := table{Caption: "How long unarchived jobs still live", Head: heads("Pipeline", "#Days left", "Oldest due", "Accounted for to")}
	var due []string
	fill(&t, m.Pipelines, mostRows, "pipeline", func(p *Pipeline) []cell {
		row := []cell{text(name(p.Name)), num("–"), text("not known"), text("–")}
		if st := p.Standing; st != nil {
			if st.Reached != nil {
				row[3] = text(moment(*st.Reached))
			}
			row[2] = text("nothing")
			if st.Behind != nil {
				row[2] = text(moment(*st.Behind))
			}
			if d := st.DaysLeft; d != nil {
				class := "completed"
				if *d < soon {
					class = "failed"
					due = append(due, name(p.Name))
				}
				row[1] = bar(count(int64(*d)), float64(*d)/retention, class)
			}
		}
		return row
	})
	s.Lead = fmt.Sprintf("The API keeps a job for %d days. What is due is what was not yet accounted for.", retention)
	if len(due) > 0 {
		s.Lead += " Soon to expire: " + strings.Join(due, ", ") + "."
	}
	s.add(t)
	if len(t.Rows) == 0 {
		return nil
	}
	return s
}

func resubmissions(m *Model) *section {
	if len(m.Resubmissions) == 0 {
		return nil
	}
	s := &section{ID: "resubmissions", Title: "Submitted again"}
	var submitted int64
	var credits float64
	var messages []Message
	t := table{Caption: "Failed jobs that were submitted again", Head: heads(
		"Pipeline", "#Failed", "#Submitted", "#Held", "#Left", "#Credits", "#Balance before")}
	for _, r := range m.Resubmissions {
		submitted += int64(r.Submitted)
		credits += r.Credits
		if r.Stopped != "" {
			messages = append(messages, Message{Pipeline: r.Pipeline, Text: "stopped: " + r.Stopped})
		}
		messages = append(messages, r.Messages...)
	}
	s.say(messages, "message")
	s.Lead = fmt.Sprintf("%s submitted again for %s credits at most.", things(submitted, "failed job"), amount(credits))
	fill(&t, m.Resubmissions, mostRows, "pipeline", func(r *Resubmission) []cell {
		balance := "–"
		if r.Balance != nil {
			balance = amount(*r.Balance)
		}
		return []cell{
			text(name(r.Pipeline)), num(count(int64(r.Failed))), num(count(int64(r.Submitted))), num(count(int64(r.Held))),
			num(count(int64(r.Left))), num(amount(r.Credits)), num(balance),
		}
	})
	s.add(t)
	return s
}

func runs(m *Model) *section {
	if m.Subject.Kind != KindPeriod {
		return nil
	}
	s := &section{ID: "runs", Title: "Runs"}
	if len(m.Runs) == 0 {
		s.Lead = "No run of the period left a report."
		return s
	}
	s.Lead = fmt.Sprintf("%s left a report; newest first.", things(int64(len(m.Runs)), "run"))
	t := table{Caption: "Runs, and their requests against the budget", Head: heads(
		"Started", "#Of the budget", "#Requests", "#Archived", "#Time", "#Problems", "Run")}
	newest := make([]Run, len(m.Runs))
	for i, r := range m.Runs {
		newest[len(newest)-1-i] = r
	}
	fill(&t, newest, mostRows, "run", func(r *Run) []cell {
		of := num("–")
		if r.Requests.Budget > 0 {
			part := share(r.Requests.Made, r.Requests.Budget)
			of = bar(percent(part), part, "requests")
		}
		return []cell{
			text(moment(r.Started)), of, num(count(r.Requests.Made)), num(count(r.Archived)),
			num(span(r.Seconds * 1000)), num(count(int64(r.Problems))), text(name(r.ID)),
		}
	})
	s.add(t)
	return s
}
