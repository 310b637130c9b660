package pipeline

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/adteco/docarchive/docextract"
)

// laws are the rules that the round trip is tested under.
var laws = Rules{
	"amount":        {Mode: ModeTyped, Type: Decimal(18, 2)},
	"day":           {Mode: ModeTyped, Type: TypeDate32},
	"flag":          {Mode: ModeTyped, Type: TypeBool},
	"at":            {Mode: ModeTyped, Type: TypeTimestamp},
	"n":             {Mode: ModeTyped, Type: TypeInt64},
	"blob":          {Mode: ModeJSON},
	"tags":          {Mode: ModeList},
	"prices":        {Mode: ModeList, Type: Decimal(10, 4)},
	"rows":          {Mode: ModeTable},
	"rows.sub":      {Mode: ModeTable},
	"rows.amount":   {Mode: ModeTyped, Type: Decimal(18, 4)},
	"a.rows":        {Mode: ModeTable},
	"gone":          {Mode: ModeDrop},
	"secret":        {Mode: ModeHash},
	"b.secret":      {Mode: ModeHash},
	"b.gone":        {Mode: ModeDrop},
	"rows.secret":   {Mode: ModeHash},
	"rows.sub.gone": {Mode: ModeDrop},
}

var testHashKey = []byte("a key of this pipeline")

// harness flattens jobs under laws and checks all that is promised of every
// record.
type harness struct {
	rapid.TB
	rules Rules
	books map[string]*Book
	mem   *memory.CheckedAllocator
	f     *Flattener
	ids   map[string]Column // dataset and column name → the column as it was first
}

// newHarness returns a harness that must be closed.
func newHarness(t rapid.TB, rules Rules) *harness {
	h := &harness{
		TB: t, rules: rules, books: map[string]*Book{},
		mem: memory.NewCheckedAllocator(memory.DefaultAllocator), ids: map[string]Column{},
	}
	for dataset, path := range h.datasets() {
		h.books[dataset] = NewBook(dataset, FixedColumns(rules, path), nil, "run-1")
	}
	h.begin()
	return h
}

func (h *harness) datasets() map[string]string {
	all := h.rules.Children("jobs")
	all["jobs"] = ""
	return all
}

func (h *harness) begin() {
	f, err := NewFlattener(FlattenOptions{
		Dataset: "jobs", Rules: h.rules, HashKey: testHashKey, Books: h.books, Memory: h.mem,
	})
	if err != nil {
		h.Fatal(err)
	}
	h.f = f
}

func (h *harness) close() {
	h.f.Release()
	h.mem.AssertSize(h.TB, 0)
}

// reload goes on with books read back from the schema's JSON, as a later run
// does.
func (h *harness) reload() {
	h.f.Release()
	for dataset, path := range h.datasets() {
		text, err := json.Marshal(h.books[dataset].Schema())
		if err != nil {
			h.Fatal(err)
		}
		var latest Schema
		if err := json.Unmarshal(text, &latest); err != nil {
			h.Fatal(err)
		}
		h.books[dataset] = NewBook(dataset, FixedColumns(h.rules, path), &latest, "run-2")
	}
	h.begin()
}

// flatten makes one batch of the jobs and returns what it gives back.
func (h *harness) flatten(jobs ...string) *archive {
	for _, text := range jobs {
		job, err := docextract.ParseJob([]byte(text))
		if err != nil {
			h.Fatalf("%s: %v", text, err)
		}
		if err := h.f.Append(&job); err != nil {
			h.Fatalf("%s: %v", text, err)
		}
	}
	batches, err := h.f.Batches(time.UnixMicro(1), "run-1")
	if err != nil {
		h.Fatal(err)
	}
	back := newArchive()
	for _, b := range batches {
		h.checkSchema(b)
		if err := back.add(b, h.books[b.Dataset].Schema()); err != nil {
			h.Fatalf("%v\njobs: %s", err, jobs)
		}
		b.Record.Release()
	}
	return back
}

// checkSchema checks what holds for the columns of every record.
func (h *harness) checkSchema(b Batch) {
	columns := h.books[b.Dataset].Schema().Columns
	if len(columns) > MaxColumns || len(columns) != int(b.Record.NumCols()) {
		h.Fatalf("%d columns in the book, %d in the record", len(columns), b.Record.NumCols())
	}
	names := map[string]string{}
	for i, c := range columns {
		field, err := c.Field()
		if err != nil {
			h.Fatal(err)
		}
		if !b.Record.Schema().Field(i).Equal(field) {
			h.Fatalf("column %d is %v, want %v", i, b.Record.Schema().Field(i), field)
		}
		if other, taken := names[fold(c.Name)]; taken {
			h.Fatalf("columns %q and %q count as the same", other, c.Name)
		}
		names[fold(c.Name)] = c.Name
		if len(c.Name) > maxNameBytes || !utf8.ValidString(c.Name) || c.Name == "" {
			h.Fatalf("column name %q", c.Name)
		}
		c.FirstSeen = ""
		key := b.Dataset + "\x00" + c.Name
		if first, known := h.ids[key]; known && first != c {
			h.Fatalf("column %v became %v", first, c)
		}
		h.ids[key] = c
	}
	sorted := append([]Column(nil), columns...)
	sortColumns(sorted)
	if diff := cmp.Diff(sorted, columns); diff != "" {
		h.Fatalf("not in the table's order: %s", diff)
	}
}

// check flattens jobs of different ids as one batch and compares every leaf.
func (h *harness) check(jobs ...string) {
	back := h.flatten(jobs...)
	for _, text := range jobs {
		job, err := docextract.ParseJob([]byte(text))
		if err != nil {
			h.Fatal(err)
		}
		want := leavesOf(h.TB, job.Raw, h.rules, testHashKey)
		if want.vague {
			continue
		}
		h.compare(text, want, back.jobs[job.ID], back.rows[job.ID])
	}
}

func (h *harness) compare(text string, want *reference, got map[string]recovered, rows map[string]int) {
	for id, value := range want.leaves {
		v, has := got[id]
		if !has {
			h.Fatalf("leaf %q = %s is lost\njob: %s", id, value, text)
		}
		if !v.is(value) {
			h.Fatalf("leaf %q = %s came back as %+v\njob: %s", id, value, v, text)
		}
	}
	for id, v := range got {
		if _, has := want.leaves[id]; !has {
			h.Fatalf("leaf %q = %+v came from nowhere\njob: %s", id, v, text)
		}
	}
	want.rows["jobs"] = 1
	if diff := cmp.Diff(want.rows, rows); diff != "" {
		h.Fatalf("rows (-want +got): %s\njob: %s", diff, text)
	}
}

func TestEveryLeafIsRecovered(t *testing.T) {
	jobs := 0
	for jobs < randomCases {
		rapid.Check(t, func(t *rapid.T) {
			h := newHarness(t, laws)
			defer h.close()
			for range rapid.IntRange(1, 3).Draw(t, "batches") {
				var batch []string
				for range rapid.IntRange(1, 4).Draw(t, "jobs") {
					batch = append(batch, drawJob(t, fmt.Sprintf("job_%d", len(batch))))
				}
				h.check(batch...)
				jobs += len(batch)
				if rapid.Bool().Draw(t, "reload") {
					h.reload()
				}
			}
		})
		if t.Failed() || testing.Short() {
			return
		}
	}
}

// FuzzFlatten flattens any JSON as the three parts of a job that are open.
func FuzzFlatten(f *testing.F) {
	f.Add([]byte(`{"a":{"b":[1,"x",null]},"a":2,"amount":1.005}`), []byte(`{"a":0.5}`), []byte(`{"k":"v"}`))
	f.Add([]byte(`{"rows":[{"sub":[1,{"gone":2}],"secret":"s"},[],{}]}`), []byte(`null`), []byte(`{"k":{"n":1e400}}`))
	f.Add([]byte(`[{"a":"\ud800"}]`), []byte(`{"x":{"y":"z"}}`), []byte(`"text"`))
	f.Fuzz(func(t *testing.T, data, confidence, metadata []byte) {
		for _, part := range [][]byte{data, confidence, metadata} {
			if len(part) > 1<<16 || !json.Valid(part) {
				t.Skip()
			}
		}
		h := newHarness(t, laws)
		defer h.close()
		h.check(jobText("a", data, confidence, metadata), jobText("b", data, confidence, metadata))
		h.reload()
		h.check(jobText("c", data, confidence, metadata))
	})
}

// jobText writes a completed job with that id and those open parts.
func jobText[T string | []byte](id string, data, confidence, metadata T) string {
	return `{"id":"` + id + `","status":"completed","created_at":"2026-01-02T03:04:05Z","extracted_data":` +
		string(data) + `,"confidence":` + string(confidence) + `,"metadata":` + string(metadata) + `}`
}
