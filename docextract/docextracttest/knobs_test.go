package docextracttest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/adteco/docarchive/docextract/docextracttest"
	"github.com/google/go-cmp/cmp"
)

// knobCase is a knob's value and what a probe of the server says with it.
type knobCase struct {
	knob, value string
	probe       func(w *world) string
	before      string // the probe's answer at the default
	after       string // and at the value; "*" is anything else than before
}

func listProbe(query string) func(w *world) string {
	return func(w *world) string { return strings.Join(ids(w.t, w.list(query).Jobs), " ") }
}

func countProbe(query string) func(w *world) string {
	return func(w *world) string { return fmt.Sprint(len(w.list(query).Jobs)) }
}

func totalProbe(w *world) string { return string(w.list("limit=1").Total) }

func statusProbe(query string) func(w *world) string {
	return func(w *world) string { return fmt.Sprint(w.get("/v1/documents?" + query).Code) }
}

func headerProbe(name string) func(w *world) string {
	return func(w *world) string { return w.get("/v1/credits").Header().Get(name) }
}

// bodyProbe reports whether the listing contains the text.
func bodyProbe(query, text string) func(w *world) string {
	return func(w *world) string {
		return fmt.Sprint(strings.Contains(w.get("/v1/documents?"+query).Body.String(), text))
	}
}

// stable reports whether two identical requests give the same order.
func stable(w *world) string {
	probe := listProbe("limit=200")
	first, second := probe(w), probe(w)
	return fmt.Sprint(first == second)
}

func firstFile(w *world) string {
	rec := w.file(read(w.t, w.list("limit=1").Jobs[0]).URL)
	return fmt.Sprint(rec.Code, " ", rec.Header().Get("Content-Type"), " ", rec.Body.Len() > 100)
}

func post(w *world) string {
	status, _ := w.submit(submission("ext_form", "hello", `{}`))
	return fmt.Sprint(status)
}

// resolutionProbe says how long a created_at is, and how many jobs of the burst
// lie between its first moment and its first moment.
func resolutionProbe(w *world) string {
	bySecond := map[time.Time]int{}
	var begin time.Time
	for _, j := range w.truth() {
		second := j.CreatedAt.Truncate(time.Second)
		if bySecond[second]++; bySecond[second] > bySecond[begin] {
			begin = second
		}
	}
	p := w.list("limit=200&" + after(begin) + "&" + before(begin))
	var sent struct {
		CreatedAt string `json:"created_at"`
	}
	if err := json.Unmarshal(p.Jobs[0], &sent); err != nil {
		w.t.Fatal(err)
	}
	return fmt.Sprint(len(sent.CreatedAt), " ", len(p.Jobs))
}

// edgeProbe says how many jobs lie between a job's created_at and itself, and
// how many between the second before and it.
func edgeProbe(w *world) string {
	w.sim.AddRaw(start.Add(-time.Hour), []byte(`{"id":"job_edge","status":"completed","created_at":"2026-11-24T10:30:00Z"}`))
	edge := start.Add(-time.Hour)
	return countProbe(after(edge)+"&"+before(edge.Add(time.Nanosecond)))(w) + " " +
		countProbe(after(edge.Add(-time.Second))+"&"+before(edge))(w)
}

func knobCases() []knobCase {
	late := after(start.Add(-12 * time.Hour).Add(time.Minute))
	return slices.Concat([]knobCase{
		{"order", "created_asc", listProbe(""), "", "*"},
		{"order", "id", listProbe(""), "", "*"},
		{"order", "shuffled", stable, "true", "false"},
		{"order", "shuffled_stable", stable, "true", "true"},
		{"order", "shuffled_stable", listProbe(""), "", "*"},
		{"order", "unstable_ties", func(w *world) string { return stable(w.set("time_resolution=second")) }, "true", "false"},
		{"total", "missing", totalProbe, "220", ""},
		{"total", "null", totalProbe, "220", "null"},
		{"total", "string", totalProbe, "220", `"220"`},
		{"total", "negative", totalProbe, "220", "-1"},
		{"total", "short", totalProbe, "220", "217"},
		{"total", "high", totalProbe, "220", "223"},
		{"total", "page", totalProbe, "220", "1"},
		{"total", "capped=100", totalProbe, "220", "100"},
		{"total", "stale", staleProbe, "220 221", "220 220"},
		{"limit_max", "7", countProbe("limit=1000"), "200", "7"},
		{"limit_clamp", "refuse", statusProbe("limit=201"), "200", "400"},
		{"limit_default", "9", countProbe(""), "50", "9"},
		{"offset_max", "5", statusProbe("offset=6"), "200", "400"},
		{"offset", "ignored", func(w *world) string { return fmt.Sprint(listProbe("")(w) == listProbe("offset=50")(w)) }, "false", "true"},
		{"short_pages", "1", countProbe("limit=200"), "200", "*"},
		{"null_jobs", "on", bodyProbe("offset=1000", `"jobs":null`), "false", "true"},
		{"echo", "off", bodyProbe("limit=3", `"limit":3,"offset":0}`), "true", "false"},
		{"bounds", "exclusive", edgeProbe, "1 1", "0 0"},
		{"bounds", "half_open", edgeProbe, "1 1", "1 0"},
		{"bounds_resolution", "day", countProbe("limit=200&" + late), "", "*"},
		{"unknown_params", "refuse", statusProbe("colour=red"), "200", "400"},
		{"unknown_extractor", "refuse", statusProbe("extractor_id=ext_x"), "200", "404"},
		{"metadata_search", "off", statusProbe("metadata[department]=hr"), "200", "400"},
		{"metadata_search", "ignored", countProbe("metadata[department]=nobody"), "0", "50"},
		{"confidence", "lowest", countProbe("limit=200&min_confidence=0.85"), "", "*"},
		{"commit_lag", "1h", func(w *world) string { return fmt.Sprint(w.list("").Total) }, "", "*"},
		{"time_resolution", "millisecond", resolutionProbe, "27 1", "24 1"},
		{"time_resolution", "second", resolutionProbe, "27 1", "20 60"},
		{"time_resolution", "second_shown", resolutionProbe, "27 1", "20 1"},
		{"oddities", "none", countProbe("limit=200"), "200", "200"},
		{"oddities", "many", bodyProbe("limit=200", "DROP TABLE"), "false", "true"},
		{"stuck", "on", func(w *world) string {
			w.clock.Advance(48 * time.Hour)
			return fmt.Sprint(len(w.all("status=queued")) > 0 || len(w.all("status=processing")) > 0)
		}, "false", "true"},
	}, serverCases())
}

func staleProbe(w *world) string {
	first := totalProbe(w)
	w.sim.AddRaw(start.Add(-time.Hour), []byte(`{"id":"job_late","status":"failed","created_at":"2026-11-24T10:30:00Z"}`))
	return first + " " + totalProbe(w)
}

func serverCases() []knobCase {
	limited := func(w *world) string {
		codes := ""
		for range 4 {
			codes += fmt.Sprint(w.get("/v1/credits").Code, " ")
		}
		return codes
	}
	gzipped := func(w *world) string {
		return w.do(http.MethodGet, "/v1/documents", "", "Accept-Encoding: gzip").Header().Get("Content-Encoding")
	}
	refused := func(w *world) string {
		w.set("rate_limit_minute=1")
		w.get("/v1/credits")
		return w.get("/v1/credits").Header().Get("Retry-After")
	}
	rated := func(name string) func(w *world) string {
		return func(w *world) string { return headerProbe(name)(w.set("rate_limit_minute=5")) }
	}
	return []knobCase{
		{"document_base", "http://10.0.0.1/x", bodyProbe("", `"document_url":"http://10.0.0.1/x/job_`), "false", "true"},
		{"document_ttl", "1h", bodyProbe("", "?expires="), "false", "true"},
		{"document_redirect", "http://169.254.169.254/", firstFile, "200 image/jpeg true", "302 text/plain; charset=utf-8 false"},
		{"documents", "gone", firstFile, "200 image/jpeg true", "404 text/plain; charset=utf-8 false"},
		{"documents", "expired", firstFile, "200 image/jpeg true", "403 text/plain; charset=utf-8 false"},
		{"documents", "empty", firstFile, "200 image/jpeg true", "200 image/jpeg false"},
		{"documents", "html", firstFile, "200 image/jpeg true", "200 text/html; charset=utf-8 false"},
		{"documents", "changing", func(w *world) string {
			url := read(w.t, w.list("limit=1").Jobs[0]).URL
			first, second := w.file(url).Body.String(), w.file(url).Body.String()
			return fmt.Sprint(first == second)
		}, "true", "false"},
		{"auth", "off", func(w *world) string { return fmt.Sprint(w.do("GET", "/v1/credits", "", "Authorization: ").Code) }, "401", "200"},
		{"auth", "revoked", statusProbe(""), "200", "401"},
		{"auth", "forbidden", statusProbe(""), "200", "403"},
		{"auth", "read_only", post, "201", "403"},
		{"key_revoked_after", "2", limited, "200 200 200 200 ", "200 200 401 401 "},
		{"rate_limit_minute", "3", limited, "200 200 200 200 ", "200 200 200 429 "},
		{"rate_limit_hour", "2", limited, "200 200 200 200 ", "200 200 429 429 "},
		{"rate_window", "10s", refused, "60", "10"},
		{"concurrent_jobs", "1", func(w *world) string { return post(w) + post(w) }, "201201", "201429"},
		{"retry_after", "off", refused, "60", ""},
		{"retry_after", "date", refused, "60", "Tue, 24 Nov 2026 11:31:00 GMT"},
		{"rate_headers", "off", rated("X-RateLimit-Remaining"), "4", ""},
		{"rate_reset", "delta", rated("X-RateLimit-Reset"), fmt.Sprint(start.Unix() + 60), "60"},
		{"gzip", "off", gzipped, "gzip", ""},
		{"date", "off", headerProbe("Date"), "Tue, 24 Nov 2026 11:30:00 GMT", ""},
		{"date_skew", "-2h", headerProbe("Date"), "Tue, 24 Nov 2026 11:30:00 GMT", "Tue, 24 Nov 2026 09:30:00 GMT"},
		{"latency", "15ms", func(w *world) string {
			began := time.Now()
			w.get("/v1/credits")
			return fmt.Sprint(time.Since(began) >= 15*time.Millisecond)
		}, "false", "true"},
		{"redirect_to", "http://evil.example/", headerProbe("Location"), "", "http://evil.example/"},
		{"credits", "0", post, "201", "402"},
		{"check_documents", "on", post, "201", "400"},
		{"document_max", "4", post, "201", "400"},
	}
}

// notProbed are the knobs that belong to a fault, or to a document that only a
// connection can show; the fault tests turn them.
var notProbed = map[string]bool{"drip_interval": true, "bomb_bytes": true}

func TestEveryKnobHasAnEffect(t *testing.T) {
	probed := map[string]bool{}
	for _, c := range knobCases() {
		probed[c.knob] = true
		t.Run(c.knob+"="+c.value, func(t *testing.T) {
			config := docextracttest.Config{Seed: 4, Jobs: 220, Open: 8, Burst: 60, Span: 20 * time.Hour}
			before := c.probe(newWorld(t, config))
			after := c.probe(newWorld(t, config).set(c.knob + "=" + c.value))
			if c.before != "" && before != c.before {
				t.Errorf("at the default: %q, want %q", before, c.before)
			}
			if c.after == "*" && after == before || c.after != "*" && after != c.after {
				t.Errorf("set: %q, want %q; at the default %q", after, c.after, before)
			}
		})
	}
	for _, doc := range docextracttest.New(docextracttest.Config{}).Knobs().Names() {
		if !probed[doc.Name] && !notProbed[doc.Name] {
			t.Errorf("no case turns the knob %s", doc.Name)
		}
	}
}

func TestKnobsRefuseNonsense(t *testing.T) {
	k := docextracttest.New(docextracttest.Config{}).Knobs()
	for _, bad := range [][2]string{
		{"ordre", "id"},
		{"order", "up"},
		{"total", "capped"},
		{"total", "capped=0"},
		{"total", "exact=1"},
		{"limit_max", "0"},
		{"short_pages", "1.1"},
		{"short_pages", "NaN"},
		{"latency", "-1s"},
		{"latency", "20"},
		{"gzip", "yes"},
		{"time_resolution", "day"},
		{"redirect_to", "http://[::1"},
		{"bounds_resolution", "week"},
	} {
		if err := k.Set(bad[0], bad[1]); err == nil {
			t.Errorf("%s=%s is taken", bad[0], bad[1])
		}
	}
	if got := k.String(); got != "" {
		t.Errorf("after refusals the knobs are %q", got)
	}
	for _, good := range [][2]string{{"gzip", "off"}, {"order", "id"}, {"date_skew", "-1h"}} {
		if err := k.Set(good[0], good[1]); err != nil {
			t.Error(err)
		}
	}
	if diff := cmp.Diff("order=id gzip=off date_skew=-1h", k.String()); diff != "" {
		t.Error(diff)
	}
	if value, ok := k.Get("order"); value != "id" || !ok {
		t.Errorf("order is %q, %v", value, ok)
	}
	for _, doc := range k.Names() {
		if doc.Name == "" || doc.Text == "" || doc.Values == "" || strings.Contains(doc.Text, "\n") {
			t.Errorf("undocumented: %+v", doc)
		}
	}
}
