package report

import (
	"fmt"
	"html/template"
	"math"
)

// The most entries that a list shows. A model may have more.
const (
	mostRows     = 20
	mostNew      = 60 // columns
	mostMessages = 25
	mostNotes    = 20
)

func newPage(m *Model) *page {
	p := &page{
		Style: template.CSS(style), // ours, and not a stranger's
		Title: "Archive report",
		Tiles: tiles(m),
		Foot:  fmt.Sprintf("docarchive %s · archive %s", name(m.Subject.ToolVersion), name(m.Subject.ArchiveID)),
	}
	s := m.Subject
	if s.Kind == KindRun {
		p.Title = "Run " + name(s.RunID)
		p.Badge = outcomeBadge(s.Outcome)
		p.Facts = []fact{
			{"Started", moment(s.From), machine(s.From)}, {"Finished", moment(s.To), machine(s.To)},
		}
	} else {
		p.Facts = []fact{
			{"Jobs created from", moment(s.From), machine(s.From)}, {"to", moment(s.To), machine(s.To)},
		}
	}
	p.Facts = append(p.Facts, fact{"Report made", moment(s.Made), machine(s.Made)})
	for _, part := range []*section{
		attention(m), throughput(m), requests(m), success(m), times(m), confidence(m), errorCodes(m),
		schema(m), expiry(m), resubmissions(m), runs(m),
	} {
		if part != nil {
			p.Sections = append(p.Sections, *part)
		}
	}
	for i, note := range m.Notes {
		if i == mostNotes {
			p.Notes = append(p.Notes, more(len(m.Notes)-i, "note"))
			break
		}
		p.Notes = append(p.Notes, message(note))
	}
	return p
}

func outcomeBadge(o Outcome) *badge {
	switch o {
	case OutcomeDone:
		return &badge{"good", "Complete"}
	case OutcomePartly:
		return &badge{"warn", "Partly done"}
	case OutcomeDry:
		return &badge{"calm", "Dry run"}
	default:
		return &badge{"bad", "Ended early"}
	}
}

// soon is how many days before jobs expire that are not archived a page stresses it.
const soon = 14

func tiles(m *Model) []tile {
	t := m.Totals
	archived := tile{Label: "Jobs archived", Value: count(t.Archived)}
	if m.Subject.Kind == KindRun {
		archived.Note = "of " + count(t.Read) + " read"
	} else {
		archived.Note = "created in the period"
	}
	all := []tile{archived, successTile(m.Health)}
	if p := m.Health.Time; p != nil {
		all = append(all, tile{Label: "Processing time", Value: span(p.P50), Note: "median; 95" + thin + "% within " + span(p.P95)})
	}
	spent := tile{Label: "API requests", Value: count(m.Requests.Made)}
	if b := m.Requests.Budget; b > 0 {
		spent.Note = percent(share(m.Requests.Made, b)) + " of the budget"
	}
	return append(all, spent, expiryTile(m.Pipelines), tookTile(m))
}

func successTile(h Health) tile {
	var completed, failed int64
	for _, e := range h.Extractors {
		completed += e.Completed
		failed += e.Failed
	}
	if completed+failed == 0 {
		return tile{Label: "Success", Value: "–", Note: "no job measured"}
	}
	return tile{Label: "Success", Value: percent(share(completed, completed+failed)), Note: count(failed) + " failed"}
}

func expiryTile(pipelines []Pipeline) tile {
	t := tile{Label: "Days to expiry", Value: "–", Note: "not known"}
	least, known := math.MaxInt, false
	for _, p := range pipelines {
		if p.Standing == nil {
			continue
		}
		known = true
		if d := p.Standing.DaysLeft; d != nil {
			least = min(least, *d)
		}
	}
	switch {
	case known && least == math.MaxInt:
		t.Value, t.Note, t.Class = "none due", "all settled jobs are archived", "good"
	case known:
		t.Value, t.Note = count(int64(least)), "until unarchived jobs expire"
		if least < soon {
			t.Class = "bad"
		}
	}
	return t
}

func tookTile(m *Model) tile {
	if m.Subject.Kind == KindPeriod {
		return tile{Label: "Time in runs", Value: span(m.Totals.Seconds * 1000), Note: things(int64(len(m.Runs)), "run")}
	}
	t := tile{Label: "Time taken", Value: span(m.Totals.Seconds * 1000)}
	if m.Totals.Seconds > 0 && m.Totals.Archived > 0 {
		t.Note = rate(m.Totals.Archived, m.Totals.Seconds)
	}
	return t
}

// rate is how many jobs a second were archived.
func rate(jobs int64, seconds float64) string {
	perSecond := float64(jobs) / seconds
	if perSecond >= 10 {
		return count(int64(math.Round(perSecond))) + " jobs a second"
	}
	return decimal(perSecond) + " jobs a second"
}

func share(part, whole int64) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

// attention is what a person should look at; nil if there is nothing.
func attention(m *Model) *section {
	s := &section{ID: "attention", Title: "Needs attention", Class: "attention"}
	s.say(m.Problems, "problem")
	s.say(m.Alerts, "alert")
	if len(s.Messages) == 0 {
		return nil
	}
	return s
}

// say adds messages, as many as a list shows.
func (s *section) say(all []Message, what string) {
	for i, one := range all {
		if i == mostMessages {
			s.Messages = append(s.Messages, line{Text: more(len(all)-i, what)})
			break
		}
		s.Messages = append(s.Messages, newLine(one))
	}
}

func newLine(m Message) line {
	where := ""
	if m.Pipeline != "" {
		where = name(m.Pipeline)
	}
	if m.Place != "" {
		if where != "" {
			where += " · "
		}
		where += name(m.Place)
	}
	return line{where, message(m.Text)}
}
