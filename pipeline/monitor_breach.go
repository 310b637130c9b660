package pipeline

import (
	"fmt"
	"strconv"
	"time"
)

// Thresholds are the bounds of health. Those of time are off at 0, the failure
// rate's at 1, the confidence's at 0.
type Thresholds struct {
	Avg, Max    time.Duration // of processing time: the mean, a single job
	FailureRate float64       // failed of all final jobs, 0 to 1
	MinJobs     int64         // final jobs, of which no fewer are judged by their failure rate
	Confidence  float64       // of a field's mean, 0 to 1
}

// Measure is what a threshold bounds.
type Measure string

// The measures, as they stand in alerts.
const (
	MeasureTimeAvg     Measure = "processing_time_avg"
	MeasureTimeMax     Measure = "processing_time_max"
	MeasureFailureRate Measure = "failure_rate"
	MeasureConfidence  Measure = "confidence"
)

// Breach is one measure of one extractor on the wrong side of its threshold.
// Times are in milliseconds, the others 0 to 1.
type Breach struct {
	Pipeline  string   `json:"pipeline"`
	Extractor string   `json:"extractor_id"`
	Measure   Measure  `json:"measure"`
	Field     string   `json:"field,omitempty"` // of a confidence
	Value     float64  `json:"value"`
	Threshold float64  `json:"threshold"`
	Before    *float64 `json:"before,omitempty"` // the value some weeks before
	Jobs      int64    `json:"jobs"`             // that the value is of
}

// Key is the same for the same breach in another period.
func (b *Breach) Key() string {
	return fmt.Sprintf("%q %q %q %q", b.Pipeline, b.Extractor, b.Measure, b.Field)
}

// Message says in a line what is wrong.
func (b *Breach) Message() string {
	var what, how string
	show := func(v float64) string { return milliseconds(v).String() }
	switch b.Measure {
	case MeasureTimeAvg:
		what, how = "mean processing time", "above"
	case MeasureTimeMax:
		what, how = "longest processing time", "above"
	case MeasureFailureRate:
		what, how, show = "failure rate", "above", percent
	case MeasureConfidence:
		what, how = "mean confidence of "+strconv.Quote(b.Field), "below"
		show = func(v float64) string { return strconv.FormatFloat(v, 'f', 3, 64) }
	}
	text := fmt.Sprintf("%s, %s: %s %s is %s %s (%d jobs", b.Pipeline, extractorName(b.Extractor), what, show(b.Value), how, show(b.Threshold), b.Jobs)
	if b.Before != nil {
		text += ", " + show(*b.Before) + " the week before"
	}
	return text + ")"
}

func extractorName(id string) string {
	if id == "" {
		return "no extractor"
	}
	return id
}

func percent(share float64) string {
	return strconv.FormatFloat(share*100, 'f', 1, 64) + " %"
}

// Breaches compares an extractor's health with the thresholds of a pipeline.
func (t Thresholds) Breaches(pipeline string, e *ExtractorHealth) []Breach {
	var all []Breach
	add := func(measure Measure, field string, value, threshold float64, jobs int64, before *float64) {
		all = append(all, Breach{
			Pipeline: pipeline, Extractor: e.Extractor, Measure: measure, Field: field,
			Value: value, Threshold: threshold, Jobs: jobs, Before: before,
		})
	}
	before := e.Before
	if before == nil {
		before = &Health{}
	}
	if now := e.Now.Time; now != nil {
		var avg, longest *float64
		if before.Time != nil {
			avg, longest = &before.Time.Avg, &before.Time.Max
		}
		if limit := inMilliseconds(t.Avg); limit > 0 && now.Avg > limit {
			add(MeasureTimeAvg, "", now.Avg, limit, now.Jobs, avg)
		}
		if limit := inMilliseconds(t.Max); limit > 0 && now.Max > limit {
			add(MeasureTimeMax, "", now.Max, limit, now.Jobs, longest)
		}
	}
	final := e.Now.Completed + e.Now.Failed
	if rate := e.Now.FailureRate; rate != nil && *rate > t.FailureRate && final >= t.MinJobs {
		add(MeasureFailureRate, "", *rate, t.FailureRate, final, before.FailureRate)
	}
	for _, f := range e.Now.Confidence {
		if f.Mean < t.Confidence {
			add(MeasureConfidence, f.Field, f.Mean, t.Confidence, f.Jobs, before.MeanOf(f.Field))
		}
	}
	return all
}

func inMilliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// MeanOf is the mean confidence of a field, or nil if no job has one.
func (h *Health) MeanOf(field string) *float64 {
	for i := range h.Confidence {
		if h.Confidence[i].Field == field {
			return &h.Confidence[i].Mean
		}
	}
	return nil
}
