package docextract

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/gzip"
)

const (
	requestTimeout = 2 * time.Minute // for one attempt in all
	defaultMaxBody = 64 << 20
)

// Options configures a [Client]. The zero value speaks to the vendor without a
// key.
type Options struct {
	BaseURL   string            // DefaultBaseURL if empty
	Key       string            // sent as a bearer token, to the base URL's host only
	UserAgent string            // docarchive if empty
	Transport http.RoundTripper // a transport with sane limits if nil
	Limiter   Limiter           // a [Budget] of its own if nil
	MaxBody   int64             // bytes of one answer after decompression; 64 MiB if 0
	Retry     RetryPolicy
	Timeouts  Timeouts // of one attempt
	Clock     Clock
	// OnRetry, if set, is told of each failed attempt at a GET that will be
	// repeated: its number, from 1, what it met, and the pause before the next.
	// It is called by whoever made the request, perhaps by several at once.
	OnRetry func(attempt int, err error, pause time.Duration)
}

// Clock is the time as the client sees it.
type Clock struct {
	Now   func() time.Time                                 // time.Now if nil
	Sleep func(ctx context.Context, d time.Duration) error // returns early with ctx's error; a timer if nil
}

// Client calls the API. It is safe for concurrent use.
type Client struct {
	endpoint
	http     *http.Client
	limiter  Limiter
	maxBody  int64
	retry    RetryPolicy
	timeouts Timeouts
	clock    Clock
	onRetry  func(attempt int, err error, pause time.Duration) // never nil
	requests atomic.Int64
	bodies   sync.Pool // of *[]byte, from pages that were freed
}

// Requests is how many HTTP requests the client has made.
func (c *Client) Requests() int64 { return c.requests.Load() }

// New returns a client. The error says what is wrong with the base URL or the
// key.
func New(o Options) (*Client, error) {
	at, err := newEndpoint(o.BaseURL, o.Key, o.UserAgent)
	if err != nil {
		return nil, err
	}
	c := &Client{
		endpoint: at, limiter: o.Limiter, maxBody: o.MaxBody, retry: o.Retry.withDefaults(),
		timeouts: o.Timeouts.withDefaults(requestTimeout), clock: o.Clock.withDefaults(), onRetry: o.OnRetry,
	}
	if c.onRetry == nil {
		c.onRetry = func(int, error, time.Duration) {}
	}
	if c.maxBody == 0 {
		c.maxBody = defaultMaxBody
	}
	if c.limiter == nil {
		c.limiter = NewBudget(0, c.clock)
	}
	transport := o.Transport
	if transport == nil {
		transport = newTransport(c.timeouts)
	}
	c.http = &http.Client{Transport: transport, CheckRedirect: unfollowed}
	return c, nil
}

// CloseIdle closes the connections that no request uses.
func (c *Client) CloseIdle() { c.http.CloseIdleConnections() }

func (c Clock) withDefaults() Clock {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Sleep == nil {
		c.Sleep = sleep
	}
	return c
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// answer is one HTTP answer, read to its end.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// attempt makes one GET request. A non-nil error means that no whole answer
// came.
func (c *Client) attempt(ctx context.Context, path []string, query url.Values) (*answer, error) {
	w := c.timeouts.watch(ctx)
	defer w.end()
	req, err := c.request(w.ctx, http.MethodGet, path, query, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept-Encoding", "gzip")
	c.requests.Add(1)
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.failure(w.explain(err))
	}
	defer resp.Body.Close()
	body, err := c.readBody(resp, w)
	if err != nil && resp.StatusCode < 400 {
		return nil, err
	}
	// An error's status says enough, should its body be lost.
	return &answer{status: resp.StatusCode, header: resp.Header, body: body}, nil
}

// readBody reads the body of an answer under the size limit.
func (c *Client) readBody(resp *http.Response, w *watch) ([]byte, error) {
	source := w.body(resp.Body)
	body, err := c.inflate(source, resp)
	var large *TooLargeError
	switch {
	case err == nil || errors.As(err, &large):
		return body, err
	case source.err != nil:
		return nil, c.failure(w.explain(source.err))
	default:
		return nil, &MalformedError{Err: fmt.Errorf("decompress it: %w", err)}
	}
}

// inflate reads the body to its end, decompressed.
func (c *Client) inflate(r io.Reader, resp *http.Response) ([]byte, error) {
	if strings.EqualFold(resp.Header.Get("Content-Encoding"), "gzip") {
		zr, err := gzip.NewReader(r)
		if err != nil {
			return nil, err
		}
		defer zr.Close()
		r = zr
	}
	size := min(max(512, resp.ContentLength)+1, c.maxBody+1)
	buf := c.buffer(int(size))
	for {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if int64(len(buf)) > c.maxBody {
			return nil, &TooLargeError{Limit: c.maxBody}
		}
		if err == io.EOF {
			return buf, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// mostKept is the largest body whose memory is kept for another one.
const mostKept = 4 << 20

// buffer returns an empty buffer with room for size bytes.
func (c *Client) buffer(size int) []byte {
	kept, ok := c.bodies.Get().(*[]byte)
	if ok && cap(*kept) >= size {
		return (*kept)[:0]
	}
	return make([]byte, 0, size)
}

// keep takes a body's memory back for another answer.
func (c *Client) keep(body []byte) {
	if cap(body) <= mostKept {
		c.bodies.Put(&body)
	}
}

// TooLargeError means that an answer was larger than the client accepts. A
// smaller page may fit.
type TooLargeError struct {
	Limit int64 // in bytes
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("the answer is larger than %d bytes", e.Limit)
}
