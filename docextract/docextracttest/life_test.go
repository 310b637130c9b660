package docextracttest_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/adteco/docarchive/docextract/docextracttest"
)

// statuses counts the visible jobs by status.
func (w *world) statuses() map[string]int {
	counts := map[string]int{}
	for _, raw := range w.all("") {
		counts[read(w.t, raw).Status]++
	}
	return counts
}

func TestOpenJobsFinish(t *testing.T) {
	w := newWorld(t, docextracttest.Config{Jobs: 120, Open: 40})
	rank := map[string]int{"queued": 0, "processing": 1, "completed": 2, "failed": 2}
	last := map[string]string{}
	seen := map[string]bool{}
	for range 60 {
		for _, raw := range w.all("") {
			j := read(t, raw)
			if old, ok := last[j.ID]; ok && (rank[j.Status] < rank[old] || rank[old] == 2 && j.Status != old) {
				t.Fatalf("%s went from %s to %s", j.ID, old, j.Status)
			}
			last[j.ID] = j.Status
			seen[j.Status] = true
			if (j.StartedAt == nil) != (j.Status == "queued") || (j.CompletedAt == nil) != (rank[j.Status] < 2) {
				t.Fatalf("times do not go with the status: %s", raw)
			}
			if j.StartedAt != nil && (j.StartedAt.Before(j.CreatedAt) || j.StartedAt.After(w.clock.Now())) {
				t.Fatalf("started_at is off: %s", raw)
			}
			if j.CompletedAt != nil && (j.CompletedAt.Before(*j.StartedAt) || j.CompletedAt.After(w.clock.Now())) {
				t.Fatalf("completed_at is off: %s", raw)
			}
		}
		w.clock.Advance(30 * time.Second)
	}
	if !seen["queued"] || !seen["processing"] {
		t.Errorf("seen were only %v", seen)
	}
	if open := w.statuses(); open["queued"]+open["processing"] == 0 {
		t.Error("no old job is open after half an hour")
	}
	w.clock.Advance(25 * time.Hour)
	if open := w.statuses(); open["queued"]+open["processing"] != 0 {
		t.Errorf("after a day there are %v", open)
	}
}

func TestStatusFilterFollowsTheClock(t *testing.T) {
	w := newWorld(t, docextracttest.Config{Jobs: 120, Open: 40})
	for range 50 {
		want := w.statuses()
		for _, status := range []string{"queued", "processing", "completed", "failed"} {
			if got := len(w.all("status=" + status)); got != want[status] {
				t.Fatalf("%d are %s, want %d", got, status, want[status])
			}
		}
		w.clock.Advance(7 * time.Second)
	}
}

func TestArrivals(t *testing.T) {
	w := newWorld(t, docextracttest.Config{Jobs: 10, Arrivals: 30})
	for minute := range 20 {
		jobs := w.all("")
		if want := 10 + 30*minute; len(jobs) < want-2 || len(jobs) > want+2 {
			t.Fatalf("%d jobs after %d minutes", len(jobs), minute)
		}
		if newest := read(t, jobs[0]); newest.CreatedAt.After(w.clock.Now()) {
			t.Fatalf("a job of the future: %s", jobs[0])
		}
		w.clock.Advance(time.Minute)
	}
	if byStatus := w.statuses(); byStatus["queued"]+byStatus["processing"] == 0 || byStatus["completed"] < 500 {
		t.Errorf("new jobs do not run through: %v", byStatus)
	}
}

func TestExpiry(t *testing.T) {
	w := newWorld(t, docextracttest.Config{Jobs: 100, Span: 10 * 24 * time.Hour, Retention: 20 * 24 * time.Hour})
	oldest := w.truth()[0].ID
	if rec := w.get("/v1/documents/" + oldest); rec.Code != http.StatusOK {
		t.Fatalf("the oldest job: %d", rec.Code)
	}
	w.clock.Advance(15 * 24 * time.Hour)
	expired := 0
	for _, j := range w.truth() {
		if j.Expired != j.CreatedAt.Before(w.clock.Now().AddDate(0, 0, -20)) {
			t.Fatalf("job of %v: expired is %v", j.CreatedAt, j.Expired)
		}
		if j.Expired {
			expired++
		}
		want := http.StatusOK
		if j.Expired {
			want = http.StatusNotFound
		}
		if rec := w.get("/v1/documents/" + j.ID); rec.Code != want {
			t.Fatalf("job of %v: %d", j.CreatedAt, rec.Code)
		}
	}
	if expired == 0 || expired == 100 {
		t.Fatalf("%d of 100 expired", expired)
	}
	if got := len(w.all("")); got != 100-expired {
		t.Errorf("%d listed, want %d", got, 100-expired)
	}
	if got := len(w.all("status=completed")) + len(w.all("status=failed")); got != 100-expired {
		t.Errorf("%d listed by status, want %d", got, 100-expired)
	}
	w.clock.Advance(10 * 24 * time.Hour)
	if got := string(w.list("").Total); got != "0" {
		t.Errorf("total is %s when all are gone", got)
	}
}

func TestCommitLag(t *testing.T) {
	w := newWorld(t, docextracttest.Config{Arrivals: 60}).set("commit_lag=2m")
	w.clock.Advance(10 * time.Minute)
	known := map[string]bool{}
	var newest time.Time
	for _, raw := range w.all("") {
		j := read(t, raw)
		known[j.ID] = true
		if j.CreatedAt.After(newest) {
			newest = j.CreatedAt
		}
	}
	hidden := len(w.truth()) - len(known)
	if hidden < 20 {
		t.Fatalf("%d jobs are hidden by the lag", hidden)
	}
	w.clock.Advance(2 * time.Minute)
	late := 0
	for _, raw := range w.all(before(newest)) {
		if !known[read(t, raw).ID] {
			late++
		}
	}
	if late < 10 {
		t.Errorf("%d jobs appeared among those listed before", late)
	}
}
