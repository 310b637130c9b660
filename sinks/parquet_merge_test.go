package sinks_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/decimal128"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"github.com/adteco/docarchive/pipeline"
	"github.com/adteco/docarchive/sinks"
	"github.com/adteco/docarchive/sinks/sinktest"
)

// mergeSchema is the newest schema of a dataset: the standard columns and one of
// every type, of which older files lack the last ones.
func mergeSchema() *pipeline.Schema {
	s := &pipeline.Schema{Dataset: "invoices", Version: 3}
	add := func(name string, t pipeline.Type, group pipeline.Group) {
		s.Columns = append(s.Columns, pipeline.Column{
			Name: name, Type: t, Group: group, Source: "/" + name, FieldID: len(s.Columns) + 1,
		})
	}
	add("job_id", pipeline.TypeUTF8, pipeline.GroupStandard)
	add("created_at", pipeline.TypeTimestamp, pipeline.GroupStandard)
	for i, t := range []pipeline.Type{
		pipeline.TypeUTF8, pipeline.TypeJSON, pipeline.TypeFloat64, pipeline.TypeInt64, pipeline.TypeBool, pipeline.TypeDate32,
		pipeline.Decimal(5, 2), pipeline.Decimal(18, 4), pipeline.Decimal(38, 10), "list(utf8)", "list(int64)", "list(decimal(30,2))",
	} {
		add(fmt.Sprintf("column_%02d", i), t, pipeline.GroupData)
	}
	return s
}

func arrowSchema(t testing.TB, s *pipeline.Schema) *arrow.Schema {
	t.Helper()
	var fields []arrow.Field
	for i := range s.Columns {
		f, err := s.Columns[i].Field()
		if err != nil {
			t.Fatal(err)
		}
		fields = append(fields, f)
	}
	return arrow.NewSchema(fields, nil)
}

// oneValue appends any value, null among them.
func oneValue(rng *rand.Rand, b array.Builder) {
	if rng.IntN(5) == 0 {
		b.AppendNull()
		return
	}
	switch b := b.(type) {
	case *array.StringBuilder:
		b.Append([]string{"", "a", "日本語", "x\x00y", fmt.Sprint(rng.Int64())}[rng.IntN(5)])
	case *array.Int64Builder:
		b.Append([]int64{0, -1, math.MinInt64, math.MaxInt64, rng.Int64()}[rng.IntN(5)])
	case *array.Float64Builder:
		b.Append([]float64{0, math.Copysign(0, -1), math.MaxFloat64, 5e-324, rng.NormFloat64()}[rng.IntN(5)])
	case *array.BooleanBuilder:
		b.Append(rng.IntN(2) == 0)
	case *array.Date32Builder:
		b.Append(arrow.Date32(rng.IntN(100_000) - 50_000))
	case *array.Decimal128Builder:
		digits := b.Type().(*arrow.Decimal128Type).Precision
		v := decimal128.GetMaxValue(digits)
		if rng.IntN(2) == 0 {
			v = decimal128.FromU64(rng.Uint64() % 100_000)
		}
		if rng.IntN(2) == 0 {
			v = v.Negate()
		}
		b.Append(v)
	case *array.ListBuilder:
		b.Append(true)
		for range rng.IntN(4) {
			oneValue(rng, b.ValueBuilder())
		}
	}
}

// someRows is a batch with the schema's first columns. times gives each row's.
func someRows(t testing.TB, rng *rand.Rand, s *pipeline.Schema, columns int, prefix string, times []int64) arrow.Record {
	t.Helper()
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(arrowSchema(t, s).Fields()[:columns], nil))
	defer b.Release()
	for row, at := range times {
		b.Field(0).(*array.StringBuilder).Append(fmt.Sprintf("%s-%06d", prefix, row))
		for i := 1; i < columns; i++ {
			if created, ok := b.Field(i).(*array.TimestampBuilder); ok {
				created.Append(arrow.Timestamp(at))
			} else {
				oneValue(rng, b.Field(i))
			}
		}
	}
	return b.NewRecord()
}

func merger(t testing.TB) *sinks.File {
	t.Helper()
	s, err := sinks.NewFile(sinks.FileOptions{Format: sinks.FormatParquet, Path: "invoices", Spool: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// sources writes each batch into a file of its own and returns their parts.
func sources(t *testing.T, batches ...arrow.Record) (parts []pipeline.Part, names []string, rows int64) {
	t.Helper()
	for _, batch := range batches {
		_, written := write(t, sinks.FileOptions{Format: sinks.FormatParquet}, batch)
		batch.Release()
		for _, p := range written {
			parts, names, rows = append(parts, p), append(names, p.Spool), rows+p.Rows
		}
	}
	return parts, names, rows
}

// Every row survives exactly and stands in the order of its time, whatever the
// order of the sources and of the rows in them.
func TestMerge(t *testing.T) {
	t.Parallel()
	schema := mergeSchema()
	for seed := range uint64(12) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(seed, 5))
			var batches []arrow.Record
			for i := range 2 + rng.IntN(24) { // more than are read at once
				times := make([]int64, 1+rng.IntN(300))
				for row := range times {
					times[row] = int64(rng.IntN(1000)) // many of the same time
				}
				if rng.IntN(4) > 0 {
					slices.Sort(times)
				}
				columns := 2 + rng.IntN(len(schema.Columns)-1)
				batches = append(batches, someRows(t, rng, schema, columns, fmt.Sprintf("file-%02d", i), times))
			}
			parts, names, rows := sources(t, batches...)
			full := arrowSchema(t, schema)
			var want []sinktest.Row
			for _, p := range parts {
				want = append(want, readParquet(t, p, full)...)
			}
			s := merger(t)
			got, err := s.Merge(t.Context(), pipeline.Merge{Schema: schema, Path: "invoices/compact.parquet", Sources: names, Rows: rows})
			if err != nil {
				t.Fatal(err)
			}
			merged := readParquet(t, got, full)
			if !slices.IsSortedFunc(merged, byCreated) {
				t.Error("the rows are not in the order of their times")
			}
			byID := func(a, b sinktest.Row) int { return cmp2(a["job_id"], b["job_id"]) }
			slices.SortFunc(want, byID)
			slices.SortFunc(merged, byID)
			if diff := cmp.Diff(want, merged); diff != "" {
				t.Errorf("-sources +merged:\n%.2000s", diff)
			}
			if got.Rows != rows || got.Path != "invoices/compact.parquet" || got.Dataset != "invoices" || got.Sink != s.Label() {
				t.Errorf("%+v", got.File)
			}
			folder := filepath.Dir(got.Spool)
			if left, err := os.ReadDir(folder); err != nil || len(left) != 1 {
				t.Error("files are left in the spool:", left, err)
			}
		})
	}
}

func byCreated(a, b sinktest.Row) int { return cmp2(a["created_at"], b["created_at"]) }

func cmp2(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// Rows of one time, and those of a child table, keep the order of the sources.
func TestMergeKeepsOrder(t *testing.T) {
	t.Parallel()
	for _, child := range []bool{false, true} {
		schema := mergeSchema()
		if child { // its created_at is a field of the document
			schema.Columns[1].Group = pipeline.GroupData
		}
		rng := rand.New(rand.NewPCG(1, 1))
		var batches []arrow.Record
		for i := range 20 {
			times := []int64{7, 7, 7}
			if child {
				times = []int64{9, 1, int64(20 - i)}
			}
			batches = append(batches, someRows(t, rng, schema, len(schema.Columns), fmt.Sprintf("%02d", i), times))
		}
		_, names, rows := sources(t, batches...)
		part, err := merger(t).Merge(t.Context(), pipeline.Merge{Schema: schema, Path: "x", Sources: names, Rows: rows})
		if err != nil {
			t.Fatal(err)
		}
		merged := readParquet(t, part, arrowSchema(t, schema))
		if !slices.IsSortedFunc(merged, func(a, b sinktest.Row) int { return cmp2(a["job_id"], b["job_id"]) }) {
			t.Errorf("child table %v: the order of the sources is lost", child)
		}
	}
}

// The new file says of itself what any file says.
func TestMergedFile(t *testing.T) {
	t.Parallel()
	schema := mergeSchema()
	rng := rand.New(rand.NewPCG(2, 2))
	var batches []arrow.Record
	for i := range 3 {
		times := make([]int64, 50_000)
		for row := range times {
			times[row] = int64(i*100_000 + row)
		}
		batches = append(batches, someRows(t, rng, schema, 4, fmt.Sprint(i), times))
	}
	parts, names, rows := sources(t, batches...)
	part, err := merger(t).Merge(t.Context(), pipeline.Merge{Schema: schema, Path: "x", Sources: names, Rows: rows})
	if err != nil {
		t.Fatal(err)
	}
	open := func(name string) *parquet.File {
		t.Helper()
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		info, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		p, err := parquet.OpenFile(f, info.Size())
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	was, is := open(parts[0].Spool), open(part.Spool)
	for _, group := range is.Metadata().RowGroups[:len(is.Metadata().RowGroups)-1] {
		if group.NumRows < 100_000 || group.NumRows > 104_096 {
			t.Errorf("a row group of %d rows", group.NumRows)
		}
	}
	if got := is.RowGroups()[0].SortingColumns(); len(got) != 1 || got[0].Path()[0] != "created_at" {
		t.Errorf("sorted by %v", got)
	}
	if dataset, _ := is.Lookup("docarchive.dataset"); dataset != "invoices" {
		t.Errorf("it is of dataset %q", dataset)
	}
	if columns, _ := is.Lookup("docarchive.columns"); len(columns) < 100 {
		t.Errorf("it describes its columns as %q", columns)
	}
	for i, c := range is.Root().Columns() {
		if c.ID() != schema.Columns[i].FieldID || c.Name() != schema.Columns[i].Name {
			t.Errorf("column %d is %s with the field id %d", i, c.Name(), c.ID())
		}
	}
	for i := range 4 {
		a, b := was.Metadata().RowGroups[0].Columns[i].MetaData, is.Metadata().RowGroups[0].Columns[i].MetaData
		if a.Codec != b.Codec || cmp.Diff(a.Encoding, b.Encoding) != "" {
			t.Errorf("column %v: %v %v, of the source %v %v", b.PathInSchema, b.Codec, b.Encoding, a.Codec, a.Encoding)
		}
	}
}

func TestMergeRefuses(t *testing.T) {
	t.Parallel()
	schema := mergeSchema()
	rng := rand.New(rand.NewPCG(3, 3))
	_, names, rows := sources(t, someRows(t, rng, schema, 6, "a", []int64{1, 2}))
	other := mergeSchema()
	other.Columns[5].Type = pipeline.TypeUTF8
	scale := mergeSchema()
	scale.Columns[5].Type = pipeline.Decimal(18, 0)
	fewer := mergeSchema()
	fewer.Columns = fewer.Columns[:5]
	damaged := filepath.Join(t.TempDir(), "damaged.parquet")
	data, err := os.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	data[100] ^= 1
	if err := os.WriteFile(damaged, data, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, m := range map[string]pipeline.Merge{
		"another type":     {Schema: other, Sources: names, Rows: rows},
		"another meaning":  {Schema: scale, Sources: names, Rows: rows},
		"a lost column":    {Schema: fewer, Sources: names, Rows: rows},
		"rows are missing": {Schema: schema, Sources: names, Rows: rows + 1},
		"damaged":          {Schema: schema, Sources: []string{damaged}, Rows: rows},
		"not there":        {Schema: schema, Sources: []string{"none"}, Rows: rows},
	} {
		s := merger(t)
		part, err := s.Merge(t.Context(), m)
		if err == nil {
			t.Errorf("%s: merged into %+v", name, part)
		}
	}
}
