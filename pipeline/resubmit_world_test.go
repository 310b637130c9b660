package pipeline_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/docextract/docextracttest"
	"github.com/adteco/docarchive/internal/ledger"
	"github.com/adteco/docarchive/internal/store"
	"github.com/adteco/docarchive/pipeline"
)

const resubmitKey = "sk_test_resubmit"

// shop is an API whose jobs have failed, and an archive.
type shop struct {
	t       *testing.T
	sim     *docextracttest.Simulator
	running *docextracttest.Running
	ledger  *ledger.Ledger
	bucket  *store.Store
	micros  atomic.Int64
	tokens  atomic.Int64
	runs    int
	pipeline.ResubmitServices
}

func newShop(t *testing.T, c docextracttest.Config) *shop {
	t.Helper()
	s := &shop{t: t}
	s.micros.Store(nights[0].UnixMicro())
	c.Clock, c.Key = s.now, resubmitKey
	if c.Failed == 0 {
		c.Failed = 1
	}
	if c.Span == 0 {
		c.Span = 20 * time.Hour
	}
	s.sim = docextracttest.New(c)
	var err error
	s.running, err = s.sim.Start()
	must(t, err)
	t.Cleanup(func() { must(t, s.running.Close()) })
	s.bucket, err = store.Open(t.Context(), "mem://", store.Options{Attempts: 1, Sleep: noWait})
	must(t, err)
	s.ledger, err = ledger.Open(t.Context(), s.bucket, ledger.Options{Clock: s.now, ToolVersion: "test"})
	must(t, err)
	s.connect(30 * time.Second)
	return s
}

// connect makes clients that wait so long for an answer.
func (s *shop) connect(patience time.Duration) {
	t := s.t
	t.Helper()
	clock := docextract.Clock{Sleep: noWait}
	timeouts := docextract.Timeouts{Header: patience, Idle: patience}
	client, err := docextract.New(docextract.Options{BaseURL: s.running.URL, Key: resubmitKey, Timeouts: timeouts, Clock: clock, Limiter: unlimited{}})
	must(t, err)
	t.Cleanup(client.CloseIdle)
	submitter, err := docextract.NewSubmitter(docextract.SubmitterOptions{
		BaseURL: s.running.URL, Key: resubmitKey, Timeout: patience, Clock: clock, Limiter: unlimited{},
	})
	must(t, err)
	documents, err := url.Parse(s.running.DocumentURL)
	must(t, err)
	downloader, err := docextract.NewDownloader(docextract.DownloadOptions{Hosts: []string{documents.Host}, Timeouts: timeouts})
	must(t, err)
	t.Cleanup(downloader.CloseIdle)
	s.ResubmitServices = pipeline.ResubmitServices{
		Source: client, Library: s.ledger, Attempts: s.ledger, Documents: downloader, Purse: client, Submitter: submitter,
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (s *shop) now() time.Time        { return time.UnixMicro(s.micros.Load()).UTC() }
func (s *shop) later(d time.Duration) { s.micros.Add(d.Microseconds()) }

// choice is all failed jobs, as the API lists them.
func (s *shop) choice() pipeline.Choice {
	return pipeline.Choice{Pipeline: "jobs", Window: 24 * time.Hour, Since: nights[0].Add(-48 * time.Hour), FromAPI: true}
}

var once = pipeline.ResubmitLimits{MaxAttempts: 1, Concurrency: 10}

// resubmit is one run. Nothing is left of it in the spool.
func (s *shop) resubmit(ctx context.Context, services pipeline.ResubmitServices, c pipeline.Choice, l pipeline.ResubmitLimits) (*pipeline.ResubmitReport, error) {
	s.t.Helper()
	s.runs++
	spool := s.t.TempDir()
	r := pipeline.Resubmitter{
		Identity:         pipeline.Identity{RunID: fmt.Sprintf("run-%d", s.runs)},
		ResubmitServices: services, Paging: pipeline.Paging{Size: 100, InFlight: 4}, Spool: spool,
		NewToken: func() string { return fmt.Sprintf("token-%d", s.tokens.Add(1)) },
		Now:      s.now, Sleep: noWait, Log: discard(),
	}
	report, err := r.Run(ctx, c, l)
	if left, spoolErr := os.ReadDir(spool); spoolErr != nil || len(left) > 0 {
		s.t.Errorf("the spool holds %d documents: %v", len(left), spoolErr)
	}
	return report, err
}

// done is a run that has to succeed.
func (s *shop) done(c pipeline.Choice, l pipeline.ResubmitLimits) *pipeline.ResubmitReport {
	s.t.Helper()
	report, err := s.resubmit(s.t.Context(), s.ResubmitServices, c, l)
	must(s.t, err)
	return report
}

// paid counts the submissions that the API took by the job they were made from.
func (s *shop) paid() map[string]int {
	s.t.Helper()
	paid := map[string]int{}
	for _, sub := range s.sim.Submissions() {
		var metadata map[string]any
		must(s.t, json.Unmarshal(sub.Metadata, &metadata))
		from, _ := metadata[pipeline.MetadataFrom].(string)
		if from == "" {
			s.t.Errorf("submission %s does not say what it was made from: %s", sub.JobID, sub.Metadata)
		}
		paid[from]++
	}
	return paid
}

// twice fails the test if a job was paid for twice.
func (s *shop) twice() {
	s.t.Helper()
	for from, n := range s.paid() {
		if n > 1 {
			s.t.Errorf("job %s was submitted again %d times", from, n)
		}
	}
}

// originals are the ids of the failed jobs that nobody resubmitted.
func (s *shop) originals() map[string]docextracttest.TruthJob {
	s.t.Helper()
	made := map[string]bool{}
	for _, sub := range s.sim.Submissions() {
		made[sub.JobID] = true
	}
	all := map[string]docextracttest.TruthJob{}
	must(s.t, s.sim.Truth(func(j docextracttest.TruthJob) error {
		if j.Status == "failed" && !made[j.ID] {
			j.Raw = append([]byte(nil), j.Raw...)
			all[j.ID] = j
		}
		return nil
	}))
	return all
}

// held returns the jobs that a report holds.
func held(r *pipeline.ResubmitReport) map[string]string {
	all := map[string]string{}
	for _, j := range r.Jobs {
		if j.State == pipeline.StateHeld {
			all[j.Original] = j.Reason
		}
	}
	return all
}

// submitterFunc stands in for the submitter.
type submitterFunc func(ctx context.Context, in docextract.Submission) (docextract.Job, error)

func (f submitterFunc) Submit(ctx context.Context, in docextract.Submission) (docextract.Job, error) {
	return f(ctx, in)
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

// unlimited is a pace that never waits: the clock of these tests stands still.
type unlimited struct{}

func (unlimited) Wait(context.Context) error { return nil }
func (unlimited) Observe(int, http.Header)   {}
func (unlimited) Failed()                    {}
