package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/adteco/docarchive/internal/testserver"
)

// policyConfig archives a few days with the schema's policy in place of POLICY.
const policyConfig = `
api: {base_url: BASE_URL, key: sk_test_adversary}
archive: ARCHIVE
pipelines:
  all:
    since: 3d
    schema: POLICY
    fields: {line_items: table, tags: list}
    sinks: [{type: parquet}, {type: csv, path: csv}]
`

func policy(name string) string { return strings.Replace(policyConfig, "POLICY", name, 1) }

// add makes a job by hand, which is final.
func (a *adversary) add(id string, ago time.Duration, data string) {
	created := a.now.Add(-ago)
	a.sim.AddRaw(created, fmt.Appendf(nil,
		`{"id":%q,"extractor_id":"ext_invoice","status":"completed","created_at":%q,"extracted_data":%s}`,
		id, created.Format(time.RFC3339), data))
}

// settled archives what there is, and makes time go on.
func settled(t *testing.T, policyName string) *adversary {
	a := newAdversary(t, 2000, nil, nil)
	if status, _, stderr := a.run(policy(policyName), "run"); status != exitDone {
		t.Fatalf("exit %d\n%s", status, stderr)
	}
	a.now = a.now.Add(2 * time.Hour)
	return a
}

// files lists everything in the archive but the reports of runs.
func (a *adversary) files() (names []string) {
	a.t.Helper()
	err := filepath.WalkDir(a.archive(), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !strings.Contains(path, "/_archive/runs/") {
			names = append(names, strings.TrimPrefix(path, a.archive()))
		}
		return err
	})
	if err != nil {
		a.t.Fatal(err)
	}
	return names
}

// holds lists those of the archive's jobs that were added by hand.
func (a *adversary) holds() []string {
	a.t.Helper()
	rows := testserver.DuckDB(a.t).Query(fmt.Sprintf(
		`SELECT job_id FROM read_parquet('%s/all/*.parquet', union_by_name=true)
		WHERE regexp_matches(job_id, '^job_[a-z]+(_\d)?$') ORDER BY job_id`, a.archive()))
	ids := []string{}
	for _, row := range rows {
		ids = append(ids, row[0])
	}
	return ids
}

func (a *adversary) checkHolds(want ...string) {
	a.t.Helper()
	if diff := cmp.Diff(want, a.holds()); diff != "" {
		a.t.Errorf("jobs added by hand (-want +got): %s", diff)
	}
}

func TestFrozenSchemaStopsTheRun(t *testing.T) {
	a := settled(t, "freeze")
	a.add("job_known", 30*time.Hour, `{"total_amount":1}`) // in a window of its own, which is audited
	a.add("job_fresh", time.Hour, `{"total_amount":2}`)
	a.add("job_strange", 50*time.Minute, `{"total_amount":3,"never_seen":1}`)
	before := a.files()
	status, stdout, stderr := a.run(policy("freeze"), "run")
	if status != exitFailed || !strings.Contains(stderr, "/extracted_data/never_seen") || !strings.Contains(stderr, "job_strange") {
		t.Fatalf("exit %d\n%s%s", status, stdout, stderr)
	}
	if diff := cmp.Diff(before, a.files()); diff != "" {
		t.Errorf("a run that failed for a new field has written (-before +after): %s", diff)
	}
	if status, _, stderr := a.run(policy("evolve"), "run"); status != exitDone {
		t.Fatalf("exit %d\n%s", status, stderr)
	}
	a.checkHolds("job_fresh", "job_known", "job_strange")
	a.now = a.now.Add(time.Hour)
	a.add("job_later", 30*time.Minute, `{"total_amount":2,"never_seen":2}`)
	if status, _, stderr := a.run(policy("freeze"), "run"); status != exitDone {
		t.Fatalf("exit %d with fields that were taken in\n%s", status, stderr)
	}
	a.checkHolds("job_fresh", "job_known", "job_later", "job_strange")
}

// TestFrozenSchemaArchivesTheRest goes on under a frozen schema behind an API
// that fails often: windows are gathered first and committed then.
func TestFrozenSchemaArchivesTheRest(t *testing.T) {
	a := newAdversary(t, 3000, contrary, flaky(0.02))
	config := strings.Replace(wholeConfig, "since:", "schema: freeze\n    since:", 1)
	for range 2 {
		if status, stdout, stderr := a.run(config, "run"); status != exitDone {
			t.Fatalf("exit %d\n%s%s", status, stdout, stderr)
		}
		a.compare("all", a.truth(15*time.Minute))
		for i := range 30 { // windows of their own, all over
			a.add(fmt.Sprintf("job_late_%d", i), time.Duration(i)*25*time.Hour, `{"total_amount":1.5}`)
		}
		a.now = a.now.Add(36 * time.Hour)
	}
}

func TestQuarantineSetsJobsAside(t *testing.T) {
	a := settled(t, "evolve")
	a.add("job_fresh", time.Hour, `{"total_amount":2}`)
	for i := range 3 {
		a.add(fmt.Sprintf("job_strange_%d", i), time.Hour-time.Duration(i)*time.Minute, `{"governing_law":[1],"line_items":[{"never_seen":1}]}`)
	}
	status, stdout, stderr := a.run(policy("quarantine"), "run")
	if status != exitPartly || !strings.Contains(stdout, "3 in quarantine") {
		t.Fatalf("exit %d\n%s%s", status, stdout, stderr)
	}
	a.checkHolds("job_fresh")
	for _, dataset := range []string{"all", "all__line_items"} {
		for _, c := range readSchema(t, a.archive(), dataset) {
			if strings.Contains(c.Name, "never_seen") || c.TextOf == "governing_law" {
				t.Errorf("%s has the column %s, of a job set aside", dataset, c.Name)
			}
		}
	}
	aside := slices.DeleteFunc(a.files(), func(name string) bool { return !strings.HasPrefix(name, "/_archive/quarantine/all/") })
	if len(aside) != 1 {
		t.Errorf("quarantine: %v", aside)
	}
	if status, stdout, stderr := a.run(policy("quarantine"), "run"); status != exitDone {
		t.Errorf("exit %d of a run that finds nothing more\n%s%s", status, stdout, stderr)
	}
	if status, stdout, stderr := a.run(policy("quarantine"), "verify"); status != exitDone {
		t.Errorf("verify: exit %d\n%s%s", status, stdout, stderr)
	}
}

// TestDeclaredTypesInTheArchive runs over the simulator's extractors, whose
// values sometimes disagree with their definitions.
func TestDeclaredTypesInTheArchive(t *testing.T) {
	a := settled(t, "evolve")
	types := map[string]string{}
	for _, c := range readSchema(t, a.archive(), "all") {
		types[c.Source+c.TextOf] = c.Type
	}
	for field, want := range map[string]string{
		"subtotal": "decimal(18,4)", "invoice_date": "date32", "paid": "bool", "customer_name": "utf8",
		"external_reference": "float64", "tags": "list(utf8)",
	} {
		if got := types["/extracted_data/"+field]; got != want {
			t.Errorf("%s is %s, want %s", field, got, want)
		}
	}
	definitions := func() []string {
		return slices.DeleteFunc(a.files(), func(name string) bool { return !strings.HasPrefix(name, "/_archive/extractors/") })
	}
	first := definitions()
	if !slices.Contains(first, "/_archive/extractors/ext_invoice/000001.json") {
		t.Errorf("definitions: %v", first)
	}
	if status, _, stderr := a.run(policy("evolve"), "run"); status != exitDone {
		t.Fatalf("exit %d\n%s", status, stderr)
	}
	if diff := cmp.Diff(first, definitions()); diff != "" {
		t.Errorf("definitions that did not change were kept again: %s", diff)
	}
}

func TestSchemaCommand(t *testing.T) {
	a := settled(t, "evolve")
	a.add("job_new", time.Hour, `{"never_seen":[1]}`)
	if status, _, stderr := a.run(policy("evolve"), "run"); status != exitDone {
		t.Fatalf("exit %d\n%s", status, stderr)
	}
	do := func(args ...string) string {
		t.Helper()
		status, stdout, stderr := a.run(policy("evolve"), append([]string{"schema", "all"}, args...)...)
		if status != exitDone {
			t.Fatalf("%v: exit %d\n%s", args, status, stderr)
		}
		return stdout
	}
	var views []schemaView
	if err := json.Unmarshal([]byte(do("--json")), &views); err != nil {
		t.Fatal(err)
	}
	if len(views) != 2 || views[1].Dataset != "all__line_items" {
		t.Fatalf("datasets: %+v", views)
	}
	a.checkFilled(views[0])
	runs := a.runIDs()
	diff := do("--diff", runs[0], runs[1])
	if !strings.Contains(diff, "never_seen") || strings.Contains(diff, "total_amount") {
		t.Errorf("diff of %v:\n%s", runs, diff)
	}
	if back := do("--diff", runs[1], runs[0]); !strings.Contains(back, "- ") || strings.Contains(back, "+ ") {
		t.Errorf("diff backwards:\n%s", back)
	}
	// A run that died has no report, but its records.
	if err := os.Remove(filepath.Join(a.archive(), "_archive/runs", runs[1]+".json")); err != nil {
		t.Fatal(err)
	}
	if again := do("--diff", runs[0], runs[1]); again != diff {
		t.Errorf("diff without a report:\n%s", again)
	}
	// The statements make tables that take the files as they are.
	duck := testserver.DuckDB(t)
	got := duck.Query(fmt.Sprintf("%s; INSERT INTO \"all\" BY NAME SELECT * FROM read_parquet('%s/all/*.parquet', union_by_name=true); "+
		"SELECT count(*) FROM \"all\" WHERE never_seen = '[1]'", strings.TrimSuffix(strings.TrimSpace(do("--ddl", "duckdb")), ";"), a.archive()))
	if diff := cmp.Diff([][]string{{"1"}}, got); diff != "" {
		t.Errorf("rows through --ddl duckdb (-want +got): %s", diff)
	}
}

func (a *adversary) runIDs() (ids []string) {
	files, err := filepath.Glob(filepath.Join(a.archive(), "_archive/runs/*.json"))
	if err != nil {
		a.t.Fatal(err)
	}
	for _, name := range files {
		ids = append(ids, strings.TrimSuffix(filepath.Base(name), ".json"))
	}
	return ids
}

// checkFilled compares what the footers told with what DuckDB counts.
func (a *adversary) checkFilled(view schemaView) {
	a.t.Helper()
	last := a.runIDs()[1]
	var counts []string
	for _, c := range view.Columns {
		counts = append(counts, `count("`+c.Name+`")`)
	}
	want := testserver.DuckDB(a.t).Query(fmt.Sprintf(`SELECT %s FROM read_parquet('%s/all/*.parquet', union_by_name=true)`,
		strings.Join(counts, ", "), a.archive()))[0]
	for i, c := range view.Columns {
		if c.Name == "never_seen" && (c.FirstSeen != last || c.LastSeen != last) {
			a.t.Errorf("never_seen: first %s, last %s, want %s", c.FirstSeen, c.LastSeen, last)
		}
		if c.Filled == nil {
			if c.Name != "tags" {
				a.t.Errorf("nothing tells how many rows have %s", c.Name)
			}
			continue
		}
		if got := strconv.Itoa(int(math.Round(*c.Filled * float64(*view.Rows)))); got != want[i] {
			a.t.Errorf("%s: %s rows by the footers, %s by DuckDB", c.Name, got, want[i])
		}
	}
}
