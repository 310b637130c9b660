package metrics_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/adteco/docarchive/internal/metrics"
	"github.com/adteco/docarchive/internal/testserver"
)

// TestRealPushgateway pushes a run that succeeded and one that did not, and
// reads what a Prometheus would scrape.
func TestRealPushgateway(t *testing.T) {
	t.Parallel()
	address := testserver.Pushgateway(t)
	if err := metrics.Push(t.Context(), address, run(true, "jobs", "others")); err != nil {
		t.Fatal(err)
	}
	failed := run(false, "jobs")
	failed.End, failed.Pipelines[0].Jobs.New = ended.Add(time.Hour), 0
	if err := metrics.Push(t.Context(), address, failed); err != nil {
		t.Fatal(err)
	}
	text := scrape(t.Context(), t, address)
	for _, line := range []string{
		`docarchive_run_success{instance="",job="docarchive",pipeline="jobs"} 0`,
		`docarchive_run_success{instance="",job="docarchive",pipeline="others"} 1`,
		`docarchive_jobs_new{instance="",job="docarchive",pipeline="jobs"} 0`,
		`docarchive_jobs_new{instance="",job="docarchive",pipeline="others"} 90`,
		// It was not pushed again, so the gateway keeps it.
		`docarchive_last_success_timestamp_seconds{instance="",job="docarchive",pipeline="jobs"} 1.8e+09`,
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("%s is missing", line)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
}

func scrape(ctx context.Context, t *testing.T, address string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
