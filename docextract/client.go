package docextract

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/gzip"
)

// DefaultBaseURL is the vendor's address.
const DefaultBaseURL = "https://api.adteco.com/v1"

const (
	headerTimeout  = 30 * time.Second // until an answer begins
	idleTimeout    = 30 * time.Second // between two reads of a body
	requestTimeout = 2 * time.Minute  // for one attempt in all
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
	Clock     Clock
}

// Clock is the time as the client sees it.
type Clock struct {
	Now   func() time.Time                                 // time.Now if nil
	Sleep func(ctx context.Context, d time.Duration) error // returns early with ctx's error; a timer if nil
}

// Client calls the API. It is safe for concurrent use.
type Client struct {
	base      *url.URL
	key       string
	userAgent string
	http      *http.Client
	limiter   Limiter
	maxBody   int64
	retry     RetryPolicy
	clock     Clock
	requests  atomic.Int64
}

// Requests is how many HTTP requests the client has made.
func (c *Client) Requests() int64 { return c.requests.Load() }

// New returns a client. The error says what is wrong with the base URL or the
// key.
func New(o Options) (*Client, error) {
	base, err := url.Parse(strings.TrimRight(orElse(o.BaseURL, DefaultBaseURL), "/"))
	if err != nil || base.Host == "" || base.Scheme != "https" && base.Scheme != "http" {
		return nil, errors.New("api.base_url must be an http or https URL such as " + DefaultBaseURL)
	}
	if base.User != nil || base.RawQuery != "" || base.Fragment != "" {
		return nil, errors.New("api.base_url must hold neither a password nor parameters")
	}
	if strings.ContainsFunc(o.Key, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, errors.New("api.key holds a space, a line break or another character that a key cannot have")
	}
	c := &Client{
		base: base, key: o.Key, userAgent: orElse(o.UserAgent, "docarchive"),
		limiter: o.Limiter, maxBody: o.MaxBody, retry: o.Retry.withDefaults(), clock: o.Clock.withDefaults(),
	}
	if c.maxBody == 0 {
		c.maxBody = defaultMaxBody
	}
	if c.limiter == nil {
		c.limiter = NewBudget(0, c.clock)
	}
	transport := o.Transport
	if transport == nil {
		transport = newTransport()
	}
	c.http = &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c, nil
}

// CloseIdle closes the connections that no request uses.
func (c *Client) CloseIdle() { c.http.CloseIdleConnections() }

func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: headerTimeout,
		MaxIdleConnsPerHost:   64,
		IdleConnTimeout:       90 * time.Second,
		DisableCompression:    true, // decompressed here, under a limit
	}
}

func orElse(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}

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
func (c *Client) attempt(ctx context.Context, path string, query url.Values) (*answer, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	target := c.base.JoinPath(path)
	target.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return nil, err
	}
	c.setHeaders(req)
	req.Header.Set("Accept-Encoding", "gzip")
	c.requests.Add(1)
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := c.readBody(resp, cancel)
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	return &answer{status: resp.StatusCode, header: resp.Header, body: body}, nil
}

func (c *Client) setHeaders(req *http.Request) {
	req.Header.Set("User-Agent", c.userAgent)
	req.Header.Set("Accept", "application/json")
	if c.key != "" {
		req.Header.Set("Authorization", "Bearer "+c.key)
	}
}

// readBody reads resp's body under the size limit. cancel ends the request when
// nothing comes for too long.
func (c *Client) readBody(resp *http.Response, cancel context.CancelFunc) ([]byte, error) {
	watchdog := time.AfterFunc(idleTimeout, cancel)
	defer watchdog.Stop()
	var r io.Reader = &watched{r: resp.Body, timer: watchdog}
	if strings.EqualFold(resp.Header.Get("Content-Encoding"), "gzip") {
		zr, err := gzip.NewReader(r)
		if err != nil {
			return nil, err
		}
		defer zr.Close()
		r = zr
	}
	size := max(512, resp.ContentLength)
	buf := make([]byte, 0, min(size+1, c.maxBody+1))
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

// TooLargeError means that an answer was larger than the client accepts. A
// smaller page may fit.
type TooLargeError struct {
	Limit int64 // in bytes
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("the answer is larger than %d bytes", e.Limit)
}

// watched pushes the timer back whenever bytes arrive.
type watched struct {
	r     io.Reader
	timer *time.Timer
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	if n > 0 {
		w.timer.Reset(idleTimeout)
	}
	return n, err
}
