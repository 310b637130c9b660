package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/adteco/docarchive/bench/pageserver"
	"github.com/adteco/docarchive/bench/workload"
)

func TestMarkdown(t *testing.T) {
	t.Parallel()
	r := &report{Machine: "a machine"}
	cost := func(wall float64) *sample {
		return &sample{Wall: wall, User: 0.5, Sys: 0.25, RSS: 100 * wall, Output: 2_500_000, Counters: pageserver.Counters{Requests: 12, Bytes: 3_000_000}}
	}
	r.add("ours", "HTTP", 1000, []*sample{cost(1), cost(3), cost(2)})
	r.add("theirs", "local file", 1000, []*sample{{Wall: 4, User: 4}})
	r.add("nobody", "", 1000, nil)
	r.aim("wall", 0.5, 0.75, "", "pairs")
	r.aim("memory", 400, 350, " MB", "")
	r.reach("faster", 12, 10, " times", "")
	r.skip("Bento: not installed")
	r.skip("Bento: not installed")
	r.command("one")
	r.Queries = []query{{"count", 3, 2}}
	got := r.markdown()
	_, got, _ = strings.Cut(got, "### Runs")
	want := `

| what   | reads      | jobs | wall s | jobs/s | CPU s | CPU µs/job | peak MB | requests | MB in | files MB |
|--------|------------|------|--------|--------|-------|------------|---------|----------|-------|----------|
| ours   | HTTP       | 1000 |      2 |    500 | 0.750 |        750 |     300 |       12 |   3.0 |      2.5 |
| theirs | local file | 1000 |      4 |    250 |     4 |       4000 |       0 |          |       |          |

### Queries

| query | on docarchive's files, ms | on DuckDB's files, ms | ratio |
|-------|---------------------------|-----------------------|-------|
| count |                         3 |                     2 |  1.50 |

### Goals: 2 of 3 met

| goal   | measured | limit      | met    | note  |
|--------|----------|------------|--------|-------|
| wall   |    0.500 |    ≤ 0.750 | yes    | pairs |
| memory |   400 MB |   ≤ 350 MB | **no** |       |
| faster | 12 times | ≥ 10 times | yes    |       |

### SKIPPED

- **Bento: not installed**

### Commands

    one
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestRatioIsThatOfPairs(t *testing.T) {
	t.Parallel()
	// The machine slows down from round to round; each pair is alike.
	ours := []*sample{{Wall: 1}, {Wall: 2}, {Wall: 40}}
	theirs := []*sample{{Wall: 2}, {Wall: 4}, {Wall: 80}}
	if got := ratio(ours, theirs); got != 0.5 {
		t.Errorf("ratio %v", got)
	}
	if got := median([]float64{4, 1, 3, 2}); got != 2.5 {
		t.Errorf("median %v", got)
	}
	if !math.IsNaN(median(nil)) || !math.IsNaN(ratio(nil, theirs)) {
		t.Error("of nothing there is no median")
	}
	// What is not a number meets no goal.
	if g := (goal{Value: math.NaN(), Limit: 1}); g.met() {
		t.Error("met")
	}
}

func TestSlope(t *testing.T) {
	t.Parallel()
	for _, exponent := range []float64{0, 0.5, 1, 2} {
		s := &series{Name: "jobs", Of: "jobs"}
		for _, x := range []float64{10, 100, 1000, 5000} {
			s.Points = append(s.Points, point{X: x, Wall: 3 * math.Pow(x, exponent), RSS: 50})
		}
		if got := s.slope(wall); math.Abs(got-exponent) > 1e-9 {
			t.Errorf("slope %v, not %v", got, exponent)
		}
		if got := s.slope(rss); math.Abs(got) > 1e-9 {
			t.Errorf("slope of memory %v", got)
		}
		text := s.markdown()
		if n := strings.Count(text, "*"); n < 2 { // the legend has one
			t.Errorf("the plot has no points:\n%s", text)
		}
		var out bytes.Buffer
		if err := s.svg(&out); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(out.String(), "<circle"); n != 8 {
			t.Errorf("%d points drawn", n)
		}
		decoder := xml.NewDecoder(&out)
		for {
			if _, err := decoder.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("not XML: %v", err)
			}
		}
	}
	bent := &series{Points: []point{{X: 1, Wall: 1}, {X: 10, Wall: 10}, {X: 100, Wall: 1000}}}
	if got := bent.steepest(wall); math.Abs(got-2) > 1e-9 {
		t.Errorf("steepest %v", got)
	}
}

func TestCounts(t *testing.T) {
	t.Parallel()
	var list counts
	if err := list.Set("500,20k,3M"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(counts{500, 20_000, 3_000_000}, list); diff != "" {
		t.Error(diff)
	}
	if text := list.String(); text != "500,20000,3000000" {
		t.Error(text)
	}
	for _, bad := range []string{"", "k", "-1", "1,,2", "1.5k"} {
		if err := list.Set(bad); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

func TestLeastCountsEachDayByItself(t *testing.T) {
	t.Parallel()
	o := options{work: workFlags{days: 4, jobs: 4 * 150, seed: 1}}
	spec := o.spec()
	if got := least(spec, spec.Start()); got != 8 {
		t.Errorf("%d requests for 4 days of 150 jobs", got)
	}
	if got := least(spec, spec.End.Add(-day)); got != 2 {
		t.Errorf("%d requests for the last day", got)
	}
}

func TestRowsPerSecond(t *testing.T) {
	t.Parallel()
	rate, ok := rowsPerSecond([]byte("BenchmarkLoad-2   3   123 ns/op   34567 rows/s\nPASS\n"))
	if !ok || rate != 34567 {
		t.Error(rate, ok)
	}
	if _, ok := rowsPerSecond([]byte("--- SKIP: BenchmarkLoad\nPASS\n")); ok {
		t.Error("a rate where nothing was measured")
	}
}

// The type of a job that DuckDB is told has every column's path.
func TestSchemaOfJobs(t *testing.T) {
	t.Parallel()
	sql := schemaTree([]workload.Column{
		{Name: "job_id", Path: "id", Type: "VARCHAR"},
		{Name: "run_id", Type: "VARCHAR"},
		{Name: "v__a__b", Path: "data.v.a.b", Type: "DATE"},
		{Name: "v__c", Path: "data.v.c", Type: workload.Mixed},
		{Name: "v__c__text", Path: "data.v.c", Type: workload.Rest},
	}).sql()
	if want := "STRUCT(id VARCHAR, data STRUCT(v STRUCT(a STRUCT(b DATE), c VARCHAR)))"; sql != want {
		t.Errorf("%s, not %s", sql, want)
	}
}
