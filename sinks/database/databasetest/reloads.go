package databasetest

import (
	"errors"
	"fmt"

	"github.com/adteco/docarchive/pipeline"
)

// itemRules lay the items of a job into a child table.
func itemRules() pipeline.Rules { return pipeline.Rules{"items": {Mode: pipeline.ModeTable}} }

// reload loads a record again and returns what became of it.
func (b *bench) reload(w pipeline.Warehouse, r *pipeline.Record, batches ...pipeline.Batch) pipeline.Loaded {
	b.Helper()
	loaded, err := w.Reload(b.Context(), r, Feed(batches...))
	if err != nil {
		b.Fatal(err)
	}
	return loaded
}

// testReload loads a record again under other rules: its rows are the new ones,
// those of other records stay, and so do those of other pipelines.
func testReload(b *bench) {
	w := b.open(options())
	first, second := Record(1), Record(2)
	f := NewFlattener(b, itemRules())
	b.load(w, first, f.Batches(
		Job("job_1", `{"a":"1","secret":"x","items":[{"sku":"1a"},{"sku":"1b"}]}`), Job("job_2", `{"a":"2","items":[{"sku":"2a"}]}`))...)
	b.load(w, second, f.Batches(Job("job_3", `{"a":"3","secret":"y","items":[{"sku":"3a"}]}`))...)

	// Another pipeline takes the same jobs, into a table that could be a child.
	o := options()
	o.Pipeline, o.Table = "other", dataset+"__other"
	other := Record(1)
	other.Pipeline = "other"
	b.load(b.open(o), other, renamed(f.Batches(Job("job_1", `{"a":"9"}`)), "other")...)

	changed := pipeline.Rules{"secret": {Mode: pipeline.ModeDrop}}
	g := NewFlattener(b, changed)
	for range 2 { // it may be repeated
		loaded := b.reload(w, first, g.Batches(
			Job("job_1", `{"a":"1","secret":"x","items":[1]}`), Job("job_2", `{"a":"2","new":"n"}`))...)
		if loaded.Rows != 2 || len(loaded.Rejected) > 0 {
			b.Errorf("reload: %+v", loaded)
		}
		b.compare([][]string{{"job_1", "1", null, null}, {"job_2", "2", null, "n"}, {"job_3", "3", "y", null}}, dataset, "job_id", "a", "secret", "new")
		b.compare([][]string{{"job_3", "3a"}}, dataset+"__items", "job_id", "sku")
		b.compare([][]string{{"job_1", "9"}}, dataset+"__other", "job_id", "a")
	}
	if n := b.count("docarchive_log"); n != 3 {
		b.Errorf("%d records in the log, want 3", n)
	}
	if got, err := w.Loaded(b.Context(), dataset); err != nil || got[window] != 2 {
		b.Errorf("Loaded: %v, %v", got, err)
	}
	// A record that was never loaded is loaded, into a child table that comes
	// with it.
	third := Record(3)
	b.reload(w, third, NewFlattener(b, pipeline.Rules{"parts": {Mode: pipeline.ModeTable}}).Batches(Job("job_4", `{"parts":[{"n":"p"}]}`))...)
	b.compare([][]string{{"job_4", "p"}}, dataset+"__parts", "job_id", "n")
}

// renamed gives batches to another pipeline.
func renamed(batches []pipeline.Batch, dataset string) []pipeline.Batch {
	var other []pipeline.Batch
	for _, batch := range batches {
		other = append(other, pipeline.Batch{Dataset: dataset, Record: batch.Record})
	}
	return other
}

// testFailingReload breaks off a reload: what was loaded stands.
func testFailingReload(b *bench) {
	w := b.open(options())
	f := NewFlattener(b, itemRules())
	r := Record(1)
	b.load(w, r, f.Batches(Job("job_1", `{"a":"1","items":[{"sku":"1a"}]}`))...)
	broken := errors.New("the archive is broken")
	again := f.Batches(Job("job_1", `{"a":"2","items":[{"sku":"1b"}]}`))
	_, err := w.Reload(b.Context(), r, func(yield func(pipeline.Batch) error) error {
		if err := Feed(again...)(yield); err != nil {
			return err
		}
		return broken
	})
	if !errors.Is(err, broken) {
		b.Errorf("got %v, want the archive's own error", err)
	}
	b.compare([][]string{{"job_1", "1"}}, dataset, "job_id", "a")
	b.compare([][]string{{"job_1", "1a"}}, dataset+"__items", "job_id", "sku")
}

// testTwoReloaders loads the same records again from two processes at once.
func testTwoReloaders(b *bench) {
	const records, rows = 4, 50
	f := NewFlattener(b, itemRules())
	var feeds []func(func(pipeline.Batch) error) error
	var list []*pipeline.Record
	first := b.open(options())
	for n := range records {
		var texts []string
		for i := range rows {
			texts = append(texts, Job(fmt.Sprintf("job_%d_%d", n, i), fmt.Sprintf(`{"number":%d,"items":[{"n":1},{"n":2}]}`, i)))
		}
		batches := f.Batches(texts...)
		feeds, list = append(feeds, Feed(batches...)), append(list, Record(n+1))
		b.load(first, list[n], batches...)
	}
	reloader := func() func() error {
		o := options()
		o.Tries = 12
		w := b.open(o)
		return func() error {
			for n, r := range list {
				loaded, err := w.Reload(b.Context(), r, feeds[n])
				if err != nil {
					return err
				}
				if loaded.Rows != 3*rows || len(loaded.Rejected) > 0 {
					return fmt.Errorf("record %d: %d rows, %d rejected", n, loaded.Rows, len(loaded.Rejected))
				}
			}
			return nil
		}
	}
	for _, err := range together(reloader(), reloader()) {
		if err != nil {
			b.Error(err)
		}
	}
	for table, want := range map[string]int64{dataset: records * rows, dataset + "__items": 2 * records * rows, "docarchive_log": records} {
		if n := b.count(table); n != want {
			b.Errorf("%s: %d rows, want %d", table, n, want)
		}
	}
}
