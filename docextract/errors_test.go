package docextract_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/adteco/docarchive/docextract"
)

// Each of several joined errors counts, not only the first.
func TestKeyRefused(t *testing.T) {
	refused, away := &docextract.Error{Status: 401}, &docextract.Error{Status: 503}
	for name, c := range map[string]struct {
		err  error
		want bool
	}{
		"none": {nil, false}, "other": {errors.New("x"), false}, "away": {away, false}, "refused": {refused, true},
		"second of two": {fmt.Errorf("run: %w", errors.Join(away, fmt.Errorf("list: %w", refused))), true},
		"none of two":   {errors.Join(away, away), false},
	} {
		if got := docextract.KeyRefused(c.err); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestErrors(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		want   docextract.Error
		text   string
	}{
		"whole": {
			400, `{"error":{"code":"c","message":"m","suggestion":"s","status":400,"request_id":"r"}}`,
			docextract.Error{Status: 400, Code: "c", Message: "m", Suggestion: "s", RequestID: "r"},
			"the API answered 400 c: m (s) [request r]",
		},
		"id in the header alone": {
			403, `{"error":{"code":"c"}}`,
			docextract.Error{Status: 403, Code: "c", Message: "Forbidden", RequestID: "req_header"},
			"the API answered 403 c: Forbidden [request req_header]",
		},
		"a field of another type": {
			422, `{"error":{"request_id":7,"message":[],"code":"c"}}`,
			docextract.Error{Status: 422, Code: "c", Message: "Unprocessable Entity", RequestID: "req_header"},
			"",
		},
		"an error of another form": {401, `{"error":"no"}`, docextract.Error{Status: 401, Message: "Unauthorized", RequestID: "req_header"}, ""},
		"a gateway's page":         {404, `<html>`, docextract.Error{Status: 404, Message: "Not Found", RequestID: "req_header"}, ""},
		"more than a line": {
			400, `{"error":{"code":"a\u001b[31m\nb","message":"` + strings.Repeat("é", 400) + `"}}`,
			docextract.Error{Status: 400, Code: "a [31m b", Message: strings.Repeat("é", 300) + "…", RequestID: "req_header"},
			"",
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, answering(c.status, c.body, "X-Request-Id: req_header"))
			_, err := r.client.List(context.Background(), docextract.Query{})
			got := want[*docextract.Error](t, err)
			if diff := cmp.Diff(&c.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if c.text != "" && got.Error() != c.text {
				t.Errorf("reads %q, want %q", got, c.text)
			}
			if got.Refused() != (c.status == 401 || c.status == 403) || docextract.NotFound(err) != (c.status == 404) || got.Retryable() {
				t.Errorf("refused %v, not found %v, retryable %v", got.Refused(), docextract.NotFound(err), got.Retryable())
			}
			if r.client.Requests() != 1 {
				t.Errorf("asked %d times", r.client.Requests())
			}
			mute(t, err)
		})
	}
}

// TestTheKeyIsNeverPrinted has the server echo the key wherever it can.
func TestTheKeyIsNeverPrinted(t *testing.T) {
	bearer := "Bearer " + testKey
	for name, h := range map[string]http.Handler{
		"error":             answering(400, `{"error":{"code":"`+testKey+`","message":"`+bearer+`","suggestion":"`+bearer+`","request_id":"`+testKey+`"}}`),
		"request id header": answering(400, ``, "X-Request-Id: "+bearer),
		"body":              answering(200, "<p>"+bearer+"\n\x1b[2J"),
		"body, at the cut":  answering(200, strings.Repeat("x", 186)+testKey+strings.Repeat("y", 90)),
		"redirect":          answering(302, "", "Location: https://"+testKey+".example/"),
		"broken redirect":   answering(302, "", "Location: https://"+testKey+":port/%zz"),
		"job":               answering(200, `{"id":"`+testKey+`","status":"queued","created_at":"2026-11-24T11:30:00Z"}`),
		"status line":       raw("HTTP/1.1 abc" + bearer + "\r\n\r\n"),
		"header":            raw("HTTP/1.1 200 OK\r\n" + bearer + "\r\n\r\n"),
		"chunk":             raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + bearer + "\r\n"),
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, h)
			_, listing := r.client.List(context.Background(), docextract.Query{})
			_, job := r.client.Job(context.Background(), "job_1")
			for _, err := range []error{listing, job} {
				if err == nil {
					t.Fatal("no error")
				}
				mute(t, err)
				if text := fmt.Sprintf("%v %+v %q", err, err, err); strings.Contains(text, testKey[:10]) {
					t.Errorf("prints a part of the key: %s", text)
				}
			}
		})
	}
}

// raw is a handler that sends bytes as they are and closes the connection.
func raw(bytes string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		defer conn.Close()
		_, _ = conn.Write([]byte(bytes))
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.CloseWrite()
		}
	})
}

func TestNewRefusesBadOptions(t *testing.T) {
	for _, base := range []string{"api.adteco.com", "ftp://x/", "https://", "://", "https://u:p@x/v1", "https://x/v1?k=1", "https://x/v1#f"} {
		if _, err := docextract.New(docextract.Options{BaseURL: base}); err == nil || !strings.Contains(err.Error(), "api.base_url") {
			t.Errorf("base URL %q: %v", base, err)
		}
	}
	for _, key := range []string{"a b", "a\n", "\ta", "ä", "a\x7f"} {
		_, err := docextract.New(docextract.Options{Key: key})
		if err == nil || !strings.Contains(err.Error(), "api.key") || strings.Contains(err.Error(), key) {
			t.Errorf("key %q: %v", key, err)
		}
	}
	if _, err := docextract.New(docextract.Options{}); err != nil {
		t.Errorf("the zero options: %v", err)
	}
}

func TestHeadersOfARequest(t *testing.T) {
	var got http.Header
	r := newRig(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		got = req.Header.Clone()
		_, _ = w.Write(emptyPage)
	}), func(o *docextract.Options) { o.UserAgent = "docarchive/1.2" })
	if _, err := r.client.List(context.Background(), docextract.Query{}); err != nil {
		t.Fatal(err)
	}
	wanted := http.Header{
		"Authorization": {"Bearer " + testKey}, "Accept": {"application/json"}, "Accept-Encoding": {"gzip"}, "User-Agent": {"docarchive/1.2"},
	}
	if diff := cmp.Diff(wanted, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
