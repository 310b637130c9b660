package sinks_test

import (
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/google/go-cmp/cmp"

	"github.com/adteco/docarchive/sinks"
)

// What the text formats look like, to the byte.
func TestGolden(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ format, want string }{
		{sinks.FormatCSV, "job_id,status,created_at,paid,pages,score,due,rate,amount,huge,note,tags\r\n" +
			"a,completed,2026-11-22T10:00:00.123456Z,true,9007199254740993,0.1,2024-10-04,123.45,12345678901234.5678," +
			"9999999999999999999999999999.9999999999,\"=1+1, \"\"x\"\"\r\nnext\",\"[\"\"a,b\"\",null]\"\r\n" +
			"b,completed,2026-11-22T10:00:00.123457Z,false,-9007199254740993,-0.1,1915-03-31,-123.45,-12345678901234.5678," +
			"-9999999999999999999999999999.9999999999,日本語,\"[\"\"a,b\"\",null]\"\r\n" +
			"c,completed,2026-11-22T10:00:00.123458Z,,,,,,,,\"\",\r\n"},
		{sinks.FormatJSON, "[\n" + objects(",\n") + "\n]\n"},
		{sinks.FormatJSONL, objects("\n") + "\n"},
	} {
		t.Run(c.format, func(t *testing.T) {
			t.Parallel()
			batch := table(t)
			defer batch.Release()
			_, parts := write(t, sinks.FileOptions{Format: c.format}, batch)
			if diff := cmp.Diff(c.want, string(content(t, parts[0]))); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func objects(between string) string {
	return strings.Join([]string{
		`{"job_id":"a","status":"completed","created_at":"2026-11-22T10:00:00.123456Z","paid":true,"pages":9007199254740993,` +
			`"score":0.1,"due":"2024-10-04","rate":123.45,"amount":12345678901234.5678,` +
			`"huge":9999999999999999999999999999.9999999999,"note":"=1+1, \"x\"\r\nnext","tags":["a,b",null]}`,
		`{"job_id":"b","status":"completed","created_at":"2026-11-22T10:00:00.123457Z","paid":false,"pages":-9007199254740993,` +
			`"score":-0.1,"due":"1915-03-31","rate":-123.45,"amount":-12345678901234.5678,` +
			`"huge":-9999999999999999999999999999.9999999999,"note":"日本語","tags":["a,b",null]}`,
		`{"job_id":"c","status":"completed","created_at":"2026-11-22T10:00:00.123458Z","note":""}`,
	}, between)
}

func textBatch(t *testing.T, texts ...string) arrow.Record {
	t.Helper()
	schema := arrow.NewSchema([]arrow.Field{{Name: "text", Type: arrow.BinaryTypes.String, Nullable: true}}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for _, text := range texts {
		b.Field(0).(*array.StringBuilder).Append(text)
	}
	return b.NewRecord()
}

// Cells that a spreadsheet could run are guarded if asked for, and one quote
// taken away gives every text back.
func TestEscapeFormulas(t *testing.T) {
	t.Parallel()
	texts := []string{"=1", "+49", "-1", "@x", "\tx", "\rx", "'x", "x=1", "", "=\"a\",b"}
	batch := textBatch(t, texts...)
	defer batch.Release()
	for _, c := range []struct {
		escape bool
		want   string
	}{
		{true, "text\r\n'=1\r\n'+49\r\n'-1\r\n'@x\r\n'\tx\r\n\"'\rx\"\r\n''x\r\nx=1\r\n\"\"\r\n\"'=\"\"a\"\",b\"\r\n"},
		{false, "text\r\n=1\r\n+49\r\n-1\r\n@x\r\n\tx\r\n\"\rx\"\r\n'x\r\nx=1\r\n\"\"\r\n\"=\"\"a\"\",b\"\r\n"},
	} {
		_, parts := write(t, sinks.FileOptions{Format: sinks.FormatCSV, EscapeFormulas: c.escape}, batch)
		if diff := cmp.Diff(c.want, string(content(t, parts[0]))); diff != "" {
			t.Errorf("escape %v: -want +got:\n%s", c.escape, diff)
		}
	}
}
