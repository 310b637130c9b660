package pipeline

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/adteco/docarchive/docextract"
)

// The bounds of what a Monitor keeps. What comes past them is counted under
// [MonitorRest].
const (
	monitorExtractors = 500
	monitorCodes      = 200  // per extractor
	monitorFields     = 2000 // per extractor
	monitorName       = 200  // bytes of a code or a field's name
)

// MonitorRest stands for the extractors, codes and fields past those that a
// [Monitor] keeps apart, and MonitorNone for failed jobs without a code.
const (
	MonitorRest = "(others)"
	MonitorNone = "(none)"
)

// Monitor measures jobs per extractor: processing time, failures, confidence;
// in one period and, to compare with, in the same span some whole weeks before.
// It keeps no job, and its memory does not depend on how many there are. It is
// for one goroutine at a time.
type Monitor struct {
	period, before Window
	filter         Filter
	extractors     map[string]*extractorPulse
	read           vitals
}

type extractorPulse struct{ now, before pulse }

// NewMonitor returns a Monitor of the jobs created in the period that the
// filter lets pass.
func NewMonitor(period Window, filter Filter) *Monitor {
	return &Monitor{
		period: period, before: WeeksBefore(period), filter: filter,
		extractors: map[string]*extractorPulse{},
	}
}

// WeeksBefore is the span that a period is compared with: as long, and as many
// whole weeks earlier as keep the two apart, so that working days meet working
// days.
func WeeksBefore(w Window) Window {
	const week = 7 * day
	shift := max(1, (w.End.Sub(w.Start)+week-1)/week) * week
	return Window{Start: w.Start.Add(-shift), End: w.End.Add(-shift)}
}

// Add measures a job and retains nothing of it. Jobs created outside the two
// spans, or that the filter leaves out, do not count.
func (m *Monitor) Add(job *docextract.Job) {
	inPeriod := m.period.Contains(job.CreatedAt)
	if !inPeriod && !m.before.Contains(job.CreatedAt) || !m.filter.Match(job) {
		return
	}
	e := bounded(m.extractors, job.ExtractorID, monitorExtractors)
	m.read.scan(job.Raw)
	if inPeriod {
		e.now.add(job.Status, &m.read)
	} else {
		e.before.add(job.Status, &m.read)
	}
}

// bounded returns the value under the key, a new one if there is none yet, or
// that of [MonitorRest] if the map is full.
func bounded[T any](all map[string]*T, key string, most int) *T {
	if v := all[key]; v != nil {
		return v
	}
	if len(all) >= most {
		if v := all[MonitorRest]; v != nil {
			return v
		}
		key = MonitorRest
	}
	v := new(T)
	all[key] = v
	return v
}

// ExtractorHealth is how the jobs of one extractor fared.
type ExtractorHealth struct {
	Extractor string  `json:"extractor_id"`
	Now       Health  `json:"now"`
	Before    *Health `json:"before,omitempty"` // some weeks before; nil if there were no jobs
}

// Health is how the jobs of one extractor fared in one span of time.
type Health struct {
	Completed   int64             `json:"completed"`
	Failed      int64             `json:"failed"`
	Open        int64             `json:"open"`                   // not final; the archive holds none of these
	FailureRate *float64          `json:"failure_rate,omitempty"` // failed of all final jobs, 0 to 1; nil if there are none
	Codes       []CodeCount       `json:"codes,omitempty"`        // most frequent first
	Time        *ProcessingTime   `json:"processing_time,omitempty"`
	Confidence  []FieldConfidence `json:"confidence,omitempty"` // lowest mean first
}

// Jobs is how many jobs were measured.
func (h *Health) Jobs() int64 { return h.Completed + h.Failed + h.Open }

// CodeCount counts the failed jobs with one error code.
type CodeCount struct {
	Code string `json:"code"`
	Jobs int64  `json:"jobs"`
}

// ProcessingTime is how long jobs took, in milliseconds. Mean and maximum are
// exact, the percentiles within 0.2 %.
type ProcessingTime struct {
	Jobs int64   `json:"jobs"` // that tell their time
	Avg  float64 `json:"avg_ms"`
	P50  float64 `json:"p50_ms"`
	P95  float64 `json:"p95_ms"`
	Max  float64 `json:"max_ms"`
}

// FieldConfidence is the mean confidence of one field over the jobs that give
// one.
type FieldConfidence struct {
	Field string  `json:"field"`
	Jobs  int64   `json:"jobs"`
	Mean  float64 `json:"mean"` // 0 to 1
}

// Health returns what was measured, by extractor. An extractor with no job in
// the period is there if it had one before.
func (m *Monitor) Health() []ExtractorHealth {
	all := make([]ExtractorHealth, 0, len(m.extractors))
	for _, id := range slices.Sorted(maps.Keys(m.extractors)) {
		e := m.extractors[id]
		h := ExtractorHealth{Extractor: id, Now: e.now.health()}
		if before := e.before.health(); before.Jobs() > 0 {
			h.Before = &before
		}
		all = append(all, h)
	}
	return all
}

// Period is the span that is measured, Before the one it is compared with.
func (m *Monitor) Period() Window { return m.period }

// Before is the span that the period is compared with.
func (m *Monitor) Before() Window { return m.before }

// pulse counts the jobs of one extractor in one span.
type pulse struct {
	completed, failed, open int64
	codes                   map[string]*int64
	times                   durations
	fields                  map[string]*mean
}

type mean struct {
	n   int64
	sum float64
}

func (t *pulse) add(status docextract.Status, v *vitals) {
	switch status {
	case docextract.StatusCompleted:
		t.completed++
	case docextract.StatusFailed:
		t.failed++
		if t.codes == nil {
			t.codes = map[string]*int64{}
		}
		*bounded(t.codes, v.code, monitorCodes)++
	default:
		t.open++
		return // what it says of time and confidence is not final
	}
	if v.timed {
		t.times.add(v.took)
	}
	for _, s := range v.scores {
		if t.fields == nil {
			t.fields = map[string]*mean{}
		}
		m := bounded(t.fields, s.field, monitorFields)
		m.n++
		m.sum += s.value
	}
}

func (t *pulse) health() Health {
	h := Health{Completed: t.completed, Failed: t.failed, Open: t.open, Time: t.times.summary()}
	if final := t.completed + t.failed; final > 0 {
		rate := float64(t.failed) / float64(final)
		h.FailureRate = &rate
	}
	for code, n := range t.codes {
		h.Codes = append(h.Codes, CodeCount{Code: code, Jobs: *n})
	}
	slices.SortFunc(h.Codes, func(a, b CodeCount) int {
		return cmp.Or(cmp.Compare(b.Jobs, a.Jobs), cmp.Compare(a.Code, b.Code))
	})
	for field, m := range t.fields {
		h.Confidence = append(h.Confidence, FieldConfidence{Field: field, Jobs: m.n, Mean: m.sum / float64(m.n)})
	}
	slices.SortFunc(h.Confidence, func(a, b FieldConfidence) int {
		return cmp.Or(cmp.Compare(a.Mean, b.Mean), cmp.Compare(a.Field, b.Field))
	})
	return h
}

// milliseconds turns a measure of time into a duration.
func milliseconds(ms float64) time.Duration {
	return time.Duration(ms * float64(time.Millisecond)).Round(time.Millisecond)
}
