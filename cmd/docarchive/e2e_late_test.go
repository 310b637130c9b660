package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"testing"
	"time"

	"github.com/adteco/docarchive/docextract/docextracttest"
	"github.com/adteco/docarchive/pipeline"
)

const dayLong = 24 * time.Hour

// TestLateJobIsFoundByTheAudit inserts a job into a window that was closed long
// ago, as no server should.
func TestLateJobIsFoundByTheAudit(t *testing.T) {
	a := newAdversary(t, 600, nil, nil)
	if status, _, stderr := a.run(wholeConfig, "run"); status != exitDone {
		t.Fatalf("exit %d\n%s", status, stderr)
	}
	late := a.now.Add(-20 * dayLong)
	a.sim.AddRaw(late, fmt.Appendf(nil,
		`{"id":"job_late","status":"completed","created_at":%q,"extracted_data":{"late":true}}`, late.Format(time.RFC3339)))
	a.now = a.now.Add(dayLong)
	if status, _, stderr := a.run(wholeConfig, "run"); status != exitDone {
		t.Fatalf("exit %d\n%s", status, stderr)
	}
	truth := a.truth(15 * time.Minute)
	if _, is := truth["job_late"]; !is {
		t.Fatal("the simulator does not have the late job")
	}
	a.compare("all", truth)
}

// TestLateJobIsFoundWhereTheCountWasMissing closes windows while the server
// counts nothing. As soon as it counts, each is read once more, and only once.
func TestLateJobIsFoundWhereTheCountWasMissing(t *testing.T) {
	a := newAdversary(t, 600, map[string]string{"total": "missing", "limit_max": "5"}, nil)
	if status, _, stderr := a.run(wholeConfig, "run"); status != exitDone {
		t.Fatalf("exit %d\n%s", status, stderr)
	}
	late := a.now.Add(-20 * dayLong)
	a.sim.AddRaw(late, fmt.Appendf(nil,
		`{"id":"job_late","status":"completed","created_at":%q,"extracted_data":{"late":true}}`, late.Format(time.RFC3339)))
	if err := a.sim.Knobs().Set("total", "exact"); err != nil {
		t.Fatal(err)
	}
	a.now = a.now.Add(dayLong)
	var spent [2]int64
	for i := range spent {
		before := a.sim.Requests()
		if status, _, stderr := a.run(wholeConfig, "run"); status != exitDone {
			t.Fatalf("exit %d\n%s", status, stderr)
		}
		spent[i] = a.sim.Requests() - before
	}
	a.compare("all", a.truth(15*time.Minute))
	if spent[1] >= spent[0] {
		t.Errorf("%d requests, then %d: windows were read again that were counted before", spent[0], spent[1])
	}
}

// TestLastCall lets windows grow old with jobs in them that never finish: each
// window is read once more and sealed before its jobs expire, and the run that
// does it says how many were never finished.
func TestLastCall(t *testing.T) {
	const stuck = 12
	a := newAdversary(t, 1, map[string]string{"stuck": "on"}, nil)
	a.restart(docextracttest.Config{Seed: 3, Jobs: 900, Span: 25 * dayLong, Open: stuck}, map[string]string{"stuck": "on"})
	a.run(wholeConfig, "run")
	a.now = a.now.Add(dayLong)
	truth := a.truth(15 * time.Minute)
	var unfinished int64
	for range 31 {
		status, stdout, stderr := a.run(wholeConfig, "run", "-o", "json")
		var report pipeline.Report
		if err := json.Unmarshal([]byte(stdout), &report); err != nil {
			t.Fatalf("%v\n%s%s", err, stdout, stderr)
		}
		n := report.Pipelines[0].Jobs.Unfinished
		unfinished += n
		if want := map[bool]int{true: exitPartly, false: exitDone}[n > 0]; status != want {
			t.Errorf("%v: exit %d with %d unfinished jobs\n%s", a.now, status, n, stderr)
		}
		a.now = a.now.Add(3 * dayLong)
	}
	if unfinished != stuck {
		t.Errorf("%d jobs were told to be unfinished, %d are", unfinished, stuck)
	}
	a.compare("all", truth)
	if status, stdout, stderr := a.run(wholeConfig, "verify"); status != exitDone {
		t.Errorf("verify: exit %d\n%s%s", status, stdout, stderr)
	}
}

// TestStatusWarnsBeforeJobsExpire leaves an archive alone for eighty days.
func TestStatusWarnsBeforeJobsExpire(t *testing.T) {
	a := newAdversary(t, 300, nil, nil)
	if status, _, stderr := a.run(wholeConfig, "run"); status != exitDone {
		t.Fatalf("exit %d\n%s", status, stderr)
	}
	if _, _, stderr := a.run(wholeConfig, "status"); regexp.MustCompile("expire soon").MatchString(stderr) {
		t.Errorf("a warning on the first day:\n%s", stderr)
	}
	a.now = a.now.Add(80 * dayLong)
	status, stdout, stderr := a.run(wholeConfig, "status", "-o", "json")
	var all []standing
	if err := json.Unmarshal([]byte(stdout), &all); err != nil || status != exitDone {
		t.Fatalf("exit %d, %v\n%s", status, err, stderr)
	}
	if left := all[0].DaysLeft; left == nil || *left != 9 {
		t.Errorf("days left: %v\n%s", left, stdout)
	}
	if !regexp.MustCompile(`expire soon.*pipeline=all days_left=9`).MatchString(stderr) {
		t.Errorf("no warning:\n%s", stderr)
	}
}
