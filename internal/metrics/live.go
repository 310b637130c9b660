package metrics

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/sync/errgroup"
)

// Live serves how far a run has come while it lasts.
type Live struct {
	server   *http.Server
	listener net.Listener
	serving  errgroup.Group
	due      *prometheus.GaugeVec
	done     *prometheus.GaugeVec
	read     *prometheus.GaugeVec
	fresh    *prometheus.GaugeVec
}

// Listen serves /metrics at the address, HOST:PORT, until Close. requests tells
// how many requests the run has made; it is called from several goroutines.
func Listen(ctx context.Context, address string, requests func() int64) (*Live, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("serve metrics: %w", err)
	}
	gauge := func(name, help string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, []string{labelPipeline})
	}
	l := &Live{
		listener: listener,
		due:      gauge("docarchive_windows_due", "Windows that the run looks after."),
		done:     gauge("docarchive_windows_done", "Windows that the run is done with."),
		read:     gauge("docarchive_jobs_read", "Distinct jobs seen so far."),
		fresh:    gauge("docarchive_jobs_new", "Jobs archived so far."),
	}
	r := prometheus.NewPedanticRegistry()
	r.MustRegister(
		l.due, l.done, l.read, l.fresh,
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "docarchive_requests_total", Help: "Requests made to the API so far.",
		}, func() float64 { return float64(requests()) }),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(r, promhttp.HandlerOpts{MaxRequestsInFlight: 4}))
	l.server = &http.Server{
		Handler: mux, ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 10 * time.Second, MaxHeaderBytes: 16 << 10,
	}
	l.serving.Go(func() error {
		if err := l.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve metrics: %w", err)
		}
		return nil
	})
	return l, nil
}

// Address is where metrics are served.
func (l *Live) Address() string { return l.listener.Addr().String() }

// Update sets how far a pipeline has come. It may be called from several
// goroutines.
func (l *Live) Update(pipeline string, due, done int, read, fresh int64) {
	l.due.WithLabelValues(pipeline).Set(float64(due))
	l.done.WithLabelValues(pipeline).Set(float64(done))
	l.read.WithLabelValues(pipeline).Set(float64(read))
	l.fresh.WithLabelValues(pipeline).Set(float64(fresh))
}

// Close ends the serving, answers in hand first, for a second at most.
func (l *Live) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	err := l.server.Shutdown(ctx)
	if err != nil {
		err = l.server.Close()
	}
	return errors.Join(err, l.serving.Wait())
}
