package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/docextract/docextracttest"
	"github.com/adteco/docarchive/pipeline"
)

var errKilled = errors.New("the process is dead")

// mortal kills a process at one of its steps: from then on nothing that it does
// has an effect, and it learns of nothing that it did.
type mortal struct {
	pipeline.ResubmitServices
	stop context.CancelFunc

	mu   sync.Mutex
	left int // steps to live
	dead bool
}

// step reports whether the process is alive.
func (m *mortal) step() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.left--; m.left < 0 {
		m.dead = true
		m.stop()
	}
	if m.dead {
		return errKilled
	}
	return nil
}

// around does one thing unless the process died before it. It may die after.
func (m *mortal) around(f func() error) error {
	if err := m.step(); err != nil {
		return err
	}
	err := f()
	if dead := m.step(); dead != nil {
		return dead
	}
	return err
}

func (m *mortal) services() pipeline.ResubmitServices {
	s := m.ResubmitServices
	s.Attempts, s.Documents = mortalAttempts{m.Attempts, m}, mortalDocuments{m.Documents, m}
	s.Submitter = submitterFunc(func(ctx context.Context, in docextract.Submission) (job docextract.Job, err error) {
		killed := m.around(func() error {
			job, err = m.Submitter.Submit(ctx, in)
			return nil
		})
		if killed != nil {
			return docextract.Job{}, &docextract.AmbiguousError{Err: killed}
		}
		return job, err
	})
	return s
}

type mortalAttempts struct {
	pipeline.Attempts
	m *mortal
}

func (a mortalAttempts) History(ctx context.Context, original string) (all []pipeline.Attempt, err error) {
	err = a.m.around(func() (err error) { all, err = a.Attempts.History(ctx, original); return err })
	return all, err
}

func (a mortalAttempts) Intend(ctx context.Context, in *pipeline.Intent) error {
	return a.m.around(func() error { return a.Attempts.Intend(ctx, in) })
}

func (a mortalAttempts) Conclude(ctx context.Context, in *pipeline.Intent, r *pipeline.Result) error {
	return a.m.around(func() error { return a.Attempts.Conclude(ctx, in, r) })
}

type mortalDocuments struct {
	pipeline.Documents
	m *mortal
}

func (d mortalDocuments) Download(ctx context.Context, url string, w io.Writer) (document docextract.Document, err error) {
	err = d.m.around(func() (err error) { document, err = d.Documents.Download(ctx, url, w); return err })
	return document, err
}

// mortalRun is a run that dies after so many steps.
func (s *shop) mortalRun(steps int, c pipeline.Choice, l pipeline.ResubmitLimits) (*pipeline.ResubmitReport, *mortal, error) {
	s.t.Helper()
	ctx, stop := context.WithCancel(s.t.Context())
	defer stop()
	m := &mortal{ResubmitServices: s.ResubmitServices, left: steps, stop: stop}
	report, err := s.resubmit(ctx, m.services(), c, l)
	return report, m, err
}

// The process dies at every step of one job's resubmission in turn.
func TestResubmitKilledAtEveryStep(t *testing.T) {
	t.Parallel()
	limits := pipeline.ResubmitLimits{MaxAttempts: 1, Concurrency: 1}
	for steps := 0; ; steps++ {
		s := newShop(t, docextracttest.Config{Seed: 15, Jobs: 2})
		_, m, _ := s.mortalRun(steps, s.choice(), limits)
		if !m.dead {
			if steps < 16 || len(s.paid()) != 2 {
				t.Errorf("a run has %d steps, paid %v", steps, s.paid())
			}
			return
		}
		s.later(time.Minute)
		soon := s.done(s.choice(), limits)
		s.accounted(soon)
		s.later(2 * time.Hour)
		limits := limits
		limits.MaxAttempts = 2 // an attempt that may have been charged counts as one
		limits.RetryAbsent = true
		s.done(s.onlyOriginals(), limits)
		if s.twice(); len(s.paid()) != 2 || t.Failed() {
			t.Fatalf("killed at step %d: paid %v", steps, s.paid())
		}
	}
}

// onlyOriginals leaves out the jobs that resubmissions made.
func (s *shop) onlyOriginals() pipeline.Choice {
	c := s.choice()
	c.Until = nights[0]
	return c
}

// accounted fails the test if a job is neither submitted again nor in the
// report.
func (s *shop) accounted(r *pipeline.ResubmitReport) {
	s.t.Helper()
	listed := map[string]bool{}
	for _, j := range r.Jobs {
		listed[j.Original] = true
	}
	missing := 0
	paid := s.paid()
	for id := range s.originals() {
		if paid[id] == 0 && !listed[id] {
			missing++
		}
	}
	if missing > r.Counts.Left {
		s.t.Errorf("%d jobs are not submitted and not listed: %+v", missing, r.Counts)
	}
}

// faultsOnTheWay hit the submissions, and everything else as well.
var faultsOnTheWay = []string{
	"post_accept_then_reset", "post_accept_then_500", "post_accept_then_hang", "post_no_id",
	"reset", "truncate", "hang_headers", "e500", "garbage", "trailing", "e429",
}

// Submissions and all else fail in every way there is, and the process is killed
// again and again. DOCARCHIVE_TEST_RESUBMIT=1000 makes it that many jobs.
func TestResubmitNeverPaysTwice(t *testing.T) {
	t.Parallel()
	jobs := 150
	if text, has := os.LookupEnv("DOCARCHIVE_TEST_RESUBMIT"); has {
		var err error
		jobs, err = strconv.Atoi(text)
		must(t, err)
	}
	s := newShop(t, docextracttest.Config{Seed: 16, Jobs: jobs})
	dice := rand.New(rand.NewPCG(16, 1))
	limits := pipeline.ResubmitLimits{Concurrency: 10}
	for _, fault := range faultsOnTheWay {
		must(t, s.sim.Faults().Set(fault, 0.05))
	}
	s.connect(200 * time.Millisecond)
	kills, unanswered := 0, 0
	for night := range 10 {
		steps := dice.IntN(8*(jobs-len(s.paid())) + 10)
		if night%4 == 3 {
			steps = 100 * jobs // this one lives
		}
		limits.MaxAttempts, limits.RetryAbsent = 9, night%2 == 0
		report, m, err := s.mortalRun(steps, s.onlyOriginals(), limits)
		if m.dead {
			kills++
		}
		unanswered += len(held(report))
		var away *docextract.UnavailableError
		if err != nil && !m.dead && !errors.As(err, &away) {
			t.Errorf("a run that lived: %v", err)
		}
		s.later(time.Duration(1+dice.IntN(90)) * time.Minute)
	}
	s.twice()
	hits := s.sim.Faults().Hits()
	s.sim.Faults().Clear()
	s.connect(time.Minute)
	// One quiet night: what can be decided is, what cannot is listed.
	s.later(20 * time.Hour)
	limits.RetryAbsent = false
	quiet := s.done(s.onlyOriginals(), limits)
	s.accounted(quiet)
	paid := s.paid()
	for id, reason := range held(quiet) {
		if paid[id] > 0 {
			t.Errorf("job %s was submitted and is held: %s", id, reason)
		}
	}
	// What is proven not to have arrived may be submitted again.
	limits.RetryAbsent = true
	last := s.done(s.onlyOriginals(), limits)
	if s.twice(); len(s.paid()) != jobs || len(held(last)) != 0 {
		t.Errorf("%d of %d jobs are submitted again, %d are held", len(s.paid()), jobs, len(held(last)))
	}
	if kills < 3 || unanswered == 0 || hits["post_accept_then_reset"] == 0 || hits["post_accept_then_hang"] == 0 || hits["post_no_id"] == 0 {
		t.Errorf("%d kills, %d unanswered, faults %v: too little was tried", kills, unanswered, hits)
	}
	t.Logf("%d jobs, %d kills, %d times held, held on the quiet night %d, faults %v", jobs, kills, unanswered, len(held(quiet)), hits)
}

// Two processes at once attempt no job both.
func TestResubmitTogether(t *testing.T) {
	t.Parallel()
	s := newShop(t, docextracttest.Config{Seed: 17, Jobs: 40})
	var both sync.WaitGroup
	reports := make([]*pipeline.ResubmitReport, 3)
	for i := range reports {
		both.Go(func() {
			r := pipeline.Resubmitter{
				Identity:         pipeline.Identity{RunID: fmt.Sprintf("run-%d", i)},
				ResubmitServices: s.ResubmitServices, Paging: pipeline.Paging{Size: 100, InFlight: 2}, Spool: t.TempDir(),
				NewToken: func() string { return fmt.Sprintf("token-%d", s.tokens.Add(1)) },
				Now:      s.now, Sleep: noWait, Log: discard(),
			}
			var err error
			if reports[i], err = r.Run(t.Context(), s.onlyOriginals(), once); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	if s.twice(); len(s.paid()) != 40 {
		t.Errorf("%d of 40 are submitted", len(s.paid()))
	}
	submitted := 0
	for _, r := range reports {
		submitted += r.Counts.Submitted
	}
	if submitted != 40 {
		t.Errorf("the reports claim %d submissions", submitted)
	}
}
