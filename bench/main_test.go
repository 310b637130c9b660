package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestMain lets the test binary stand for the program where that starts itself.
func TestMain(m *testing.M) {
	if os.Getenv(childMark) != "" {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		status := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
		stop()
		os.Exit(status)
	}
	status := m.Run()
	if err := built.remove(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	os.Exit(status)
}

// built is the product, built once for all tests.
var built binary

type binary struct {
	once sync.Once
	dir  string
	name string
	err  error
}

// path is the product's path: BENCH_BINARY if that is set, else it is built.
func (p *binary) path(t *testing.T) string {
	t.Helper()
	p.once.Do(func() {
		if p.name = os.Getenv("BENCH_BINARY"); p.name != "" {
			return
		}
		if p.dir, p.err = os.MkdirTemp("", "docarchive-built-"); p.err == nil {
			b := &bench{dir: p.dir, report: newReport()}
			p.name, p.err = b.build(t.Context())
		}
	})
	if p.err != nil {
		t.Fatal(p.err)
	}
	return p.name
}

func (p *binary) remove() error {
	if p.dir == "" {
		return nil
	}
	return os.RemoveAll(p.dir)
}

// invoke runs a command line in a scratch folder of its own, which must be
// empty afterwards, and returns its report.
func invoke(t *testing.T, args ...string) (*report, string) {
	t.Helper()
	if testing.Short() {
		t.Skip("builds docarchive")
	}
	product := built.path(t)
	scratch := t.TempDir()
	t.Setenv("TMPDIR", scratch)
	var stdout, stderr bytes.Buffer
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	if status := run(ctx, append(args, "-o", "json", "--binary", product), strings.NewReader(""), &stdout, &stderr); status != 0 {
		t.Fatalf("exit status %d: %s", status, &stderr)
	}
	left, err := os.ReadDir(scratch)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range left {
		if strings.HasPrefix(entry.Name(), "docarchive-bench-") {
			t.Errorf("%s is left behind", entry.Name())
		}
	}
	var r report
	if err := json.Unmarshal(stdout.Bytes(), &r); err != nil {
		t.Fatalf("%v: %s", err, &stdout)
	}
	return &r, stderr.String()
}

// names are the contestants of a report.
func names(r *report) []string {
	var all []string
	for _, w := range r.Rows {
		all = append(all, w.Name)
	}
	return all
}

// The whole harness at a small size, with the peers that are there.
func TestPeersAtASmallSize(t *testing.T) {
	const jobs = 2000
	r, _ := invoke(t, "peers", "--jobs=2000", "--days=3", "--rounds=1")
	want := []string{nameFloor, nameParquet, nameRaw, nameCSV}
	if _, err := findDuckDB(); err == nil {
		want = append(want, nameDuck, nameDuckCSV, nameCurl, nameVendor)
	} else if len(r.Skipped) == 0 {
		t.Error("what was left out is not told")
	}
	got := names(r)
	if diff := cmp.Diff(want[:4], got[:min(4, len(got))]); diff != "" {
		t.Errorf("contestants: -want +got:\n%s", diff)
	}
	for _, w := range r.Rows {
		m := w.Median
		if m.Wall <= 0 || m.cpu() <= 0 || m.RSS <= 1 || w.Jobs != jobs {
			t.Errorf("%s: %+v", w.Name, m)
		}
		if w.Reads == "HTTP" && (m.Counters.Requests < jobs/pageSize || m.Counters.Bytes < jobs*1000) {
			t.Errorf("%s: %+v", w.Name, m.Counters)
		}
		if w.Name != nameFloor && m.Output < jobs*50 {
			t.Errorf("%s wrote %d bytes", w.Name, m.Output)
		}
	}
	if len(r.Commands) == 0 || len(r.Goals) == 0 {
		t.Errorf("%d commands, %d goals", len(r.Commands), len(r.Goals))
	}
}

// The answers to the queries are the same on both files, or the suite fails.
func TestQueriesAtASmallSize(t *testing.T) {
	if d, err := findDuckDB(); err != nil || d.node == "" {
		t.Skip("needs DuckDB: make servers")
	}
	r, _ := invoke(t, "query", "--query-jobs=4000", "--days=2", "--rounds=1")
	if len(r.Queries) != 2*len(questions(time.Now())) && len(r.Skipped) == 0 {
		t.Errorf("%d queries", len(r.Queries))
	}
	for _, q := range r.Queries {
		if q.Ours <= 0 || q.Their <= 0 {
			t.Errorf("%+v", q)
		}
	}
}

func TestMistakesAreTold(t *testing.T) {
	for _, args := range [][]string{
		{"peers", "--jobs=many"}, {"peers", "--rounds=0"}, {"peers", "-o", "xml"}, {"peers", "--days=90"}, {"nonsense"},
	} {
		var stdout, stderr bytes.Buffer
		if status := run(t.Context(), args, strings.NewReader(""), &stdout, &stderr); status == 0 || stderr.Len() == 0 {
			t.Errorf("%v: exit status %d, %q", args, status, &stderr)
		}
	}
}

func TestGenWritesTheWorkload(t *testing.T) {
	name := filepath.Join(t.TempDir(), "jobs.jsonl")
	var stdout, stderr bytes.Buffer
	if status := run(t.Context(), []string{"gen", "--jobs=1k", "--out", name}, nil, &stdout, &stderr); status != 0 {
		t.Fatal(stderr.String())
	}
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	o := options{work: workFlags{jobs: 1000, days: 30, seed: 1}}
	if want := string(o.spec().Append(nil, 999)); len(lines) != 1000 || lines[999] != want {
		t.Errorf("%d lines, the last one %s, not %s", len(lines), lines[len(lines)-1], want)
	}
}
