package docextract_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/adteco/docarchive/docextract"
)

// counter counts requests that came whole.
type counter struct {
	whole   atomic.Int64
	arrived chan struct{} // receives when a request's body was read; nil: nothing
	release chan struct{} // is waited for before the answer; nil: nothing
}

func (c *counter) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if _, err := io.Copy(io.Discard, req.Body); err != nil {
		return
	}
	c.whole.Add(1)
	if c.arrived != nil {
		c.arrived <- struct{}{}
		<-c.release
	}
	_, _ = io.WriteString(w, `{"id":"job_1"}`)
}

func TestWhatIsNotSent(t *testing.T) {
	count := &counter{}
	server := httptest.NewServer(count)
	defer server.Close()
	big := strings.Repeat("x", 300_000)
	broken := errors.New("the disk is broken")
	reading := func(r io.Reader) func(*till, *docextract.Submission) {
		return func(l *till, in *docextract.Submission) {
			in.Open = func() (io.ReadCloser, error) {
				l.opened.Add(1)
				return document{r, &l.closed}, nil
			}
		}
	}
	for name, c := range map[string]struct {
		change func(*till, *docextract.Submission)
		text   string
	}{
		"no extractor":      {func(_ *till, in *docextract.Submission) { in.ExtractorID = "" }, "needs an extractor"},
		"no MIME type":      {func(_ *till, in *docextract.Submission) { in.MIMEType = "" }, "MIME type"},
		"no document":       {func(_ *till, in *docextract.Submission) { in.Open = nil }, "a document"},
		"empty":             {func(_ *till, in *docextract.Submission) { in.Size = 0 }, "is empty"},
		"metadata not JSON": {func(_ *till, in *docextract.Submission) { in.Metadata = json.RawMessage(`{"a":1}}`) }, "not JSON"},
		"metadata a list":   {func(_ *till, in *docextract.Submission) { in.Metadata = json.RawMessage(`[]`) }, "not a JSON object"},
		"it cannot be opened": {func(_ *till, in *docextract.Submission) {
			in.Open = func() (io.ReadCloser, error) { return nil, broken }
		}, "disk is broken"},
		"it cannot be read":     {reading(io.MultiReader(strings.NewReader(big[:200_000]), failing{broken})), "disk is broken"},
		"it cannot be ended":    {reading(io.MultiReader(strings.NewReader(big), failing{broken})), "disk is broken"},
		"it is shorter":         {reading(strings.NewReader(big[1:])), "shorter"},
		"it is empty after all": {reading(strings.NewReader("")), "shorter"},
		"it is longer":          {reading(strings.NewReader(big + "y")), "longer"},
	} {
		t.Run(name, func(t *testing.T) {
			l := newTill(t, server.URL, 0)
			in := l.submission(big)
			c.change(l, &in)
			_, err := l.Submit(context.Background(), in)
			if e := want[*docextract.NotSentError](t, err); !strings.Contains(e.Error(), c.text) || strings.Contains(c.text, "broken") && !errors.Is(err, broken) {
				t.Errorf("%v, want %s", err, c.text)
			}
		})
	}
	if n := count.whole.Load(); n != 0 {
		t.Errorf("%d requests came whole", n)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestServersThatCannotBeReached(t *testing.T) {
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	urls := map[string]string{"refused": closed.URL, "no such host": "http://host.invalid"}
	for name, server := range tlsServers(t) {
		urls[name] = server.URL
	}
	for name, url := range urls {
		_, err := newTill(t, url, 0).submit("%PDF-1.7")
		if !errors.As(err, new(*docextract.NotSentError)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestAConnectionThatDies: the transport must not try again by itself.
func TestAConnectionThatDies(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	connections := make(chan int)
	go func() {
		n := 0
		defer func() { connections <- n }()
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			n++
			_, _ = conn.Read(make([]byte, 4096))
			_ = conn.Close()
		}
	}()
	l := newTill(t, "http://"+listener.Addr().String(), 0)
	const submissions = 5
	for range submissions {
		if _, err := l.submit("%PDF-1.7"); !errors.As(err, new(*docextract.AmbiguousError)) {
			t.Errorf("%v, want an ambiguous one", err)
		}
	}
	_ = listener.Close()
	if n := <-connections; n != submissions {
		t.Errorf("%d connections for %d submissions", n, submissions)
	}
}

// TestAnUploadThatIsCutOff: the end never left, but what somebody on the way
// made of the rest is not for the client to know.
func TestAnUploadThatIsCutOff(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		_, _ = conn.Read(make([]byte, 4096))
		_ = conn.Close()
	}()
	_, err = newTill(t, "http://"+listener.Addr().String(), 0).submit(strings.Repeat("x", 16<<20))
	want[*docextract.AmbiguousError](t, err)
	<-ended
}

// TestCancellationAfterTheFirstByte: what has begun is finished.
func TestCancellationAfterTheFirstByte(t *testing.T) {
	count := &counter{arrived: make(chan struct{}), release: make(chan struct{})}
	server := httptest.NewServer(count)
	defer server.Close()
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-count.arrived
		cancel()
		close(count.release)
	}()
	l := newTill(t, server.URL, 0)
	job, err := l.Submit(ctx, l.submission("%PDF-1.7"))
	if err != nil || job.ID != "job_1" || ctx.Err() == nil {
		t.Errorf("%+v, %v", job, err)
	}
}

// frozen is a context whose deadline passed without anyone having noticed, as in
// a process that stood still.
type frozen struct{ context.Context }

func (frozen) Deadline() (time.Time, bool) { return time.Now().Add(-time.Second), true }

func TestCancellationBeforeTheFirstByte(t *testing.T) {
	count := &counter{}
	server := httptest.NewServer(count)
	defer server.Close()
	cause := errors.New("time to stop")
	cancelled, cancel := context.WithCancelCause(context.Background())
	cancel(cause)
	for name, c := range map[string]struct {
		ctx  context.Context
		want error
	}{
		"cancelled":                    {cancelled, cause},
		"past its deadline, unnoticed": {frozen{context.Background()}, context.DeadlineExceeded},
	} {
		l := newTill(t, server.URL, 0)
		_, err := l.Submit(c.ctx, l.submission("%PDF-1.7"))
		want[*docextract.NotSentError](t, err)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// While the connection is made.
	ctx, stop := context.WithCancelCause(context.Background())
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	returned, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		stop(cause) // with the TLS handshake under way
		<-returned
	}()
	l := newTill(t, "https://"+listener.Addr().String(), 0)
	_, err = l.Submit(ctx, l.submission("%PDF-1.7"))
	close(returned)
	<-ended
	want[*docextract.NotSentError](t, err)
	if !errors.Is(err, cause) {
		t.Errorf("while connecting: %v", err)
	}
	if n := count.whole.Load(); n != 0 {
		t.Errorf("%d requests came whole", n)
	}
}
