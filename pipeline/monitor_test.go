package pipeline_test

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/pipeline"
)

var watchEnd = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func lastDay() pipeline.Window {
	return pipeline.Window{Start: watchEnd.Add(-24 * time.Hour), End: watchEnd}
}

// watchedJob makes a job of so long ago; more are members of its JSON.
func watchedJob(t rapid.TB, n int, extractor string, status docextract.Status, ago time.Duration, more string) docextract.Job {
	t.Helper()
	if more != "" {
		more = "," + more
	}
	job, err := docextract.ParseJob(fmt.Appendf(nil, `{"id":"job_%d","extractor_id":%q,"status":%q,"created_at":%q%s}`,
		n, extractor, status, watchEnd.Add(-ago).Format(time.RFC3339Nano), more))
	if err != nil {
		t.Fatal(err)
	}
	return job
}

func TestMonitorMeasures(t *testing.T) {
	t.Parallel()
	const week = 7 * 24 * time.Hour
	m := pipeline.NewMonitor(lastDay(), pipeline.Filter{Metadata: map[string]string{"team": "a"}})
	const ours = `"metadata":{"team":"a"}`
	for i, j := range []struct {
		extractor string
		status    docextract.Status
		ago       time.Duration
		more      string
	}{
		{"ext_a", "completed", 24 * time.Hour, `"processing_time_ms":100,"confidence":{"total":0.5,"vendor":{"name":1}},` + ours},
		{"ext_a", "completed", time.Hour, `"processing_time_ms":300.4,"confidence":{"total":0.75,"bad":"0.9","worse":1.5,"list":[1],"none":null},` + ours},
		{"ext_a", "failed", time.Hour, `"processing_time_ms":-5,"error_details":{"code":"timeout","message":"x"},` + ours},
		{"ext_a", "failed", time.Hour, `"processing_time_ms":"9","error_details":{"code":7},` + ours},
		{"ext_a", "failed", time.Hour, `"processing_time_ms":1e300,"error_details":{"code":"timeout"},` + ours},
		{"ext_a", "processing", time.Hour, `"processing_time_ms":9999,"confidence":{"total":0},` + ours},
		{"ext_a", "completed", week + time.Hour, `"processing_time_ms":50,"confidence":{"total":1},` + ours},
		{"ext_b", "failed", week + time.Hour, `"error_details":null,` + ours},
		// These do not count.
		{"ext_a", "failed", time.Hour, `"metadata":{"team":"b"}`},
		{"ext_a", "failed", 0, ours},                              // the end is not in the period
		{"ext_a", "failed", 24*time.Hour + time.Nanosecond, ours}, // nor what is before its start
		{"ext_a", "failed", 3 * 24 * time.Hour, ours},
		{"ext_a", "failed", week + 25*time.Hour, ours},
	} {
		job := watchedJob(t, i, j.extractor, j.status, j.ago, j.more)
		m.Add(&job)
	}
	rate, all, none := 0.6, 1.0, 0.0
	want := []pipeline.ExtractorHealth{
		{
			Extractor: "ext_a",
			Now: pipeline.Health{
				Completed: 2, Failed: 3, Open: 1, FailureRate: &rate,
				Codes:      []pipeline.CodeCount{{Code: "timeout", Jobs: 2}, {Code: pipeline.MonitorNone, Jobs: 1}},
				Time:       &pipeline.ProcessingTime{Jobs: 2, Avg: 200, P50: 100, P95: 300, Max: 300},
				Confidence: []pipeline.FieldConfidence{{Field: "total", Jobs: 2, Mean: 0.625}, {Field: "vendor.name", Jobs: 1, Mean: 1}},
			},
			Before: &pipeline.Health{
				Completed: 1, FailureRate: &none,
				Time:       &pipeline.ProcessingTime{Jobs: 1, Avg: 50, P50: 50, P95: 50, Max: 50},
				Confidence: []pipeline.FieldConfidence{{Field: "total", Jobs: 1, Mean: 1}},
			},
		},
		{
			Extractor: "ext_b",
			Before: &pipeline.Health{
				Failed: 1, FailureRate: &all, Codes: []pipeline.CodeCount{{Code: pipeline.MonitorNone, Jobs: 1}},
			},
		},
	}
	if diff := cmp.Diff(want, m.Health()); diff != "" {
		t.Errorf("health (-want +got):\n%s", diff)
	}
}

// However many jobs there are, the percentiles are those of the sorted times,
// within the error that is promised.
func TestMonitorPercentiles(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.OneOf(
			rapid.Int64Range(0, 1000), rapid.Int64Range(0, 60_000), rapid.Int64Range(0, 1<<40),
		), 1, 200).Draw(t, "milliseconds")
		m := pipeline.NewMonitor(lastDay(), pipeline.Filter{})
		var sum float64
		for i, ms := range values {
			job := watchedJob(t, i, "ext_a", "completed", time.Hour, fmt.Sprintf(`"processing_time_ms":%d`, ms))
			m.Add(&job)
			sum += float64(ms)
		}
		got := m.Health()[0].Now.Time
		slices.Sort(values)
		near := func(name string, got, want, allowed float64) {
			if math.Abs(got-want) > allowed*want {
				t.Errorf("%s is %v, want %v", name, got, want)
			}
		}
		rank := func(q float64) float64 { return float64(values[max(1, int(math.Ceil(q*float64(len(values)))))-1]) }
		near("p50", got.P50, rank(0.50), 0.002)
		near("p95", got.P95, rank(0.95), 0.002)
		near("max", got.Max, rank(1), 0)
		near("avg", got.Avg, sum/float64(len(values)), 1e-12)
		if got.Jobs != int64(len(values)) || got.P50 > got.P95 || got.P95 > got.Max {
			t.Errorf("of %d values: %+v", len(values), got)
		}
	})
}

// What others choose at will cannot fill the memory, and still counts.
func TestMonitorIsBounded(t *testing.T) {
	t.Parallel()
	const many = 5000
	m := pipeline.NewMonitor(lastDay(), pipeline.Filter{})
	long := string(slices.Repeat([]byte("é"), 1000))
	for i := range many {
		job := watchedJob(t, i, fmt.Sprintf("ext_%d", i), "failed", time.Hour, fmt.Sprintf(`"error_details":{"code":"c%d"}`, i))
		m.Add(&job)
		job = watchedJob(t, i, "ext_0", "failed", time.Hour, fmt.Sprintf(`"error_details":{"code":"%s%d"}`, long, i))
		m.Add(&job)
		job = watchedJob(t, i, "ext_0", "completed", time.Hour, fmt.Sprintf(`"confidence":{"f%d":0.5}`, i))
		m.Add(&job)
	}
	health := m.Health()
	var failed, codes, fields int64
	for _, e := range health {
		failed += e.Now.Failed
		for _, c := range e.Now.Codes {
			codes += c.Jobs
			if len(c.Code) > 250 {
				t.Errorf("a code of %d bytes is kept", len(c.Code))
			}
		}
		for _, f := range e.Now.Confidence {
			fields += f.Jobs
		}
		if len(e.Now.Codes) > 201 || len(e.Now.Confidence) > 2001 {
			t.Errorf("%s: %d codes and %d fields are kept", e.Extractor, len(e.Now.Codes), len(e.Now.Confidence))
		}
	}
	if len(health) > 501 || failed != 2*many || codes != 2*many || fields != many {
		t.Errorf("%d extractors, %d failed, %d codes, %d fields", len(health), failed, codes, fields)
	}
	if !slices.ContainsFunc(health, func(e pipeline.ExtractorHealth) bool { return e.Extractor == pipeline.MonitorRest }) {
		t.Error("nothing stands for the extractors past the bound")
	}
}

func TestWeeksBefore(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for length, shift := range map[time.Duration]time.Duration{
		time.Hour: 7 * day, day: 7 * day, 7 * day: 7 * day, 7*day + 1: 14 * day, 28 * day: 28 * day,
	} {
		w := pipeline.Window{Start: watchEnd.Add(-length), End: watchEnd}
		want := pipeline.Window{Start: w.Start.Add(-shift), End: w.End.Add(-shift)}
		if got := pipeline.WeeksBefore(w); got != want {
			t.Errorf("%v: %v, want %v", length, got, want)
		}
	}
}

func TestBreaches(t *testing.T) {
	t.Parallel()
	rate, was := 0.5, 0.25
	health := pipeline.ExtractorHealth{
		Extractor: "ext_a",
		Now: pipeline.Health{
			Completed: 2, Failed: 2, FailureRate: &rate,
			Time:       &pipeline.ProcessingTime{Jobs: 4, Avg: 10_000, Max: 30_000},
			Confidence: []pipeline.FieldConfidence{{Field: "total", Jobs: 2, Mean: 0.8}},
		},
		Before: &pipeline.Health{
			FailureRate: &was, Time: &pipeline.ProcessingTime{Avg: 1500, Max: 2000},
			Confidence: []pipeline.FieldConfidence{{Field: "total", Jobs: 9, Mean: 0.9}},
		},
	}
	at := pipeline.Thresholds{Avg: 10 * time.Second, Max: 30 * time.Second, FailureRate: 0.5, Confidence: 0.8}
	past := pipeline.Thresholds{Avg: 9 * time.Second, Max: 29 * time.Second, FailureRate: 0.05, Confidence: 0.81}
	off := pipeline.Thresholds{FailureRate: 1}
	enough, tooFew := pipeline.Thresholds{FailureRate: 0.05, MinJobs: 4}, pipeline.Thresholds{FailureRate: 0.05, MinJobs: 5}
	rate1 := 1.0
	bad := pipeline.ExtractorHealth{Now: pipeline.Health{
		Failed: 1, FailureRate: &rate1, Time: &pipeline.ProcessingTime{Avg: 1e9, Max: 1e9}, Confidence: []pipeline.FieldConfidence{{Mean: 0}},
	}}
	messages := func(all []pipeline.Breach) []string {
		keys, texts := map[string]bool{}, []string{}
		for _, b := range all {
			keys[b.Key()] = true
			texts = append(texts, b.Message())
		}
		if len(keys) != len(all) {
			t.Errorf("of %d breaches only %d keys differ", len(all), len(keys))
		}
		return texts
	}
	for _, c := range []struct {
		name       string
		thresholds pipeline.Thresholds
		health     pipeline.ExtractorHealth
		want       []string
	}{
		{"at the threshold", at, health, []string{}},
		{"past it", past, health, []string{
			"invoices, ext_a: mean processing time 10s is above 9s (4 jobs, 1.5s the week before)",
			"invoices, ext_a: longest processing time 30s is above 29s (4 jobs, 2s the week before)",
			"invoices, ext_a: failure rate 50.0 % is above 5.0 % (4 jobs, 25.0 % the week before)",
			`invoices, ext_a: mean confidence of "total" 0.800 is below 0.810 (2 jobs, 0.900 the week before)`,
		}},
		{"of as many jobs as are judged", enough, health, []string{
			"invoices, ext_a: failure rate 50.0 % is above 5.0 % (4 jobs, 25.0 % the week before)",
		}},
		{"of too few", tooFew, health, []string{}},
		{"switched off", off, bad, []string{}},
		{"nothing measured", past, pipeline.ExtractorHealth{}, []string{}},
	} {
		if diff := cmp.Diff(c.want, messages(c.thresholds.Breaches("invoices", &c.health))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
	data, err := json.Marshal(past.Breaches("invoices", &health)[0])
	if want := `{"pipeline":"invoices","extractor_id":"ext_a","measure":"processing_time_avg","value":10000,"threshold":9000,"before":1500,"jobs":4}`; string(data) != want {
		t.Errorf("JSON %s, want %s (%v)", data, want, err)
	}
}
