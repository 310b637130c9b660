package database

import (
	"context"
	"fmt"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/google/go-cmp/cmp"

	"github.com/adteco/docarchive/pipeline"
)

// refuser is a session that refuses the first row of every insert.
type refuser struct {
	Session
	sizes []int64
}

func (r *refuser) Insert(_ context.Context, _ *Table, rows arrow.Record) ([]Refusal, error) {
	r.sizes = append(r.sizes, rows.NumRows())
	return []Refusal{{0, "reason"}}, nil
}

// TestLargeBatch splits a batch, and notes the refused rows by their own ids.
func TestLargeBatch(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer mem.AssertSize(t, 0)
	rows := numbered(mem, 2*maxInsert+5)
	defer rows.Release()
	s := &refuser{}
	l := &loading{
		conn:   &conn{Warehouse: &Warehouse{}, session: s},
		tables: map[string]*target{"d": {dataset: "d", schema: rows.Schema(), table: &Table{}}},
	}
	if err := l.batch(t.Context(), pipeline.Batch{Dataset: "d", Record: rows}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int64{maxInsert, maxInsert, 5}, s.sizes); diff != "" {
		t.Error(diff)
	}
	var ids []string
	for _, row := range l.refusals.all {
		ids = append(ids, row.JobID)
	}
	if diff := cmp.Diff([]string{"0", fmt.Sprint(maxInsert), fmt.Sprint(2 * maxInsert)}, ids); diff != "" {
		t.Error(diff)
	}
	if l.rows != 2*maxInsert+2 {
		t.Errorf("%d rows counted", l.rows)
	}
}

// TestWanted keeps the columns of every batch, in the latest one's order.
func TestWanted(t *testing.T) {
	schema := func(names ...string) *arrow.Schema {
		var fields []arrow.Field
		for _, name := range names {
			fields = append(fields, arrow.Field{Name: name, Type: arrow.BinaryTypes.String})
		}
		return arrow.NewSchema(fields, nil)
	}
	var target target
	for _, s := range []*arrow.Schema{schema("a", "old"), schema("a", "c"), schema("a", "b", "c")} {
		target.want(s)
	}
	var names []string
	for _, f := range target.wanted {
		names = append(names, f.Name)
	}
	if diff := cmp.Diff([]string{"a", "b", "c", "old"}, names); diff != "" {
		t.Error(diff)
	}
}
