// Package metrics tells Prometheus what a run did: in a text file for
// node_exporter and on a Pushgateway when it has ended, on an address of its
// own while it lasts. docs/METRICS.md lists the names; they are kept.
package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Run is what one run did. Its values are those of this run alone, except where
// they say otherwise.
type Run struct {
	Version    string
	Start, End time.Time
	Success    bool // it exited 0
	Pipelines  []Pipeline
}

// Pipeline is what a run did for one pipeline.
type Pipeline struct {
	Name     string
	Jobs     Jobs
	Windows  Windows
	Sinks    []Sink
	Requests int64
	Seconds  float64
	DaysLeft *int // before the oldest job not accounted for expires; nil if not known
}

// Jobs counts jobs.
type Jobs struct {
	Read, New, Excluded, Open, Quarantined, Unfinished int64
}

// Windows counts windows.
type Windows struct {
	Due, Read, Changed, Unproven, Sealed int
}

// Sink counts what was added to one sink.
type Sink struct {
	Label string
	Files int
	Rows  int64
	Bytes int64
}

const (
	labelPipeline   = "pipeline"
	nameLastSuccess = "docarchive_last_success_timestamp_seconds"
)

// collector turns a run into metrics, all of them gauges.
type collector struct {
	run    Run
	always []string // labels of every metric, and their values
	values func(p Pipeline) []string
}

// labelled gives every metric its pipeline as a label.
func labelled(run Run) collector {
	return collector{run, []string{labelPipeline}, func(p Pipeline) []string { return []string{p.Name} }}
}

// unlabelled leaves the pipeline to the group that the metrics are pushed to.
func unlabelled(run Run) collector {
	return collector{run, nil, func(Pipeline) []string { return nil }}
}

// Describe describes nothing: the registry then takes the metrics as they come.
func (c collector) Describe(chan<- *prometheus.Desc) {}

// Collect sends the run's metrics.
func (c collector) Collect(out chan<- prometheus.Metric) {
	for _, p := range c.run.Pipelines {
		c.collect(p, out)
	}
}

func (c collector) collect(p Pipeline, out chan<- prometheus.Metric) {
	send := func(name, help string, value float64, more ...string) { // more: label, value
		labels, values := c.always, c.values(p)
		if len(more) > 0 {
			labels, values = append(labels[:len(labels):len(labels)], more[0]), append(values, more[1])
		}
		desc := prometheus.NewDesc(name, help, labels, nil)
		m, err := prometheus.NewConstMetric(desc, prometheus.GaugeValue, value, values...)
		if err != nil {
			m = prometheus.NewInvalidMetric(desc, err)
		}
		out <- m
	}
	send("docarchive_info", "Which version ran last; always 1.", 1, "version", c.run.Version)
	send("docarchive_run_start_timestamp_seconds", "When the last run began.", timestamp(c.run.Start))
	send("docarchive_run_end_timestamp_seconds", "When the last run ended.", timestamp(c.run.End))
	success := 0.0
	if c.run.Success {
		success = 1
		send(nameLastSuccess, "When the last run that exited 0 ended.", timestamp(c.run.End))
	}
	send("docarchive_run_success", "Whether the last run exited 0.", success)
	send("docarchive_run_seconds", "How long the last run took for the pipeline.", p.Seconds)
	send("docarchive_run_requests", "Requests that the last run made for the pipeline.", float64(p.Requests))
	if p.DaysLeft != nil {
		send("docarchive_days_left", "Days before the oldest job that is not accounted for expires.", float64(*p.DaysLeft))
	}
	send("docarchive_jobs_read", "Distinct jobs seen in the windows that the last run read.", float64(p.Jobs.Read))
	send("docarchive_jobs_new", "Jobs archived by the last run.", float64(p.Jobs.New))
	send("docarchive_jobs_excluded", "Final jobs that the pipeline's filters left out in the last run.", float64(p.Jobs.Excluded))
	send("docarchive_jobs_open", "Jobs in due windows that were not final at the last run.", float64(p.Jobs.Open))
	send("docarchive_jobs_quarantined", "Elements set aside by the last run because they are no jobs.", float64(p.Jobs.Quarantined))
	send("docarchive_jobs_unfinished", "Jobs that were never final when the last run sealed their window.", float64(p.Jobs.Unfinished))
	send("docarchive_windows_due", "Windows that the last run was to look after.", float64(p.Windows.Due))
	send("docarchive_windows_read", "Windows of which the last run read something.", float64(p.Windows.Read))
	send("docarchive_windows_changed", "Windows for which the last run committed a record.", float64(p.Windows.Changed))
	send("docarchive_windows_unproven", "Windows that the last run left open, in part or whole.", float64(p.Windows.Unproven))
	send("docarchive_windows_sealed", "Due windows that are closed for ever.", float64(p.Windows.Sealed))
	for _, s := range p.Sinks {
		send("docarchive_sink_files", "Files that the last run added to the sink.", float64(s.Files), "sink", s.Label)
		send("docarchive_sink_rows", "Rows that the last run added to the sink.", float64(s.Rows), "sink", s.Label)
		send("docarchive_sink_bytes", "Bytes that the last run added to the sink.", float64(s.Bytes), "sink", s.Label)
	}
}

func timestamp(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}

func registry(c prometheus.Collector) (*prometheus.Registry, error) {
	r := prometheus.NewPedanticRegistry()
	return r, r.Register(c)
}
