package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/adteco/docarchive/internal/config"
)

// A pipeline without alerts is watched as one whose alerts say nothing.
func TestThresholdsDefaultAsInJobsYAML(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "jobs.yaml")
	text := "api: {key: sk_test_0000}\npipelines: {jobs: {alerts: {}, sinks: [{type: jsonl}]}}\n"
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(name, config.Options{LookupEnv: func(string) (string, bool) { return "", false }})
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Pipelines[0].Alerts == nil {
		t.Fatal("the pipeline has no alerts")
	}
	if diff := cmp.Diff(thresholds(cfg.Pipelines[0].Alerts), thresholds(nil)); diff != "" {
		t.Errorf("thresholds (-jobs.yaml +monitor):\n%s", diff)
	}
}
