package pipeline

import (
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/google/go-cmp/cmp"

	"github.com/adteco/docarchive/docextract"
)

// cells are a row's values by column name, nulls left out, as text.
type cells map[string]string

// rowsOf flattens jobs and returns the rows of every dataset.
func (h *harness) rowsOf(jobs ...string) map[string][]cells {
	for _, text := range jobs {
		job, err := docextract.ParseJob([]byte(text))
		if err != nil {
			h.Fatalf("%s: %v", text, err)
		}
		if err := h.f.Append(&job); err != nil {
			h.Fatalf("%s: %v", text, err)
		}
	}
	batches, err := h.f.Batches(archivedAt, "run-1")
	if err != nil {
		h.Fatal(err)
	}
	rows := map[string][]cells{}
	for _, b := range batches {
		h.checkSchema(b)
		for i := range int(b.Record.NumRows()) {
			row := cells{}
			for c, field := range b.Record.Schema().Fields() {
				switch column := b.Record.Column(c).(type) {
				case *array.Timestamp:
					if column.IsValid(i) {
						row[field.Name] = column.Value(i).ToTime(arrow.Microsecond).Format(time.RFC3339Nano)
					}
				default:
					if column.IsValid(i) {
						row[field.Name] = column.ValueStr(i)
					}
				}
			}
			rows[b.Dataset] = append(rows[b.Dataset], row)
		}
		b.Record.Release()
	}
	return rows
}

// fields returns the row less the standard columns that every test job has.
func (c cells) fields() cells {
	for _, name := range []string{ColumnJobID, ColumnStatus, ColumnCreatedAt, ColumnArchivedAt, ColumnRunID} {
		delete(c, name)
	}
	return c
}

// dataOf flattens jobs with that extracted_data and returns their rows' fields.
func (h *harness) dataOf(data ...string) map[string][]cells {
	jobs := make([]string, len(data))
	for i, d := range data {
		jobs[i] = jobText("job", d, "null", "null")
	}
	rows := h.rowsOf(jobs...)
	for _, all := range rows {
		for _, row := range all {
			row.fields()
		}
	}
	return rows
}

// typeOf returns the type of a column of the pipeline's own dataset.
func (h *harness) typeOf(name string) Type {
	for _, c := range h.books["jobs"].Schema().Columns {
		if c.Name == name {
			return c.Type
		}
	}
	return ""
}

func TestTypesAsSeen(t *testing.T) {
	h := newHarness(t, nil)
	defer h.close()
	got := h.dataOf(`{"s":"x","n":1.50,"t":true,"f":false,"z":null,"a":[1, "x"],"e":{},"o":{"p":{"q":1}}}`)["jobs"]
	want := []cells{{
		"s": "x", "n": "1.5", "t": "true", "f": "false", "a": `[1, "x"]`, "e": "{}", "o__p__q": "1",
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("row (-want +got): %s", diff)
	}
	for name, want := range map[string]Type{
		"s": TypeUTF8, "n": TypeFloat64, "t": TypeBool, "a": TypeJSON, "e": TypeJSON, "o__p__q": TypeFloat64, "z": "",
	} {
		if got := h.typeOf(name); got != want {
			t.Errorf("column %s is %q, want %q", name, got, want)
		}
	}
}

func TestMisfitsGoToTheSibling(t *testing.T) {
	for _, c := range []struct {
		first   string // gives the column x its type
		misfits map[string]string
	}{
		{`"text"`, map[string]string{
			`1`: "1", `1.50`: "1.50", `true`: "true", `[1, 2]`: "[1, 2]", `{}`: "{}", `"\ud800"`: `"\ud800"`,
		}},
		{`1`, map[string]string{
			`"1"`: "1", `"x"`: "x", `false`: "false", `1e400`: "1e400", `0.10000000000000000001`: "0.10000000000000000001",
			`[]`: "[]", `""`: "",
		}},
		{`true`, map[string]string{`"true"`: "true", `0`: "0", `[true]`: "[true]"}},
		{`[1]`, map[string]string{`"[1]"`: "[1]", `1`: "1", `true`: "true"}},
		{`{}`, map[string]string{`"{}"`: "{}", `1`: "1"}},
	} {
		for misfit, text := range c.misfits {
			h := newHarness(t, nil)
			before := h.dataOf(`{"x":` + c.first + `}`)["jobs"][0]["x"]
			was := h.typeOf("x")
			got := h.dataOf(`{"x":`+misfit+`}`, `{"x":`+c.first+`}`)["jobs"]
			if diff := cmp.Diff([]cells{{"x__text": text}, {"x": before}}, got); diff != "" {
				t.Errorf("%s beside %s (-want +got): %s", misfit, c.first, diff)
			}
			if is := h.typeOf("x"); is != was || was == "" {
				t.Errorf("%s made the column %q of type %q", misfit, was, is)
			}
			h.close()
		}
	}
}

func TestObjectBesideScalar(t *testing.T) {
	h := newHarness(t, nil)
	defer h.close()
	got := h.dataOf(`{"x":1}`, `{"x":{"y":2}}`, `{"x":{}}`)["jobs"]
	want := []cells{{"x": "1"}, {"x__y": "2"}, {"x__text": "{}"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-want +got): %s", diff)
	}
}

func TestConfidenceAndMetadataHaveTheirTypes(t *testing.T) {
	h := newHarness(t, nil)
	defer h.close()
	got := h.rowsOf(
		jobText("1", `null`, `{"a":"high","b":0.5,"c":{"d":1}}`, `{"k":"v","n":1.0,"o":{"p":[]},"b":null}`),
		jobText("2", `null`, `0.5`, `["x"]`),
		jobText("3", `null`, `{}`, `{}`))["jobs"]
	for _, row := range got {
		row.fields()
	}
	want := []cells{{
		"confidence__a__text": "high", "confidence__b": "0.5", "confidence__c__d": "1",
		"metadata__k": "v", "metadata__n__text": "1.0", "metadata__o__text": `{"p":[]}`,
	}, {
		"confidence__": "0.5", "metadata____text": `["x"]`,
	}, {}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-want +got): %s", diff)
	}
	if h.typeOf("confidence__a") != TypeFloat64 || h.typeOf("metadata__n") != TypeUTF8 {
		t.Error("the types of the groups depend on what is seen")
	}
}
