package pageserver_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"pgregory.net/rapid"

	"github.com/adteco/docarchive/bench/pageserver"
	"github.com/adteco/docarchive/bench/workload"
)

// more than one chunk, so that pages cross from one to the next
var spec = workload.Spec{Jobs: 9000, Days: 3, End: time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC), Seed: 3}

type listing struct {
	Jobs          []json.RawMessage
	Total         int
	Limit, Offset int
}

func serve(t *testing.T, o pageserver.Options) (*httptest.Server, *pageserver.Shelf) {
	t.Helper()
	shelf := pageserver.Fill(spec)
	handler, err := pageserver.New(shelf, o)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server, shelf
}

// fatal is what tests and property tests have in common.
type fatal interface {
	Helper()
	Fatalf(format string, args ...any)
}

func get(t fatal, location string, into any) {
	t.Helper()
	response, err := http.Get(location)
	if err != nil {
		t.Fatalf("%v", err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v: %s", location, response.Status, err, body)
	}
	if err := json.Unmarshal(body, into); err != nil {
		t.Fatalf("%s: %v", location, err)
	}
}

// The server's answers are what one finds by looking at every job.
func TestListingAgreesWithTheWorkload(t *testing.T) {
	t.Parallel()
	server, _ := serve(t, pageserver.Options{})
	rapid.Check(t, func(t *rapid.T) {
		parameters := url.Values{}
		moment := rapid.Custom(func(t *rapid.T) time.Time {
			near := spec.CreatedAt(rapid.IntRange(0, spec.Jobs-1).Draw(t, "job"))
			return near.Add(time.Duration(rapid.IntRange(-2, 2).Draw(t, "off")) * time.Nanosecond * 500)
		})
		var after, before time.Time
		if rapid.Bool().Draw(t, "bounded below") {
			after = moment.Draw(t, "after")
			parameters.Set("created_after", after.Format(time.RFC3339Nano))
		}
		if rapid.Bool().Draw(t, "bounded above") {
			before = moment.Draw(t, "before")
			parameters.Set("created_before", before.Format(time.RFC3339Nano))
		}
		extractor := rapid.SampledFrom([]string{"", "", "ext_invoice", "ext_order", "ext_none"}).Draw(t, "extractor")
		status := rapid.SampledFrom([]string{"", "", "failed", "completed", "queued"}).Draw(t, "status")
		limit := rapid.IntRange(1, 150).Draw(t, "limit")
		offset := rapid.IntRange(0, spec.Jobs+10).Draw(t, "offset")
		for name, value := range map[string]string{
			"extractor_id": extractor, "status": status, "limit": fmt.Sprint(limit), "offset": fmt.Sprint(offset),
		} {
			if value != "" {
				parameters.Set(name, value)
			}
		}
		var all []int
		for i := range spec.Jobs {
			at := spec.CreatedAt(i)
			if !after.IsZero() && at.Before(after) || !before.IsZero() && at.After(before) ||
				extractor != "" && spec.ExtractorIDs()[spec.Extractor(i)] != extractor || status != "" && spec.Status(i) != status {
				continue
			}
			all = append(all, i)
		}
		var got listing
		get(t, server.URL+"/v1/documents?"+parameters.Encode(), &got)
		limit = min(limit, 100)
		offset = min(offset, len(all))
		var want []string
		for _, i := range all[offset:min(offset+limit, len(all))] {
			want = append(want, string(spec.Append(nil, i)))
		}
		var jobs []string
		for _, raw := range got.Jobs {
			jobs = append(jobs, string(raw))
		}
		if got.Total != len(all) || got.Limit != limit || !slices.Equal(jobs, want) {
			t.Fatalf("total %d, limit %d, %d jobs; want %d, %d, %d", got.Total, got.Limit, len(jobs), len(all), limit, len(want))
		}
	})
}

func TestSingleJobs(t *testing.T) {
	t.Parallel()
	server, _ := serve(t, pageserver.Options{})
	for _, i := range []int{0, 4095, 4096, 8999} {
		want := spec.Append(nil, i)
		var job struct{ ID string }
		if err := json.Unmarshal(want, &job); err != nil {
			t.Fatal(err)
		}
		var got json.RawMessage
		get(t, server.URL+"/v1/documents/"+job.ID, &got)
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Error(diff)
		}
	}
	for _, id := range []string{"job_", "job_00000000000000000000ffff", "x"} {
		response, err := http.Get(server.URL + "/v1/documents/" + id)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", id, response.Status)
		}
	}
}

// A filter that cannot be applied must not be ignored.
func TestUnknownParametersAreRefused(t *testing.T) {
	t.Parallel()
	server, _ := serve(t, pageserver.Options{})
	for _, query := range []string{"min_confidence=0.5", "limit=0", "offset=-1", "created_after=yesterday"} {
		response, err := http.Get(server.URL + "/v1/documents?" + query)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %s", query, response.Status)
		}
	}
}

func TestCounters(t *testing.T) {
	t.Parallel()
	server, _ := serve(t, pageserver.Options{})
	var page listing
	get(t, server.URL+"/v1/documents?limit=3", &page)
	var extractors any
	get(t, server.URL+"/v1/extractors", &extractors)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, server.URL+"/bench/counters", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var first, second pageserver.Counters
	if err := json.NewDecoder(response.Body).Decode(&first); err != nil {
		t.Fatal(err)
	}
	if first.Requests != 2 || first.Listings != 1 || first.Bytes < 4000 {
		t.Errorf("%+v", first)
	}
	get(t, server.URL+"/bench/counters", &second)
	if second != (pageserver.Counters{}) {
		t.Errorf("not reset: %+v", second)
	}
}

func TestGzip(t *testing.T) {
	t.Parallel()
	server, _ := serve(t, pageserver.Options{Gzip: true})
	for range 2 { // made, then kept
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/v1/documents?limit=2&offset=4095", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Accept-Encoding", "gzip")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		z, err := gzip.NewReader(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		var got listing
		if err := json.NewDecoder(z).Decode(&got); err != nil || len(got.Jobs) != 2 {
			t.Fatalf("%d jobs, %v", len(got.Jobs), err)
		}
		if string(got.Jobs[1]) != string(spec.Append(nil, 4096)) {
			t.Error("another job")
		}
	}
}

func TestLatency(t *testing.T) {
	t.Parallel()
	const latency = 30 * time.Millisecond
	server, _ := serve(t, pageserver.Options{Latency: latency})
	begun := time.Now()
	var page listing
	get(t, server.URL+"/v1/documents?limit=1", &page)
	if took := time.Since(begun); took < latency {
		t.Errorf("answered after %s", took)
	}
}

func TestWriteLines(t *testing.T) {
	t.Parallel()
	_, shelf := serve(t, pageserver.Options{})
	var out bytes.Buffer
	if err := shelf.WriteLines(&out); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != spec.Jobs {
		t.Fatalf("%d lines", len(lines))
	}
	for i, line := range lines {
		if line != string(spec.Append(nil, i)) {
			t.Fatalf("line %d: %s", i, line)
		}
	}
}
