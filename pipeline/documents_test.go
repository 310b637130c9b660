package pipeline

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/adteco/docarchive/docextract"
)

// cabinet is a host of documents, and what keeps them.
type cabinet struct {
	*DocumentKeeper
	run     *pipelineRun
	host    *httptest.Server
	answer  atomic.Pointer[http.HandlerFunc]
	asked   atomic.Int64
	renewed atomic.Int64 // jobs that the API was asked for
	full    error        // of the bucket
}

// List implements [Source].
func (*cabinet) List(context.Context, docextract.Query) (*docextract.Page, error) {
	return nil, errors.New("nothing is listed")
}

// Job implements [Source]: its document has a new URL.
func (c *cabinet) Job(_ context.Context, id string) (docextract.Job, error) {
	c.renewed.Add(1)
	return docextract.Job{ID: id, Raw: fmt.Appendf(nil, `{"id":%q,"document_url":%q}`, id, c.host.URL+"/x?signature=fresh_secret")}, nil
}

// KeepDocument implements [DocumentShelf].
func (c *cabinet) KeepDocument(_ context.Context, spool, _ string, _ int64) error {
	if _, err := os.Stat(spool); err != nil {
		return err
	}
	return c.full
}

func newCabinet(t *testing.T) *cabinet {
	t.Helper()
	c := &cabinet{}
	c.host = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.asked.Add(1)
		(*c.answer.Load())(w, r)
	}))
	t.Cleanup(c.host.Close)
	downloader, err := docextract.NewDownloader(docextract.DownloadOptions{Hosts: []string{"127.0.0.1"}, MaxSize: 1000})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(downloader.CloseIdle)
	c.run = &pipelineRun{Runner: &Runner{Spool: t.TempDir(), Now: time.Now}, prover: &Prover{source: c}}
	c.DocumentKeeper = &DocumentKeeper{
		Documents: downloader, Shelf: c, AtOnce: 2, Sleep: func(context.Context, time.Duration) error { return nil },
	}
	return c
}

func (c *cabinet) answers(f http.HandlerFunc) { c.answer.Store(&f) }

// fetched is what becomes of one document.
func (c *cabinet) fetched(t *testing.T) (KeptDocument, error) {
	t.Helper()
	row, err := c.keep(t.Context(), c.run, documentOf{id: "job_1", url: c.host.URL + "/x?signature=old_secret", mimeType: "application/pdf"})
	left, spoolErr := os.ReadDir(c.run.Spool)
	if spoolErr == nil && len(left) > 0 {
		t.Errorf("the spool holds %d documents", len(left))
	}
	if strings.Contains(row.Missing, "secret") || strings.Contains(row.Missing, "127.0.0.1") {
		t.Errorf("a record would tell where a document is: %s", row.Missing)
	}
	return row, err
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

func document(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "%PDF-1.7") }

func TestADocumentThatIsNotToBeHad(t *testing.T) {
	large := func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, strings.Repeat("x", 1001)) }
	page := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, "<html>")
	}
	elsewhere := func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://example.invalid/?signature=old_secret", http.StatusFound)
	}
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		asked  int64
		why    string
	}{
		"gone":      {status(404), 1, "the host answered 404"},
		"expired":   {status(403), 2, "the host answered 403"}, // under its new URL, too
		"away":      {status(503), downloads, "503"},
		"too large": {large, 1, "larger than"},
		"a page":    {page, 1, "web page"},
		"elsewhere": {elsewhere, 1, "not in api.document_hosts"},
	} {
		cabinet := newCabinet(t)
		cabinet.answers(c.answer)
		row, err := cabinet.fetched(t)
		if err != nil || row.SHA256 != "" || !strings.Contains(row.Missing, c.why) || cabinet.asked.Load() != c.asked {
			t.Errorf("%s: %+v, %v, asked %d times", name, row, err, cabinet.asked.Load())
		}
	}
}

func TestAnExpiredURLIsRenewed(t *testing.T) {
	c := newCabinet(t)
	c.answers(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("signature") != "fresh_secret" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		document(w, r)
	})
	if row, err := c.fetched(t); err != nil || row.SHA256 == "" || row.Size != 8 || c.renewed.Load() != 1 {
		t.Errorf("%+v, %v, renewed %d times", row, err, c.renewed.Load())
	}
}

func TestWhatIsNoFaultOfTheDocumentStops(t *testing.T) {
	c := newCabinet(t)
	c.answers(document)
	c.full = errors.New("the bucket is away")
	if _, err := c.fetched(t); !errors.Is(err, c.full) {
		t.Errorf("a bucket that is away: %v", err)
	}
	c.run.Spool = filepath.Join(c.run.Spool, "missing")
	var spool *SpoolError
	if _, err := c.fetched(t); !errors.As(err, &spool) {
		t.Errorf("a spool that is missing: %v", err)
	}
	disk := &diskWriter{w: brokenDisk{}}
	if _, err := disk.Write([]byte("x")); err == nil || !errors.Is(disk.err, errBroken) {
		t.Errorf("a disk that is full: %v, %v", err, disk.err)
	}
}

var errBroken = errors.New("no space left on device")

type brokenDisk struct{}

func (brokenDisk) Write([]byte) (int, error) { return 0, errBroken }

// TestHostsThatAreAway asks on, but seldom, and sees when they are back.
func TestHostsThatAreAway(t *testing.T) {
	c := newCabinet(t)
	c.answers(status(503))
	for range absent + 2*absent {
		if row, err := c.fetched(t); err != nil || row.Missing == "" {
			t.Fatalf("%+v, %v", row, err)
		}
	}
	if asked := c.asked.Load(); asked != absent*downloads+2 {
		t.Errorf("asked %d times", asked)
	}
	c.answers(document)
	kept := 0
	for range absent + 3 {
		if row, err := c.fetched(t); err != nil {
			t.Fatal(err)
		} else if row.SHA256 != "" {
			kept++
		}
	}
	if kept != 4 {
		t.Errorf("%d documents kept once the hosts were back", kept)
	}
}
