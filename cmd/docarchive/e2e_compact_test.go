package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"github.com/adteco/docarchive/internal/testserver"
	"github.com/adteco/docarchive/pipeline"
)

// compactConfig archives with every partition that a sink can have.
const compactConfig = `
api: {base_url: BASE_URL, key: sk_test_adversary, concurrency: 8}
archive: ARCHIVE
pipelines:
  all:
    since: 65d
    raw: false
    window: 120h
    fields: {line_items: table, total_amount: "decimal(18,2)"}
    sinks:
      - {type: parquet, path: month, partition: [created_month]}
      - {type: parquet, path: none, partition: []}
      - {type: parquet, path: other, partition: [extractor_id, status], compression: snappy}
      - {type: parquet, path: day, partition: [created_year, created_date], compression: gzip}
`

var compactFolders = []string{"month", "none", "other", "day"}

// count is how many Parquet files a folder has.
func (a *adversary) count(folder string) (n int) {
	for _, name := range a.files() {
		if strings.HasPrefix(name, "/"+folder+"/") {
			n++
		}
	}
	return n
}

func (a *adversary) compactions(config string, args ...string) (all []pipeline.Compaction) {
	a.t.Helper()
	status, stdout, stderr := a.run(config, append([]string{"compact", "-o", "json"}, args...)...)
	if err := json.Unmarshal([]byte(stdout), &all); err != nil || status != exitDone {
		a.t.Fatalf("exit %d, %v\n%s%s", status, err, stdout, stderr)
	}
	return all
}

// TestCompact merges, lets late jobs come, and merges again: after each step
// every table has the same rows, as DuckDB reads them.
func TestCompact(t *testing.T) {
	a := newAdversary(t, 480, nil, nil) // few enough for none to be open
	a.do(compactConfig, "run")
	same := a.remember()
	before := map[string]int{}
	for _, folder := range compactFolders {
		before[folder] = a.count(folder)
	}
	files := a.files()
	planned := a.compactions(compactConfig, "--dry-run")
	if diff := cmp.Diff(files, a.files()); diff != "" {
		t.Error("a dry run changes files:", diff)
	}
	done := a.compactions(compactConfig)
	same()
	a.do(compactConfig, "verify")
	for i, f := range done[0].Folders {
		p := planned[0].Folders[i]
		p.BytesAfter = f.BytesAfter
		if p != f || f.FilesAfter >= f.FilesBefore || f.Rows == 0 {
			t.Errorf("planned %+v, done %+v", p, f)
		}
	}
	for _, folder := range compactFolders[:3] { // a day has few files
		if got := a.count(folder); got >= before[folder] {
			t.Errorf("%s has %d files, and had %d", folder, got, before[folder])
		}
	}
	if left := done[0].Left; len(left) != 1 || left[0].Month != "2026-11" || left[0].Reason != "the month is not over" {
		t.Errorf("left alone: %+v", left)
	}
	if out := a.do(compactConfig, "compact"); !strings.Contains(out, "nothing to merge") {
		t.Errorf("a second compaction finds something to do:\n%s", out)
	}
	a.late(40)
	a.do(compactConfig, "run")
	a.do(compactConfig, "verify")
	truth := a.truth(15 * time.Minute)
	if len(truth) == 0 || truth["job_late_0"].ID == "" {
		t.Fatal("the simulator does not have the late jobs")
	}
	same = a.remember()
	if again := a.compactions(compactConfig); again[0].Swaps == 0 {
		t.Error("late jobs are not merged")
	}
	same()
	a.do(compactConfig, "run")
	a.do(compactConfig, "verify")
	for _, folder := range compactFolders {
		got := a.duck("SELECT count(*), count(DISTINCT job_id) FROM %s", folder)
		if want := fmt.Sprint(len(truth)); got[0] != want || got[1] != want {
			t.Errorf("%s has %s rows, %s jobs, of %s", folder, got[0], got[1], want)
		}
	}
}

// duck asks for a line about a folder's table.
func (a *adversary) duck(query, folder string) []string {
	a.t.Helper()
	return testserver.DuckDB(a.t).Query(fmt.Sprintf(query, a.table("parquet", folder)))[0]
}

// remember copies tables and returns what compares them with what they are
// then.
func (a *adversary) remember() func() {
	a.t.Helper()
	was := map[string]string{}
	for _, table := range []string{"month", "other", "month__line_items"} {
		was[table] = a.save(a.table("parquet", table))
	}
	return func() {
		a.t.Helper()
		for table, copy := range was {
			a.equal(copy, a.table("parquet", table))
		}
	}
}

// late adds jobs to days that were closed long ago.
func (a *adversary) late(n int) {
	for i := range n {
		at := a.now.Add(-time.Duration(40+i%3)*dayLong - time.Duration(i)*time.Minute)
		a.sim.AddRaw(at, fmt.Appendf(nil,
			`{"id":"job_late_%d","status":"completed","extractor_id":"ext_late","created_at":%q,"extracted_data":{"late":%d,"line_items":[{"x":1}]}}`,
			i, at.Format(time.RFC3339), i))
	}
}

// TestCompactAtOnce lets two compactions and a run work at the same time.
func TestCompactAtOnce(t *testing.T) {
	a := newAdversary(t, 480, nil, nil)
	a.do(compactConfig, "run")
	a.late(30)
	config := strings.Replace(compactConfig, "ARCHIVE", "file://"+a.archive(), 1)
	var together errgroup.Group
	for _, args := range [][]string{{"compact"}, {"compact"}, {"run"}} {
		other := *a
		other.dir = t.TempDir() // with a cache of its own
		together.Go(func() error {
			if status, stdout, stderr := other.run(config, args...); status != exitDone {
				return fmt.Errorf("%v: exit %d\n%s%s", args, status, stdout, stderr)
			}
			return nil
		})
	}
	if err := together.Wait(); err != nil {
		t.Error(err)
	}
	a.do(compactConfig, "verify")
	want := fmt.Sprint(len(a.truth(15 * time.Minute)))
	for _, folder := range compactFolders {
		if got := a.duck("SELECT count(*), count(DISTINCT job_id) FROM %s", folder); got[0] != want || got[1] != want {
			t.Errorf("%s has %s rows, %s jobs, of %s", folder, got[0], got[1], want)
		}
	}
}

// TestCompactOnS3 does it where files are copied by the server.
func TestCompactOnS3(t *testing.T) {
	bucket := testserver.S3(t)
	a := newAdversary(t, 480, nil, nil)
	config := strings.Replace(wholeConfig, "archive: ARCHIVE", fmt.Sprintf("archive: %q", bucket), 1)
	a.do(config, "run")
	if done := a.compactions(config); done[0].Swaps != 1 {
		t.Errorf("%+v", done)
	}
	a.do(config, "run")
	a.do(config, "verify")
	download(t, bucket, a.archive())
	a.compare("all", a.truth(15*time.Minute))
}

func (a *adversary) read(name string) []byte {
	a.t.Helper()
	data, err := os.ReadFile(a.archive() + name)
	if err != nil {
		a.t.Fatal(err)
	}
	return data
}

func (a *adversary) write(name string, data []byte) {
	a.t.Helper()
	if err := os.WriteFile(a.archive()+name, data, 0o600); err != nil {
		a.t.Fatal(err)
	}
}

// TestCompactedFileIsDamaged changes a value in a large file, and lets a small
// one come back.
func TestCompactedFileIsDamaged(t *testing.T) {
	a := newAdversary(t, 240, nil, nil)
	a.do(wholeConfig, "run")
	var old string
	for _, name := range a.files() {
		if strings.HasPrefix(name, "/all/created_month=2026-10/") {
			old = name
		}
	}
	kept := a.read(old)
	a.do(wholeConfig, "compact")
	a.write(old, kept)
	status, stdout, _ := a.run(wholeConfig, "verify")
	if status != exitDamaged || !strings.Contains(stdout, "swap 1") || !strings.Contains(stdout, "`gc` removes it") {
		t.Errorf("exit %d\n%s", status, stdout)
	}
	if out := a.do(wholeConfig, "gc"); !strings.Contains(out, "1 replaced file") {
		t.Error(out)
	}
	a.do(wholeConfig, "verify")
	for _, name := range a.files() {
		if strings.Contains(name, "/compact-202610-") {
			data := a.read(name)
			data[len(data)/3] ^= 1
			a.write(name, data)
		}
	}
	status, stdout, _ = a.run(wholeConfig, "verify")
	if status != exitDamaged || !strings.Contains(stdout, "checksum") || !strings.Contains(stdout, "row group") {
		t.Errorf("exit %d\n%s", status, stdout)
	}
}
