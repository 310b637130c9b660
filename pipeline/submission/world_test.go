package submission_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"iter"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/docextract/docextracttest"
	"github.com/adteco/docarchive/pipeline/submission"
)

const extractor = "ext_invoice"

var testTime = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// world is an account of the simulated API and a folder of documents.
type world struct {
	t        *testing.T
	dir      string
	sim      *docextracttest.Simulator
	client   *docextract.Client
	submit   func(context.Context, docextract.Submission) (docextract.Job, error)
	stopping chan struct{}
	names    []string
}

// freely lets every request pass: the tests do not wait.
type freely struct{}

func (freely) Wait(ctx context.Context) error { return ctx.Err() }
func (freely) Observe(int, http.Header)       {}
func (freely) Failed()                        {}

func newWorld(t *testing.T, documents int) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), stopping: make(chan struct{})}
	w.sim = docextracttest.New(docextracttest.Config{
		Seed: 3, Jobs: 120, Span: 48 * time.Hour, Key: "sk_test_world", Clock: func() time.Time { return testTime },
	})
	running, err := w.sim.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := running.Close(); err != nil {
			t.Error(err)
		}
	})
	w.client, err = docextract.New(docextract.Options{
		BaseURL: running.URL, Key: "sk_test_world", Limiter: freely{},
		Retry:    docextract.RetryPolicy{First: time.Millisecond, Longest: 2 * time.Millisecond, Malformed: 6},
		Timeouts: docextract.Timeouts{Header: time.Second, Idle: time.Second, Total: 2 * time.Second},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.client.CloseIdle)
	submitter, err := docextract.NewSubmitter(docextract.SubmitterOptions{
		BaseURL: running.URL, Key: "sk_test_world", Limiter: freely{}, Timeout: 300 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	w.submit = submitter.Submit
	for i := range documents {
		w.names = append(w.names, w.write(fmt.Sprintf("doc%02d.pdf", i), fmt.Sprintf("%%PDF-1.7 document %d", i)))
	}
	return w
}

func (w *world) write(name, content string) string {
	w.t.Helper()
	path := filepath.Join(w.dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		w.t.Fatal(err)
	}
	return path
}

func (w *world) journalPath() string { return filepath.Join(w.dir, "journal.jsonl") }

func (w *world) journal() *submission.Journal {
	w.t.Helper()
	j, err := submission.OpenJournal(w.journalPath(), func() time.Time { return testTime })
	if err != nil {
		w.t.Fatal(err)
	}
	return j
}

// walk reads a listing page by page.
func (w *world) walk(ctx context.Context, q docextract.Query, yield func(docextract.Job) error) error {
	for q.Limit = 50; ; {
		page, err := w.client.List(ctx, q)
		if err != nil {
			return err
		}
		for _, job := range page.Jobs {
			if err := yield(job); err != nil {
				return err
			}
		}
		if q.Offset += page.Items(); page.Items() == 0 {
			return nil
		}
	}
}

func (w *world) services(j *submission.Journal) submission.Services {
	return submission.Services{
		Journal: j, Submit: w.submit, Walk: w.walk, Stopping: w.stopping,
		Clock: docextract.Clock{
			Now:   func() time.Time { return testTime },
			Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
		},
	}
}

func items(names []string) iter.Seq2[submission.Item, error] {
	return func(yield func(submission.Item, error) bool) {
		for _, name := range names {
			if !yield(submission.Item{Name: name, Path: name}, nil) {
				return
			}
		}
	}
}

func options() submission.Options {
	return submission.Options{Extractor: extractor, MaxSize: 1 << 20, Concurrency: 3}
}

// run submits the documents and returns what became of each.
func (w *world) run(o submission.Options, names []string) (map[string]submission.Result, error) {
	w.t.Helper()
	j := w.journal()
	defer func() {
		if err := j.Close(); err != nil {
			w.t.Error(err)
		}
	}()
	results := map[string]submission.Result{}
	err := submission.Run(w.t.Context(), w.services(j), o, items(names), func(r submission.Result) { results[r.File] = r })
	return results, err
}

// taken counts the jobs that the API made of a document.
func (w *world) taken(name string) int {
	w.t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		w.t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	n := 0
	for _, s := range w.sim.Submissions() {
		if s.SHA256 == hex.EncodeToString(sum[:]) {
			n++
		}
	}
	return n
}
