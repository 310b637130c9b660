package databasetest

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/go-cmp/cmp"

	"github.com/adteco/docarchive/pipeline"
	"github.com/adteco/docarchive/sinks/database"
)

// testChildren loads the elements of an array, and of an array within them.
func testChildren(b *bench) {
	rules := pipeline.Rules{
		"line_items":       {Mode: pipeline.ModeTable},
		"line_items.taxes": {Mode: pipeline.ModeTable},
	}
	w := b.open(options())
	batches := NewFlattener(b, rules).Batches(
		Job("job_1", `{"line_items":[{"sku":"a","taxes":[{"rate":7},{"rate":19}]},{"sku":"b","taxes":[{"rate":0}]}]}`),
		Job("job_2", `{"line_items":[]}`),
		Job("job_3", `{"line_items":[{"sku":"c"}]}`),
	)
	if loaded := b.load(w, Record(1), batches...); loaded.Rows != 9 {
		b.Errorf("%d rows, want those of 3 jobs, 3 items and 3 taxes", loaded.Rows)
	}
	b.compare([][]string{{"job_1", "0", "a"}, {"job_1", "1", "b"}, {"job_3", "0", "c"}}, dataset+"__line_items", "job_id", "ordinal", "sku")
	b.compare([][]string{{"job_1", "0", "0", "7"}, {"job_1", "0", "1", "0"}, {"job_1", "1", "0", "19"}},
		dataset+"__line_items__taxes", "job_id", "ordinal", "parent_ordinal", "rate")
	again := b.load(w, Record(2), batches...)
	if again.Rows != 0 || len(again.Rejected) != 9 {
		b.Errorf("child rows that are there: %+v", again)
	}
}

// compare compares a table's rows, in the order of the columns given, with what
// is wanted.
func (b *bench) compare(want [][]string, table string, columns ...string) {
	b.Helper()
	list, order := "", ""
	for i, c := range columns {
		if i > 0 {
			list, order = list+", ", order+", "
		}
		list += b.Ident(c)
		order += fmt.Sprint(i + 1)
	}
	var got [][]string
	for _, row := range b.query("SELECT %s FROM %s ORDER BY %s", list, b.Ident(table), order) {
		var texts []string
		for _, v := range row {
			texts = append(texts, canonical(pipeline.TypeUTF8, v))
		}
		got = append(got, texts)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		b.Errorf("%s: (-want +read)\n%s", table, diff)
	}
}

// testGrowth adds columns between records and within one.
func testGrowth(b *bench) {
	f := NewFlattener(b, pipeline.Rules{"items": {Mode: pipeline.ModeTable}})
	w := b.open(options())
	b.load(w, Record(1), f.Batches(Job("job_1", `{"a":"1"}`))...)
	passes := 0
	batches := append(f.Batches(Job("job_2", `{"a":"2"}`)), f.Batches(Job("job_3", `{"b":"3","items":[{"x":"1"}]}`))...)
	batches = append(batches, f.Batches(Job("job_4", `{"c":"4","items":[{"x":"2","y":"2"}]}`))...)
	loaded, err := w.Load(b.Context(), Record(2), func(yield func(pipeline.Batch) error) error {
		passes++
		return Feed(batches...)(yield)
	})
	if err != nil || loaded.Rows != 5 {
		b.Fatalf("load: %+v, %v", loaded, err)
	}
	if passes != 2 {
		b.Errorf("the batches were read %d times, want once to see all columns and once to load", passes)
	}
	b.compare([][]string{
		{"job_1", "1", null, null}, {"job_2", "2", null, null}, {"job_3", null, "3", null}, {"job_4", null, null, "4"},
	}, dataset, "job_id", "a", "b", "c")
	b.compare([][]string{{"job_3", "1", null}, {"job_4", "2", "2"}}, dataset+"__items", "job_id", "x", "y")
	b.load(b.open(options()), Record(3), f.Batches(Job("job_5", `{"c":"5"}`))...) // another process
}

// testTwice loads a record that is loaded.
func testTwice(b *bench) {
	f := NewFlattener(b, nil)
	w := b.open(options())
	if got, err := w.Loaded(b.Context(), dataset); err != nil || len(got) != 0 {
		b.Errorf("before the first load: %v, %v", got, err)
	}
	if rows, err := b.Query("SELECT 1 FROM docarchive_log"); err == nil {
		b.Errorf("Loaded has made the log: %v", rows)
	}
	first, second, later := Record(1), Record(2), Record(1)
	later.Window = "20261123"
	b.load(w, first, f.Batches(jobs(0, 10)...)...)
	b.load(w, second, f.Batches(jobs(10, 15)...)...)
	b.load(w, later)
	unread := func(func(pipeline.Batch) error) error {
		return errors.New("the batches of a loaded record were read")
	}
	again, err := b.open(options()).Load(b.Context(), first, unread)
	if err != nil || again.Rows != 10 || len(again.Rejected) != 0 {
		b.Errorf("loaded again: %+v, %v", again, err)
	}
	if n := b.count(dataset); n != 15 {
		b.Errorf("%d rows, want 15", n)
	}
	got, err := w.Loaded(b.Context(), dataset)
	if err != nil {
		b.Fatal(err)
	}
	if diff := cmp.Diff(map[string]int{window: 2, "20261123": 1}, got); diff != "" {
		b.Errorf("Loaded: %s", diff)
	}
}

// testTwoLoaders loads the same records from two processes at once.
func testTwoLoaders(b *bench) {
	const records, rows = 5, 100
	f := NewFlattener(b, nil)
	var feeds []func(func(pipeline.Batch) error) error
	var list []*pipeline.Record
	for n := range records {
		feeds = append(feeds, Feed(f.Batches(jobs(n*rows, (n+1)*rows)...)...))
		list = append(list, Record(n+1))
	}
	loader := func() func() error {
		o := options()
		o.Tries = 8
		w := b.open(o)
		return func() error {
			for n, r := range list {
				loaded, err := w.Load(b.Context(), r, feeds[n])
				if err != nil {
					return err
				}
				if loaded.Rows != rows || len(loaded.Rejected) > 0 {
					return fmt.Errorf("record %d: %d rows, %d rejected", n, loaded.Rows, len(loaded.Rejected))
				}
			}
			return nil
		}
	}
	for _, err := range together(loader(), loader()) {
		if err != nil {
			b.Error(err)
		}
	}
	if n := b.count(dataset); n != records*rows {
		b.Errorf("%d rows, want %d", n, records*rows)
	}
	if n := b.count("docarchive_log"); n != records {
		b.Errorf("%d records in the log, want %d", n, records)
	}
}

// testFailingArchive breaks off while the batches are read.
func testFailingArchive(b *bench) {
	f := NewFlattener(b, nil)
	w := b.open(options())
	b.load(w, Record(1), f.Batches(jobs(0, 1)...)...)
	broken := errors.New("the archive is broken")
	batches := f.Batches(jobs(1, 100)...)
	r := Record(2)
	_, err := w.Load(b.Context(), r, func(yield func(pipeline.Batch) error) error {
		if err := Feed(batches...)(yield); err != nil {
			return err
		}
		return broken
	})
	if !errors.Is(err, broken) {
		b.Errorf("got %v, want the archive's own error", err)
	}
	var away *database.AwayError
	if errors.As(err, &away) {
		b.Error("the database is blamed for the archive")
	}
	if n := b.count(dataset); n != 1 {
		b.Errorf("%d rows are left of the load that broke off", n-1)
	}
	b.load(w, r, batches...)
	if n := b.count(dataset); n != 100 {
		b.Errorf("%d rows, want 100", n)
	}
}

// testCancelled ends a load by its context.
func testCancelled(b *bench) {
	w := b.open(options())
	batches := NewFlattener(b, nil).Batches(jobs(0, 100)...)
	b.load(w, Record(1))
	ctx, cancel := context.WithCancel(b.Context())
	_, err := w.Load(ctx, Record(2), func(yield func(pipeline.Batch) error) error {
		cancel()
		return Feed(batches...)(yield)
	})
	if !errors.Is(err, context.Canceled) {
		b.Errorf("got %v, want the context's error", err)
	}
	b.load(w, Record(2), batches...)
}
