package docextract_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/adteco/docarchive/docextract"
)

func TestDocumentHosts(t *testing.T) {
	server := httptest.NewServer(answering(200, "x"))
	defer server.Close()
	_, port, _ := strings.Cut(strings.TrimPrefix(server.URL, "http://"), ":")
	resolver := &names{answers: map[string][]string{"files.example": {"127.0.0.1"}, "other.example": {"127.0.0.1"}}}
	for hosts, c := range map[string]struct {
		target string
		good   bool
	}{
		"files.example":                {"http://files.example:" + port, true},
		"Files.Example.":               {"http://FILES.example.:" + port, true},
		"files.example:" + port:        {"http://files.example:" + port, true},
		"files.example:1":              {"http://files.example:" + port, false},
		"files.example,b":              {"http://other.example:" + port, false},
		"b, files.example":             {"http://files.example:" + port, true},
		"127.0.0.1":                    {server.URL, true},
		"127.0.0.1:" + port:            {server.URL, true},
		"::ffff:127.0.0.1":             {server.URL, true},
		"[::ffff:127.0.0.1]:" + port:   {server.URL, true},
		"127.0.0.2":                    {server.URL, false},
		"example":                      {"http://files.example:" + port, false},
		"s.example":                    {"http://files.example:" + port, false},
		"files.example,a":              {"https://93.184.215.14", false},
		"files.example,127.0.0.1:9999": {"http://127.0.0.1:" + port, false},
	} {
		var list []string
		for entry := range strings.SplitSeq(hosts, ",") {
			list = append(list, strings.TrimSpace(entry))
		}
		d := newDownloader(t, docextract.DownloadOptions{Hosts: list, Resolver: resolver})
		_, _, err := fetch(t, d, c.target+"/f")
		if refused := errors.As(err, new(*docextract.UnsafeURLError)); refused == c.good || c.good && err != nil {
			t.Errorf("with %s listed, %s: %v", hosts, c.target, err)
		}
	}
	for _, entry := range []string{"", "https://files.example", "files.example/x", "u@files.example", "*.example", "a b", ":80"} {
		if _, err := docextract.NewDownloader(docextract.DownloadOptions{Hosts: []string{entry}}); err == nil || !strings.Contains(err.Error(), "api.document_hosts") {
			t.Errorf("host %q: %v", entry, err)
		}
	}
}

func TestRedirectsOfDownloads(t *testing.T) {
	var asked, inside atomic.Int64
	private := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { inside.Add(1) }))
	defer private.Close()
	var server *httptest.Server
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		asked.Add(1)
		if req.Header.Get("Authorization") != "" || req.Header.Get("Referer") != "" {
			t.Errorf("headers %v", req.Header)
		}
		to := ""
		var left int
		switch path := req.URL.Path; {
		case path == "/private":
			to = private.URL + "/?sesame"
		case path == "/meta":
			to = "http://169.254.169.254/?sesame"
		case path == "/file":
			to = "file:///etc/passwd"
		case path == "/broken":
			to = "http://[sesame"
		case path == "/0":
			_, _ = io.WriteString(w, "document")
			return
		default:
			_, _ = fmt.Sscanf(path, "/%d", &left)
			to = fmt.Sprintf("%s/%d?sesame", server.URL, left-1)
		}
		w.Header().Set("Location", to)
		w.WriteHeader(http.StatusFound)
	}))
	defer server.Close()
	d := newDownloader(t, docextract.DownloadOptions{Hosts: []string{strings.TrimPrefix(server.URL, "http://")}})
	for path, requests := range map[string]int64{"/1": 2, "/3": 4, "/4": 4, "/100": 4, "/private": 1, "/meta": 1, "/file": 1, "/broken": 1} {
		asked.Store(0)
		_, content, err := fetch(t, d, server.URL+path)
		switch good := path == "/1" || path == "/3"; {
		case good && (err != nil || content != "document"):
			t.Errorf("%s: %q, %v", path, content, err)
		case !good:
			want[*docextract.UnsafeURLError](t, err)
		}
		if asked.Load() != requests {
			t.Errorf("%s: %d requests, want %d", path, asked.Load(), requests)
		}
	}
	if inside.Load() != 0 {
		t.Error("a redirect led inside")
	}
}

func orElse(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}

func TestDownloadSizes(t *testing.T) {
	for name, c := range map[string]struct {
		answer string
		good   bool
		query  string
	}{
		"exact":          {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12345", true, ""},
		"no length":      {"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n12345", true, ""},
		"chunked":        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n0\r\n\r\n", true, ""},
		"at the limit":   {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n1234567890", true, ""},
		"above it":       {"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n12345678901", false, ""},
		"above unsaid":   {"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n12345678901", false, ""},
		"short":          {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n12345", false, ""},
		"chunks without": {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n", false, ""},
		"echo":           {"GET /x?token=sesame-open\r\n\r\n", false, ""},
		"echo as sent":   {"GET /x?%zz;sesame\r\n\r\n", false, "%zz;sesame"},
		"echo decoded":   {"HTTP/1.1 200 OK\r\nopen sesame\r\n\r\n", false, ""},
	} {
		server := httptest.NewServer(raw(c.answer))
		d := newDownloader(t, docextract.DownloadOptions{Hosts: []string{"127.0.0.1"}, MaxSize: 10})
		_, content, err := fetch(t, d, server.URL+"/x?"+orElse(c.query, "token=sesame-open&b=open+sesame"))
		if (err == nil) != c.good || name == "above it" && content != "" {
			t.Errorf("%s: %q, %v", name, content, err)
		}
		server.Close()
	}
}

func TestDownloadsIntoABrokenDisk(t *testing.T) {
	server := httptest.NewServer(answering(200, "x"))
	defer server.Close()
	d := newDownloader(t, docextract.DownloadOptions{Hosts: []string{"127.0.0.1"}})
	full := errors.New("the disk is full")
	_, err := d.Download(context.Background(), server.URL, brokenDisk{full})
	if e := want[*docextract.DownloadError](t, err); !errors.Is(err, full) || e.Retryable() {
		t.Error(err)
	}
	cause := errors.New("time to stop")
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(cause)
	if _, err := d.Download(ctx, server.URL, io.Discard); !errors.Is(err, cause) {
		t.Error(err)
	}
}

type brokenDisk struct{ err error }

func (b brokenDisk) Write([]byte) (int, error) { return 0, b.err }
