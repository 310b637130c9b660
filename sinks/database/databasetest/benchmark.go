package databasetest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/adteco/docarchive/pipeline"
	"github.com/adteco/docarchive/sinks/database"
)

// Benchmark loads records of 40 columns, each into a table of its own, and
// reports rows per second.
func Benchmark(b *testing.B, open func(o database.Options) (pipeline.Warehouse, error)) {
	const records, rows = 6, 8192
	rules := pipeline.Rules{}
	for i := range 4 {
		rules[fmt.Sprintf("amount_%d", i)] = pipeline.Rule{Mode: pipeline.ModeTyped, Type: pipeline.Decimal(18, 4)}
		rules[fmt.Sprintf("day_%d", i)] = pipeline.Rule{Mode: pipeline.ModeTyped, Type: pipeline.TypeDate32}
	}
	f := NewFlattener(b, rules)
	var batches []pipeline.Batch
	for n := range records {
		texts := make([]string, rows)
		for i := range texts {
			texts[i] = Job(fmt.Sprintf("job_%08d", n*rows+i), invoice(n*rows+i))
		}
		batches = append(batches, f.Batches(texts...)...)
	}
	if n := batches[len(batches)-1].Record.NumCols(); n != 40 {
		b.Fatalf("%d columns", n)
	}
	for n := 0; b.Loop(); n++ {
		o := options()
		o.Table = fmt.Sprintf("bench_%d", n)
		w, err := open(o)
		if err != nil {
			b.Fatal(err)
		}
		loaded, err := w.Load(b.Context(), Record(1), Feed(batches...))
		if err != nil || loaded.Rows != records*rows {
			b.Fatalf("%+v, %v", loaded, err)
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*records*rows)/b.Elapsed().Seconds(), "rows/s")
}

// invoice makes the extracted data of a job with 24 fields.
func invoice(n int) string {
	var members []string
	for i := range 4 {
		members = append(members,
			fmt.Sprintf(`"amount_%d":%d.%04d`, i, n*17%100_000, n%10_000),
			fmt.Sprintf(`"day_%d":"2026-%02d-%02d"`, i, n%12+1, n%28+1),
			fmt.Sprintf(`"number_%d":%d.5`, i, n),
			fmt.Sprintf(`"paid_%d":%t`, i, n%2 == 0),
		)
	}
	for i := range 8 {
		members = append(members, fmt.Sprintf(`"text_%d":"supplier %d, street %d"`, i, n%1000, n))
	}
	return "{" + strings.Join(members, ",") + "}"
}
