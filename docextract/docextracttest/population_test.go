package docextracttest_test

import (
	"bytes"
	"encoding/json"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/adteco/docarchive/docextract/docextracttest"
	"github.com/google/go-cmp/cmp"
)

func TestSameSeedSameBytes(t *testing.T) {
	config := docextracttest.Config{Seed: 7, Jobs: 1500, Open: 20, Burst: 100, Arrivals: 3}
	render := func(c docextracttest.Config) []byte {
		w := newWorld(t, c)
		w.clock.Advance(time.Hour)
		var out bytes.Buffer
		if err := w.sim.WriteTruth(&out); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	first := render(config)
	if !bytes.Equal(first, render(config)) {
		t.Error("the same seed gave other bytes")
	}
	small := config
	small.CacheBytes = -1
	if !bytes.Equal(first, render(small)) {
		t.Error("the cache changes the bytes")
	}
	small.CacheBytes = 200_000
	if !bytes.Equal(first, render(small)) {
		t.Error("a full cache changes the bytes")
	}
	config.Seed++
	if bytes.Equal(first, render(config)) {
		t.Error("another seed gave the same bytes")
	}
}

func TestPopulation(t *testing.T) {
	w := newWorld(t, docextracttest.Config{Seed: 1, Jobs: 6000, Open: 50, Failed: 0.1})
	jobs := w.truth()
	seen := map[string]bool{}
	byKind, failedJobs, open, size, conflicts := map[string]int{}, 0, 0, 0, 0
	hours := [24]int{}
	for i, j := range jobs {
		if seen[j.ID] {
			t.Fatalf("id %s twice", j.ID)
		}
		seen[j.ID] = true
		if i > 0 && j.CreatedAt.Before(jobs[i-1].CreatedAt) {
			t.Fatalf("job %d is created before its predecessor", i)
		}
		parsed := read(t, j.Raw)
		want := docextracttest.TruthJob{
			ID: parsed.ID, ExtractorID: parsed.ExtractorID, Status: parsed.Status, CreatedAt: parsed.CreatedAt,
			Final: parsed.Status == "completed" || parsed.Status == "failed",
		}
		size += len(j.Raw)
		raw := j.Raw
		j.Raw = nil
		if diff := cmp.Diff(want, j); diff != "" {
			t.Fatalf("truth and %s disagree: %s", raw, diff)
		}
		byKind[j.ExtractorID]++
		hours[j.CreatedAt.Hour()]++
		if !j.Final {
			open++
		} else if took := parsed.CompletedAt.Sub(parsed.CreatedAt); took <= 0 || took > 5*time.Minute {
			t.Fatalf("a job took %v: %s", took, raw)
		}
		if j.Status == "failed" {
			failedJobs++
			if parsed.Data != nil || parsed.Error == nil || parsed.Error.Code == "" {
				t.Fatalf("failed job %s", raw)
			}
		}
		if _, text := parsed.Data["total_amount"].(string); text {
			conflicts++
		}
	}
	if len(jobs) != 6000 || len(byKind) != 5 || open != 50 {
		t.Errorf("%d jobs of %d kinds, %d open", len(jobs), len(byKind), open)
	}
	if failedJobs < 500 || failedJobs > 700 {
		t.Errorf("%d of 6,000 failed, want 10 %%", failedJobs)
	}
	if mean := size / len(jobs); mean < 1200 || mean > 1900 {
		t.Errorf("a job has %d bytes on average", mean)
	}
	if hours[10] < 5*hours[22] {
		t.Errorf("no rhythm of the day: %v", hours)
	}
	if conflicts == 0 {
		t.Error("no amount is ever a text")
	}
	if first := jobs[0].CreatedAt; first.Before(start.AddDate(0, 0, -60)) || first.After(start.AddDate(0, 0, -59)) {
		t.Errorf("the first job is of %v", first)
	}
	if last := jobs[len(jobs)-1].CreatedAt; !last.Before(start) {
		t.Errorf("the last job is of %v, after the start", last)
	}
}

func TestBurst(t *testing.T) {
	w := newWorld(t, docextracttest.Config{Jobs: 5000, Burst: 3000})
	bySecond := map[time.Time]int{}
	jobs := w.truth()
	for _, j := range jobs {
		bySecond[j.CreatedAt.Truncate(time.Second)]++
	}
	most := 0
	for _, n := range bySecond {
		most = max(most, n)
	}
	if most < 3000 {
		t.Errorf("at most %d jobs in one second", most)
	}
	if !slices.IsSortedFunc(jobs, func(a, b docextracttest.TruthJob) int { return a.CreatedAt.Compare(b.CreatedAt) }) {
		t.Error("not in order")
	}
}

// TestDefinitionsAreTrue compares every value with what the extractor declares.
func TestDefinitionsAreTrue(t *testing.T) {
	w := newWorld(t, docextracttest.Config{Jobs: 2000}).set("oddities=none")
	var answer struct {
		Extractors []struct {
			ID     string
			Fields []struct {
				Name, Type string
				Required   bool
			} `json:"field_definitions"`
		}
	}
	if err := json.Unmarshal(w.get("/v1/extractors").Body.Bytes(), &answer); err != nil {
		t.Fatal(err)
	}
	types := map[string]string{}
	required := map[string][]string{}
	for _, e := range answer.Extractors {
		for _, f := range e.Fields {
			types[e.ID+"."+f.Name] = f.Type
			if f.Required {
				required[e.ID] = append(required[e.ID], f.Name)
			}
		}
	}
	unseen := map[string]bool{}
	for name := range types {
		unseen[name] = true
	}
	for _, j := range w.truth() {
		parsed := read(t, j.Raw)
		if j.Status != "completed" {
			continue
		}
		for _, name := range required[j.ExtractorID] {
			if parsed.Data[name] == nil {
				t.Fatalf("%s lacks %s", j.Raw, name)
			}
		}
		for name, value := range parsed.Data {
			key := j.ExtractorID + "." + name
			delete(unseen, key)
			if !fits(types[key], value) {
				t.Fatalf("%s is %q, but the value is %v", key, types[key], value)
			}
			if c, ok := parsed.Confidence[name]; !ok || c <= 0 || c > 1 {
				t.Fatalf("confidence in %s is %v", name, c)
			}
		}
		if len(parsed.Confidence) != len(parsed.Data) {
			t.Fatalf("%d confidences for %d fields", len(parsed.Confidence), len(parsed.Data))
		}
	}
	if len(unseen) > 0 {
		t.Errorf("defined but never there: %v", unseen)
	}
}

func fits(typ string, value any) bool {
	if value == nil {
		return typ != ""
	}
	ok := false
	switch typ {
	case "text", "email", "phone":
		_, ok = value.(string)
	case "number", "currency":
		_, ok = value.(json.Number)
	case "boolean":
		_, ok = value.(bool)
	case "array":
		_, ok = value.([]any)
	case "object":
		_, ok = value.(map[string]any)
	case "date":
		text, _ := value.(string)
		_, err := time.Parse(time.DateOnly, text)
		ok = err == nil
	}
	return ok
}

func TestOdditiesOccur(t *testing.T) {
	w := newWorld(t, docextracttest.Config{Jobs: 5000, Failed: -1})
	wanted := map[string][]byte{
		"a key with a space":       []byte(`"PO Number":`),
		"a key with a dot":         []byte(`"vendor.name":`),
		"a case twin":              []byte(`"Notes":`),
		"a key that is not ASCII":  []byte(`"größe":`),
		"many digits":              []byte(`0000000017,`),
		"an amount as text":        []byte(` €"`),
		"a null":                   []byte(`:null`),
		"a surrogate pair escaped": []byte(`\ud83d\ude00`),
	}
	big, failedJobs := false, 0
	for _, j := range w.truth() {
		for name, text := range wanted {
			if bytes.Contains(j.Raw, text) {
				delete(wanted, name)
			}
		}
		if n, ok := read(t, j.Raw).Data["external_reference"].(json.Number); ok {
			whole, err := n.Int64()
			big = big || err == nil && whole > 1<<53
		}
		if j.Status == "failed" {
			failedJobs++
		}
	}
	for name := range wanted {
		t.Errorf("%s never occurs", name)
	}
	if !big {
		t.Error("no number is past 2^53")
	}
	if failedJobs > 0 {
		t.Errorf("%d failed, want none", failedJobs)
	}
}

// TestMemory holds a million jobs to 150 MB, beside what is cached.
func TestMemory(t *testing.T) {
	const jobs = 300_000
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	w := newWorld(t, docextracttest.Config{Jobs: jobs, CacheBytes: 1 << 20})
	for _, query := range []string{"offset=200000", "status=completed", "extractor_id=ext_invoice", "order=id"} {
		w.list(query)
	}
	if used := heap() - before; used > 150*jobs {
		t.Errorf("%d bytes a job, want at most 150", used/jobs)
	}
	if total := string(w.list("").Total); total != "300000" {
		t.Errorf("total %s", total)
	}
}
