package database

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/adteco/docarchive/pipeline"
)

// numbered makes a batch of jobs whose ids are their places.
func numbered(mem memory.Allocator, rows int) arrow.Record {
	schema := arrow.NewSchema([]arrow.Field{{Name: pipeline.ColumnJobID, Type: arrow.BinaryTypes.String}}, nil)
	b := array.NewRecordBuilder(mem, schema)
	defer b.Release()
	for n := range rows {
		b.Field(0).(*array.StringBuilder).Append(fmt.Sprint(n))
	}
	return b.NewRecord()
}

// TestBisect checks that exactly the bad rows are left out, in any arrangement.
func TestBisect(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
		defer mem.AssertSize(t, 0)
		rows := numbered(mem, rapid.IntRange(0, 100).Draw(t, "rows"))
		defer rows.Release()
		bad := map[string]bool{}
		for _, n := range rapid.SliceOf(rapid.IntRange(0, 99)).Draw(t, "bad") {
			bad[fmt.Sprint(n)] = true
		}
		errBad := errors.New("bad")
		var inserted []string
		refused, err := Bisect(rows, func(part arrow.Record, from int) error {
			var ids []string
			for i := range int(part.NumRows()) {
				id := jobID(part, i)
				if id != fmt.Sprint(from+i) {
					t.Fatalf("row %s is given the place %d", id, from+i)
				}
				if bad[id] {
					return errBad
				}
				ids = append(ids, id)
			}
			inserted = append(inserted, ids...)
			return nil
		}, func(err error) (string, bool) { return "reason", errors.Is(err, errBad) })
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		var wantRefused []Refusal
		for n := range int(rows.NumRows()) {
			if bad[fmt.Sprint(n)] {
				wantRefused = append(wantRefused, Refusal{n, "reason"})
			} else {
				want = append(want, fmt.Sprint(n))
			}
		}
		if diff := cmp.Diff(want, inserted) + cmp.Diff(wantRefused, refused); diff != "" {
			t.Fatal(diff)
		}
	})
}

// TestBisectStops gives up at an error that is no row's.
func TestBisectStops(t *testing.T) {
	rows := numbered(memory.DefaultAllocator, 8)
	defer rows.Release()
	lost := errors.New("connection lost")
	calls := 0
	_, err := Bisect(rows, func(arrow.Record, int) error { calls++; return lost }, func(error) (string, bool) { return "", false })
	if !errors.Is(err, lost) || calls != 1 {
		t.Errorf("%v after %d calls", err, calls)
	}
}

// TestRefusalsBounded notes more refused rows than one log row may hold.
func TestRefusalsBounded(t *testing.T) {
	rows := numbered(memory.DefaultAllocator, maxNoted+10)
	defer rows.Release()
	var f refusals
	for n := range int(rows.NumRows()) {
		f.add(pipeline.Batch{Dataset: "d", Record: rows}, Refusal{n, "reason"})
	}
	if len(f.all) != maxNoted+10 || len(f.noted) != maxNoted || string(f.noted[7].Row) != `{"job_id":"7"}` {
		t.Errorf("%d rows, %d noted, %s", len(f.all), len(f.noted), f.noted[7].Row)
	}
	f = refusals{bytes: maxNotedBytes - 5}
	f.add(pipeline.Batch{Dataset: "d", Record: rows}, Refusal{0, "reason"})
	if f.noted[0].Row != nil || f.noted[0].JobID != "0" {
		t.Errorf("%+v", f.noted[0])
	}
}

func TestParseName(t *testing.T) {
	for text, want := range map[string]Name{
		"invoices":              {"", "invoices"},
		"archive.invoices":      {"archive", "invoices"},
		"":                      {},
		"a.b.c":                 {},
		".b":                    {},
		"a.":                    {},
		"a\x00":                 {},
		strings.Repeat("a", 64): {},
	} {
		got, err := parseName(text)
		if got != want && err == nil || (err == nil) != (want != Name{}) {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
}

func TestTableOf(t *testing.T) {
	long := strings.Repeat("ü", 31)
	w := &Warehouse{options: Options{Pipeline: "p"}, name: Name{"s", long}}
	if got := w.tableOf("p"); got != w.name {
		t.Errorf("own table: %+v", got)
	}
	var names []string
	for _, dataset := range []string{"p__items", "p__taxes", "other"} {
		got := w.tableOf(dataset)
		if got.Schema != "s" || len(got.Table) > MaxNameBytes || !utf8.ValidString(got.Table) || slices.Contains(names, got.Table) {
			t.Errorf("%s: %+v", dataset, got)
		}
		names = append(names, got.Table)
	}
	w.name.Table = "bills"
	if got := w.tableOf("p__items"); got != (Name{"s", "bills__items"}) {
		t.Errorf("child table: %+v", got)
	}
}
