package docextract_test

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/docextract/docextracttest"
)

func TestQueryValues(t *testing.T) {
	half, tiny := 0.5, 0.00000125
	zone := time.FixedZone("", 2*60*60)
	for name, c := range map[string]struct {
		query docextract.Query
		want  string
	}{
		"nothing":    {docextract.Query{}, ""},
		"extractor":  {docextract.Query{ExtractorID: "ext a&b"}, "extractor_id=ext+a%26b"},
		"status":     {docextract.Query{Status: docextract.StatusFailed}, "status=failed"},
		"after":      {docextract.Query{CreatedAfter: time.Date(2026, 1, 2, 3, 4, 5, 6000, zone)}, "created_after=2026-01-02T01%3A04%3A05.000006Z"},
		"before":     {docextract.Query{CreatedBefore: start}, "created_before=2026-11-24T11%3A30%3A00Z"},
		"confidence": {docextract.Query{MinConfidence: &half}, "min_confidence=0.5"},
		"tiny":       {docextract.Query{MinConfidence: &tiny}, "min_confidence=0.00000125"},
		"page":       {docextract.Query{Limit: 200, Offset: 400}, "limit=200&offset=400"},
		"metadata":   {docextract.Query{Metadata: map[string]string{"a b": "c=d", "e": ""}}, "metadata%5Ba+b%5D=c%3Dd&metadata%5Be%5D="},
	} {
		if got := c.query.Values().Encode(); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// TestListingFilters asks the simulator with each filter and compares with a
// listing of everything.
func TestListingFilters(t *testing.T) {
	sim, client := simulated(t, docextracttest.Config{Jobs: 150, Failed: 0.3})
	ctx := context.Background()
	list := func(q docextract.Query) *docextract.Page {
		t.Helper()
		q.Limit = 200
		page, err := client.List(ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		return page
	}
	all := list(docextract.Query{})
	if len(all.Jobs) != 150 || all.Total != 150 || all.Limit != 200 || !all.Date.Equal(start) || all.Size == 0 || all.Items() != 150 {
		t.Fatalf("%d jobs, total %d, limit %d, date %v, %d bytes", len(all.Jobs), all.Total, all.Limit, all.Date, all.Size)
	}
	high, since, until := 0.9, all.Jobs[100].CreatedAt, all.Jobs[20].CreatedAt
	type raw struct {
		Confidence map[string]float64
		Metadata   map[string]string
	}
	read := func(j docextract.Job) (r raw) {
		if err := json.Unmarshal(j.Raw, &r); err != nil {
			t.Fatal(err)
		}
		return r
	}
	key := "department" // one of four for every job
	value := read(all.Jobs[0]).Metadata[key]
	for name, c := range map[string]struct {
		query docextract.Query
		keep  func(docextract.Job) bool
	}{
		"extractor": {docextract.Query{ExtractorID: all.Jobs[0].ExtractorID}, func(j docextract.Job) bool { return j.ExtractorID == all.Jobs[0].ExtractorID }},
		"status":    {docextract.Query{Status: docextract.StatusFailed}, func(j docextract.Job) bool { return j.Status == docextract.StatusFailed }},
		"after":     {docextract.Query{CreatedAfter: since}, func(j docextract.Job) bool { return !j.CreatedAt.Before(since) }},
		"before":    {docextract.Query{CreatedBefore: until}, func(j docextract.Job) bool { return !j.CreatedAt.After(until) }},
		"confidence": {docextract.Query{MinConfidence: &high}, func(j docextract.Job) bool {
			sum, n := 0.0, 0.0
			for _, c := range read(j).Confidence {
				sum, n = sum+c, n+1
			}
			return n > 0 && sum/n >= high
		}},
		"metadata": {docextract.Query{Metadata: map[string]string{key: value}}, func(j docextract.Job) bool { return read(j).Metadata[key] == value }},
		"offset":   {docextract.Query{Offset: 149}, func(j docextract.Job) bool { return j.ID == all.Jobs[149].ID }},
	} {
		var wanted []docextract.Job
		for _, j := range all.Jobs {
			if c.keep(j) {
				wanted = append(wanted, j)
			}
		}
		got := list(c.query)
		if diff := cmp.Diff(ids(wanted), ids(got.Jobs)); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", name, diff)
		}
		if len(wanted) == 0 || len(wanted) == 150 {
			t.Errorf("%s: selects %d jobs, which shows nothing", name, len(wanted))
		}
	}
	turn(t, sim, "unknown_params=refuse")
	list(docextract.Query{ExtractorID: "x", Status: docextract.StatusQueued, CreatedAfter: start, CreatedBefore: start, MinConfidence: &high, Offset: 1})
}

// TestTotals shows what of the forms of a total is taken for a count.
func TestTotals(t *testing.T) {
	for text, total := range map[string]int64{
		`"total":0`: 0, `"total":12`: 12, `"total":9223372036854775807`: 9223372036854775807,
		`"x":1`: -1, `"total":null`: -1, `"total":"12"`: -1, `"total":-1`: -1, `"total":1.5`: -1, `"total":12.0`: -1,
		`"total":1e3`: -1, `"total":1e400`: -1, `"total":9223372036854775808`: -1, `"total":true`: -1, `"total":[1]`: -1, `"total":{}`: -1,
	} {
		for _, body := range []string{`{"jobs":[],` + text + `}`, `{` + text + `,"jobs":[]}`} {
			page, err := docextract.ParsePage([]byte(body))
			if err != nil || page.Total != total {
				t.Errorf("%s: %+v, %v, want total %d", body, page, err, total)
			}
		}
	}
	sim, client := simulated(t, docextracttest.Config{Jobs: 30})
	for _, c := range []struct {
		knob  string
		total int64
	}{
		{"exact", 30}, {"missing", -1}, {"null", -1}, {"string", -1}, {"negative", -1}, {"page", 10}, {"capped=20", 20}, {"short", 29}, {"high", 31},
	} {
		turn(t, sim, "total="+c.knob)
		page, err := client.List(context.Background(), docextract.Query{Limit: 10})
		if err != nil || page.Total != c.total || len(page.Jobs) != 10 {
			t.Errorf("total=%s: %+v, %v", c.knob, page, err)
		}
	}
	page, err := docextract.ParsePage([]byte(`{"jobs":null,"total":3}`))
	if err != nil || page.Items() != 0 || page.Total != 3 {
		t.Errorf("null for no jobs: %+v, %v", page, err)
	}
	turn(t, sim, "null_jobs=on", "total=exact")
	page, err = client.List(context.Background(), docextract.Query{Offset: 30})
	if err != nil || page.Items() != 0 || page.Total != 30 {
		t.Errorf("null for no jobs: %+v, %v", page, err)
	}
}

func TestParsePage(t *testing.T) {
	good := `{"id":"job_1","extractor_id":"ext_1","status":"completed","created_at":"2026-11-24T12:30:00.25+01:00","x":[1]}`
	page, err := docextract.ParsePage([]byte(` {"limit":7,"jobs":[` + good + `, 5 ,null,{"id":"job_2"},` + good + `],"offset":0,"total":9} `))
	if err != nil {
		t.Fatal(err)
	}
	job := docextract.Job{ID: "job_1", ExtractorID: "ext_1", Status: docextract.StatusCompleted, CreatedAt: start.Add(250 * time.Millisecond), Raw: []byte(good)}
	if diff := cmp.Diff([]docextract.Job{job, job}, page.Jobs); diff != "" {
		t.Errorf("jobs (-want +got)\n%s", diff)
	}
	bad := []docextract.Malformed{
		{Raw: []byte("5"), Reason: "not an object"},
		{Raw: []byte("null"), Reason: "not an object"},
		{Raw: []byte(`{"id":"job_2"}`), Reason: "status is missing"},
	}
	if diff := cmp.Diff(bad, page.Malformed); diff != "" {
		t.Errorf("malformed (-want +got)\n%s", diff)
	}
	if page.Total != 9 || page.Limit != 7 || page.Items() != 5 {
		t.Errorf("%+v", page)
	}
	for name, body := range map[string]string{
		"empty": ``, "white": " \n", "cut": `{"jobs":[`, "cut string": `{"jobs":[{"id":"job`, "trailing": `{"jobs":[]} {"jobs":[]}`,
		"list": `[]`, "null": `null`, "no jobs": `{"total":0}`, "twice": `{"jobs":[],"jobs":[]}`, "twice, one null": `{"jobs":null,"jobs":[]}`,
		"jobs an object": `{"jobs":{}}`, "jobs a string": `{"jobs":"[]"}`, "HTML": `<html>`, "comma": `{"jobs":[],}`,
		"bad total": `{"jobs":[],"total":01}`, "nested without end": `{"jobs":[` + strings.Repeat("[", 100_000),
	} {
		if page, err := docextract.ParsePage([]byte(body)); err == nil {
			t.Errorf("%s: %+v", name, page)
		}
	}
}

func TestParseJob(t *testing.T) {
	const rest = `,"extractor_id":"e","status":"queued","created_at":"2026-11-24T11:30:00Z"}`
	for name, c := range map[string]struct{ raw, problem string }{
		"good":              {`{"id":"a"` + rest, ""},
		"escaped id":        {`{"id":"\u0061"` + rest, ""},
		"no extractor":      {`{"id":"a","extractor_id":null,"status":"queued","created_at":"2026-11-24T11:30:00Z"}`, ""},
		"unknown status":    {`{"id":"a","status":"paused","created_at":"2026-11-24T11:30:00Z"}`, ""},
		"case of keys":      {`{"ID":"a"` + rest, "id is missing"},
		"null id":           {`{"id":null` + rest, "id is missing"},
		"numeric id":        {`{"id":7` + rest, "id is not a string"},
		"empty id":          {`{"id":""` + rest, "id is empty"},
		"half a character":  {`{"id":"\ud800"` + rest, "id is not valid Unicode"},
		"id twice":          {`{"id":"a","id":"b"` + rest, `the key "id" stands twice`},
		"status twice":      {`{"id":"a","status":"failed"` + rest, `the key "status" stands twice`},
		"status an object":  {`{"id":"a","status":{},"created_at":"2026-11-24T11:30:00Z"}`, "status is not a string"},
		"no created_at":     {`{"id":"a","status":"queued"}`, "created_at is missing"},
		"no zone":           {`{"id":"a","status":"queued","created_at":"2026-11-24T11:30:00"}`, "created_at is not an RFC 3339 time"},
		"Unix time":         {`{"id":"a","status":"queued","created_at":1790000000}`, "created_at is not a string"},
		"year 9999":         {`{"id":"a","status":"queued","created_at":"9999-12-31T23:59:59Z"}`, "created_at is not between the years 2000 and 2200"},
		"echoed key":        {`{"id":"a","status":"queued","created_at":"` + testKey + `"}`, "created_at is not an RFC 3339 time"},
		"a list":            {`[]`, "not an object"},
		"not JSON":          {`{"id"}`, "expected ':'"},
		"data after it":     {`{"id":"a"` + rest + `{}`, "data after"},
		"twin keys within":  {`{"id":"a","x":{"id":1,"id":2}` + rest, ""},
		"deep, but no more": {`{"id":"a","x":` + strings.Repeat("[", 500) + strings.Repeat("]", 500) + rest, ""},
	} {
		job, err := docextract.ParseJob([]byte(c.raw))
		switch {
		case c.problem == "":
			if err != nil || job.ID != "a" || string(job.Raw) != c.raw {
				t.Errorf("%s: %+v, %v", name, job, err)
			}
		case err == nil || !strings.Contains(err.Error(), c.problem):
			t.Errorf("%s: %v, want %s", name, err, c.problem)
		default:
			mute(t, err)
		}
	}
	for status, final := range map[docextract.Status]bool{"queued": false, "processing": false, "completed": true, "failed": true, "Completed": false} {
		if status.Final() != final || status.Known() == (status == "Completed") {
			t.Errorf("%s: final %v, known %v", status, status.Final(), status.Known())
		}
	}
}

// TestPagesKeepEveryElement: whatever the elements are, each is kept as it was.
func TestPagesKeepEveryElement(t *testing.T) {
	elements := []string{
		`{"id":"a","status":"failed","created_at":"2026-11-24T11:30:00Z"}`, `{"id":1}`, `[[]]`, `"\ud800"`, `-1.5e+7`, `null`,
		`{"id":"b","status":"s","created_at":"2026-11-24T11:30:00Z","extracted_data":{"a":{"":[]}}}`,
	}
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOf(rapid.SampledFrom(elements)).Draw(t, "elements")
		page, err := docextract.ParsePage([]byte(`{"jobs":[` + strings.Join(list, " , ") + `]}`))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, j := range page.Jobs {
			got = append(got, string(j.Raw))
		}
		for _, m := range page.Malformed {
			got = append(got, string(m.Raw))
		}
		slices.Sort(got)
		slices.Sort(list)
		if !slices.Equal(got, list) {
			t.Fatalf("%q, want %q", got, list)
		}
	})
}

func TestJob(t *testing.T) {
	sim, client := simulated(t, docextracttest.Config{Jobs: 3})
	page, err := client.List(context.Background(), docextract.Query{})
	if err != nil {
		t.Fatal(err)
	}
	job, err := client.Job(context.Background(), page.Jobs[1].ID)
	if err != nil || string(job.Raw) != string(page.Jobs[1].Raw) {
		t.Errorf("%+v, %v", job, err)
	}
	before := sim.Requests()
	if _, err := client.Job(context.Background(), "job_none"); !docextract.NotFound(err) {
		t.Errorf("a job that is not there: %v", err)
	}
	if n := sim.Requests() - before; n != 1 {
		t.Errorf("asked %d times for a job that is not there", n)
	}
}

func TestJobIDsStayInTheirPath(t *testing.T) {
	var path string
	r := newRig(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		path = req.URL.EscapedPath()
		answering(http.StatusNotFound, "").ServeHTTP(w, req)
	}))
	for id, wanted := range map[string]string{"a/../b?c#d %": "/v1/documents/a%2F..%2Fb%3Fc%23d%20%25", "..": "", ".": "", "": ""} {
		path = ""
		if _, err := r.client.Job(context.Background(), id); err == nil || path != wanted {
			t.Errorf("id %q: asked for %q, want %q; %v", id, path, wanted, err)
		}
	}
	other := newRig(t, answering(http.StatusOK, `{"id":"job_2","status":"queued","created_at":"2026-11-24T11:30:00Z"}`))
	if _, err := other.client.Job(context.Background(), "job_1"); err == nil {
		t.Error("another job was taken for the one asked for")
	}
}
