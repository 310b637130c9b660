package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/adteco/docarchive/docextract/docextracttest"
	"github.com/adteco/docarchive/pipeline"
)

// verified is what verify --api -o json prints.
type verified struct {
	Damage []json.RawMessage `json:"damage"`
	API    []compared        `json:"api"`
}

func (s *shell) verifyAPI(status int) compared {
	s.t.Helper()
	r := s.want(status, `"api"`, "verify", "--api", "-o", "json")
	var v verified
	if err := json.Unmarshal([]byte(r.stdout), &v); err != nil || len(v.API) != 1 || v.Damage == nil {
		s.t.Fatalf("%v\n%s", err, r.stdout)
	}
	return v.API[0]
}

// finals returns the ids and texts of the jobs that the archive should have.
func (s *shell) finals() (ids []string, raw map[string]string) {
	raw = map[string]string{}
	err := s.sim.Truth(func(job docextracttest.TruthJob) error {
		if job.Final && shellTime.Sub(job.CreatedAt) > time.Hour {
			ids = append(ids, job.ID)
			raw[job.ID] = string(job.Raw)
		}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return ids, raw
}

func TestVerifyAPI(t *testing.T) {
	s := newShell(t)
	s.serve(s.sim.Handler())
	s.want(exitDone, `job`, "run")
	ids, raw := s.finals()
	sound := s.verifyAPI(exitDone)
	if sound.Same == 0 || len(sound.Differences) > 0 || sound.Windows != 6 || sound.Requests == 0 {
		t.Fatalf("%+v", sound)
	}
	s.want(exitDone, `is sound: 1 pipeline\ncompared with the API:\n`, "verify", "--api")

	changed, signed, gone := ids[3], ids[7], ids[11]
	if !s.sim.Replace(changed, []byte(strings.Replace(raw[changed], `"status"`, `"added":1,"status"`, 1))) ||
		!s.sim.Replace(signed, resigned(t, raw[signed])) || !s.sim.Remove(gone) {
		t.Fatal("the account does not have the jobs")
	}
	created := shellTime.Add(-30 * time.Hour)
	s.sim.AddRaw(created, fmt.Appendf(nil, `{"id":"job_late","extractor_id":"e","status":"completed","created_at":%q}`, created.Format(time.RFC3339)))
	fresh := shellTime.Add(-5 * time.Minute)
	s.sim.AddRaw(fresh, fmt.Appendf(nil, `{"id":"job_fresh","extractor_id":"e","status":"completed","created_at":%q}`, fresh.Format(time.RFC3339)))

	got := s.verifyAPI(exitPartly)
	kinds := map[string]string{}
	for _, d := range got.Differences {
		kinds[d.JobID] = d.Kind
	}
	want := map[string]string{changed: pipeline.DiffChanged, gone: pipeline.DiffGone, "job_late": pipeline.DiffMissing}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Errorf("differences (-want +got):\n%s", diff)
	}
	if got.Missing != 1 || got.Changed != 1 || got.Gone != 1 || got.Same != sound.Same-2 {
		t.Errorf("%+v", got.Comparison)
	}
	r := s.want(exitPartly, `job_late +missing +no run has seen it`, "verify", "--api")
	if strings.Contains(r.stdout, gone) || r.stderr != "" {
		t.Errorf("what is gone is no fault, and the differences are told once:\n%s%s", r.stdout, r.stderr)
	}

	// The next run finds the late job; what changed was final and stays as it was.
	s.want(exitDone, `1 job archived`, "run")
	if got := s.verifyAPI(exitPartly); got.Missing != 0 || got.Changed != 1 {
		t.Errorf("%+v", got.Comparison)
	}
}

// resigned is a job whose document has another URL, in another order.
func resigned(t *testing.T, raw string) []byte {
	t.Helper()
	var fields map[string]json.RawMessage
	if err := json.Unmarshal([]byte(raw), &fields); err != nil {
		t.Fatal(err)
	}
	fields["document_url"] = json.RawMessage(`"https://storage.example.com/d?signature=another"`)
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(fields); err != nil {
		t.Fatal(err)
	}
	return text.Bytes()
}

// Without the raw layer only ids can be compared. Damage of the archive comes
// first, and a missing archive or key is told as elsewhere.
func TestVerifyAPIWithoutRaw(t *testing.T) {
	s := newShell(t)
	s.serve(s.sim.Handler())
	config := strings.NewReplacer("BASE_URL", s.env["DOCEXTRACT_BASE_URL"], "sk_test_adversary", shellKey, "ARCHIVE", s.env["DOCARCHIVE_BUCKET"])
	s.configure(config.Replace(strings.Replace(wholeConfig, "since: 65d", "since: 5d\n    raw: false", 1)))
	s.want(exitConfig, ``, "verify", "--api")
	s.want(exitDone, `archived`, "run")
	ids, _ := s.finals()
	s.sim.Remove(ids[0])
	if got := s.verifyAPI(exitDone); got.Same != 0 || got.NoRaw == 0 || got.Gone != 1 {
		t.Errorf("%+v", got.Comparison)
	}
	if err := s.sim.Knobs().Set("auth", "revoked"); err != nil {
		t.Fatal(err)
	}
	s.want(exitRefused, `^$`, "verify", "--api")
	s.want(exitDone, `is sound`, "verify")
}
