//go:build unix

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// benchmarkJobs is the number of jobs of an end-to-end benchmark; other numbers
// by E2E_JOBS.
func benchmarkJobs(b *testing.B) int {
	text := os.Getenv("E2E_JOBS")
	if text == "" {
		return 200_000
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// BenchmarkRun archives jobs of a server in the same process, all of it
// included: requests, proof, flattening, files, commit.
//
//	go test -run '^$' -bench 'Run/parquet' -benchtime 3x -cpuprofile cpu.out ./cmd/docarchive
func BenchmarkRun(b *testing.B) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	n := benchmarkJobs(b)
	for _, days := range []int{1, 60} {
		jobs := newReadyJobs(b, n, days, now.Truncate(24*time.Hour))
		server := jobs.serve(b, 100, now)
		for _, sink := range []string{"parquet", "csv", "jsonl"} {
			b.Run(fmt.Sprintf("%s/%dd", sink, days), func(b *testing.B) {
				before := cpuTime(b)
				for b.Loop() {
					benchmarkRun(b, server.URL, sink, now)
				}
				b.SetBytes(int64(len(jobs.text)))
				b.ReportMetric(float64((cpuTime(b)-before).Microseconds())/float64(b.N*n), "cpu-µs/job")
			})
		}
	}
}

func benchmarkRun(b *testing.B, url, sink string, now time.Time) {
	dir := b.TempDir()
	file := filepath.Join(dir, "jobs.yaml")
	config := fmt.Sprintf("api: {base_url: %q, key: sk_test_bench, concurrency: 8}\narchive: %q\n"+
		"pipelines: {invoices: {since: 61d, raw: false, sinks: [{type: %s}]}}\n",
		url, "file://"+filepath.Join(dir, "archive"), sink)
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		b.Fatal(err)
	}
	var out bytes.Buffer
	status := run(system{
		args: []string{"--config", file, "--quiet", "run"},
		getenv: func(name string) (string, bool) {
			if name == "DOCARCHIVE_CACHE_DIR" || name == "DOCARCHIVE_SPOOL" {
				return dir, true
			}
			return "", false
		},
		stdout: &out, stderr: &out, now: func() time.Time { return now },
	})
	if status != exitDone {
		b.Fatalf("exit %d\n%s", status, out.String())
	}
	if err := os.RemoveAll(dir); err != nil {
		b.Fatal(err)
	}
}

// cpuTime is the processor time that the process has spent.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
