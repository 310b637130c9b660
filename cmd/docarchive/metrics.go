package main

import (
	"context"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/adteco/docarchive/internal/config"
	"github.com/adteco/docarchive/internal/metrics"
	"github.com/adteco/docarchive/pipeline"
)

// metricsOptions are the flags that say where metrics go.
type metricsOptions struct {
	file, gateway, address string
}

func (o *metricsOptions) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.file, "metrics-file", "", "at the end, write metrics to this file for node_exporter (….prom)")
	f.StringVar(&o.gateway, "push-gateway", "", "at the end, push metrics to the Pushgateway at this URL")
	f.StringVar(&o.address, "metrics-addr", "", "while running, serve /metrics at HOST:PORT")
}

// check reports mistakes of usage. What goes wrong later is only logged: a run
// does not fail for its metrics.
func (o *metricsOptions) check() error {
	if o.file != "" && !strings.HasSuffix(o.file, ".prom") {
		return usagef("--metrics-file must end in .prom, or node_exporter does not read it, not %q", o.file)
	}
	if o.gateway != "" {
		if err := metrics.CheckGateway(o.gateway); err != nil {
			return usagef("--push-gateway: %v", err)
		}
	}
	if o.address != "" {
		if _, _, err := net.SplitHostPort(o.address); err != nil {
			return usagef("--metrics-addr must be HOST:PORT, not %q", o.address)
		}
	}
	return nil
}

// meter tells Prometheus of a run.
type meter struct {
	app     *app
	options metricsOptions
	work    *workplace
	live    *metrics.Live // nil: none is served
}

// newMeter begins to serve what is to be served during the run.
func (a *app) newMeter(ctx context.Context, o metricsOptions, w *workplace) *meter {
	m := &meter{app: a, options: o, work: w}
	if u, err := url.Parse(o.gateway); err == nil && u.User != nil {
		password, _ := u.User.Password()
		a.hide.add(u.User.String(), password)
	}
	if o.address == "" {
		return m
	}
	live, err := metrics.Listen(ctx, o.address, w.requests)
	if err != nil {
		a.log.Warn("the run goes on without live metrics", "error", err)
		return m
	}
	a.log.Info("metrics are served", "url", "http://"+live.Address()+"/metrics")
	m.live = live
	return m
}

// watch returns an observer of progress that tells the next one too.
func (m *meter) watch(next func(pipeline.Progress)) func(pipeline.Progress) {
	if m.live == nil {
		return next
	}
	return func(p pipeline.Progress) {
		m.live.Update(p.Pipeline, p.Windows, p.Done, p.Read, p.New)
		next(p)
	}
}

// stop ends the serving.
func (m *meter) stop() {
	if m.live == nil {
		return
	}
	if err := m.live.Close(); err != nil {
		m.app.log.Warn("live metrics ended with an error", "error", err)
	}
}

// metricsTime bounds what metrics may take at the end of a run, which a signal
// may have asked to stop.
const metricsTime = 8 * time.Second

// tell writes and pushes the metrics of a run that has ended, with the error if
// there was one.
func (m *meter) tell(ctx context.Context, report *pipeline.Report, pipelines []config.Pipeline, ended error) {
	if report == nil || report.DryRun || m.options.file == "" && m.options.gateway == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), metricsTime)
	defer cancel()
	run := metricsOf(report)
	run.Success = ended == nil && m.app.stop.received() == nil
	for _, p := range pipelines {
		i := slices.IndexFunc(run.Pipelines, func(one metrics.Pipeline) bool { return one.Name == p.Name })
		if i < 0 { // the run ended before it came to this one
			i = len(run.Pipelines)
			run.Pipelines = append(run.Pipelines, metrics.Pipeline{Name: p.Name})
		}
		run.Pipelines[i].DaysLeft = m.daysLeft(ctx, p)
	}
	if m.options.file != "" {
		if err := metrics.WriteTextfile(m.options.file, run, pipelineNames(m.work.cfg)); err != nil {
			m.app.log.Warn("the run's metrics are not in the file", "error", err)
		}
	}
	if m.options.gateway != "" {
		if err := metrics.Push(ctx, m.options.gateway, run); err != nil {
			m.app.log.Warn("the run's metrics are not on the Pushgateway", "error", err)
		}
	}
}

// daysLeft is how long the oldest job that is not accounted for still lives; a
// job of today, if all are.
func (m *meter) daysLeft(ctx context.Context, p config.Pipeline) *int {
	st, err := stand(ctx, m.work.ledger, p, m.work.now())
	if err != nil {
		m.app.log.Warn("the metrics do not say how many days are left", "error", err)
		return nil
	}
	if st.DaysLeft == nil {
		whole := int(pipeline.Retention / (24 * time.Hour))
		return &whole
	}
	return st.DaysLeft
}

// metricsOf translates a report.
func metricsOf(r *pipeline.Report) metrics.Run {
	run := metrics.Run{Version: r.ToolVersion, Start: r.Started, End: r.Finished}
	for _, p := range r.Pipelines {
		one := metrics.Pipeline{
			Name: p.Name, Requests: p.Requests, Seconds: p.Seconds,
			Jobs: metrics.Jobs{
				Read: p.Jobs.Read, New: p.Jobs.New, Excluded: p.Jobs.Excluded, Open: p.Jobs.Open,
				Quarantined: p.Jobs.Quarantined, Unfinished: p.Jobs.Unfinished,
			},
			Windows: metrics.Windows{
				Due: p.Windows.Due, Read: p.Windows.Read, Changed: p.Windows.Changed,
				Unproven: p.Windows.Unproven, Sealed: p.Windows.Sealed,
			},
		}
		for _, s := range p.Sinks {
			one.Sinks = append(one.Sinks, metrics.Sink{Label: s.Label, Files: s.Files, Rows: s.Rows, Bytes: s.Bytes})
		}
		run.Pipelines = append(run.Pipelines, one)
	}
	return run
}
