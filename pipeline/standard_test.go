package pipeline

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var archivedAt = time.Date(2026, 11, 24, 1, 2, 3, 4000, time.UTC)

// contractColumns is the order that readers of the archive rely on.
var contractColumns = []struct {
	name string
	t    Type
}{
	{"job_id", TypeUTF8},
	{"org_id", TypeUTF8},
	{"extractor_id", TypeUTF8},
	{"status", TypeUTF8},
	{"mime_type", TypeUTF8},
	{"file_size_bytes", TypeInt64},
	{"document_url", TypeUTF8},
	{"processing_time_ms", TypeInt64},
	{"cost_credits", TypeFloat64},
	{"error_code", TypeUTF8},
	{"error_message", TypeUTF8},
	{"created_at", TypeTimestamp},
	{"started_at", TypeTimestamp},
	{"completed_at", TypeTimestamp},
	{"archived_at", TypeTimestamp},
	{"run_id", TypeUTF8},
}

func TestOrderOfColumns(t *testing.T) {
	h := newHarness(t, nil)
	defer h.close()
	h.rowsOf(jobText("j", `{"zeta":1,"alpha":1,"org_id":1}`, `{"zeta":1,"alpha":1}`, `{"b":"1","a":"1"}`))
	h.rowsOf(jobText("j", `{"beta":1,"alpha":"x"}`, `{"beta":1}`, `null`))
	columns := h.books["jobs"].Schema().Columns
	for i, want := range contractColumns {
		if c := columns[i]; c.Name != want.name || c.Type != want.t || c.FieldID != i+1 {
			t.Errorf("column %d is %+v, want %s", i, c, want.name)
		}
	}
	var rest []string
	for _, c := range columns[len(contractColumns):] {
		rest = append(rest, c.Name)
	}
	want := []string{
		"alpha", "alpha__text", "beta", "data__org_id", "zeta",
		"confidence__alpha", "confidence__beta", "confidence__zeta", "metadata__a", "metadata__b",
	}
	if diff := cmp.Diff(want, rest); diff != "" {
		t.Errorf("columns (-want +got): %s", diff)
	}
}

func TestStandardColumns(t *testing.T) {
	h := newHarness(t, nil)
	defer h.close()
	got := h.rowsOf(`{"id":"job_1","org_id":"org_1","extractor_id":"ext_1","status":"failed","mime_type":"application/pdf",
		"file_size_bytes":123456789012,"document_url":"https://h/d","processing_time_ms":2500,"cost_credits":1.5,
		"error_details":{"code":"timeout","message":"too slow","more":{"x":1}},"created_at":"2026-01-02T03:04:05.000006Z",
		"started_at":"2026-01-02T04:04:06+01:00","completed_at":"2026-01-02T03:04:07Z","archived_at":"x","run_id":"y",
		"unknown":{"a":1},"extracted_data":null}`)["jobs"]
	want := []cells{{
		"job_id": "job_1", "org_id": "org_1", "extractor_id": "ext_1", "status": "failed", "mime_type": "application/pdf",
		"file_size_bytes": "123456789012", "document_url": "https://h/d", "processing_time_ms": "2500", "cost_credits": "1.5",
		"error_code": "timeout", "error_message": "too slow", "created_at": "2026-01-02T03:04:05.000006Z",
		"started_at": "2026-01-02T03:04:06Z", "completed_at": "2026-01-02T03:04:07Z",
		"archived_at": "2026-11-24T01:02:03.000004Z", "run_id": "run-1",
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("row (-want +got): %s", diff)
	}
}

func TestStandardColumnsOfOtherTypes(t *testing.T) {
	h := newHarness(t, nil)
	defer h.close()
	got := h.rowsOf(`{"id":"j","org_id":5,"extractor_id":["e"],"status":"failed","mime_type":true,
		"file_size_bytes":"12 kB","document_url":{"u":1},"processing_time_ms":2.5,"cost_credits":"1.5",
		"error_details":{"code":404,"message":null},"created_at":"2026-01-02T03:04:05Z",
		"started_at":1767323046,"completed_at":"yesterday"}`)["jobs"]
	want := []cells{{
		"job_id": "j", "status": "failed", "created_at": "2026-01-02T03:04:05Z",
		"archived_at": "2026-11-24T01:02:03.000004Z", "run_id": "run-1",
		"org_id__text": "5", "extractor_id__text": `["e"]`, "mime_type__text": "true", "file_size_bytes__text": "12 kB",
		"document_url__text": `{"u":1}`, "processing_time_ms__text": "2.5", "cost_credits__text": "1.5",
		"error_code__text": "404", "started_at__text": "1767323046", "completed_at__text": "yesterday",
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("row (-want +got): %s", diff)
	}
}

func TestErrorDetails(t *testing.T) {
	for details, want := range map[string]cells{
		`null`:                     {},
		`{}`:                       {},
		`"out of memory"`:          {"error_message__text": "out of memory"},
		`["a"]`:                    {"error_message__text": `["a"]`},
		`{"message":"m"}`:          {"error_message": "m"},
		`{"code":"c","message":7}`: {"error_code": "c", "error_message__text": "7"},
	} {
		h := newHarness(t, nil)
		got := h.rowsOf(`{"id":"j","status":"failed","created_at":"2026-01-02T03:04:05Z","error_details":` + details + `}`)
		if diff := cmp.Diff(want, got["jobs"][0].fields()); diff != "" {
			t.Errorf("%s (-want +got): %s", details, diff)
		}
		h.close()
	}
}

func TestCreatedAtFinerThanAMicrosecond(t *testing.T) {
	for text, want := range map[string][2]string{
		"2026-01-02T03:04:05.123456Z":       {"2026-01-02T03:04:05.123456Z", ""},
		"2026-01-02T03:04:05.1234569Z":      {"2026-01-02T03:04:05.123456Z", "2026-01-02T03:04:05.1234569Z"},
		"2026-01-02T03:04:05.0000000009Z":   {"2026-01-02T03:04:05Z", "2026-01-02T03:04:05.0000000009Z"},
		"2026-01-02T05:04:05.5+02:00":       {"2026-01-02T03:04:05.5Z", ""},
		"2026-01-02T03:04:05.123456000000Z": {"2026-01-02T03:04:05.123456Z", ""},
	} {
		h := newHarness(t, nil)
		row := h.rowsOf(`{"id":"j","status":"failed","created_at":"` + text + `"}`)["jobs"][0]
		if got := [2]string{row["created_at"], row["created_at__text"]}; got != want {
			t.Errorf("%s became %q, want %q", text, got, want)
		}
		h.close()
	}
}

func TestNamesOfStandardColumnsAsFields(t *testing.T) {
	h := newHarness(t, nil)
	defer h.close()
	data := "{"
	want := cells{}
	for i, c := range contractColumns {
		if i > 0 {
			data += ","
		}
		data += `"` + c.name + `":"field"`
		want["data__"+c.name] = "field"
	}
	if diff := cmp.Diff([]cells{want}, h.dataOf(data + "}")["jobs"]); diff != "" {
		t.Errorf("row (-want +got): %s", diff)
	}
}
