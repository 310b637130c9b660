package docextract_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/docextract/docextracttest"
)

// once limits a client to one attempt, with short timeouts.
func once(o *docextract.Options) {
	o.Retry.Attempts = 1
	o.Timeouts = docextract.Timeouts{Header: 100 * time.Millisecond, Idle: 100 * time.Millisecond}
}

// TestHangsEnd: a server that falls silent is left.
func TestHangsEnd(t *testing.T) {
	for fault, what := range map[string]string{
		"hang_headers": "no answer began", "hang_body": "nothing more of the answer came", "drip": "the exchange was not over",
	} {
		t.Run(fault, func(t *testing.T) {
			sim, client := simulated(t, docextracttest.Config{Jobs: 20}, once, func(o *docextract.Options) {
				if fault == "drip" {
					o.Timeouts = docextract.Timeouts{Header: time.Minute, Idle: time.Minute, Total: 100 * time.Millisecond}
				}
			})
			turn(t, sim, "drip_interval=5ms")
			if err := sim.Faults().Set(fault, 1); err != nil {
				t.Fatal(err)
			}
			_, err := client.List(context.Background(), docextract.Query{})
			want[*docextract.UnavailableError](t, err)
			if e := want[*docextract.TimeoutError](t, err); e.What != what || !e.Timeout() {
				t.Errorf("%v, want %s", err, what)
			}
		})
	}
}

// TestSlowIsNotHanging: as long as bytes come, the idle timeout does not strike.
func TestSlowIsNotHanging(t *testing.T) {
	sim, client := simulated(t, docextracttest.Config{}, once, func(o *docextract.Options) {
		o.Timeouts = docextract.Timeouts{Header: 10 * time.Second, Idle: 700 * time.Millisecond}
	})
	turn(t, sim, "drip_interval=60ms", "echo=off")
	if err := sim.Faults().Set("drip", 1); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	if _, err := client.List(context.Background(), docextract.Query{}); err != nil {
		t.Error(err)
	}
	if time.Since(begun) < 21*60*time.Millisecond {
		t.Error("the answer did not drip")
	}
}

func TestBrokenTransfers(t *testing.T) {
	for _, fault := range []string{"reset", "truncate"} {
		sim, client := simulated(t, docextracttest.Config{Jobs: 20}, once)
		if err := sim.Faults().Set(fault, 1); err != nil {
			t.Fatal(err)
		}
		_, err := client.List(context.Background(), docextract.Query{})
		want[*docextract.UnavailableError](t, err)
		if errors.As(err, new(*docextract.MalformedError)) {
			t.Errorf("%s: taken for a malformed answer: %v", fault, err)
		}
		if fault == "truncate" && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: %v", fault, err)
		}
	}
}

func compressed(body string) string {
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	_, _ = io.WriteString(z, body)
	_ = z.Close()
	return buf.String()
}

func TestGzip(t *testing.T) {
	const page = `{"jobs":[{"id":"a","status":"failed","created_at":"2026-11-24T11:30:00Z"}],"total":1}`
	good := compressed(page)
	damaged := []byte(good)
	damaged[len(damaged)-6] ^= 1 // the checksum
	for name, c := range map[string]struct {
		body     string
		coding   string
		requests int64 // 1: it is read
	}{
		"good": {good, "gzip", 1}, "upper case": {good, "GZIP", 1}, "none": {page, "", 1},
		"not compressed": {page, "gzip", 3}, "compressed in secret": {good, "", 3}, "an unknown coding": {good, "br", 3},
		"bad checksum": {string(damaged), "gzip", 3}, "cut": {good[:len(good)-9], "gzip", 3}, "empty": {"", "gzip", 3},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, answering(200, c.body, "Content-Encoding: "+c.coding))
			got, err := r.client.List(context.Background(), docextract.Query{})
			switch {
			case r.client.Requests() != c.requests:
				t.Errorf("asked %d times, want %d: %v", r.client.Requests(), c.requests, err)
			case c.requests == 1 && (err != nil || got.Jobs[0].ID != "a"):
				t.Errorf("%+v, %v", got, err)
			case c.requests == 3:
				want[*docextract.MalformedError](t, err)
			}
		})
	}
}

func TestAnswersAreBounded(t *testing.T) {
	t.Run("gzip bomb at the default limit", func(t *testing.T) {
		sim, client := simulated(t, docextracttest.Config{})
		if err := sim.Faults().Set("gzip_bomb", 1); err != nil {
			t.Fatal(err)
		}
		_, err := client.List(context.Background(), docextract.Query{})
		if e := want[*docextract.TooLargeError](t, err); e.Limit != 64<<20 || client.Requests() != 2 {
			t.Errorf("%v after %d requests", err, client.Requests())
		}
	})
	const limit = 1000
	for name, c := range map[string]struct {
		size int
		gzip bool
		fits bool
	}{
		"just": {limit, false, true}, "one more": {limit + 1, false, false}, "many more": {50 * limit, false, false},
		"just, compressed": {limit, true, true}, "one more, compressed": {limit + 1, true, false},
	} {
		body := string(emptyPage) + strings.Repeat(" ", c.size-len(emptyPage))
		coding := ""
		if c.gzip {
			body, coding = compressed(body), "gzip"
		}
		r := newRig(t, answering(200, body, "Content-Encoding: "+coding), func(o *docextract.Options) { o.MaxBody = limit })
		_, err := r.client.List(context.Background(), docextract.Query{})
		if large := errors.As(err, new(*docextract.TooLargeError)); large == c.fits || c.fits && err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRedirectsAreRefused: the key stays with the host it is for.
func TestRedirectsAreRefused(t *testing.T) {
	var strayed atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		strayed.Add(1)
		_, _ = w.Write(emptyPage)
	}))
	defer other.Close()
	otherHost := strings.TrimPrefix(other.URL, "http://")
	for _, status := range []int{301, 302, 303, 307, 308, 300, 304} {
		for to, host := range map[string]string{other.URL + "/v1/documents": otherHost, "//" + otherHost + "/x": otherHost, "/v2": "", "": ""} {
			r := newRig(t, answering(status, "", "Location: "+to))
			_, err := r.client.List(context.Background(), docextract.Query{})
			e := want[*docextract.RedirectError](t, err)
			if host == "" {
				host = strings.TrimPrefix(r.server.URL, "http://")
			}
			if e.Host != host || r.client.Requests() != 1 {
				t.Errorf("%d to %q: host %q, want %q, after %d requests", status, to, e.Host, host, r.client.Requests())
			}
		}
	}
	if strayed.Load() != 0 {
		t.Errorf("%d requests went to the other host", strayed.Load())
	}
}

func TestUntrustedServersAreRefused(t *testing.T) {
	for name, server := range tlsServers(t) {
		client := newClient(t, docextract.Options{BaseURL: server.URL, Key: testKey, Clock: newClock().clock()})
		_, err := client.List(context.Background(), docextract.Query{})
		if away := want[*docextract.UnavailableError](t, err); name == "self-signed" && away.Attempts != 1 {
			t.Errorf("%s: %d attempts", name, away.Attempts)
		}
		client.CloseIdle()
	}
}

// tlsServers are servers that must not be trusted; a request that reaches one
// fails the test.
func tlsServers(t *testing.T) map[string]*httptest.Server {
	handler := http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		t.Errorf("a request reached the server, with %q", req.Header.Get("Authorization"))
	})
	selfSigned := httptest.NewUnstartedServer(handler)
	selfSigned.Config.ErrorLog = log.New(io.Discard, "", 0)
	selfSigned.StartTLS()
	t.Cleanup(selfSigned.Close)
	old := httptest.NewUnstartedServer(handler)
	old.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	old.Config.ErrorLog = log.New(io.Discard, "", 0)
	old.StartTLS()
	t.Cleanup(old.Close)
	return map[string]*httptest.Server{"self-signed": selfSigned, "TLS 1.1": old}
}

func TestAServerThatIsAway(t *testing.T) {
	r := newRig(t, answering(200, ""))
	r.server.Close()
	_, err := r.client.List(context.Background(), docextract.Query{})
	if away := want[*docextract.UnavailableError](t, err); away.Attempts != 6 {
		t.Errorf("%d attempts, want 6", away.Attempts)
	}
}
