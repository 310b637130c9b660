package pipeline

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/adteco/docarchive/docextract"
)

// benchmarkJobs are completed invoices of about 1.5 kB that need 94 columns.
func benchmarkJobs(b *testing.B, n int) []docextract.Job {
	b.Helper()
	jobs := make([]docextract.Job, n)
	for i := range jobs {
		var data, confidence strings.Builder
		for f := range 12 {
			fmt.Fprintf(&data, `"text_%02d":"value %d of %d","amount_%02d":%d.%02d,"flag_%02d":%t,`,
				f, f, i, f, i*7+f, i%100, f, i%2 == 0)
			fmt.Fprintf(&confidence, `"text_%02d":0.%02d,"amount_%02d":0.9,`, f, 10+i%90, f)
		}
		for f := range 10 {
			fmt.Fprintf(&data, `"date_%02d":"2026-11-%02d",`, f, 1+i%28)
		}
		text := fmt.Sprintf(`{"id":"job_%08d","org_id":"org_1","extractor_id":"ext_invoice","status":"completed",`+
			`"mime_type":"application/pdf","file_size_bytes":%d,"document_url":"https://storage.example.com/d/%d",`+
			`"extracted_data":{%s"vendor":{"name":"Acme \u0026 Sons","address":{"city":"Köln","zip":"50667"}},"tags":["a","b"]},`+
			`"confidence":{%s"vendor":0.7},"metadata":{"department":"accounting","batch":"b%d","source":"mail"},`+
			`"processing_time_ms":2300,"cost_credits":1.5,"error_details":null,"created_at":"2026-11-02T08:00:00.%06dZ",`+
			`"started_at":"2026-11-02T08:00:01Z","completed_at":"2026-11-02T08:00:03Z"}`,
			i, 40_000+i, i, data.String(), strings.TrimSuffix(confidence.String(), ",")+",", i, i)
		job, err := docextract.ParseJob([]byte(text))
		if err != nil {
			b.Fatal(err)
		}
		jobs[i] = job
	}
	return jobs
}

func BenchmarkFlatten(b *testing.B) {
	jobs := benchmarkJobs(b, 1000)
	rules := Rules{}
	for f := range 10 {
		rules[fmt.Sprintf("date_%02d", f)] = Rule{Mode: ModeTyped, Type: TypeDate32}
	}
	for f := range 12 {
		rules[fmt.Sprintf("amount_%02d", f)] = Rule{Mode: ModeTyped, Type: Decimal(18, 4)}
	}
	book := NewBook("jobs", FixedColumns(rules, ""), nil, "run-1")
	f, err := NewFlattener(FlattenOptions{Dataset: "jobs", Rules: rules, Books: map[string]*Book{"jobs": book}})
	if err != nil {
		b.Fatal(err)
	}
	defer f.Release()
	b.ReportAllocs()
	var columns int64
	for b.Loop() {
		for i := range jobs {
			if err := f.Append(&jobs[i]); err != nil {
				b.Fatal(err)
			}
		}
		batches, err := f.Batches(time.UnixMicro(1), "run-1")
		if err != nil {
			b.Fatal(err)
		}
		columns = batches[0].Record.NumCols()
		batches[0].Record.Release()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(jobs)), "ns/job")
	b.ReportMetric(float64(len(jobs[0].Raw)), "B/job")
	b.ReportMetric(float64(columns), "columns")
}
