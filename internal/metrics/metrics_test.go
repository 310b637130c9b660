package metrics_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/adteco/docarchive/internal/metrics"
)

var ended = time.Unix(1_800_000_000, 0)

func run(success bool, pipelines ...string) metrics.Run {
	r := metrics.Run{Version: "1.2.3", Start: ended.Add(-time.Minute), End: ended, Success: success}
	for _, name := range pipelines {
		left := 89
		r.Pipelines = append(r.Pipelines, metrics.Pipeline{
			Name: name, Requests: 12, Seconds: 1.5, DaysLeft: &left,
			Jobs:    metrics.Jobs{Read: 100, New: 90, Excluded: 4, Open: 3, Quarantined: 2, Unfinished: 1},
			Windows: metrics.Windows{Due: 9, Read: 8, Changed: 7, Unproven: 6, Sealed: 5},
			Sinks:   []metrics.Sink{{Label: "parquet:jobs", Files: 7, Rows: 90, Bytes: 4096}, {Label: "csv:jobs", Files: 7, Rows: 90, Bytes: 8192}},
		})
	}
	return r
}

// samples reads an exposition: series → value.
func samples(t *testing.T, text []byte) map[string]float64 {
	t.Helper()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		t.Fatalf("%v in:\n%s", err, text)
	}
	all := map[string]float64{}
	for name, f := range families {
		for _, m := range f.Metric {
			var labels []string
			for _, l := range m.Label {
				labels = append(labels, l.GetName()+"="+l.GetValue())
			}
			slices.Sort(labels)
			all[name+"{"+strings.Join(labels, ",")+"}"] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	return all
}

func written(t *testing.T, path string) map[string]float64 {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return samples(t, data)
}

func TestTextfile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "docarchive.prom")
	if err := metrics.WriteTextfile(path, run(true, "jobs"), []string{"jobs"}); err != nil {
		t.Fatal(err)
	}
	const p = "{pipeline=jobs}"
	want := map[string]float64{
		"docarchive_info{pipeline=jobs,version=1.2.3}":  1,
		"docarchive_run_start_timestamp_seconds" + p:    1_799_999_940,
		"docarchive_run_end_timestamp_seconds" + p:      1_800_000_000,
		"docarchive_last_success_timestamp_seconds" + p: 1_800_000_000,
		"docarchive_run_success" + p:                    1,
		"docarchive_run_seconds" + p:                    1.5,
		"docarchive_run_requests" + p:                   12,
		"docarchive_days_left" + p:                      89,
		"docarchive_jobs_read" + p:                      100, "docarchive_jobs_new" + p: 90, "docarchive_jobs_excluded" + p: 4,
		"docarchive_jobs_open" + p: 3, "docarchive_jobs_quarantined" + p: 2, "docarchive_jobs_unfinished" + p: 1,
		"docarchive_windows_due" + p: 9, "docarchive_windows_read" + p: 8, "docarchive_windows_changed" + p: 7,
		"docarchive_windows_unproven" + p: 6, "docarchive_windows_sealed" + p: 5,
		"docarchive_sink_files{pipeline=jobs,sink=parquet:jobs}": 7, "docarchive_sink_files{pipeline=jobs,sink=csv:jobs}": 7,
		"docarchive_sink_rows{pipeline=jobs,sink=parquet:jobs}": 90, "docarchive_sink_rows{pipeline=jobs,sink=csv:jobs}": 90,
		"docarchive_sink_bytes{pipeline=jobs,sink=parquet:jobs}": 4096, "docarchive_sink_bytes{pipeline=jobs,sink=csv:jobs}": 8192,
	}
	if diff := cmp.Diff(want, written(t, path)); diff != "" {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 1 {
		t.Errorf("files are left: %v (%v)", left, err)
	}
	// A name that is documented nowhere is of no use, nor is one that is not sent.
	document, err := os.ReadFile("../../docs/METRICS.md")
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]bool{}
	for _, row := range regexp.MustCompile("(?m)^\\| `(docarchive_[a-z_]+)").FindAllSubmatch(document, -1) {
		told[string(row[1])] = true
	}
	sent := map[string]bool{"docarchive_windows_done": true, "docarchive_requests_total": true} // while a run lasts
	for series := range want {
		name, _, _ := strings.Cut(series, "{")
		sent[name] = true
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(sent)), slices.Sorted(maps.Keys(told))); diff != "" {
		t.Errorf("docs/METRICS.md tells of other metrics (-sent +told):\n%s", diff)
	}
}

func TestTextfileCarriesOver(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "docarchive.prom")
	write := func(r metrics.Run, exist ...string) map[string]float64 {
		t.Helper()
		if err := metrics.WriteTextfile(path, r, exist); err != nil {
			t.Fatal(err)
		}
		return written(t, path)
	}
	write(run(true, "jobs", "others", "removed"), "jobs", "others", "removed")
	failed := run(false, "jobs")
	failed.End, failed.Pipelines[0].DaysLeft = ended.Add(time.Hour), nil
	failed.Pipelines[0].Sinks = nil
	got := write(failed, "jobs", "others")
	for series, want := range map[string]float64{
		"docarchive_run_success{pipeline=jobs}":                      0,
		"docarchive_run_end_timestamp_seconds{pipeline=jobs}":        1_800_003_600,
		"docarchive_last_success_timestamp_seconds{pipeline=jobs}":   1_800_000_000, // still that of the run before
		"docarchive_run_success{pipeline=others}":                    1,
		"docarchive_jobs_new{pipeline=others}":                       90,
		"docarchive_sink_bytes{pipeline=others,sink=csv:jobs}":       8192,
		"docarchive_last_success_timestamp_seconds{pipeline=others}": 1_800_000_000,
	} {
		if value, has := got[series]; !has || value != want {
			t.Errorf("%s is %v, want %v", series, value, want)
		}
	}
	for series := range got {
		if strings.Contains(series, "removed") || strings.HasPrefix(series, "docarchive_days_left{pipeline=jobs") ||
			strings.HasPrefix(series, "docarchive_sink_rows{pipeline=jobs") {
			t.Errorf("%s is left", series)
		}
	}
	if got := write(run(true, "jobs"), "jobs", "others"); got["docarchive_last_success_timestamp_seconds{pipeline=jobs}"] != 1_800_000_000 {
		t.Errorf("after a success: %v", got)
	}
}

func TestTextfileSparesWhatIsNotIts(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "notes.prom")
	if err := os.WriteFile(path, []byte("remember the milk\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := metrics.WriteTextfile(path, run(true, "jobs"), nil); err == nil {
		t.Error("a file that is no metrics file is replaced")
	}
	if data, err := os.ReadFile(path); err != nil || string(data) != "remember the milk\n" {
		t.Errorf("the file holds %q (%v)", data, err)
	}
	if err := metrics.WriteTextfile(filepath.Join(path, "x.prom"), run(true, "jobs"), nil); err == nil {
		t.Error("a file below a file is written")
	}
}

// gateway is a Pushgateway: POST replaces the metrics of the same names in the
// group.
type gateway struct {
	mu     sync.Mutex
	groups map[string]map[string]float64
	auth   []string
}

func (g *gateway) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil || req.Method != http.MethodPost {
		http.Error(w, "not a POST", http.StatusMethodNotAllowed)
		return
	}
	families, err := pushed(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.auth = append(g.auth, req.Header.Get("Authorization"))
	group := g.groups[req.URL.EscapedPath()]
	if group == nil {
		group = map[string]float64{}
		g.groups[req.URL.EscapedPath()] = group
	}
	maps.Copy(group, families)
}

// pushed reads an exposition. Like a Pushgateway it refuses the labels of the
// group.
func pushed(body []byte) (map[string]float64, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(body))
	all := map[string]float64{}
	for name, f := range families {
		for _, m := range f.Metric {
			for _, l := range m.Label {
				if l.GetName() == "pipeline" || l.GetName() == "job" {
					return nil, errors.New("the label " + l.GetName() + " is the group's")
				}
			}
			all[name] = m.GetGauge().GetValue()
		}
	}
	return all, err
}

func TestPush(t *testing.T) {
	t.Parallel()
	g := &gateway{groups: map[string]map[string]float64{}}
	server := httptest.NewServer(http.StripPrefix("/behind/a/proxy", g))
	defer server.Close()
	address := strings.Replace(server.URL, "http://", "http://me:very%20secret@", 1) + "/behind/a/proxy/"
	if err := metrics.Push(t.Context(), address, run(true, "jobs", "others")); err != nil {
		t.Fatal(err)
	}
	failed := run(false, "jobs")
	failed.End, failed.Pipelines[0].Jobs.New = ended.Add(time.Hour), 0
	if err := metrics.Push(t.Context(), address, failed); err != nil {
		t.Fatal(err)
	}
	jobs, others := g.groups["/metrics/job/docarchive/pipeline/jobs"], g.groups["/metrics/job/docarchive/pipeline/others"]
	for name, want := range map[string]float64{
		"docarchive_run_success": 0, "docarchive_run_end_timestamp_seconds": 1_800_003_600, "docarchive_jobs_new": 0,
		"docarchive_last_success_timestamp_seconds": 1_800_000_000, // it was not pushed again
	} {
		if value, has := jobs[name]; !has || value != want {
			t.Errorf("jobs: %s is %v, want %v", name, value, want)
		}
	}
	if others["docarchive_run_success"] != 1 || others["docarchive_jobs_new"] != 90 || len(g.groups) != 2 {
		t.Errorf("groups: %v", g.groups)
	}
	want := "Basic " + base64.StdEncoding.EncodeToString([]byte("me:very secret"))
	if g.auth[0] != want {
		t.Errorf("Authorization is %q", g.auth[0])
	}
}

func TestPushFails(t *testing.T) {
	t.Parallel()
	long := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write(bytes.Repeat([]byte("no "), 1<<20)) // the client hangs up
	}))
	defer long.Close()
	hanging := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		_, _ = io.Copy(io.Discard, req.Body) // else the server does not see that the client goes
		<-req.Context().Done()
	}))
	defer hanging.Close()
	closed := httptest.NewServer(nil)
	closed.Close()
	for name, address := range map[string]string{"refuses": long.URL, "hangs": hanging.URL, "away": closed.URL} {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		err := metrics.Push(ctx, strings.Replace(address, "http://", "http://me:hunter22@", 1), run(true, "jobs"))
		cancel()
		if err == nil || strings.Contains(err.Error(), "hunter22") || len(err.Error()) > 1000 {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, address := range []string{"", "gateway:9091", "ftp://x", "http://", "http://me:hunter22@x:y", "http://x/?a=b"} {
		if err := metrics.CheckGateway(address); err == nil || strings.Contains(err.Error(), "hunter22") {
			t.Errorf("%q: %v", address, err)
		}
	}
}

func TestLive(t *testing.T) {
	t.Parallel()
	live, err := metrics.Listen(t.Context(), "127.0.0.1:0", func() int64 { return 42 })
	if err != nil {
		t.Fatal(err)
	}
	live.Update("jobs", 9, 1, 50, 40)
	live.Update("jobs", 9, 2, 100, 90)
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	get := func(path string) (int, []byte) {
		resp, err := client.Get("http://" + live.Address() + path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, body
	}
	_, body := get("/metrics")
	got := samples(t, body)
	for series, want := range map[string]float64{
		"docarchive_windows_due{pipeline=jobs}": 9, "docarchive_windows_done{pipeline=jobs}": 2,
		"docarchive_jobs_read{pipeline=jobs}": 100, "docarchive_jobs_new{pipeline=jobs}": 90, "docarchive_requests_total{}": 42,
	} {
		if got[series] != want {
			t.Errorf("%s is %v, want %v", series, got[series], want)
		}
	}
	if got["go_goroutines{}"] < 1 {
		t.Error("nothing is told of the process")
	}
	if status, _ := get("/"); status != http.StatusNotFound {
		t.Errorf("/ answers %d", status)
	}
	if _, err := metrics.Listen(t.Context(), live.Address(), func() int64 { return 0 }); err == nil {
		t.Error("an address that is taken is listened on")
	}
	if err := live.Close(); err != nil {
		t.Error(err)
	}
	if _, err := client.Get("http://" + live.Address() + "/metrics"); err == nil {
		t.Error("metrics are served after the end")
	}
}
