//go:build unix

package sinks_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/adteco/docarchive/internal/testserver"
	"github.com/adteco/docarchive/sinks"
)

// DuckDB reads every format but Arrow with the same types and values.
func TestDuckDBReadsAll(t *testing.T) {
	t.Parallel()
	const types = "job_id: 'VARCHAR', status: 'VARCHAR', created_at: 'TIMESTAMPTZ', paid: 'BOOLEAN', pages: 'BIGINT', " +
		"score: 'DOUBLE', due: 'DATE', rate: 'DECIMAL(5,2)', note: 'VARCHAR', tags: 'VARCHAR[]'"
	const longTypes = ", amount: 'DECIMAL(18,4)', huge: 'DECIMAL(38,10)'"
	const csv = "read_csv('%s', header = true, allow_quoted_nulls = false, types = {" + types + longTypes + "})"
	const huge = "9999999999999999999999999999.9999999999"
	want := [][]string{
		{"a", "true", "9007199254740993", "0.1", "2024-10-04", "123.45", "=1+1, \"x\"\r\nnext", `["a,b",null]`, "123456", "12345678901234.5678", huge},
		{"b", "false", "-9007199254740993", "-0.1", "1915-03-31", "-123.45", "日本語", `["a,b",null]`, "123457", "-12345678901234.5678", "-" + huge},
		{"c", "NULL", "NULL", "NULL", "NULL", "NULL", "", "NULL", "123458", "NULL", "NULL"},
	}
	for _, c := range []struct {
		format, compression, from string
	}{
		{sinks.FormatParquet, "zstd", "read_parquet('%s')"},
		{sinks.FormatParquet, "snappy", "read_parquet('%s')"},
		{sinks.FormatParquet, "gzip", "read_parquet('%s')"},
		{sinks.FormatParquet, "none", "read_parquet('%s')"},
		{sinks.FormatCSV, "none", csv},
		{sinks.FormatCSV, "gzip", csv},
		{sinks.FormatJSON, "none", "read_json('%s', columns = {" + types + "})"},
		{sinks.FormatJSONL, "zstd", "read_json('%s', format = 'newline_delimited', columns = {" + types + "})"},
	} {
		t.Run(c.format+"/"+c.compression, func(t *testing.T) {
			t.Parallel()
			db := testserver.DuckDB(t)
			batch := table(t)
			defer batch.Release()
			_, parts := write(t, sinks.FileOptions{Format: c.format, Compression: c.compression}, batch)
			sql, want := "SELECT job_id, paid, pages, score, due, rate, note, tags, epoch_us(created_at) % 1000000", want
			if c.format == sinks.FormatParquet || c.format == sinks.FormatCSV {
				sql += ", amount, huge"
			} else { // DuckDB takes JSON numbers for doubles; the suite shows that all digits are there
				want = [][]string{want[0][:9], want[1][:9], want[2][:9]}
			}
			got := db.Query(sql + " FROM " + fmt.Sprintf(c.from, parts[0].Spool) + " ORDER BY job_id")
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// The types and the order of a Parquet file are the table's, and readers that
// skip by statistics find negative decimals.
func TestDuckDBReadsParquetSchema(t *testing.T) {
	t.Parallel()
	db := testserver.DuckDB(t)
	batch := table(t)
	defer batch.Release()
	folder, parts := write(t, sinks.FileOptions{Format: sinks.FormatParquet, Partition: []string{"created_month"}}, batch)
	file := parts[0].Spool
	var columns [][]string
	for _, row := range db.Query("DESCRIBE SELECT * FROM read_parquet('" + file + "', hive_partitioning = false)") {
		columns = append(columns, row[:2])
	}
	want := [][]string{
		{"job_id", "VARCHAR"},
		{"status", "VARCHAR"},
		{"created_at", "TIMESTAMP WITH TIME ZONE"},
		{"paid", "BOOLEAN"},
		{"pages", "BIGINT"},
		{"score", "DOUBLE"},
		{"due", "DATE"},
		{"rate", "DECIMAL(5,2)"},
		{"amount", "DECIMAL(18,4)"},
		{"huge", "DECIMAL(38,10)"},
		{"note", "VARCHAR"},
		{"tags", "VARCHAR[]"},
	}
	if diff := cmp.Diff(want, columns); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for _, filter := range []string{"huge < 0", "amount < 0", "rate < 0", "due < '1920-01-01'", "note = '日本語'", "created_month = '2026-11' AND NOT paid"} {
		got := db.Query("SELECT job_id FROM read_parquet('" + folder + "/**/*.parquet', hive_partitioning = true) WHERE " + filter)
		if diff := cmp.Diff([][]string{{"b"}}, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", filter, diff)
		}
	}
	got := db.Query("SELECT decode(value) FROM parquet_kv_metadata('" + file + "') WHERE decode(key) = 'docarchive.dataset'")
	if diff := cmp.Diff([][]string{{"invoices"}}, got); diff != "" {
		t.Errorf("key-value metadata: -want +got:\n%s", diff)
	}
	ids := db.Query("SELECT name, field_id FROM parquet_schema('" + file + "') WHERE field_id IS NOT NULL ORDER BY field_id")
	if len(ids) != len(want) || ids[0][0] != "job_id" || ids[11][0] != "tags" || ids[11][1] != "12" {
		t.Errorf("field ids: %v", ids)
	}
}
