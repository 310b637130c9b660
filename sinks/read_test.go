package sinks_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"math/big"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/ipc"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go"

	"github.com/adteco/docarchive/pipeline"
	"github.com/adteco/docarchive/sinks/sinktest"
)

// content returns a part's bytes without their outer compression.
func content(t testing.TB, part pipeline.Part) []byte {
	t.Helper()
	raw, err := os.ReadFile(part.Spool)
	if err != nil {
		t.Fatal(err)
	}
	var r io.Reader = bytes.NewReader(raw)
	switch {
	case strings.HasSuffix(part.Path, ".gz"):
		r, err = gzip.NewReader(r)
	case strings.HasSuffix(part.Path, ".zst"):
		var z *zstd.Decoder
		if z, err = zstd.NewReader(r); err == nil {
			defer z.Close()
			r = z
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

// readCSV uses encoding/csv, which does not tell an empty field from "". So
// every "" is made a marker first, which is safe: outside of quotes it stands
// for the empty text only, and a quote within a text is never next to a border.
func readCSV(t testing.TB, part pipeline.Part, schema *arrow.Schema) []sinktest.Row {
	t.Helper()
	const marker = "\x00empty\x00"
	r := csv.NewReader(strings.NewReader(markEmpty(string(content(t, part)), marker)))
	lines, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	rows := make([]sinktest.Row, 0, len(lines))
	for _, line := range lines[1:] {
		row := sinktest.Row{}
		for i, text := range line {
			// encoding/csv turns CR LF within a text into LF; see markEmpty.
			text = strings.ReplaceAll(text, "\x00cr\x00", "\r")
			switch {
			case text == marker:
				row[lines[0][i]] = ""
			case text != "":
				row[lines[0][i]] = canonical(t, schema, lines[0][i], text)
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// markEmpty walks over the fields and marks empty quoted ones and carriage
// returns within quotes.
func markEmpty(text, marker string) string {
	var out strings.Builder
	quoted, start := false, true
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case !quoted && c == '"' && start && strings.HasPrefix(text[i:], `""`) && !strings.HasPrefix(text[i:], `"""`):
			out.WriteString(marker)
			i++
			continue
		case c == '"':
			quoted = !quoted
		case quoted && c == '\r':
			out.WriteString("\x00cr\x00")
			continue
		}
		start = !quoted && (c == ',' || c == '\n')
		out.WriteByte(c)
	}
	return out.String()
}

// canonical turns the text of a CSV field or a JSON number into the suite's.
func canonical(t testing.TB, schema *arrow.Schema, name, text string) string {
	t.Helper()
	fields, ok := schema.FieldsByName(name)
	if !ok {
		t.Fatalf("column %q is in the file but not in the schema", name)
	}
	switch fields[0].Type.(type) {
	case *arrow.Float64Type:
		return canonicalFloat(t, text)
	case *arrow.ListType:
		var elements []any
		decode(t, []byte(text), &elements)
		return canonicalList(t, fields[0].Type, elements)
	default:
		return text
	}
}

func canonicalFloat(t testing.TB, text string) string {
	t.Helper()
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return sinktest.FloatText(v)
}

func canonicalList(t testing.TB, dt arrow.DataType, elements []any) string {
	t.Helper()
	texts := make([]*string, len(elements))
	for i, e := range elements {
		if e == nil {
			continue
		}
		text := canonicalJSON(t, dt.(*arrow.ListType).Elem(), e)
		texts[i] = &text
	}
	return sinktest.ListText(texts)
}

func canonicalJSON(t testing.TB, dt arrow.DataType, v any) string {
	t.Helper()
	switch v := v.(type) {
	case json.Number:
		if dt.ID() == arrow.FLOAT64 {
			return canonicalFloat(t, v.String())
		}
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	case string:
		return v
	case []any:
		return canonicalList(t, dt, v)
	default:
		t.Fatalf("JSON holds a %T", v)
		return ""
	}
}

func decode(t testing.TB, text []byte, into any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Token(); err != io.EOF {
		t.Fatalf("more follows the JSON value: %v", err)
	}
}

func readJSON(t testing.TB, part pipeline.Part, schema *arrow.Schema) []sinktest.Row {
	t.Helper()
	var objects []map[string]any
	decode(t, content(t, part), &objects)
	return rowsOfObjects(t, objects, schema)
}

func readJSONL(t testing.TB, part pipeline.Part, schema *arrow.Schema) []sinktest.Row {
	t.Helper()
	var objects []map[string]any
	for line := range bytes.Lines(content(t, part)) {
		var object map[string]any
		decode(t, line, &object)
		objects = append(objects, object)
	}
	return rowsOfObjects(t, objects, schema)
}

func rowsOfObjects(t testing.TB, objects []map[string]any, schema *arrow.Schema) []sinktest.Row {
	t.Helper()
	rows := make([]sinktest.Row, len(objects))
	for i, object := range objects {
		rows[i] = sinktest.Row{}
		for name, v := range object {
			fields, ok := schema.FieldsByName(name)
			if !ok || v == nil {
				t.Fatalf("member %q: %v", name, v)
			}
			rows[i][name] = canonicalJSON(t, fields[0].Type, v)
		}
	}
	return rows
}

func readArrow(t testing.TB, part pipeline.Part, _ *arrow.Schema) []sinktest.Row {
	t.Helper()
	r, err := ipc.NewFileReader(bytes.NewReader(content(t, part)))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var rows []sinktest.Row
	for i := range r.NumRecords() {
		batch, err := r.Record(i)
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, sinktest.RowsOf(batch)...)
	}
	return rows
}

// readParquet reads row by row with parquet-go's generic reader.
func readParquet(t testing.TB, part pipeline.Part, schema *arrow.Schema) []sinktest.Row {
	t.Helper()
	raw := content(t, part)
	file, err := parquet.OpenFile(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	leaves := file.Schema().Columns()
	var rows []sinktest.Row
	for _, group := range file.RowGroups() {
		reader := group.Rows()
		buffer := make([]parquet.Row, 64)
		for {
			n, err := reader.ReadRows(buffer)
			for _, row := range buffer[:n] {
				rows = append(rows, rowOf(t, row, leaves, schema))
			}
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := reader.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return rows
}

func rowOf(t testing.TB, row parquet.Row, leaves [][]string, schema *arrow.Schema) sinktest.Row {
	t.Helper()
	out := sinktest.Row{}
	for column, values := range row.Range {
		name := leaves[column][0]
		fields, ok := schema.FieldsByName(name)
		if !ok {
			t.Fatalf("column %q is in the file but not in the schema", name)
		}
		list, isList := fields[0].Type.(*arrow.ListType)
		switch {
		case isList && values[0].DefinitionLevel() > 0:
			elements := []*string{}
			for _, v := range values {
				if v.DefinitionLevel() == 1 {
					continue // an empty list
				}
				var text *string
				if !v.IsNull() {
					s := parquetText(v, list.Elem())
					text = &s
				}
				elements = append(elements, text)
			}
			out[name] = sinktest.ListText(elements)
		case !isList && !values[0].IsNull():
			out[name] = parquetText(values[0], fields[0].Type)
		}
	}
	return out
}

func parquetText(v parquet.Value, dt arrow.DataType) string {
	switch dt := dt.(type) {
	case *arrow.Int64Type:
		return strconv.FormatInt(v.Int64(), 10)
	case *arrow.Float64Type:
		return sinktest.FloatText(v.Double())
	case *arrow.BooleanType:
		return strconv.FormatBool(v.Boolean())
	case *arrow.Date32Type:
		return time.Unix(int64(v.Int32())*86_400, 0).UTC().Format(time.DateOnly)
	case *arrow.TimestampType:
		return sinktest.TimeText(time.UnixMicro(v.Int64()))
	case *arrow.Decimal128Type:
		return sinktest.ScaledText(unscaled(v), int(dt.Scale))
	default:
		return string(v.ByteArray())
	}
}

func unscaled(v parquet.Value) *big.Int {
	switch v.Kind() {
	case parquet.Int32:
		return big.NewInt(int64(v.Int32()))
	case parquet.Int64:
		return big.NewInt(v.Int64())
	}
	n := new(big.Int).SetBytes(v.ByteArray())
	if len(v.ByteArray()) > 0 && v.ByteArray()[0] >= 0x80 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(v.ByteArray()))))
	}
	return n
}
