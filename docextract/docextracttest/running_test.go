package docextracttest_test

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/adteco/docarchive/docextract/docextracttest"
	"go.uber.org/goleak"
	"golang.org/x/sync/errgroup"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestCloseEndsWhatHangs(t *testing.T) {
	for _, fault := range []string{"hang_headers", "hang_body", "drip", "post_accept_then_hang"} {
		t.Run(fault, func(t *testing.T) {
			defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
			s := serve(t, docextracttest.Config{Jobs: 100})
			if err := s.sim.Faults().Set(fault, 1); err != nil {
				t.Fatal(err)
			}
			var group errgroup.Group
			group.Go(func() error {
				method, body := http.MethodGet, ""
				if strings.HasPrefix(fault, "post") {
					method, body = http.MethodPost, submission("ext_form", "x", `{}`)
				}
				if o := s.ask(method, "/documents", body, time.Minute); o.err == nil {
					return fmt.Errorf("the request ended well: %d", o.status)
				}
				return nil
			})
			awaitHit(t, s.sim, fault)
			if err := s.run.Close(); err != nil {
				t.Error(err)
			}
			if err := group.Wait(); err != nil {
				t.Error(err)
			}
			s.client.CloseIdleConnections()
			if err := s.run.Close(); err != nil {
				t.Errorf("the second Close: %v", err)
			}
		})
	}
}

// awaitHit polls until the fault has hit, since nothing else tells.
func awaitHit(t *testing.T, sim *docextracttest.Simulator, fault string) {
	t.Helper()
	poll := time.NewTicker(time.Millisecond)
	defer poll.Stop()
	deadline := time.After(30 * time.Second)
	for sim.Faults().Hits()[fault] == 0 {
		select {
		case <-poll.C:
		case <-deadline:
			t.Fatalf("the fault %s has not hit", fault)
		}
	}
}

// TestCloseEndsWhatNetHTTPCannotSee hangs on a connection that has more bytes to
// read, so that net/http does not notice its end.
func TestCloseEndsWhatNetHTTPCannotSee(t *testing.T) {
	s := serve(t, docextracttest.Config{})
	if err := s.sim.Faults().Set("hang_headers", 1); err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(s.run.URL, "http://"), "/v1"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	const request = "GET /v1/credits HTTP/1.1\r\nHost: x\r\n\r\n"
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	awaitHit(t, s.sim, "hang_headers")
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	if err := s.run.Close(); err != nil {
		t.Error(err)
	}
}

func TestDocumentsOverTheNetwork(t *testing.T) {
	s := serve(t, docextracttest.Config{Jobs: 5})
	j := read(t, s.list("limit=1").Jobs[0])
	if !strings.HasPrefix(j.URL, s.run.DocumentURL+"/files/job_") {
		t.Fatalf("document_url is %s", j.URL)
	}
	fetch := func(patience time.Duration) (int64, error) {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, j.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := s.client.Do(req)
		if err != nil {
			return 0, err
		}
		defer resp.Body.Close()
		return io.Copy(io.Discard, resp.Body)
	}
	if n, err := fetch(10 * time.Second); err != nil || n != int64(j.Size) {
		t.Errorf("%d bytes, %v; want %d", n, err, j.Size)
	}
	s.set("documents=truncated")
	if n, err := fetch(10 * time.Second); err == nil || n >= int64(j.Size) {
		t.Errorf("truncated: %d bytes, %v", n, err)
	}
	s.set("documents=endless")
	if n, err := fetch(200 * time.Millisecond); err == nil || n < 1<<20 {
		t.Errorf("endless: %d bytes, %v", n, err)
	}
}

func TestSignedDocumentsExpire(t *testing.T) {
	w := newWorld(t, docextracttest.Config{Jobs: 5}).set("document_ttl=10m")
	fetch := func(url string) int { return w.file(url).Code }
	first := read(t, w.list("limit=1").Jobs[0])
	if got := fetch(first.URL); got != http.StatusOK {
		t.Fatalf("fresh: %d", got)
	}
	if got := fetch(strings.Replace(first.URL, "signature=", "signature=0", 1)); got != http.StatusForbidden {
		t.Errorf("forged: %d", got)
	}
	w.clock.Advance(11 * time.Minute)
	if got := fetch(first.URL); got != http.StatusForbidden {
		t.Errorf("old: %d", got)
	}
	if got := fetch(read(t, w.get("/v1/documents/"+first.ID).Body.Bytes()).URL); got != http.StatusOK {
		t.Errorf("asked for anew: %d", got)
	}
}

func TestGzipHoldsTheSameBytes(t *testing.T) {
	w := newWorld(t, docextracttest.Config{Jobs: 100})
	rec := w.do(http.MethodGet, "/v1/documents?limit=100", "", "Accept-Encoding: br;q=1, gzip")
	z, err := gzip.NewReader(rec.Body)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	if want := w.get("/v1/documents?limit=100").Body.String(); string(got) != want {
		t.Error("the bytes differ")
	}
	if rec := w.do(http.MethodGet, "/v1/documents", "", "Accept-Encoding: gzip;q=0"); rec.Header().Get("Content-Encoding") != "" {
		t.Error("compressed against the client's will")
	}
}

func TestManyAtOnce(t *testing.T) {
	w := newWorld(t, docextracttest.Config{Jobs: 300, Open: 50, Arrivals: 600, CacheBytes: 100_000})
	var group errgroup.Group
	for worker := range 8 {
		group.Go(func() error {
			for i := range 24 {
				w.clock.Advance(100 * time.Millisecond)
				paths := []string{
					fmt.Sprintf("/v1/documents?offset=%d&limit=100", i*10), "/v1/documents?status=completed&limit=5",
					"/v1/documents?min_confidence=0.9&limit=5", "/v1/documents/stats", "/v1/extractors", "/v1/documents?metadata[source]=api",
				}
				if rec := w.get(paths[(worker+i)%len(paths)]); rec.Code != http.StatusOK {
					return fmt.Errorf("%d %s", rec.Code, rec.Body)
				}
				switch {
				case worker == 0 && i%10 == 0:
					w.do(http.MethodPost, "/v1/documents", submission("ext_form", "x", `{}`))
				case worker == 1 && i%10 == 0:
					w.sim.AddRaw(w.clock.Now(), []byte(`{"id":"job_x"}`))
				case worker == 2:
					if err := w.sim.Knobs().Set("order", []string{"id", "shuffled", "created_asc"}[i%3]); err != nil {
						return err
					}
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	if n := len(w.sim.Submissions()); n != 3 {
		t.Errorf("%d submissions", n)
	}
}
