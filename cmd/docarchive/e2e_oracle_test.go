package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/docextract/docextracttest"
	"github.com/adteco/docarchive/internal/testserver"
)

// leaves are the values of a JSON document, by JSON Pointer: strings as they
// are, numbers as canonical fractions, arrays and empty objects as compact text.
type leaves map[string]string

func (l leaves) collect(pointer string, v any) {
	switch v := v.(type) {
	case nil:
	case map[string]any:
		if len(v) == 0 {
			l[pointer] = "{}"
		}
		for key, member := range v {
			key = strings.ReplaceAll(strings.ReplaceAll(key, "~", "~0"), "/", "~1")
			l.collect(pointer+"/"+key, member)
		}
	case []any:
		l[pointer] = compact(v)
	default:
		l[pointer] = scalar(v)
	}
}

func compact(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err.Error()
	}
	return strings.TrimSpace(b.String())
}

func scalar(v any) string {
	switch v := v.(type) {
	case json.Number:
		return canonical(v.String())
	case bool:
		return strconv.FormatBool(v)
	default:
		return fmt.Sprint(v)
	}
}

// canonical is one form for all ways to write a number.
func canonical(number string) string {
	r, ok := new(big.Rat).SetString(number)
	if !ok {
		return number
	}
	return r.RatString()
}

func parseJSON(t *testing.T, data []byte) map[string]any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v map[string]any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%v in %.200s", err, data)
	}
	return v
}

// schemaColumn is a column as the archive's own schema file tells it.
type schemaColumn struct {
	Name   string `json:"name"`
	Group  string `json:"group"`
	Type   string `json:"type"`
	Source string `json:"source"`
	TextOf string `json:"text_of"`

	FirstSeen string `json:"first_seen"` // id of a run
}

func readSchema(t *testing.T, archive, dataset string) []schemaColumn {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(archive, "_archive/schema", dataset, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no schema of %s: %v", dataset, err)
	}
	data, err := os.ReadFile(files[len(files)-1])
	if err != nil {
		t.Fatal(err)
	}
	var schema struct{ Columns []schemaColumn }
	if err := json.Unmarshal(data, &schema); err != nil {
		t.Fatal(err)
	}
	return schema.Columns
}

// rowLeaves gives back the leaves that a row, as DuckDB read it, stands for.
func rowLeaves(columns []schemaColumn, row map[string]any) leaves {
	l := leaves{}
	for _, c := range columns {
		v := row[c.Name]
		if v == nil || c.Group == "standard" && c.TextOf == "" {
			continue
		}
		switch {
		case c.TextOf != "":
			// A string as it is, or the JSON text of anything else.
			l[c.Source] = "text:" + v.(string)
		case c.Type == "json":
			var parsed any
			d := json.NewDecoder(strings.NewReader(v.(string)))
			d.UseNumber()
			if d.Decode(&parsed) == nil {
				if c.Name == "overflow" {
					for pointer, value := range parsed.(map[string]any) {
						switch value := value.(type) {
						case string:
							l[pointer] = "text:" + value
						case json.Number:
							l[pointer] = scalar(value)
						default:
							l[pointer] = compact(value)
						}
					}
					continue
				}
				l[c.Source] = compact(parsed)
			}
		case strings.HasPrefix(c.Type, "list("):
			l[c.Source] = compact(v)
		case c.Type == "timestamp":
			l[c.Source] = timeText(v.(string))
		default:
			l[c.Source] = scalar(v)
		}
	}
	return l
}

// timeText writes a time, as a reader of Parquet does, as jobs have it.
func timeText(text string) string {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05.999999-07"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC().Format(time.RFC3339Nano)
		}
	}
	return text
}

// same reports whether a row's leaf is the truth's.
func same(want, got string) bool {
	if want == got {
		return true
	}
	text, is := strings.CutPrefix(got, "text:")
	if !is {
		return false
	}
	if text == want || canonical(text) == want {
		return true
	}
	var v any
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	return d.Decode(&v) == nil && (compact(v) == want || scalar(v) == want)
}

// adversary is an archive of jobs whose API is as contrary as it may be.
type adversary struct {
	t       *testing.T
	sim     *docextracttest.Simulator
	running *docextracttest.Running
	now     time.Time
	clock   func() time.Time // docarchive's own; nil: now
	dir     string
}

func newAdversary(t *testing.T, jobs int, knobs map[string]string, faults map[string]float64) *adversary {
	t.Helper()
	a := &adversary{t: t, now: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC), dir: t.TempDir()}
	a.restart(docextracttest.Config{Seed: 7, Jobs: jobs, Open: jobs / 500}, knobs)
	for name, p := range faults {
		if err := a.sim.Faults().Set(name, p); err != nil {
			t.Fatal(err)
		}
	}
	return a
}

// restart puts another simulator in the place of the one before.
func (a *adversary) restart(c docextracttest.Config, knobs map[string]string) {
	a.t.Helper()
	c.Clock, c.Key = func() time.Time { return a.now }, "sk_test_adversary"
	a.sim = docextracttest.New(c)
	for name, value := range knobs {
		if err := a.sim.Knobs().Set(name, value); err != nil {
			a.t.Fatal(err)
		}
	}
	running, err := a.sim.Start()
	if err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(func() {
		if err := running.Close(); err != nil {
			a.t.Error(err)
		}
	})
	a.running = running
}

// run executes docarchive in the adversary's folder with its clock.
func (a *adversary) run(config string, args ...string) (status int, stdout, stderr string) {
	a.t.Helper()
	file := filepath.Join(a.dir, "jobs.yaml")
	config = strings.NewReplacer("BASE_URL", a.running.URL, "ARCHIVE", "file://"+a.archive()).Replace(config)
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		a.t.Fatal(err)
	}
	var out, errs bytes.Buffer
	clock := a.clock
	if clock == nil {
		clock = func() time.Time { return a.now }
	}
	status = run(system{
		args: append([]string{"--config", file}, args...),
		getenv: func(name string) (string, bool) {
			if name == "DOCARCHIVE_CACHE_DIR" || name == "DOCARCHIVE_SPOOL" {
				return a.dir, true
			}
			return "", false
		},
		stdout: &out, stderr: &errs, now: clock,
		tune: func(o *docextract.Options) {
			o.Retry.First, o.Retry.Longest, o.Retry.Attempts = time.Millisecond, 5*time.Millisecond, 40
			o.Retry.Malformed = 40
			o.Timeouts = docextract.Timeouts{Header: 500 * time.Millisecond, Idle: 500 * time.Millisecond, Total: 2 * time.Second}
		},
	})
	return status, out.String(), errs.String()
}

func (a *adversary) archive() string { return filepath.Join(a.dir, "archive") }

// truth is what the archive must hold: the leaves of every job that is final
// and old enough, by id.
func (a *adversary) truth(settle time.Duration) map[string]docextracttest.TruthJob {
	a.t.Helper()
	all := map[string]docextracttest.TruthJob{}
	err := a.sim.Truth(func(j docextracttest.TruthJob) error {
		if j.Final && !j.Malformed && !j.Expired && j.CreatedAt.Before(a.now.Add(-settle)) {
			j.Raw = bytes.Clone(j.Raw)
			all[j.ID] = j
		}
		return nil
	})
	if err != nil {
		a.t.Fatal(err)
	}
	return all
}

// compare reads the dataset's Parquet files with DuckDB and compares them with
// the truth: each job once, each leaf as it was.
func (a *adversary) compare(dataset string, want map[string]docextracttest.TruthJob) {
	a.t.Helper()
	out := filepath.Join(a.t.TempDir(), "rows.jsonl")
	testserver.DuckDB(a.t).Query(fmt.Sprintf(
		"COPY (SELECT * FROM read_parquet('%s/%s/**/*.parquet', union_by_name=true, hive_partitioning=false)) TO '%s' (FORMAT json)",
		a.archive(), dataset, out))
	f, err := os.Open(out)
	if err != nil {
		a.t.Fatal(err)
	}
	defer f.Close()
	columns := readSchema(a.t, a.archive(), dataset)
	seen := map[string]bool{}
	r := bufio.NewReader(f)
	for {
		line, err := r.ReadBytes('\n')
		if err == io.EOF {
			break
		}
		if err != nil {
			a.t.Fatal(err)
		}
		row := parseJSON(a.t, line)
		id := row["job_id"].(string)
		job, due := want[id]
		if seen[id] || !due {
			a.t.Fatalf("job %s: seen before %v, due %v", id, seen[id], due)
		}
		seen[id] = true
		a.compareRow(columns, row, job)
	}
	if len(seen) != len(want) {
		a.t.Errorf("%d jobs in the archive, %d in truth", len(seen), len(want))
	}
}

func (a *adversary) compareRow(columns []schemaColumn, row map[string]any, job docextracttest.TruthJob) {
	a.t.Helper()
	raw := parseJSON(a.t, job.Raw)
	want := leaves{}
	for _, part := range []string{"extracted_data", "confidence", "metadata"} {
		want.collect("/"+part, raw[part])
	}
	got := rowLeaves(columns, row)
	for pointer, value := range want {
		// Of a key that stands twice the first is the column's, the later ones
		// overflow; encoding/json keeps the last.
		for n := 2; ; n++ {
			twin := fmt.Sprintf("%s~#%d", pointer, n)
			if _, has := got[twin]; !has {
				break
			}
			got[pointer] = "text:" + strings.TrimPrefix(got[twin], "text:")
			delete(got, twin)
		}
		if !same(value, got[pointer]) {
			a.t.Fatalf("job %s %s: %q in truth, %q in the archive", job.ID, pointer, value, got[pointer])
		}
		delete(got, pointer)
	}
	if len(got) > 0 {
		a.t.Errorf("job %s: the archive has more: %v", job.ID, got)
	}
	for _, name := range []string{"org_id", "extractor_id", "status", "mime_type", "file_size_bytes", "cost_credits"} {
		if scalar(row[name]) != scalar(raw[name]) {
			a.t.Errorf("job %s %s: %v in truth, %v in the archive", job.ID, name, raw[name], row[name])
		}
	}
}
