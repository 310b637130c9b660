package sinktest

import (
	"strconv"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/decimal128"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"pgregory.net/rapid"

	"github.com/adteco/docarchive/pipeline"
)

// scalarTypes are the types of columns that are no lists; decimals of every
// physical size.
func scalarTypes() []pipeline.Type {
	return []pipeline.Type{
		pipeline.TypeUTF8, pipeline.TypeInt64, pipeline.TypeFloat64, pipeline.TypeBool, pipeline.TypeDate32, pipeline.TypeTimestamp,
		pipeline.Decimal(1, 1), pipeline.Decimal(9, 2), pipeline.Decimal(10, 10), pipeline.Decimal(18, 4),
		pipeline.Decimal(19, 0), pipeline.Decimal(38, 0), pipeline.Decimal(38, 37), pipeline.Decimal(38, 38),
	}
}

// allTypes are the scalar types and a list of each.
func allTypes() []pipeline.Type {
	all := scalarTypes()
	for _, t := range scalarTypes() {
		all = append(all, pipeline.Type("list("+string(t)+")"))
	}
	return all
}

// extremes is a batch with a column of every type that holds the extreme values
// of its type in turn, and nulls. Its names sort otherwise than they stand. The
// caller releases it.
func extremes(mem memory.Allocator) arrow.Record {
	types := allTypes()
	fields := jobFields()[:2] // job_id and extractor_id, which alternates
	for i, t := range types {
		fields = append(fields, field(17+i, "c"+strconv.Itoa(len(types)-i), t, pipeline.GroupData))
	}
	b := array.NewRecordBuilder(mem, arrow.NewSchema(fields, nil))
	defer b.Release()
	rows := len(extremeTexts()) + 3
	for row := range rows {
		b.Field(0).(*array.StringBuilder).Append("job_" + strconv.Itoa(row))
		b.Field(1).(*array.StringBuilder).Append("ext_" + strconv.Itoa(row%2))
		for i := range types {
			if row == i%rows || row == rows-1 {
				b.Field(i + 2).AppendNull()
				continue
			}
			appendExtreme(b.Field(i+2), row)
		}
	}
	return b.NewRecord()
}

// testGathered interleaves two partitions, so that values of every type must be
// gathered.
func testGathered(_ *testing.T, b *bench) {
	batch := extremes(b.mem)
	schema := batch.Schema()
	want := map[string][]Row{}
	for _, row := range RowsOf(batch) {
		extractor := row[pipeline.ColumnExtractorID]
		want[extractor] = append(want[extractor], row)
	}
	s := b.sink(pipeline.ColumnExtractorID)
	w := b.begin(s, destination())
	b.write(w, batch)
	parts := b.commit(w)
	if len(parts) != len(want) {
		b.Fatalf("%d parts for %d partitions", len(parts), len(want))
	}
	for i, rows := range b.read(s, destination(), parts, schema) {
		folder := b.folderOf(s, parts[i], pipeline.ColumnExtractorID)[0]
		if diff := diffTables(want[folder], rows); diff != "" {
			b.Errorf("%s: %s", folder, clip(diff))
		}
	}
}

func appendExtreme(b array.Builder, n int) {
	switch b := b.(type) {
	case *array.StringBuilder:
		b.Append(pick(extremeTexts(), n))
	case *array.Int64Builder:
		b.Append(pick(extremeInts(), n))
	case *array.Float64Builder:
		b.Append(pick(extremeFloats(), n))
	case *array.BooleanBuilder:
		b.Append(n%2 == 0)
	case *array.Date32Builder:
		b.Append(pick(extremeDays(), n))
	case *array.TimestampBuilder:
		b.Append(pick(extremeTimes(), n))
	case *array.Decimal128Builder:
		b.Append(number(pick(extremeDecimals(digitsOf(b)), n)))
	case *array.ListBuilder:
		b.Append(true)
		for i := range n % 4 { // empty lists, too
			if (n+i)%5 == 0 {
				b.ValueBuilder().AppendNull()
			} else {
				appendExtreme(b.ValueBuilder(), n+i)
			}
		}
	}
}

func pick[T any](values []T, n int) T { return values[n%len(values)] }

func digitsOf(b *array.Decimal128Builder) int {
	return int(b.Type().(*arrow.Decimal128Type).Precision)
}

func testChildTable(_ *testing.T, b *bench) {
	fields := []arrow.Field{
		field(1, pipeline.ColumnJobID, pipeline.TypeUTF8, pipeline.GroupStandard),
		field(2, "ordinal", pipeline.TypeInt64, pipeline.GroupStandard),
		field(3, "status", pipeline.TypeBool, pipeline.GroupData), // no standard column
	}
	records := array.NewRecordBuilder(b.mem, arrow.NewSchema(fields, nil))
	defer records.Release()
	records.Field(0).(*array.StringBuilder).Append("job_1")
	records.Field(1).(*array.Int64Builder).Append(0)
	records.Field(2).(*array.BooleanBuilder).Append(true)
	batch := records.NewRecord()

	s := b.sink("created_month", "status")
	d := destination()
	d.Dataset = d.Pipeline + "__line_items"
	want := RowsOf(batch)
	schema := batch.Schema()
	w := b.begin(s, d)
	b.write(w, batch)
	parts := b.commit(w)
	if len(parts) != 1 || parts[0].Dataset != d.Dataset {
		b.Fatalf("parts of a child table: %+v", parts)
	}
	got := b.read(s, d, parts, schema)[0]
	if len(got) != len(want) || got[0]["status"] != "true" || got[0]["ordinal"] != "0" {
		b.Errorf("rows of a child table: %v", got)
	}
}

// testProperty writes random tables, in random batches, and reads them back.
func testProperty(t *testing.T, b *bench) {
	s := b.sink()
	rapid.Check(t, func(rt *rapid.T) {
		types := rapid.SliceOfN(rapid.SampledFrom(allTypes()), 1, 8).Draw(rt, "types")
		fields := []arrow.Field{field(1, pipeline.ColumnJobID, pipeline.TypeUTF8, pipeline.GroupStandard)}
		for i, typ := range types {
			fields = append(fields, field(17+i, "c"+strconv.Itoa(100-i), typ, pipeline.GroupData))
		}
		schema := arrow.NewSchema(fields, nil)
		var want, got []Row
		w := b.begin(s, destination())
		for range rapid.IntRange(1, 4).Draw(rt, "batches") {
			batch := drawBatch(rt, b.mem, schema)
			want = append(want, RowsOf(batch)...)
			b.write(w, batch)
		}
		parts := b.commit(w)
		for _, rows := range b.read(s, destination(), parts, schema) {
			got = append(got, rows...)
		}
		if diff := diffTables(want, got); diff != "" {
			rt.Fatal(diff)
		}
		for _, p := range parts {
			removePart(rt, p)
		}
	})
}

func drawBatch(rt *rapid.T, mem memory.Allocator, schema *arrow.Schema) arrow.Record {
	b := array.NewRecordBuilder(mem, schema)
	defer b.Release()
	for range rapid.IntRange(0, 30).Draw(rt, "rows") {
		b.Field(0).(*array.StringBuilder).Append(rapid.StringMatching(`job_[a-z0-9]{4}`).Draw(rt, "id"))
		for i := 1; i < schema.NumFields(); i++ {
			draw(rt, b.Field(i))
		}
	}
	return b.NewRecord()
}

func draw(rt *rapid.T, b array.Builder) {
	if rapid.IntRange(0, 3).Draw(rt, "null") == 0 {
		b.AppendNull()
		return
	}
	switch b := b.(type) {
	case *array.StringBuilder:
		b.Append(rapid.String().Draw(rt, "text"))
	case *array.Int64Builder:
		b.Append(rapid.Int64().Draw(rt, "int"))
	case *array.Float64Builder:
		b.Append(rapid.Float64().Filter(finite).Draw(rt, "float"))
	case *array.BooleanBuilder:
		b.Append(rapid.Bool().Draw(rt, "bool"))
	case *array.Date32Builder: // four-digit years, as the pipeline makes them
		b.Append(arrow.Date32(rapid.Int32Range(-719_162, 2_932_896).Draw(rt, "date")))
	case *array.TimestampBuilder:
		const perDay = 86_400_000_000
		b.Append(arrow.Timestamp(rapid.Int64Range(-719_162*perDay, 2_932_897*perDay-1).Draw(rt, "time")))
	case *array.Decimal128Builder:
		b.Append(drawDecimal(rt, digitsOf(b)))
	case *array.ListBuilder:
		b.Append(true)
		for range rapid.IntRange(0, 3).Draw(rt, "length") {
			draw(rt, b.ValueBuilder())
		}
	}
}

func drawDecimal(rt *rapid.T, digits int) decimal128.Num {
	text := rapid.StringMatching(`[0-9]{1,`+strconv.Itoa(digits)+`}`).Draw(rt, "digits")
	v := number(text)
	if rapid.Bool().Draw(rt, "negative") {
		return v.Negate()
	}
	return v
}
