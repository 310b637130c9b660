package pipeline

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/adteco/docarchive/internal/rawjson"
)

// table collects the rows of one dataset.
type table struct {
	dataset string
	book    *Book
	mem     memory.Allocator
	columns map[int]*column // by field id
	rows    int             // finished ones
	full    bool            // the book takes no more columns
	passing []*node         // of a full table: those that the current row brought
	extra   []byte          // the current row's overflow: members of a JSON object
	copies  map[string]int  // pointers in extra that stand for duplicates → how many
	schema  *Schema         // what arrow was made of
	arrow   *arrow.Schema
}

// table returns the collector of a dataset, made at the first call.
func (f *Flattener) table(dataset string) (*table, error) {
	for _, t := range f.tables {
		if t.dataset == dataset {
			return t, nil
		}
	}
	book := f.options.Books[dataset]
	if book == nil {
		return nil, fmt.Errorf("dataset %s has no schema", dataset)
	}
	t := &table{dataset: dataset, book: book, mem: f.options.Memory, columns: map[int]*column{}}
	f.tables = append(f.tables, t)
	return t, nil
}

// column returns the collector of a column of the book.
func (t *table) column(c Column) (*column, error) {
	if col := t.columns[c.FieldID]; col != nil {
		return col, nil
	}
	col, err := newColumn(c)
	if err != nil {
		return nil, fmt.Errorf("column %s: %w", c.Name, err)
	}
	t.columns[c.FieldID] = col
	return col, nil
}

// overflow keeps a value that has no column, under its pointer.
func (t *table) overflow(pointer string, raw []byte) {
	if len(t.extra) > 0 {
		t.extra = append(t.extra, ',')
	}
	t.extra = rawjson.AppendQuoted(t.extra, pointer)
	t.extra = append(t.extra, ':')
	t.extra = rawjson.AppendPrintable(t.extra, raw)
}

// overflowDuplicate keeps the value of a key that stood in its object before.
// The pointer gets the ending ~#N, which no pointer of a key can have.
func (t *table) overflowDuplicate(pointer string, raw []byte) {
	if t.copies == nil {
		t.copies = map[string]int{}
	}
	t.copies[pointer]++
	t.overflow(pointer+"~#"+strconv.Itoa(t.copies[pointer]+1), raw)
}

// endRow finishes the current row.
func (t *table) endRow() error {
	if len(t.extra) > 0 {
		col, err := t.column(t.book.Overflow())
		if err != nil {
			return err
		}
		object := append(append([]byte{'{'}, t.extra...), '}')
		col.put(t.rows, value{kind: rawjson.Object, raw: object})
		t.extra = t.extra[:0]
		clear(t.copies)
	}
	for _, n := range slices.Backward(t.passing) { // what is below a node settles before it
		n.settle()
	}
	clear(t.passing)
	t.passing = t.passing[:0]
	t.rows++
	return nil
}

// stamp sets the columns that are the same in all rows of a batch.
func (t *table) stamp(archivedAt time.Time, runID string) error {
	for _, c := range standard {
		if c.Source != "" {
			continue
		}
		col, err := t.column(c)
		if err != nil {
			return err
		}
		for row := range t.rows {
			if c.Type == TypeTimestamp {
				col.putWord(row, uint64(archivedAt.UnixMicro()))
			} else {
				col.putString(row, runID)
			}
		}
	}
	return nil
}

// record makes an Arrow record of the rows, with every column of the book.
func (t *table) record() (arrow.Record, error) {
	schema := t.book.Schema()
	if t.schema != schema {
		fields := make([]arrow.Field, len(schema.Columns))
		for i := range schema.Columns {
			field, err := schema.Columns[i].Field()
			if err != nil {
				return nil, err
			}
			fields[i] = field
		}
		t.schema, t.arrow = schema, arrow.NewSchema(fields, nil)
	}
	for _, c := range schema.Columns {
		if col := t.columns[c.FieldID]; col != nil && !sameColumn(col.Column, c) {
			return nil, errSchemaRaced // the book has taken over another run's columns meanwhile
		}
	}
	arrays := make([]arrow.Array, 0, len(schema.Columns))
	defer func() {
		for _, a := range arrays {
			a.Release()
		}
	}()
	for _, c := range schema.Columns {
		col := t.columns[c.FieldID]
		if col == nil { // no job of the batch has it
			var err error
			if col, err = newColumn(c); err != nil {
				return nil, fmt.Errorf("column %s: %w", c.Name, err)
			}
		}
		arrays = append(arrays, col.array(t.mem, t.rows))
	}
	record := array.NewRecord(t.arrow, arrays, int64(t.rows))
	t.rows = 0
	return record, nil
}
