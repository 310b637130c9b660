package docextracttest

import (
	"bytes"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
)

// leastCompressed is the size from which compression pays.
const leastCompressed = 1024

// send sends a whole answer.
func (x *exchange) send(a answer) {
	x.setHeaders(&a)
	body, release := x.encode(a.body)
	defer release()
	x.writer.Header().Set("Content-Length", strconv.Itoa(len(body)))
	x.writer.WriteHeader(a.status)
	x.write(body)
}

// encode compresses the body if the client accepts it. The result is good until
// release is called.
func (x *exchange) encode(body []byte) (encoded []byte, release func()) {
	if !x.set.transport.gzip || x.host != apiHost || len(body) < leastCompressed || !acceptsGzip(x.request) {
		return body, func() {}
	}
	pools := &x.sim.pools
	buf := pools.buffer()
	z := pools.compressor(buf)
	defer pools.compressors.Put(z)
	// A bytes.Buffer takes everything, so neither call can fail.
	_, _ = z.Write(body)
	_ = z.Close()
	x.writer.Header().Set("Content-Encoding", "gzip")
	x.writer.Header().Set("Vary", "Accept-Encoding")
	return buf.Bytes(), func() { pools.buffers.Put(buf) }
}

func acceptsGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, quality, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			return strings.TrimSpace(quality) != "q=0"
		}
	}
	return false
}

// failInstead answers, or does not, in place of the API.
func (x *exchange) failInstead() {
	switch x.fault.name {
	case fault500, fault503:
		x.rate, _ = x.sim.rates.take(x.key(), x.now.UnixMicro(), &x.set.rate, false)
	}
	switch x.fault.name {
	case fault500:
		x.send(x.refuse(&refusal{http.StatusInternalServerError, "internal_error", "An internal error occurred.", "Try again later."}))
	case fault503:
		x.send(x.refuse(&refusal{http.StatusServiceUnavailable, "service_unavailable", "The service is not available.", "Try again later."}))
	case fault502:
		x.send(answer{status: http.StatusBadGateway, contentType: textType, body: []byte("Bad Gateway")})
	case fault504:
		x.send(answer{status: http.StatusGatewayTimeout, contentType: textType, body: []byte("upstream request timeout")})
	case faultHTML:
		x.send(answer{status: http.StatusOK, contentType: htmlType, body: []byte("<!doctype html><title>Sign in</title><h1>Welcome to the network</h1>")})
	case faultHTMLError:
		x.send(answer{status: http.StatusBadGateway, contentType: htmlType, body: []byte("<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>")})
	case fault429:
		x.rate = rateState{limited: true, limit: 100, reset: x.now.Add(time.Second).UnixMicro()}
		x.send(x.tooMany(x.now.Add(time.Second)))
	case fault429Bare:
		x.send(answer{status: http.StatusTooManyRequests, contentType: textType, body: []byte("slow down")})
	case faultHangHeaders:
		x.hang()
	case faultGarbage:
		x.send(answer{status: http.StatusOK, contentType: jsonType, body: x.noise(4096)})
	case faultGzipBomb:
		x.bomb()
	}
}

// noise is bytes that are not JSON.
func (x *exchange) noise(n int) []byte {
	d := dice(hash(x.sim.config.Seed, streamFault, uint64(x.number)))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(0x80 | d.next())
	}
	return b
}

// bomb sends a gzip file of many members, each a mebibyte of spaces.
func (x *exchange) bomb() {
	var one bytes.Buffer
	z := gzip.NewWriter(&one)
	const size = 1 << 20
	_, _ = z.Write(bytes.Repeat([]byte{' '}, size))
	_ = z.Close()
	x.setHeaders(&answer{contentType: jsonType})
	x.writer.Header().Set("Content-Encoding", "gzip")
	x.writer.WriteHeader(http.StatusOK)
	for sent := int64(0); sent < x.set.transport.bombBytes; sent += size {
		x.write(one.Bytes())
	}
}

// failAfter spoils an answer.
func (x *exchange) failAfter(a answer) {
	switch x.fault.name {
	case faultAcceptedReset:
		x.cut()
	case faultAccepted500:
		x.send(x.refuse(&refusal{http.StatusInternalServerError, "internal_error", "An internal error occurred.", "Try again later."}))
	case faultAcceptedHang:
		x.hang()
	case faultSubmittedWithout:
		if a.status < 300 {
			a.body = []byte(`{"status":"queued"}`)
		}
		x.send(a)
	case faultTruncateJSON:
		a.body = a.body[:len(a.body)/2]
		x.send(a)
	case faultTrailing:
		a.body = append(a.body[:len(a.body):len(a.body)], "\n{\"jobs\":[]}"...)
		x.send(a)
	case faultAbsurdRates:
		x.absurd(a)
	default:
		x.failMidway(a)
	}
}

// failMidway sends the first half of the body and then fails.
func (x *exchange) failMidway(a answer) {
	x.setHeaders(&a)
	body, release := x.encode(a.body)
	defer release()
	x.writer.Header().Set("Content-Length", strconv.Itoa(max(1, len(body))))
	x.writer.WriteHeader(a.status)
	if x.fault.name == faultDrip {
		x.drip(body)
		return
	}
	x.write(body[:len(body)/2])
	if err := http.NewResponseController(x.writer).Flush(); err != nil {
		panic(http.ErrAbortHandler)
	}
	switch x.fault.name {
	case faultReset:
		x.cut()
	case faultHangBody:
		x.hang()
	case faultTruncate:
		panic(http.ErrAbortHandler) // closes the connection in good order
	}
}

func (x *exchange) drip(body []byte) {
	control := http.NewResponseController(x.writer)
	for i := range body {
		if !x.wait(x.set.transport.dripInterval) {
			panic(http.ErrAbortHandler)
		}
		x.write(body[i : i+1])
		if err := control.Flush(); err != nil {
			panic(http.ErrAbortHandler)
		}
	}
}

// cut resets the connection.
func (x *exchange) cut() {
	conn, _, err := http.NewResponseController(x.writer).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // not HTTP/1.1: the best there is
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // so that Close resets; without it, it just closes
	}
	_ = conn.Close()
}

// absurd sends a whole answer with rate headers that cannot be.
func (x *exchange) absurd(a answer) {
	x.rate = rateState{}
	switch d := dice(x.number); d.below(5) {
	case 0:
		x.setRates("-1", "-100", "-7")
	case 1:
		x.setRates("1000000000000000000000", "1e18", "9999999999999")
	case 2:
		x.setRates("many", "none", "tomorrow")
	case 3:
		x.setRates("", "", "")
	default:
		x.setRates("100", "0", strconv.FormatInt(x.now.AddDate(50, 0, 0).Unix(), 10))
	}
	x.send(a)
}
