package sinktest

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/google/go-cmp/cmp"

	"github.com/adteco/docarchive/pipeline"
)

func jobsFrom(first, count int) []Job {
	jobs := make([]Job, count)
	for i := range jobs {
		jobs[i] = job(first + i)
	}
	return jobs
}

func testNothingWritten(_ *testing.T, b *bench) {
	s := b.sink()
	w := b.begin(s, destination())
	if parts := b.commit(w); len(parts) != 0 {
		b.Errorf("%d parts without a batch", len(parts))
	}
	w = b.begin(s, destination())
	b.write(w, Jobs(b.mem, false))
	if parts := b.commit(w); len(parts) != 0 {
		b.Errorf("%d parts without a row", len(parts))
	}
	b.spoolIsEmpty()
}

func testAbort(_ *testing.T, b *bench) {
	s := b.sink(pipeline.ColumnExtractorID)
	w := b.begin(s, destination())
	b.write(w, Jobs(b.mem, false, jobsFrom(0, 10)...), Jobs(b.mem, true, jobsFrom(10, 10)...))
	for range 2 {
		if err := w.Abort(b.Context()); err != nil {
			b.Errorf("abort: %v", err)
		}
		b.spoolIsEmpty()
	}
	// An abort is what follows a cancelled run.
	w = b.begin(s, destination())
	b.write(w, Jobs(b.mem, false, jobsFrom(0, 10)...))
	if err := w.Abort(b.cancelled()); err != nil {
		b.Errorf("abort after the run was cancelled: %v", err)
	}
	b.spoolIsEmpty()
}

func testEndsAreFinal(_ *testing.T, b *bench) {
	s := b.sink()
	fails := func(w pipeline.Writer, after string) {
		b.Helper()
		batch := Jobs(b.mem, false, job(1))
		defer batch.Release()
		if err := w.Write(b.Context(), batch); err == nil {
			b.Errorf("write after %s is no error", after)
		}
		if _, err := w.Commit(b.Context()); err == nil {
			b.Errorf("commit after %s is no error", after)
		}
	}
	w := b.begin(s, destination())
	if err := w.Abort(b.Context()); err != nil {
		b.Errorf("abort at once: %v", err)
	}
	fails(w, "abort")

	w = b.begin(s, destination())
	b.write(w, Jobs(b.mem, false, job(1)))
	parts := b.commit(w)
	fails(w, "commit")
	if err := w.Abort(b.Context()); err != nil {
		b.Errorf("abort after commit: %v", err)
	}
	for _, p := range parts { // they are the caller's
		if _, err := os.Stat(p.Spool); err != nil {
			b.Errorf("abort after commit took a part: %v", err)
		}
	}
}

func testExtremes(_ *testing.T, b *bench) {
	batch := extremes(b.mem)
	batch.Retain()
	defer batch.Release()
	b.same(b.sink(), batch)
}

func testSchemaGrows(_ *testing.T, b *bench) {
	s := b.sink()
	amount := "-12345"
	rich := job(3)
	rich.Amount = &amount
	parts := b.same(s,
		Jobs(b.mem, false, jobsFrom(0, 2)...), Jobs(b.mem, true, job(2), rich), Jobs(b.mem, true, job(4)))
	if len(parts) != 2 {
		b.Errorf("%d parts for two schemas", len(parts))
	}
}

func testSmallBatches(t *testing.T, b *bench) {
	for _, c := range []struct{ rows, size int }{{50_000, 1000}, {7_000, 7}, {20, 1}} {
		if testing.Short() && c.rows > 20 {
			continue
		}
		var batches []arrow.Record
		for first := 0; first < c.rows; first += c.size {
			batches = append(batches, Jobs(b.mem, false, jobsFrom(first, min(c.size, c.rows-first))...))
		}
		if parts := b.same(b.sink(), batches...); len(parts) != 1 {
			t.Errorf("%d parts for %d rows", len(parts), c.rows)
		}
	}
}

// testSlices writes views of a batch, which begin in the middle of its buffers.
func testSlices(_ *testing.T, b *bench) {
	whole := extremes(b.mem)
	defer whole.Release()
	var views []arrow.Record
	for start := int64(1); start < whole.NumRows(); start += 5 {
		views = append(views, whole.NewSlice(start, min(start+5, whole.NumRows())))
	}
	b.same(b.sink(), views...)
}

// byFolder compares the rows of every folder with those written, in order.
func (b *bench) byFolder(s pipeline.Sink, want map[string][]string, batches []arrow.Record, columns ...string) []pipeline.Part {
	b.Helper()
	schema := batches[0].Schema()
	w := b.begin(s, destination())
	b.write(w, batches...)
	parts := b.commit(w)
	got := map[string][]string{}
	for i, rows := range b.read(s, destination(), parts, schema) {
		folder := strings.Join(b.folderOf(s, parts[i], columns...), "/")
		for _, row := range rows {
			got[folder] = append(got[folder], row[pipeline.ColumnJobID])
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		b.Errorf("folders differ (-written +read):\n%s", clip(diff))
	}
	return parts
}

func testManyPartitions(_ *testing.T, b *bench) {
	want := map[string][]string{}
	var batches []arrow.Record
	for round := range 3 {
		var jobs []Job
		for n := range 200 { // interleaved, and more than may be open at once
			j := job(round*200 + n)
			extractor := "ext_" + string(rune('a'+n%10)) + string(rune('a'+n/10%10))
			j.Extractor = &extractor
			want[extractor] = append(want[extractor], j.ID)
			jobs = append(jobs, j)
		}
		batches = append(batches, Jobs(b.mem, false, jobs...))
	}
	b.byFolder(b.sink(pipeline.ColumnExtractorID), want, batches, pipeline.ColumnExtractorID)
}

func testHostilePartitions(_ *testing.T, b *bench) {
	long := strings.Repeat("é", 300)
	values := map[string]string{
		"": "__empty__", "__null__": "%5F_null__", "__empty__": "%5F_empty__", ".": "%2E", "..": "%2E%2E",
		"../../etc": "%2E%2E%2F%2E%2E%2Fetc", "/etc": "%2Fetc", "a/b": "a%2Fb", `a\b`: "a%5Cb", "%2e%2e": "%252e%252e",
		"nul\x00": "nul%00", "end.": "end%2E", "a=b": "a%3Db", "a b": "a%20b", "é": "%C3%A9", "Aa-z_9": "Aa-z_9", "\n": "%0A",
	}
	want, jobs := map[string][]string{}, []Job{}
	add := func(extractor *string, folder string) {
		j := job(len(jobs))
		j.Extractor = extractor
		jobs = append(jobs, j)
		want[folder] = append(want[folder], j.ID)
	}
	keys := make([]string, 0, len(values))
	for value := range values {
		keys = append(keys, value)
	}
	slices.Sort(keys)
	for range 2 {
		for _, value := range keys {
			add(&value, values[value])
		}
		add(nil, "__null__")
	}
	s := b.sink(pipeline.ColumnExtractorID)
	b.byFolder(s, want, []arrow.Record{Jobs(b.mem, false, jobs...)}, pipeline.ColumnExtractorID)

	// A long value is cut, and two with the same beginning stay apart.
	a, z := long+"a", long+"z"
	w := b.begin(s, destination())
	b.write(w, Jobs(b.mem, false, Job{ID: "a", Extractor: &a}, Job{ID: "z", Extractor: &z}))
	parts := b.commit(w)
	if len(parts) != 2 {
		b.Fatalf("%d parts for two long values", len(parts))
	}
	for _, p := range parts {
		if folder := b.folderOf(s, p, pipeline.ColumnExtractorID)[0]; len(folder) > 120 {
			b.Errorf("folder of %d bytes: %s", len(folder), folder)
		}
	}
}

func testNestedPartitions(_ *testing.T, b *bench) {
	at := func(text string) *time.Time {
		t, err := time.Parse(time.RFC3339, text)
		if err != nil {
			b.Fatal(err)
		}
		return &t
	}
	x := "ext_x"
	columns := []string{"created_year", "created_month", "created_date", "status"}
	batch := Jobs(b.mem, false,
		Job{ID: "1", Extractor: &x, Created: at("2026-10-31T23:59:59.999999Z")},
		Job{ID: "2", Extractor: &x, Created: at("2026-11-01T00:00:00Z")},
		Job{ID: "3", Extractor: &x, Created: at("2026-11-01T23:00:00Z")},
		Job{ID: "4", Extractor: &x, Created: at("2027-01-01T00:00:00Z")},
		Job{ID: "5", Extractor: &x, Created: at("1969-12-31T23:59:59Z")},
		Job{ID: "6", Extractor: &x},
		Job{ID: "7", Extractor: &x, Created: at("2026-10-31T00:00:00Z")},
	)
	b.byFolder(b.sink(columns...), map[string][]string{
		"2026/2026-10/2026-10-31/completed":    {"1", "7"},
		"2026/2026-11/2026-11-01/completed":    {"2", "3"},
		"2027/2027-01/2027-01-01/completed":    {"4"},
		"1969/1969-12/1969-12-31/completed":    {"5"},
		"__null__/__null__/__null__/completed": {"6"},
	}, []arrow.Record{batch}, columns...)
}

func testSpoolGone(_ *testing.T, b *bench) {
	s := b.sink()
	if err := os.Remove(b.spool); err != nil {
		b.Fatal(err)
	}
	w := b.begin(s, destination())
	batch := Jobs(b.mem, false, job(1))
	defer batch.Release()
	err := w.Write(b.Context(), batch)
	if err == nil {
		_, err = w.Commit(b.Context())
	}
	if err == nil {
		b.Error("no error although there is no spool folder")
	}
	if err := w.Abort(b.Context()); err != nil {
		b.Errorf("abort: %v", err)
	}
}

func testCancelled(_ *testing.T, b *bench) {
	s := b.sink()
	w := b.begin(s, destination())
	batch := Jobs(b.mem, false, job(1))
	defer batch.Release()
	if err := w.Write(b.Context(), batch); err != nil {
		b.Fatal(err)
	}
	if err := w.Write(b.cancelled(), batch); err == nil {
		b.Error("write is no error although the context has ended")
	}
	if err := w.Abort(b.Context()); err != nil {
		b.Errorf("abort: %v", err)
	}
	b.spoolIsEmpty()

	w = b.begin(s, destination())
	if err := w.Write(b.Context(), batch); err != nil {
		b.Fatal(err)
	}
	if parts, err := w.Commit(b.cancelled()); err == nil {
		b.Errorf("commit gave %d parts although the context has ended", len(parts))
	}
	if err := w.Abort(b.Context()); err != nil {
		b.Errorf("abort: %v", err)
	}
	b.spoolIsEmpty()
}
