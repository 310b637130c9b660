package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/internal/report"
	"github.com/adteco/docarchive/pipeline"
)

// pages are the pages in the archive, by the id of their run.
func (s *shell) pages() map[string]string {
	s.t.Helper()
	files, err := filepath.Glob(filepath.Join(s.dir, "archive/_archive/runs/*.html"))
	if err != nil {
		s.t.Fatal(err)
	}
	pages := map[string]string{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			s.t.Fatal(err)
		}
		pages[strings.TrimSuffix(filepath.Base(file), ".html")] = string(data)
	}
	return pages
}

// Every run leaves a page beside its report, with the same figures; a dry run
// leaves neither. What the page says is what the report over the same time says.
func TestRunLeavesAPage(t *testing.T) {
	s := newShell(t)
	s.serve(s.sim.Handler())
	s.want(exitDone, `jobs archived`, "run")
	s.want(exitDone, `nothing was written`, "run", "--dry-run")
	reports, err := filepath.Glob(filepath.Join(s.dir, "archive/_archive/runs/*.json"))
	if err != nil || len(reports) != 1 {
		t.Fatalf("%d reports, %v", len(reports), err)
	}
	data, err := os.ReadFile(reports[0])
	if err != nil {
		t.Fatal(err)
	}
	var r pipeline.Report
	if err := json.Unmarshal(data, &r); err != nil {
		t.Fatal(err)
	}
	pages := s.pages()
	if len(pages) != 1 || pages[r.RunID] == "" {
		t.Fatalf("%d pages, none of run %s", len(pages), r.RunID)
	}
	var m report.Model
	if err := json.Unmarshal([]byte(s.execute("report", "--since", "30d", "-o", "json").stdout), &m); err != nil {
		t.Fatal(err)
	}
	var days, failed int64
	for _, d := range m.Days {
		days += d.Completed + d.Failed
		failed += d.Failed
	}
	var timed, codes int64
	for _, b := range m.Health.Times {
		timed += b.Jobs
	}
	for _, e := range m.Health.Errors {
		codes += e.Jobs
	}
	if fresh := r.New(); fresh < 100 || m.Totals.Archived != fresh || m.Health.Measured != fresh || days != fresh || timed > fresh || timed < fresh/2 {
		t.Errorf("%d jobs are new, %d in the period, %d measured, %d by day, %d by time", fresh, m.Totals.Archived, m.Health.Measured, days, timed)
	}
	if failed == 0 || codes != failed {
		t.Errorf("%d failed, %d have codes", failed, codes)
	}
	if len(m.Runs) != 1 || m.Runs[0].ID != r.RunID || m.Requests.Made != r.Requests {
		t.Errorf("runs %+v, %d requests", m.Runs, m.Requests.Made)
	}
	for _, text := range []string{
		m.Health.Extractors[0].ID, m.Health.Errors[0].Code, m.Health.Fields[0].Name, "Days to expiry",
		fmt.Sprintf(`<dt>Jobs archived</dt><dd class="value">%d</dd>`, r.New()), fmt.Sprintf("%d failed", failed),
	} {
		if !strings.Contains(pages[r.RunID], text) {
			t.Errorf("the run's page lacks %q", text)
		}
	}
}

func TestDaysAreWithoutGaps(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	g := newGathering(everything(at))
	m := g.monitor("jobs")
	for _, job := range []docextract.Job{
		{CreatedAt: at, Status: docextract.StatusFailed, Raw: []byte(`{}`)},
		{CreatedAt: at.AddDate(0, 0, 2), Status: docextract.StatusCompleted, Raw: []byte(`{}`)},
		{CreatedAt: at.AddDate(0, 0, 2), Status: docextract.StatusCompleted, Raw: []byte(`{}`)},
	} {
		g.add(m, &job)
	}
	first := at.Truncate(24 * time.Hour)
	want := []report.Day{{Date: first, Failed: 1}, {Date: first.AddDate(0, 0, 1)}, {Date: first.AddDate(0, 0, 2), Completed: 2}}
	if diff := cmp.Diff(want, g.byDay()); diff != "" {
		t.Errorf("days (-want +got):\n%s", diff)
	}
	if got := newGathering(everything(at)).byDay(); len(got) != 0 {
		t.Errorf("days of nothing: %v", got)
	}
}

// What a resubmission did well is counted, and what a person should see named;
// over several runs what was spent adds up.
func TestResubmissionsInReports(t *testing.T) {
	t.Parallel()
	r := &pipeline.ResubmitReport{Pipeline: "jobs", Counts: pipeline.ResubmitCount{Failed: 300, Submitted: 150, Held: 150}, Credits: 12.5}
	for range 150 {
		r.Jobs = append(r.Jobs,
			pipeline.Resubmitted{Original: "fine", State: pipeline.ResubmitState(pipeline.OutcomeSubmitted)},
			pipeline.Resubmitted{Original: "held", State: pipeline.StateHeld, Reason: "no answer"})
	}
	short := shortened(r)
	if len(short.Jobs) != keptAttempts || short.Jobs[0].Original != "held" || short.Counts != r.Counts || len(r.Jobs) != 300 {
		t.Errorf("%d attempts are kept, first %+v", len(short.Jobs), short.Jobs[0])
	}
	b := &periodBuilder{model: &report.Model{}}
	b.addResubmission(resubmissionModel(&short))
	later := report.Resubmission{Pipeline: "jobs", Failed: 151, Submitted: 1, Held: 149, Credits: 1}
	b.addResubmission(later)
	b.addResubmission(report.Resubmission{Pipeline: "other", Submitted: 7})
	later.Submitted, later.Credits = 151, 13.5
	if diff := cmp.Diff([]report.Resubmission{later, {Pipeline: "other", Submitted: 7}}, b.model.Resubmissions); diff != "" {
		t.Errorf("resubmissions (-want +got):\n%s", diff)
	}
}

func TestBudgeted(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pace    int64
		seconds float64
		want    int64
	}{{600, 0, 600}, {600, 1, 600}, {600, 60, 600}, {600, 60.5, 1200}, {0, 60, 0}} {
		if got := budgeted(10, c.pace, c.seconds); got.Budget != c.want || got.Made != 10 {
			t.Errorf("%d a minute in %v s: %+v, want %d", c.pace, c.seconds, got, c.want)
		}
	}
}
