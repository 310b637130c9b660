package main

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// A job that is not final when it is seen, and that the API has no more when it
// is asked for, is noted in the next record and waited for no longer.
func TestOpenJobsThatAreGone(t *testing.T) {
	s := newShell(t)
	s.serve(s.sim.Handler())
	created := shellTime.Add(-30 * time.Hour)
	for i := range 3 {
		s.sim.AddRaw(created, fmt.Appendf(nil, `{"id":"job_open_%d","extractor_id":"e","status":"processing","created_at":%q}`, i, created.Format(time.RFC3339)))
	}
	s.want(exitDone, `jobs archived, 3 still processing`, "run")
	s.sim.Remove("job_open_1")
	s.want(exitDone, `nothing new, 2 still processing`, "run")
	raw := fmt.Appendf(nil, `{"id":"job_open_2","extractor_id":"e","status":"failed","created_at":%q}`, created.Format(time.RFC3339))
	if !s.sim.Replace("job_open_2", raw) {
		t.Fatal("the account does not have the job")
	}
	s.want(exitDone, `1 job archived, 1 still processing`, "run")
	r := s.want(exitDone, `"open": 1`, "status", "-o", "json")
	if strings.Contains(r.stdout, `"unfinished": 1`) {
		t.Errorf("what is gone was never unfinished:\n%s", r.stdout)
	}
	s.want(exitDone, `is sound`, "verify")
}
