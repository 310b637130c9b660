package main

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/adteco/docarchive/docextract"
)

func TestWaiter(t *testing.T) {
	t.Parallel()
	gone := errors.New("gone")
	for _, c := range []struct {
		name      string
		answers   []docextract.Status // empty: gone
		remaining int64               // of 100 requests
		stopAfter int                 // pauses; 0: never
		pauses    []time.Duration
		last      docextract.Status
		err       error
	}{
		{"final at once", []docextract.Status{"failed"}, 100, 0, nil, "failed", nil},
		{"later", []docextract.Status{"queued", "processing", "odd", "completed"}, 100, 0, []time.Duration{time.Second, 1500 * time.Millisecond, 2250 * time.Millisecond}, "completed", nil},
		{"on a small budget", []docextract.Status{"queued", "completed"}, 24, 0, []time.Duration{4 * time.Second}, "completed", nil},
		{"deleted", []docextract.Status{"queued", ""}, 100, 0, []time.Duration{time.Second}, "queued", gone},
		{"stopped", []docextract.Status{"queued", "queued"}, 100, 1, []time.Duration{time.Second}, "queued", gone},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancelCause(t.Context())
			var pauses []time.Duration
			w := &waiter{
				fetch: func(context.Context, string) (docextract.Job, error) {
					status := c.answers[0]
					if c.answers = c.answers[1:]; status == "" {
						return docextract.Job{}, gone
					}
					return docextract.Job{Status: status}, nil
				},
				sleep: func(ctx context.Context, d time.Duration) error {
					if pauses = append(pauses, d); len(pauses) == c.stopAfter {
						cancel(gone)
					}
					return ctx.Err()
				},
				left: func() (int64, int64, bool) { return c.remaining, 100, true },
			}
			job, err := w.wait(ctx, "job_1")
			if job.Status != c.last || !errors.Is(err, c.err) {
				t.Errorf("%q, %v", job.Status, err)
			}
			if diff := cmp.Diff(c.pauses, pauses); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Pauses grow to a limit.
func TestWaiterPatience(t *testing.T) {
	t.Parallel()
	var longest time.Duration
	n := 0
	w := &waiter{
		fetch: func(context.Context, string) (docextract.Job, error) {
			if n++; n == 40 {
				return docextract.Job{Status: docextract.StatusCompleted}, nil
			}
			return docextract.Job{Status: docextract.StatusQueued}, nil
		},
		sleep: func(_ context.Context, d time.Duration) error { longest = max(longest, d); return nil },
		left:  func() (int64, int64, bool) { return 0, 0, false },
	}
	if _, err := w.wait(t.Context(), "job_1"); err != nil || longest != longestPoll {
		t.Errorf("longest pause %v, %v", longest, err)
	}
}

// A listing that jobs come into while it is read shows each job once.
func TestWalkWhileJobsCome(t *testing.T) {
	t.Parallel()
	listing := make([]docextract.Job, 20)
	for i := range listing {
		listing[i] = docextract.Job{ID: fmt.Sprint("job_", i), Raw: []byte("{}")}
	}
	asked := 0
	w := &jobWalk{pageSize: 6, list: func(_ context.Context, q docextract.Query) (*docextract.Page, error) {
		asked++
		listing = append([]docextract.Job{{ID: fmt.Sprint("new_", asked), Raw: []byte("{}")}}, listing...)
		from := min(q.Offset, len(listing))
		return &docextract.Page{Jobs: listing[from:min(from+q.Limit, len(listing))], Total: int64(len(listing))}, nil
	}}
	seen := map[string]int{}
	if err := w.run(t.Context(), 0, func(job docextract.Job) error { seen[job.ID]++; return nil }); err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		if n := seen[fmt.Sprint("job_", i)]; n != 1 {
			t.Errorf("job %d was shown %d times", i, n)
		}
	}
	seen = map[string]int{}
	if w.shown = 0; w.run(t.Context(), 8, func(job docextract.Job) error { seen[job.ID]++; return nil }) != nil || len(seen) != 8 || !w.more {
		t.Errorf("%d jobs of 8, more: %v", len(seen), w.more)
	}
}

func TestLookup(t *testing.T) {
	t.Parallel()
	fields, err := decodeJob(docextract.Job{Raw: []byte(`{"a":{"b.c":{"d":1.50}},"a.b":2,"n":null,"confidence":{"x":0.5,"y":1,"z":"odd"}}`)})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"a.b.c.d": "1.50", "a.b": "2", "n": "-", "a.x": "-", "a": `{"b.c":{"d":1.50}}`} {
		value, _ := lookup(fields, path)
		if got := textOf(value); got != want {
			t.Errorf("%s is %s, want %s", path, got, want)
		}
	}
	if got := textOf(meanConfidence(fields)); got != "0.750" {
		t.Errorf("the mean confidence is %s", got)
	}
}
