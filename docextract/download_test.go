package docextract_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/docextract/docextracttest"
)

// names is a resolver whose answers change with every look: the n-th is the
// n-th of the list, then the last.
type names struct {
	mu      sync.Mutex
	answers map[string][]string // each a list of addresses with spaces between
	asked   int
}

func (n *names) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.asked++
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	list, ok := n.answers[host]
	if !ok {
		return nil, errors.New("no such host")
	}
	if len(list) > 1 {
		n.answers[host] = list[1:]
	}
	var addresses []netip.Addr
	for _, a := range strings.Fields(list[0]) {
		addresses = append(addresses, netip.MustParseAddr(a))
	}
	return addresses, nil
}

func newDownloader(t *testing.T, o docextract.DownloadOptions) *docextract.Downloader {
	t.Helper()
	d, err := docextract.NewDownloader(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.CloseIdle)
	return d
}

// fetch downloads and checks that no error prints what is secret.
func fetch(t *testing.T, d *docextract.Downloader, target string) (docextract.Document, string, error) {
	t.Helper()
	var buf bytes.Buffer
	document, err := d.Download(context.Background(), target, &buf)
	if err != nil {
		mute(t, err)
		if strings.Contains(err.Error(), "sesame") {
			t.Errorf("the error prints the URL's parameters: %v", err)
		}
	}
	return document, buf.String(), err
}

// depot is a simulator with jobs whose documents can be fetched.
func depot(t *testing.T, knobs ...string) (*docextracttest.Simulator, []docextract.Job, *docextract.Downloader) {
	t.Helper()
	sim, client := simulated(t, docextracttest.Config{Jobs: 6})
	turn(t, sim, knobs...)
	page, err := client.List(context.Background(), docextract.Query{})
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(documentURL(t, page.Jobs[0]))
	if err != nil {
		t.Fatal(err)
	}
	return sim, page.Jobs, newDownloader(t, docextract.DownloadOptions{
		Hosts: []string{u.Host}, MaxSize: 4 << 20, Timeouts: docextract.Timeouts{Header: 300 * time.Millisecond, Idle: 300 * time.Millisecond},
	})
}

func documentURL(t *testing.T, j docextract.Job) string {
	t.Helper()
	var fields struct {
		URL string `json:"document_url"`
	}
	if err := json.Unmarshal(j.Raw, &fields); err != nil {
		t.Fatal(err)
	}
	return fields.URL
}

func TestDownload(t *testing.T) {
	sim, jobs, d := depot(t, "document_ttl=1h")
	for _, j := range jobs {
		var fields struct {
			MIMEType string `json:"mime_type"`
			Size     int64  `json:"file_size_bytes"`
		}
		if err := json.Unmarshal(j.Raw, &fields); err != nil {
			t.Fatal(err)
		}
		document, content, err := fetch(t, d, documentURL(t, j))
		sum := sha256.Sum256([]byte(content))
		if err != nil || document.Size != fields.Size || int64(len(content)) != fields.Size || document.MIMEType != fields.MIMEType ||
			document.SHA256 != hex.EncodeToString(sum[:]) {
			t.Errorf("%+v, %d bytes, want %+v; %v", document, len(content), fields, err)
		}
	}
	if sim.KeyLeaks() != 0 {
		t.Errorf("the key was sent %d times", sim.KeyLeaks())
	}
}

func TestDownloadFaults(t *testing.T) {
	gone := func(status int) func(*testing.T, error) {
		return func(t *testing.T, err error) {
			t.Helper()
			if e := want[*docextract.GoneError](t, err); e.Status != status || e.Host == "" || !strings.HasPrefix(e.Path, "/files/job_") {
				t.Errorf("%+v", e)
			}
		}
	}
	lost := func(retryable bool) func(*testing.T, error) {
		return func(t *testing.T, err error) {
			t.Helper()
			if e := want[*docextract.DownloadError](t, err); e.Retryable() != retryable {
				t.Errorf("retryable %v: %v", e.Retryable(), err)
			}
		}
	}
	for name, c := range map[string]struct {
		knob, fault string
		check       func(*testing.T, error)
	}{
		"gone": {"documents=gone", "", gone(404)}, "expired": {"documents=expired", "", gone(403)}, "empty": {"documents=empty", "", lost(false)},
		"truncated": {"documents=truncated", "", lost(true)}, "endless": {"documents=endless", "", lost(false)},
		"500": {"", "e500", lost(true)}, "503": {"", "e503", lost(true)}, "reset": {"", "reset", lost(true)}, "hang": {"", "hang_headers", lost(true)},
		"hang in the body": {"", "hang_body", lost(true)}, "compressed": {"", "gzip_bomb", lost(false)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim, jobs, d := depot(t)
			if c.knob != "" {
				turn(t, sim, c.knob)
			}
			if c.fault != "" {
				if err := sim.Faults().Set(c.fault, 1); err != nil {
					t.Fatal(err)
				}
			}
			_, content, err := fetch(t, d, documentURL(t, jobs[0])+"?signature=sesame")
			c.check(t, err)
			if len(content) > 4<<20+1 {
				t.Errorf("%d bytes were written", len(content))
			}
		})
	}
}

func TestDownloadStatuses(t *testing.T) {
	for status, is := range map[int]string{410: "gone", 404: "gone", 403: "gone", 400: "lost", 401: "lost", 429: "again", 408: "again", 502: "again", 204: "lost", 206: "lost", 304: "lost", 302: "lost"} {
		server := httptest.NewServer(answering(status, ""))
		_, _, err := fetch(t, newDownloader(t, docextract.DownloadOptions{Hosts: []string{strings.TrimPrefix(server.URL, "http://")}}), server.URL+"/f?sesame=1")
		server.Close()
		var lost *docextract.DownloadError
		switch {
		case errors.As(err, new(*docextract.GoneError)):
			if is != "gone" {
				t.Errorf("%d: %v", status, err)
			}
		case !errors.As(err, &lost) || lost.Status != status || lost.Retryable() != (is == "again") || is == "gone":
			t.Errorf("%d: %v", status, err)
		}
	}
}

// TestDownloadsStayOutside: what may not be fetched is not even dialled.
func TestDownloadsStayOutside(t *testing.T) {
	var reached atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		reached.Add(1)
		_, _ = io.WriteString(w, "secret")
	}))
	defer server.Close()
	_, port, _ := strings.Cut(strings.TrimPrefix(server.URL, "http://"), ":")
	resolver := &names{answers: map[string][]string{
		"inside.example": {"127.0.0.1"}, "meta.example": {"169.254.169.254"}, "mapped.example": {"::ffff:127.0.0.1"},
		"six.example": {"::1"}, "nat.example": {"64:ff9b::7f00:1"}, "any.example": {"0.0.0.0"}, "none.example": {""},
		"2130706433": {"127.0.0.1"}, "localhost": {"127.0.0.1"}, "xn--bcher-kva.example": {"10.0.0.1"},
	}}
	d := newDownloader(t, docextract.DownloadOptions{Resolver: resolver, Timeouts: docextract.Timeouts{Connect: time.Second}})
	for _, target := range []string{
		"https://127.0.0.1:" + port + "/x", "https://[::1]:" + port + "/x", "https://[::ffff:127.0.0.1]:" + port + "/x", "https://localhost:" + port + "/x",
		"https://2130706433:" + port + "/x", "https://0x7f000001:" + port + "/x", "https://127.1:" + port + "/x", "https://0177.0.0.1:" + port + "/x",
		"https://127.0.0.1.:" + port + "/x", "https://0.0.0.0:" + port + "/x", "https://0:" + port + "/x", "https://169.254.169.254/latest/meta-data/",
		"https://[fe80::1%25eth0]/x", "https://[fd00:ec2::254]/x", "https://10.0.0.1/x", "https://100.64.0.1/x",
		"https://inside.example:" + port + "/x", "https://meta.example/x", "https://mapped.example:" + port + "/x", "https://six.example:" + port + "/x",
		"https://nat.example/x", "https://any.example:" + port + "/x", "https://bücher.example/x",
		server.URL + "/x", "http://93.184.215.14/x", "file:///etc/passwd", "ftp://93.184.215.14/x", "gopher://93.184.215.14/", "//93.184.215.14/x", "/etc/passwd", "",
		"https://u:sesame@93.184.215.14/", "https:///x", "https:opaque", "://sesame", "https://a b/?sesame", "https://93.184.215.14:x/?sesame", "\x7f",
	} {
		if _, _, err := fetch(t, d, target); !errors.As(err, new(*docextract.UnsafeURLError)) {
			t.Errorf("%s: %v", target, err)
		}
	}
	if _, _, err := fetch(t, d, "https://none.example/?sesame"); err == nil {
		t.Error("a host without addresses was reached")
	}
	if reached.Load() != 0 {
		t.Errorf("the server was reached %d times", reached.Load())
	}
}

// TestRebinding: what the DNS says later does not matter.
func TestRebinding(t *testing.T) {
	server := httptest.NewUnstartedServer(answering(200, "secret"))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	_, port, _ := strings.Cut(strings.TrimPrefix(server.URL, "https://"), ":")
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	for name, answers := range map[string][]string{
		"private at once": {"127.0.0.1"}, "private among public": {"127.0.0.1 10.0.0.1 ::1"}, "private at last": {"192.0.2.1", "127.0.0.1"},
	} {
		resolver := &names{answers: map[string][]string{"example.com": answers}}
		d := newDownloader(t, docextract.DownloadOptions{Resolver: resolver, RootCAs: roots})
		for range len(answers) {
			asked := resolver.asked
			_, _, err := fetch(t, d, "https://example.com:"+port+"/x?sesame")
			want[*docextract.UnsafeURLError](t, err)
			if resolver.asked != asked+1 {
				t.Errorf("%s: resolved %d times for one download", name, resolver.asked-asked)
			}
		}
	}
	listed := newDownloader(t, docextract.DownloadOptions{
		Hosts: []string{"EXAMPLE.com."}, RootCAs: roots, Resolver: &names{answers: map[string][]string{"example.com": {"127.0.0.1"}}},
	})
	if document, content, err := fetch(t, listed, "https://example.com:"+port+"/x"); err != nil || content != "secret" || document.MIMEType != "text/plain" {
		t.Errorf("a listed host: %+v %q %v", document, content, err)
	}
	meta := newDownloader(t, docextract.DownloadOptions{
		Hosts: []string{"example.com"}, Resolver: &names{answers: map[string][]string{"example.com": {"169.254.169.254"}}},
	})
	_, _, err := fetch(t, meta, "https://example.com/x")
	want[*docextract.UnsafeURLError](t, err)
	untrusting := newDownloader(t, docextract.DownloadOptions{
		Hosts: []string{"example.com"}, Resolver: &names{answers: map[string][]string{"example.com": {"127.0.0.1"}}},
	})
	if _, _, err := fetch(t, untrusting, "https://example.com:"+port+"/x?sesame"); err == nil {
		t.Error("a certificate nobody knows was trusted")
	}
}
