package workload_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/adteco/docarchive/bench/workload"
)

func spec(jobs int) workload.Spec {
	return workload.Spec{Jobs: jobs, Days: 30, End: time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC), Seed: 7}
}

func TestJobsAreAlwaysTheSame(t *testing.T) {
	t.Parallel()
	s, other := spec(500), spec(500)
	other.Seed++
	for i := range s.Jobs {
		first, second := s.Append(nil, i), s.Append([]byte("before"), i)
		if !bytes.Equal(first, second[len("before"):]) {
			t.Fatalf("job %d differs from itself:\n%s\n%s", i, first, second)
		}
		if bytes.Equal(first, other.Append(nil, i)) {
			t.Fatalf("job %d does not depend on the seed", i)
		}
	}
}

func TestCreatedAtGrowsWithinTheDays(t *testing.T) {
	t.Parallel()
	for _, jobs := range []int{1, 10, 4999} {
		s := spec(jobs)
		last := s.Start()
		for i := range jobs {
			at := s.CreatedAt(i)
			if at.Before(last) || !at.Before(s.End) || !at.Equal(at.Truncate(time.Microsecond)) {
				t.Fatalf("job %d of %d: created at %s after %s", i, jobs, at, last)
			}
			last = at
		}
	}
}

// leaves flattens a job as the table does, to the text of each leaf.
func leaves(t *testing.T, raw []byte) map[string]string {
	t.Helper()
	var job map[string]any
	if err := json.Unmarshal(raw, &job); err != nil {
		t.Fatalf("%v\n%s", err, raw)
	}
	all := map[string]string{}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case nil:
		case map[string]any:
			for key, value := range v {
				walk(strings.TrimPrefix(path+"."+key, "."), value)
			}
		default:
			all[path] = fmt.Sprintf("%T", v)
		}
	}
	walk("", job)
	return all
}

var goTypes = map[string]string{
	"BOOLEAN": "bool", "BIGINT": "float64", "DOUBLE": "float64", "DECIMAL(18,4)": "float64", "JSON": "[]interface {}",
	"VARCHAR": "string", "DATE": "string", "TIMESTAMPTZ": "string", workload.Mixed: "float64", workload.Rest: "string",
}

func TestShape(t *testing.T) {
	t.Parallel()
	s := spec(5000)
	columns := s.Columns()
	if len(columns) != workload.BaseColumns {
		t.Errorf("%d columns, not %d", len(columns), workload.BaseColumns)
	}
	known := map[string]map[string]workload.Column{} // path → Go type → column
	for _, c := range columns {
		if c.Path != "" {
			if known[c.Path] == nil {
				known[c.Path] = map[string]workload.Column{}
			}
			known[c.Path][goTypes[c.Type]] = c
		}
	}
	seen, filled, size := map[string]bool{"archived_at": true, "run_id": true}, 0, 0
	for i := range s.Jobs {
		raw := s.Append(nil, i)
		size += len(raw)
		filled += 2 // those which the archive adds
		for path, kind := range leaves(t, raw) {
			c, ok := known[path][kind]
			if !ok {
				t.Fatalf("no column for %s of type %s in %s", path, kind, raw)
			}
			seen[c.Name] = true
			filled++
		}
	}
	for _, c := range columns {
		if !seen[c.Name] {
			t.Errorf("no job fills %s", c.Name)
		}
	}
	if mean := float64(filled) / float64(s.Jobs); mean < 40 || mean > 42 {
		t.Errorf("%.1f columns filled, not about 41", mean)
	}
	if mean := size / s.Jobs; mean < 1450 || mean > 1550 {
		t.Errorf("%d bytes a job, not about 1500", mean)
	}
}

func TestExtraColumns(t *testing.T) {
	t.Parallel()
	s := spec(200)
	s.Extra = 500
	seen := map[string]bool{}
	for i := range s.Jobs {
		for path := range leaves(t, s.Append(nil, i)) {
			if strings.HasPrefix(path, "extracted_data.extra_") {
				seen[path] = true
			}
		}
	}
	if len(seen) != s.Extra || len(s.Columns()) != workload.BaseColumns+s.Extra {
		t.Errorf("%d extra columns filled, %d columns in all", len(seen), len(s.Columns()))
	}
}

func TestExtractorsDeclareWhatJobsHold(t *testing.T) {
	t.Parallel()
	s := spec(2000)
	body, err := s.Extractors()
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		Extractors []struct {
			ID     string                  `json:"id"`
			Fields []struct{ Name string } `json:"field_definitions"`
		}
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		t.Fatal(err)
	}
	want, got := map[string]bool{}, map[string]bool{}
	for _, e := range answer.Extractors {
		for _, f := range e.Fields {
			want[e.ID+" "+f.Name] = true
		}
	}
	for i := range s.Jobs {
		if s.Status(i) == "failed" {
			continue
		}
		for path := range leaves(t, s.Append(nil, i)) {
			if field, ok := strings.CutPrefix(path, "extracted_data."); ok {
				name, _, _ := strings.Cut(field, ".")
				got[s.ExtractorIDs()[s.Extractor(i)]+" "+name] = true
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-declared +held:\n%s", diff)
	}
}

func BenchmarkAppend(b *testing.B) {
	s := spec(1_000_000)
	var buf []byte
	for i := 0; b.Loop(); i++ {
		buf = s.Append(buf[:0], i%s.Jobs)
		b.SetBytes(int64(len(buf)))
	}
}
