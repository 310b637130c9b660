package submission_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/pipeline"
	"github.com/adteco/docarchive/pipeline/submission"
)

// Whatever the API does to submissions, no document is charged twice, none is
// reported submitted that is not, and what was accepted is found again.
func TestNoDocumentIsChargedTwice(t *testing.T) {
	t.Parallel()
	for _, fault := range []string{
		"e500", "e502", "e503", "html", "html_error", "e429", "e429_bare", "garbage", "reset", "truncate", "truncate_json",
		"trailing", "post_accept_then_reset", "post_accept_then_500", "post_accept_then_hang", "post_no_id",
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 12)
			if err := w.sim.Faults().Set(fault, 0.5); err != nil {
				t.Fatal(err)
			}
			for range 3 {
				_, err := w.run(options(), w.names) // a listing may fail too
				var away *docextract.UnavailableError
				if err != nil && !errors.As(err, &away) {
					t.Fatal(err)
				}
				for _, name := range w.names {
					if n := w.taken(name); n > 1 {
						t.Fatalf("%s was charged %d times", name, n)
					}
				}
			}
			if w.sim.Faults().Hits()[fault] == 0 {
				t.Fatal("the fault never hit")
			}
			w.sim.Faults().Clear()
			results, err := w.run(options(), w.names)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range w.names {
				r, n := results[name], w.taken(name)
				sure := r.Outcome == submission.Submitted || r.Outcome == submission.Skipped
				if sure != (n == 1) || !sure && r.Outcome != submission.Held || n > 1 {
					t.Errorf("%s: %s (%s), charged %d times", name, r.Outcome, r.Reason, n)
				}
			}
		})
	}
}

// A process that dies between a POST and its result has its batch gone on with.
func TestInterruptedBatchGoesOn(t *testing.T) {
	t.Parallel()
	for die := 1; die <= 4; die++ {
		w := newWorld(t, 4)
		post, calls := w.submit, 0
		var left []byte // of the journal, as the dying process leaves it
		w.submit = func(ctx context.Context, in docextract.Submission) (docextract.Job, error) {
			if calls++; calls > die {
				return docextract.Job{}, &docextract.NotSentError{Err: errors.New("dead")}
			}
			job, err := post(ctx, in)
			if calls == die {
				var read error
				if left, read = os.ReadFile(w.journalPath()); read != nil {
					t.Error(read)
				}
			}
			return job, err
		}
		o := options()
		o.Concurrency = 1
		if _, err := w.run(o, w.names); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(w.journalPath(), append(left, `{"event":"done","id":"torn`...), 0o600); err != nil {
			t.Fatal(err)
		}
		w.submit = post
		results, err := w.run(o, w.names)
		if err != nil {
			t.Fatal(err)
		}
		for i, name := range w.names {
			want := submission.Submitted
			if i < die {
				want = submission.Skipped
			}
			if n, r := w.taken(name), results[name]; n != 1 || r.Outcome != want || r.JobID == "" {
				t.Errorf("died in submission %d: %s is %+v, charged %d times", die, name, r, n)
			}
		}
	}
}

// A doubt that no listing resolves is held, and sent again only on demand.
func TestDoubtIsHeld(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	if err := w.sim.Faults().Set("e500", 1); err != nil {
		t.Fatal(err)
	}
	post := w.submit
	w.submit = func(ctx context.Context, in docextract.Submission) (docextract.Job, error) {
		defer w.sim.Faults().Clear()
		return post(ctx, in)
	}
	for range 3 {
		results, err := w.run(options(), w.names)
		if r := results[w.names[0]]; err != nil || r.Outcome != submission.Held || w.taken(w.names[0]) != 0 {
			t.Fatalf("%+v, %v", r, err)
		}
	}
	o := options()
	o.Again = true
	results, err := w.run(o, w.names)
	if r := results[w.names[0]]; err != nil || r.Outcome != submission.Submitted || w.taken(w.names[0]) != 1 {
		t.Fatalf("again: %+v, %v", r, err)
	}
}

func TestStopLeavesTheRest(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 8)
	post := w.submit
	var calls atomic.Int32
	w.submit = func(ctx context.Context, in docextract.Submission) (docextract.Job, error) {
		if calls.Add(1) == 3 {
			close(w.stopping)
		}
		return post(ctx, in)
	}
	one := options()
	one.Concurrency = 1
	if _, err := w.run(one, w.names); !errors.Is(err, pipeline.ErrStopped) {
		t.Fatalf("the batch ends with %v", err)
	}
	// The third was begun when the stop came; its bytes may or may not have left.
	if n := len(w.sim.Submissions()); n != 2 && n != 3 {
		t.Fatalf("%d submissions", n)
	}
	w.stopping = nil
	if _, err := w.run(options(), w.names); err != nil {
		t.Fatal(err)
	}
	for _, name := range w.names {
		if n := w.taken(name); n != 1 {
			t.Errorf("%s was charged %d times", name, n)
		}
	}
}

func TestWhatTheAPIRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, knob, value string
		outcome           submission.Outcome
		reason            string
		ends              bool
	}{
		{"no credits", "credits", "0", submission.Refused, "not enough credits: ", false},
		{"wrong key", "auth", "revoked", submission.Refused, "401", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 3)
			if err := w.sim.Knobs().Set(c.knob, c.value); err != nil {
				t.Fatal(err)
			}
			o := options()
			o.Concurrency = 1
			results, err := w.run(o, w.names)
			var api *docextract.Error
			if ended := errors.As(err, &api) && api.Refused(); ended != c.ends || err != nil && !ended {
				t.Fatalf("the batch ends with %v", err)
			}
			if all := len(results) == 3; all == c.ends {
				t.Errorf("%d results", len(results))
			}
			if r := results[w.names[0]]; r.Outcome != c.outcome || !strings.Contains(r.Reason, c.reason) {
				t.Errorf("%+v", r)
			}
			// What was refused made no job, so it may be sent once it can be.
			def := map[string]string{"credits": "100000", "auth": "required"}
			if err := w.sim.Knobs().Set(c.knob, def[c.knob]); err != nil {
				t.Fatal(err)
			}
			if _, err := w.run(o, w.names); err != nil || len(w.sim.Submissions()) != 3 {
				t.Errorf("%v, %d submissions", err, len(w.sim.Submissions()))
			}
		})
	}
}

func TestSameContent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.names = append(w.names, w.write("copy.pdf", "%PDF-1.7 document 0"))
	results, err := w.run(options(), w.names)
	if err != nil || w.taken(w.names[0]) != 1 {
		t.Fatalf("%v, %v", results, err)
	}
	o := options()
	o.Extractor = "ext_receipt"
	if _, err := w.run(o, w.names[:1]); err != nil || w.taken(w.names[0]) != 2 {
		t.Errorf("another extractor: %v, charged %d times", err, w.taken(w.names[0]))
	}
	o.DryRun, o.Again = true, true
	results, err = w.run(o, w.names[:1])
	if r := results[w.names[0]]; err != nil || r.Outcome != submission.Planned || w.taken(w.names[0]) != 2 {
		t.Errorf("dry run: %+v, %v", r, err)
	}
}

// What is sent is what was inspected.
func TestFileChangesInBetween(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{
		"same size": "%PDF-1.7 document X", "shorter": "%PDF-1.7", "longer": "%PDF-1.7 document 0 and more",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 1)
			post := w.submit
			w.submit = func(ctx context.Context, in docextract.Submission) (docextract.Job, error) {
				w.write("doc00.pdf", content)
				return post(ctx, in)
			}
			results, err := w.run(options(), w.names)
			if r := results[w.names[0]]; err != nil || r.Outcome != submission.Refused || !strings.Contains(r.Reason, "changed") {
				t.Errorf("%+v, %v", r, err)
			}
			if n := len(w.sim.Submissions()); n != 0 {
				t.Errorf("%d submissions", n)
			}
		})
	}
}
