package databasetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/adteco/docarchive/pipeline"
	"github.com/adteco/docarchive/sinks/database"
)

// batchOf makes a batch of one job with text columns of the given names, as they
// are. Each holds its own name.
func (b *bench) batchOf(id string, names ...string) pipeline.Batch {
	b.Helper()
	fields := make([]arrow.Field, 0, len(names)+1)
	for i, name := range append([]string{pipeline.ColumnJobID}, names...) {
		c := pipeline.Column{Name: name, Type: pipeline.TypeUTF8, Group: pipeline.GroupData, FieldID: i + 1}
		field, err := c.Field()
		if err != nil {
			b.Fatal(err)
		}
		fields = append(fields, field)
	}
	builder := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(fields, nil))
	defer builder.Release()
	for i, field := range fields {
		text := field.Name
		if i == 0 {
			text = id
		}
		builder.Field(i).(*array.StringBuilder).Append(text)
	}
	rows := builder.NewRecord()
	b.Cleanup(rows.Release)
	return pipeline.Batch{Dataset: dataset, Record: rows}
}

// testNames uses names of tables and columns that are words or signs of SQL.
func testNames(b *bench) {
	names := []string{
		"select", "order", `a"b`, "a`b", "a'b", "a?b", "a$1", "a%sb", "a;drop table x", "a b", "a--b", `a\b`, "größe", "名前", "naïve",
		"docarchive_row", "value", "window", "ordinal", strings.Repeat("n", 63), strings.Repeat("é", 31),
	}
	names = append(names, b.Renamed...)
	table := "we\"ird `t'able; --"
	o := options()
	o.Table = table
	w := b.open(o)
	b.load(w, Record(1), b.batchOf("job_1", names[:3]...))
	b.load(w, Record(2), b.batchOf("job_2", names...))
	for _, name := range names {
		stored := name
		if slices.Contains(b.Renamed, name) {
			rows := b.query("SELECT %s FROM docarchive_columns WHERE %s = '%s'", b.Ident("stored_as"), b.Ident("column_name"), name)
			stored = canonical(pipeline.TypeUTF8, rows[0][0])
			if stored == name {
				b.Errorf("%s was not renamed", name)
			}
		}
		rows := b.query("SELECT %s FROM %s WHERE job_id = 'job_2'", b.Ident(stored), b.Ident(table))
		if got := canonical(pipeline.TypeUTF8, rows[0][0]); got != name {
			b.Errorf("column %q holds %q", name, got)
		}
	}
}

// testSchemaName puts the tables into a schema that is named.
func testSchemaName(b *bench) {
	o := options()
	o.Table = b.Schema + ".bills"
	w := b.open(o)
	f := NewFlattener(b, pipeline.Rules{"items": {Mode: pipeline.ModeTable}})
	b.load(w, Record(1), f.Batches(Job("job_1", `{"items":[{"x":1}]}`))...)
	for _, table := range []string{"bills", "bills__items", "docarchive_log"} {
		if rows := b.query("SELECT COUNT(*) FROM %s.%s", b.Ident(b.Schema), b.Ident(table)); rows[0][0] != int64(1) {
			b.Errorf("%s: %v rows", table, rows[0][0])
		}
	}
	if !strings.HasSuffix(w.Label(), ":"+o.Table) {
		b.Errorf("label %s", w.Label())
	}
}

func testTooWide(b *bench) {
	if len(b.TooWide) == 0 {
		return // this database holds the widest table there can be
	}
	w := b.open(options())
	for _, width := range b.TooWide {
		names := make([]string, width)
		for i := range names {
			names[i] = fmt.Sprintf("column_%d", i)
		}
		_, err := w.Load(b.Context(), Record(1), Feed(b.batchOf("job_1", names...)))
		var limit *database.LimitError
		if !errors.As(err, &limit) {
			b.Errorf("%d columns: got %v, want a LimitError", width, err)
		}
		b.Log(err)
	}
}

// testOtherArchives shares the log, but not the tables, with another archive.
func testOtherArchives(b *bench) {
	f := NewFlattener(b, nil)
	b.load(b.open(options()), Record(1), f.Batches(jobs(0, 1)...)...)
	o := options()
	o.ArchiveID = "another"
	w := b.open(o)
	if got, err := w.Loaded(b.Context(), dataset); err != nil || len(got) != 0 {
		b.Errorf("another archive's loads are seen: %v, %v", got, err)
	}
	r := Record(1)
	r.ArchiveID = o.ArchiveID
	_, err := w.Load(b.Context(), r, Feed(f.Batches(jobs(1, 2)...)...))
	var drift *database.SchemaDriftError
	if !errors.As(err, &drift) {
		b.Errorf("two archives in one table: got %v, want a SchemaDriftError", err)
	}
	o.Table = "others"
	b.load(b.open(o), r, f.Batches(jobs(1, 2)...)...)
}

// testLog looks at what a load leaves beside its rows.
func testLog(b *bench) {
	w := b.open(options())
	r := Record(7)
	b.load(w, r, NewFlattener(b, nil).Batches(jobs(0, 3)...)...)
	b.compare([][]string{{archiveID, dataset, dataset, window, "7", r.Nonce, "run-7", "3", "0", null}}, "docarchive_log",
		"archive_uuid", "pipeline", "table_name", "window", "seq", "nonce", "run_id", "rows", "rejected_rows", "rejected")
}

// testDrift changes the database by hand between two records.
func testDrift(b *bench) {
	table := b.Ident(dataset)
	cases := []struct {
		name, problem string
		change        []string
	}{
		{"dropped column", `"note" was dropped`, []string{"ALTER TABLE " + table + " DROP COLUMN note"}},
		{"changed type", `"note" was made as`, []string{"ALTER TABLE " + table + " DROP COLUMN note", "ALTER TABLE " + table + " ADD COLUMN note REAL"}},
		{"taken column", `"fresh" is there already`, []string{"ALTER TABLE " + table + " ADD COLUMN fresh REAL"}},
		{"dropped table", "is gone", []string{"DROP TABLE " + table}},
		{"foreign table", "not made by this program", []string{"DELETE FROM docarchive_columns"}},
		{"other record", "another nonce", []string{"UPDATE docarchive_log SET nonce = 'other'"}},
	}
	b.load(b.open(options()), Record(1)) // makes the database
	for _, c := range cases {
		f := NewFlattener(b, nil)
		for _, statement := range []string{"DROP TABLE IF EXISTS " + table, "DROP TABLE IF EXISTS docarchive_columns", "DROP TABLE IF EXISTS docarchive_log"} {
			b.query("%s", statement)
		}
		w := b.open(options())
		first := Record(1)
		b.load(w, first, f.Batches(Job("job_1", `{"note":"x"}`))...)
		for _, statement := range c.change {
			b.query("%s", statement)
		}
		for _, r := range []*pipeline.Record{Record(2), first} {
			loaded, err := w.Load(b.Context(), r, Feed(f.Batches(Job("job_2", `{"note":"y","fresh":"z"}`))...))
			var drift *database.SchemaDriftError
			switch {
			case c.name == "other record" && r != first, c.name != "other record" && r == first:
				if err != nil {
					b.Errorf("%s: %v", c.name, err)
				}
			case !errors.As(err, &drift):
				b.Errorf("%s: got %+v, %v, want a SchemaDriftError", c.name, loaded, err)
			case !strings.Contains(err.Error(), c.problem) || drift.Remedy == "":
				b.Errorf("%s: the error does not say it: %v", c.name, err)
			}
		}
	}
}
