package databasetest

import (
	"crypto/rand"
	"fmt"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow/memory"
	"golang.org/x/sync/errgroup"

	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/pipeline"
	"github.com/adteco/docarchive/sinks/database"
)

const (
	archiveID = "7d8d2f0c-archive"
	dataset   = "invoices"
	window    = "20261122"
)

// bench is a test with its database.
type bench struct {
	*testing.T
	*Database
}

// options are those of the suite's pipeline.
func options() database.Options {
	return database.Options{Pipeline: dataset, ArchiveID: archiveID, Tries: 3}
}

// open opens a warehouse that is closed with the test.
func (b *bench) open(o database.Options) pipeline.Warehouse {
	b.Helper()
	w, err := b.Open(o)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := w.Close(); err != nil {
			b.Errorf("close: %v", err)
		}
	})
	return w
}

// query reads rows, or does something to the database behind the warehouse's
// back.
func (b *bench) query(format string, args ...any) [][]any {
	b.Helper()
	statement := fmt.Sprintf(format, args...)
	rows, err := b.Query(statement)
	if err != nil {
		b.Fatalf("%s: %v", statement, err)
	}
	return rows
}

// count returns the number of rows of a table.
func (b *bench) count(table string) int64 {
	b.Helper()
	return b.query("SELECT COUNT(*) FROM %s", b.Ident(table))[0][0].(int64)
}

// load loads a record and returns what became of it.
func (b *bench) load(w pipeline.Warehouse, r *pipeline.Record, batches ...pipeline.Batch) pipeline.Loaded {
	b.Helper()
	loaded, err := w.Load(b.Context(), r, Feed(batches...))
	if err != nil {
		b.Fatal(err)
	}
	return loaded
}

// Record makes a commit record of the suite's pipeline.
func Record(seq int) *pipeline.Record {
	return &pipeline.Record{RecordIdentity: pipeline.RecordIdentity{
		Version: pipeline.RecordVersion, ArchiveID: archiveID, Pipeline: dataset, Window: window, Seq: seq,
		Nonce: rand.Text(), RunID: fmt.Sprintf("run-%d", seq), CommittedAt: archivedAt(),
	}}
}

func archivedAt() time.Time { return time.Date(2026, 11, 23, 2, 0, 0, 123456000, time.UTC) }

// Feed hands out batches as the pipeline does.
func Feed(batches ...pipeline.Batch) func(func(pipeline.Batch) error) error {
	return func(yield func(pipeline.Batch) error) error {
		for _, batch := range batches {
			if err := yield(batch); err != nil {
				return err
			}
		}
		return nil
	}
}

// Flattener makes batches of jobs.
type Flattener struct {
	t testing.TB
	f *pipeline.Flattener
}

// NewFlattener returns a flattener of the suite's pipeline. Its memory is
// checked when the test ends.
func NewFlattener(t testing.TB, rules pipeline.Rules) *Flattener {
	t.Helper()
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	books := map[string]*pipeline.Book{dataset: pipeline.NewBook(dataset, pipeline.FixedColumns(rules, ""), nil, "run")}
	for child, path := range rules.Children(dataset) {
		books[child] = pipeline.NewBook(child, pipeline.FixedColumns(rules, path), nil, "run")
	}
	f, err := pipeline.NewFlattener(pipeline.FlattenOptions{Dataset: dataset, Rules: rules, Books: books, Memory: mem})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		f.Release()
		mem.AssertSize(t, 0)
	})
	return &Flattener{t, f}
}

// Batches flattens jobs. The batches are released with the test.
func (f *Flattener) Batches(jobs ...string) []pipeline.Batch {
	f.t.Helper()
	for _, text := range jobs {
		job, err := docextract.ParseJob([]byte(text))
		if err != nil {
			f.t.Fatalf("%v: %s", err, text)
		}
		if err := f.f.Append(&job); err != nil {
			f.t.Fatal(err)
		}
	}
	batches, err := f.f.Batches(archivedAt(), "run-1")
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() {
		for _, batch := range batches {
			batch.Record.Release()
		}
	})
	return batches
}

// Job makes a job with the given extracted data.
func Job(id, data string) string {
	return JobAt(id, "2026-11-22T08:00:00Z", data)
}

// JobAt makes a job that was created at the given time.
func JobAt(id, created, data string) string {
	return fmt.Sprintf(`{"id":%q,"org_id":"org","extractor_id":"ext_invoice","status":"completed","created_at":%q,"extracted_data":%s}`,
		id, created, data)
}

// jobs makes jobs with consecutive numbers.
func jobs(from, to int) []string {
	var texts []string
	for n := from; n < to; n++ {
		texts = append(texts, Job(fmt.Sprintf("job_%04d", n), fmt.Sprintf(`{"number":%d}`, n)))
	}
	return texts
}

// together calls all functions at once and returns their errors.
func together(do ...func() error) []error {
	errs := make([]error, len(do))
	var group errgroup.Group
	for i, f := range do {
		group.Go(func() error {
			errs[i] = f()
			return nil
		})
	}
	_ = group.Wait() // the functions' errors stand in errs
	return errs
}
