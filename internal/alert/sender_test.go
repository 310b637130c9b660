package alert_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/adteco/docarchive/internal/alert"
)

const secretPath = "/services/T0/B0/very-secret"

func notice(messages ...string) alert.Notice {
	n := alert.Notice{
		Pipeline: "invoices",
		From:     time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), To: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC),
	}
	for _, m := range messages {
		n.Alerts = append(n.Alerts, alert.Alert{
			Key: "key of " + m, Extractor: "ext_a", Measure: "failure_rate", Value: 0.5, Threshold: 0.05, Jobs: 7, Message: m,
		})
	}
	return n
}

// receiver answers one request after another; the last answer stays.
type receiver struct {
	*httptest.Server
	mu      sync.Mutex
	answers []http.HandlerFunc
	bodies  []string
}

func newReceiver(t *testing.T, answers ...http.HandlerFunc) *receiver {
	r := &receiver{answers: answers}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil || req.Method != http.MethodPost || req.URL.Path != secretPath ||
			req.Header.Get("Content-Type") != "application/json; charset=utf-8" || req.UserAgent() != "docarchive/test" {
			t.Errorf("%s %s %v (%v)", req.Method, req.URL, req.Header, err)
		}
		r.mu.Lock()
		r.bodies = append(r.bodies, string(body))
		answer := r.answers[0]
		if len(r.answers) > 1 {
			r.answers = r.answers[1:]
		}
		r.mu.Unlock()
		answer(w, req)
	}))
	t.Cleanup(r.Close)
	return r
}

func answers(status int, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		fmt.Fprintf(w, "status %d\x1b[2J", status)
	}
}

// received returns the bodies that have come.
func (r *receiver) received() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.bodies)
}

// hangs answers when the client has gone, and not before.
func hangs(_ http.ResponseWriter, req *http.Request) { <-req.Context().Done() }

// cuts ends the connection without an answer.
func cuts(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func TestSendRetriesWhatMayPass(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		answers  []http.HandlerFunc
		requests int
		waits    []time.Duration
		failure  string // what the error ends with; empty: none
	}{
		{name: "accepted", answers: []http.HandlerFunc{answers(204)}, requests: 1},
		{name: "refused", answers: []http.HandlerFunc{answers(404)}, requests: 1, failure: `: answered 404: status 404 [2J`},
		{name: "moved", answers: []http.HandlerFunc{answers(307, "Location", "/elsewhere")}, requests: 1, failure: `: answered 307: status 307 [2J`},
		{name: "away for a while", answers: []http.HandlerFunc{answers(503), cuts, answers(200)}, requests: 3, waits: []time.Duration{time.Second, 2 * time.Second}},
		{name: "away", answers: []http.HandlerFunc{answers(500)}, requests: 3, waits: []time.Duration{time.Second, 2 * time.Second}, failure: `: answered 500: status 500 [2J`},
		{
			name: "too many", answers: []http.HandlerFunc{answers(429, "Retry-After", "3"), answers(429, "Retry-After", "86400"), answers(200)},
			requests: 3, waits: []time.Duration{3 * time.Second, 5 * time.Second},
		},
		{name: "hangs", answers: []http.HandlerFunc{hangs}, requests: 3, waits: []time.Duration{time.Second, 2 * time.Second}, failure: ": no answer in time"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newReceiver(t, c.answers...)
			var waits []time.Duration
			s := alert.NewSender(alert.Options{
				UserAgent: "docarchive/test", Timeout: 300 * time.Millisecond,
				Sleep: func(_ context.Context, d time.Duration) error { waits = append(waits, d); return nil },
			})
			defer s.Close()
			err := s.Send(t.Context(), alert.Webhook{Type: alert.TypeGeneric, URL: r.URL + secretPath}, notice("a"))
			switch {
			case c.failure == "" && err != nil:
				t.Error(err)
			case c.failure != "" && (err == nil || !strings.HasSuffix(err.Error(), c.failure)):
				t.Errorf("error %v, want one that ends %q", err, c.failure)
			case err != nil && (strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), alert.Host(r.URL))):
				t.Errorf("the error tells the address, or not the host: %v", err)
			}
			if diff := cmp.Diff(c.waits, waits); diff != "" || len(r.received()) != c.requests {
				t.Errorf("%d requests, want %d; waits (-want +got):\n%s", len(r.received()), c.requests, diff)
			}
		})
	}
}

func TestSendTellsNoAddress(t *testing.T) {
	t.Parallel()
	closed := httptest.NewServer(nil)
	closed.Close()
	for _, address := range []string{closed.URL + secretPath, "http://\x7f" + secretPath, "https://user:secret@127.0.0.1:1/"} {
		s := alert.NewSender(alert.Options{Sleep: func(context.Context, time.Duration) error { return nil }})
		err := s.Send(t.Context(), alert.Webhook{Type: alert.TypeSlack, URL: address}, notice("a"))
		s.Close()
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", address, err)
		}
	}
}

func TestSendEndsWithItsContext(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, hangs)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	s := alert.NewSender(alert.Options{UserAgent: "docarchive/test"})
	defer s.Close()
	if err := s.Send(ctx, alert.Webhook{Type: alert.TypeGeneric, URL: r.URL + secretPath}, notice("a")); err == nil {
		t.Error("a receiver that hangs has answered")
	}
	if len(r.received()) != 1 {
		t.Errorf("%d requests after the context ended", len(r.received()))
	}
}

func TestBodies(t *testing.T) {
	t.Parallel()
	var many []string
	for i := range 25 {
		many = append(many, fmt.Sprintf("message %d", i))
	}
	for _, c := range []struct {
		name, kind string
		notice     alert.Notice
		want       string
	}{
		{
			"generic", alert.TypeGeneric, notice("a <b>"),
			`{"event":"docarchive.alert","pipeline":"invoices","from":"2026-11-23T12:00:00Z","to":"2026-11-24T12:00:00Z","alerts":[` +
				`{"extractor_id":"ext_a","measure":"failure_rate","value":0.5,"threshold":0.05,"jobs":7,"message":"a <b>"}]}`,
		},
		{
			"slack, nothing in it calls anybody", alert.TypeSlack, notice("<!channel> & <http://x|y>\nnew\x1bline"),
			`{"text":"*docarchive: 1 alert for invoices* (2026-11-23T12:00:00Z to 2026-11-24T12:00:00Z)\n` +
				`• &lt;!channel&gt; &amp; &lt;http://x|y&gt; new line"}`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(decode(t, c.want), decode(t, posted(t, c.kind, c.notice))); diff != "" {
				t.Errorf("body (-want +got):\n%s", diff)
			}
		})
	}
	text := decode(t, posted(t, alert.TypeSlack, notice(append(many, strings.Repeat("x", 100_000))...)))["text"].(string)
	if !strings.HasSuffix(text, "message 19\n• and 6 more") || strings.Contains(text, "message 20") {
		t.Errorf("a long message to Slack: %s", text)
	}
	long := decode(t, posted(t, alert.TypeSlack, notice(strings.Repeat("é", 100_000))))["text"].(string)
	if len(long) > 1000 {
		t.Errorf("a line of %d bytes is sent to Slack", len(long))
	}
	s := alert.NewSender(alert.Options{})
	defer s.Close()
	if err := s.Send(t.Context(), alert.Webhook{Type: "pager", URL: "http://127.0.0.1:1"}, notice("a")); err == nil || !strings.Contains(err.Error(), `"pager"`) {
		t.Errorf("a webhook of a type that does not exist: %v", err)
	}
}

// posted is what a receiver gets.
func posted(t *testing.T, kind string, n alert.Notice) string {
	t.Helper()
	r := newReceiver(t, answers(200))
	s := alert.NewSender(alert.Options{UserAgent: "docarchive/test"})
	defer s.Close()
	if err := s.Send(t.Context(), alert.Webhook{Type: kind, URL: r.URL + secretPath}, n); err != nil {
		t.Fatal(err)
	}
	return r.received()[0]
}

func decode(t *testing.T, text string) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return v
}
