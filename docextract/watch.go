package docextract

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/adteco/docarchive/internal/words"
)

// Timeouts bound one HTTP exchange. Zero fields take the defaults, which stand
// behind them.
type Timeouts struct {
	Connect time.Duration // for the connection, and once more for TLS; 10 s
	Header  time.Duration // from the start until the answer begins; 30 s
	Idle    time.Duration // between two reads of the answer's body; 30 s
	Total   time.Duration // for all of it; 2 minutes, for a download 10
}

func (t Timeouts) withDefaults(total time.Duration) Timeouts {
	set := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	set(&t.Connect, 10*time.Second)
	set(&t.Header, 30*time.Second)
	set(&t.Idle, 30*time.Second)
	set(&t.Total, total)
	return t
}

// newTransport returns a transport with limits on everything. It decompresses
// nothing, so that whoever reads can set a limit on that too.
func newTransport(t Timeouts) *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: t.Connect, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    t.Connect,
		MaxIdleConnsPerHost:    64,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 1 << 20,
		DisableCompression:     true,
	}
}

// watch ends an exchange in which nothing comes for too long.
type watch struct {
	ctx    context.Context // of the request
	cancel context.CancelCauseFunc
	stop   context.CancelFunc
	timer  *time.Timer
	idle   time.Duration
}

// watch begins an exchange. The watch must be ended.
func (t Timeouts) watch(ctx context.Context) *watch {
	w := &watch{idle: t.Idle}
	ctx, w.stop = context.WithTimeoutCause(ctx, t.Total, &TimeoutError{"the exchange was not over", t.Total})
	w.ctx, w.cancel = context.WithCancelCause(ctx)
	w.timer = time.AfterFunc(t.Header, func() { w.cancel(&TimeoutError{"no answer began", t.Header}) })
	return w
}

// end releases what the watch holds, and ends the exchange if it goes on still.
func (w *watch) end() {
	w.timer.Stop()
	w.cancel(nil)
	w.stop()
}

// explain returns why the exchange failed: what the watch or the caller had
// against it, else err.
func (w *watch) explain(err error) error {
	if cause := context.Cause(w.ctx); cause != nil {
		return cause
	}
	return err
}

// body is the answer's body under the watch.
func (w *watch) body(r io.Reader) *watchedBody {
	// The timer's function may be running by now; then the exchange is over.
	if w.timer.Stop() {
		w.timer = time.AfterFunc(w.idle, func() { w.cancel(&TimeoutError{"nothing more of the answer came", w.idle}) })
	}
	return &watchedBody{r: r, watch: w}
}

// watchedBody puts the watch's end off whenever bytes arrive.
type watchedBody struct {
	r     io.Reader
	watch *watch
	err   error // the reader's own, once it failed other than by its end
}

func (b *watchedBody) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if n > 0 && b.watch.ctx.Err() == nil {
		b.watch.timer.Reset(b.watch.idle)
	}
	if err != nil && err != io.EOF {
		b.err = err
	}
	return n, err
}

// TimeoutError means that an exchange with a server took too long.
type TimeoutError struct {
	What  string // did not happen
	Limit time.Duration
}

func (e *TimeoutError) Error() string { return e.What + " within " + words.Duration(e.Limit) }

// Timeout is true, as in [net.Error].
func (e *TimeoutError) Timeout() bool { return true }
