package main

import (
	"os"
	"strconv"
	"testing"
	"time"
)

// wholeConfig archives every extractor as Parquet.
const wholeConfig = `
api: {base_url: BASE_URL, key: sk_test_adversary, concurrency: 8}
archive: ARCHIVE
pipelines:
  all:
    since: 65d
    fields: {total_amount: "decimal(18,2)"}
    sinks: [{type: parquet, partition: [created_month]}]
`

// manyJobs is the size of the adversarial test; more by E2E_JOBS.
func manyJobs(t *testing.T) int {
	if text := os.Getenv("E2E_JOBS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	return 6000
}

// contrary turns every knob of the listing against its reader.
var contrary = map[string]string{
	"order": "shuffled", "bounds": "exclusive", "limit_max": "37", "null_jobs": "on", "echo": "off",
}

// flaky is a share of requests for every fault that a GET can meet.
func flaky(p float64) map[string]float64 {
	faults := map[string]float64{}
	for _, name := range []string{
		"e500", "e502", "e503", "e504", "html", "html_error", "garbage", "duplicate", "shift",
		"reset", "truncate", "truncate_json", "trailing", "absurd_rate_headers",
		"hang_headers", "hang_body", "drip", "gzip_bomb", "e429", "e429_bare",
	} {
		faults[name] = p
	}
	return faults
}

func TestContraryAPI(t *testing.T) {
	a := newAdversary(t, manyJobs(t), contrary, flaky(0.02))
	start := time.Now()
	status, stdout, stderr := a.run(wholeConfig, "run")
	t.Logf("%v, %d requests\n%s", time.Since(start), a.sim.Requests(), stdout)
	if status != exitDone {
		t.Fatalf("exit %d\n%s", status, stderr)
	}
	a.compare("all", a.truth(15*time.Minute))
}

func TestSecondRunFindsNothingNew(t *testing.T) {
	a := newAdversary(t, 2000, nil, nil)
	if status, _, stderr := a.run(wholeConfig, "run"); status != exitDone {
		t.Fatalf("exit %d\n%s", status, stderr)
	}
	before := a.truth(15 * time.Minute)
	a.compare("all", before)
	if status, stdout, stderr := a.run(wholeConfig, "run"); status != exitDone {
		t.Fatalf("exit %d\n%s%s", status, stdout, stderr)
	}
	a.compare("all", before)
	// Time goes on: open jobs finish, and the next runs bring them in.
	a.now = a.now.Add(36 * time.Hour)
	if status, stdout, stderr := a.run(wholeConfig, "run"); status != exitDone {
		t.Fatalf("exit %d\n%s%s", status, stdout, stderr)
	}
	after := a.truth(15 * time.Minute)
	if len(after) <= len(before) {
		t.Errorf("no open job has finished: %d, then %d", len(before), len(after))
	}
	a.compare("all", after)
}

// TestServerHabits archives behind each habit that the API's description leaves
// open, and each way in which a server's count can be wrong.
func TestServerHabits(t *testing.T) {
	for name, knobs := range map[string]map[string]string{
		"ascending":      {"order": "created_asc"},
		"by id":          {"order": "id"},
		"unstable ties":  {"order": "unstable_ties", "time_resolution": "second"},
		"half open":      {"bounds": "half_open"},
		"cut to seconds": {"bounds_resolution": "second"},
		"no total":       {"total": "missing"},
		"total is text":  {"total": "string"},
		"negative total": {"total": "negative"},
		"stale total":    {"total": "stale"},
		"page total":     {"total": "page"},
		"capped total":   {"total": "capped=500"},
		"short pages":    {"short_pages": "0.3"},
		"shallow":        {"offset_max": "200"},
		"tiny pages":     {"limit_max": "10"},
		"hostile texts":  {"oddities": "many"},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAdversary(t, 3000, knobs, nil)
			status, stdout, stderr := a.run(wholeConfig, "run")
			t.Logf("%d requests", a.sim.Requests())
			if status != exitDone {
				t.Fatalf("exit %d\n%s%s", status, stdout, stderr)
			}
			a.compare("all", a.truth(15*time.Minute))
		})
	}
}
