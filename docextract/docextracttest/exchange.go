package docextracttest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"
)

// host is which of the two hosts a request went to.
type host uint64

const (
	apiHost host = iota
	documentHost
)

// exchange is one request and what is needed to answer it.
type exchange struct {
	sim     *Simulator
	request *http.Request
	writer  http.ResponseWriter
	set     *settings
	host    host
	number  int64 // of the request to its host, from 1
	route   string
	id      string // the path's last element, where it is an id
	now     time.Time
	fault   *fault // what hits the request; nil: nothing
	rate    rateState
}

// answer is what is to be sent.
type answer struct {
	status      int
	contentType string
	location    string // of a redirect
	retryAfter  string
	body        []byte
	pooled      *bytes.Buffer // returned to the pool once the answer is sent
}

const (
	jsonType = "application/json"
	htmlType = "text/html; charset=utf-8"
	textType = "text/plain; charset=utf-8"
)

// pools keep what is costly to make from request to request.
type pools struct {
	buffers     sync.Pool // of *bytes.Buffer: pages while they are sent
	compressors sync.Pool // of *gzip.Writer: each holds a window of some hundred kilobytes
}

func (p *pools) buffer() *bytes.Buffer {
	buf, ok := p.buffers.Get().(*bytes.Buffer)
	if !ok {
		return new(bytes.Buffer)
	}
	buf.Reset()
	return buf
}

func (p *pools) compressor(to io.Writer) *gzip.Writer {
	z, ok := p.compressors.Get().(*gzip.Writer)
	if ok {
		z.Reset(to)
		return z
	}
	z, err := gzip.NewWriterLevel(to, gzip.BestSpeed)
	if err != nil {
		panic(err) // the level is valid
	}
	return z
}

func (x *exchange) hit(name string) bool { return x.fault != nil && x.fault.name == name }

// json is an answer with a value that can always be encoded.
func (x *exchange) json(status int, value any) answer {
	body, err := json.Marshal(value)
	if err != nil {
		return x.internal(err)
	}
	return answer{status: status, contentType: jsonType, body: body}
}

func (x *exchange) internal(err error) answer {
	return x.refuse(&refusal{http.StatusInternalServerError, "internal_error", err.Error(), ""})
}

// apiError is the API's form of an error.
type apiError struct {
	Code             string `json:"code"`
	Message          string `json:"message"`
	Suggestion       string `json:"suggestion,omitempty"`
	Status           int    `json:"status"`
	RequestID        string `json:"request_id"`
	DocumentationURL string `json:"documentation_url"`
}

func (x *exchange) refuse(r *refusal) answer {
	return x.json(r.status, map[string]apiError{"error": {
		Code: r.code, Message: r.message, Suggestion: r.suggestion, Status: r.status,
		RequestID: x.requestID(), DocumentationURL: "https://docs.adteco.com/errors#" + r.code,
	}})
}

func (x *exchange) requestID() string {
	return "req_" + string(appendHex(nil, hash(x.sim.config.Seed, streamRequest, uint64(x.number))))
}

// setHeaders sets all headers but those of the body's form.
func (x *exchange) setHeaders(a *answer) {
	h := x.writer.Header()
	h.Set("Content-Type", a.contentType)
	if x.host == apiHost {
		h.Set("X-Request-Id", x.requestID())
	}
	if a.location != "" {
		h.Set("Location", a.location)
	}
	if a.retryAfter != "" {
		h.Set("Retry-After", a.retryAfter)
	}
	if x.set.transport.hideDate {
		h["Date"] = nil // keeps net/http from setting it
	} else {
		h.Set("Date", x.now.Add(x.set.transport.dateSkew).UTC().Format(http.TimeFormat))
	}
	if x.rate.limited && !x.set.rate.hideHeaders {
		reset := x.rate.reset / 1_000_000
		if x.set.rate.resetDelta {
			reset -= x.now.Unix()
		}
		x.setRates(strconv.FormatInt(x.rate.limit, 10), strconv.FormatInt(x.rate.remaining, 10), strconv.FormatInt(reset, 10))
	}
}

func (x *exchange) setRates(limit, remaining, reset string) {
	h := x.writer.Header()
	h.Set("X-RateLimit-Limit", limit)
	h.Set("X-RateLimit-Remaining", remaining)
	h.Set("X-RateLimit-Reset", reset)
}

// wait lets real time pass; it is false if the request is over before.
func (x *exchange) wait(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-x.request.Context().Done():
		return false
	}
}

// hang waits until the client gives up or the simulator closes, and ends the
// connection.
func (x *exchange) hang() {
	<-x.request.Context().Done()
	panic(http.ErrAbortHandler)
}
