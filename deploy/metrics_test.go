package deploy_test

import (
	"encoding/json"
	"log/slog"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
	"sigs.k8s.io/yaml"
)

// documented are the metrics of the program: docs/METRICS.md lists all that are
// sent, which a test of internal/metrics makes sure of.
func documented(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	for _, row := range regexp.MustCompile("(?m)^\\| `(docarchive_[a-z_]+)`").FindAllStringSubmatch(read(t, "../docs/METRICS.md"), -1) {
		names[row[1]] = true
	}
	if !names["docarchive_days_left"] || len(names) < 20 {
		t.Fatalf("METRICS.md was not understood: %v", names)
	}
	return names
}

// ofRuntime are metrics of the Go runtime and the process that live metrics
// have.
var ofRuntime = []string{"process_resident_memory_bytes", "go_memstats_heap_inuse_bytes"}

// metricsOf are the metrics that an expression reads.
func metricsOf(t *testing.T, expression string) (names []string) {
	t.Helper()
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(expression)
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		if selector, ok := node.(*parser.VectorSelector); ok {
			names = append(names, selector.Name)
		}
		return nil
	})
	return names
}

func alertRules(t *testing.T) []rulefmt.Rule {
	t.Helper()
	groups, errs := rulefmt.ParseFile(chart+"/files/rules.yaml", false, model.UTF8Validation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
	for _, err := range errs {
		t.Error(err)
	}
	if groups == nil || len(groups.Groups) != 1 {
		t.Fatal("there is not one group of rules")
	}
	return groups.Groups[0].Rules
}

func TestRulesReadKnownMetrics(t *testing.T) {
	t.Parallel()
	known := documented(t)
	for _, rule := range alertRules(t) {
		for _, name := range metricsOf(t, rule.Expr) {
			if !known[name] {
				t.Errorf("%s: the program has no metric %s", rule.Alert, name)
			}
		}
		if rule.Labels["severity"] == "" || rule.Annotations["summary"] == "" || rule.Annotations["description"] == "" {
			t.Errorf("%s does not say what to do", rule.Alert)
		}
	}
}

// Series are loaded a day apart. Each alert is tried on what it is to fire on,
// and on what it must not.
func TestAlertsFire(t *testing.T) {
	t.Parallel()
	const success = `docarchive_last_success_timestamp_seconds{pipeline="p"}`
	tried := map[string]bool{}
	rules := map[string]string{}
	for _, rule := range alertRules(t) {
		rules[rule.Alert] = rule.Expr
	}
	for _, c := range []struct {
		alert, series string
		day           int
		fires         bool
	}{
		{"DocarchiveNoSuccess", success + " 0x9", 1, false},
		{"DocarchiveNoSuccess", success + " 0x9", 3, true},
		{"DocarchiveNoSuccess", success + " 0+86400x9", 9, false},
		{"DocarchiveNeverSucceeded", `docarchive_run_end_timestamp_seconds{pipeline="p"} 0+86400x9`, 1, true},
		{"DocarchiveNeverSucceeded", `docarchive_run_end_timestamp_seconds{pipeline="p"} 0+86400x9` + "\n" + success + " 0x9", 1, false},
		{"DocarchiveJobsExpire", `docarchive_days_left{pipeline="p"} 15 14 13`, 1, false},
		{"DocarchiveJobsExpire", `docarchive_days_left{pipeline="p"} 15 14 13`, 2, true},
		{"DocarchiveUnproven", `docarchive_windows_unproven{pipeline="p"} 0 1`, 0, false},
		{"DocarchiveUnproven", `docarchive_windows_unproven{pipeline="p"} 0 1`, 1, true},
		{"DocarchiveQuarantine", `docarchive_jobs_quarantined{pipeline="p"} 0 1`, 0, false},
		{"DocarchiveQuarantine", `docarchive_jobs_quarantined{pipeline="p"} 0 1`, 1, true},
		{"DocarchiveUnfinished", `docarchive_jobs_unfinished{pipeline="p"} 0 1`, 0, false},
		{"DocarchiveUnfinished", `docarchive_jobs_unfinished{pipeline="p"} 0 1`, 1, true},
		{"DocarchiveJobsStuck", `docarchive_jobs_open{pipeline="p"} 1 2 3 1`, 3, true},
		{"DocarchiveJobsStuck", `docarchive_jobs_open{pipeline="p"} 1 2 0 1`, 3, false},
		{"DocarchiveSilent", `up{job="other"} 1 1`, 1, true},
		{"DocarchiveSilent", success + " 0 0", 1, false},
	} {
		tried[c.alert] = true
		var load strings.Builder
		load.WriteString("load 1d\n")
		for series := range strings.Lines(c.series) {
			load.WriteString("  " + strings.TrimSpace(series) + "\n")
		}
		storage := promqltest.LoadedStorage(t, load.String())
		engine := promqltest.NewTestEngine(t, false, 0, 1000)
		at := time.Unix(0, 0).Add(time.Duration(c.day) * 24 * time.Hour)
		query, err := engine.NewInstantQuery(t.Context(), storage, nil, rules[c.alert], at)
		if err != nil {
			t.Fatalf("%s: %v", c.alert, err)
		}
		result := query.Exec(t.Context())
		vector, err := result.Vector()
		if err != nil {
			t.Fatalf("%s: %v", c.alert, err)
		}
		if fires := len(vector) > 0; fires != c.fires {
			t.Errorf("%s on day %d of %s: fires %v, want %v", c.alert, c.day, c.series, fires, c.fires)
		}
		if len(vector) > 0 && c.alert != "DocarchiveSilent" && vector[0].Metric.Get("pipeline") != "p" {
			t.Errorf("%s does not tell which pipeline: %v", c.alert, vector[0].Metric)
		}
		query.Close()
		if err := storage.Close(); err != nil {
			t.Error(err)
		}
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(rules)), slices.Sorted(maps.Keys(tried))); diff != "" {
		t.Errorf("alerts (-there +tried):\n%s", diff)
	}
}

// dashboard is what of a Grafana dashboard is looked at.
type dashboard struct {
	UID        string `json:"uid"`
	Templating struct {
		List []struct {
			Name       string `json:"name"`
			Definition string `json:"definition"`
		} `json:"list"`
	} `json:"templating"`
	Panels []struct {
		ID          int                      `json:"id"`
		Type        string                   `json:"type"`
		Title       string                   `json:"title"`
		Description string                   `json:"description"`
		Grid        struct{ X, Y, W, H int } `json:"gridPos"`
		Targets     []struct {
			Expr       string            `json:"expr"`
			Datasource map[string]string `json:"datasource"`
		} `json:"targets"`
	} `json:"panels"`
}

func loadDashboard(t *testing.T) dashboard {
	t.Helper()
	var d dashboard
	if err := json.Unmarshal([]byte(read(t, chart+"/files/dashboard.json")), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// The dashboard shows every metric there is, and none that there is not.
func TestDashboardShowsEveryMetric(t *testing.T) {
	t.Parallel()
	known, shown := documented(t), map[string]bool{}
	for _, panel := range loadDashboard(t).Panels {
		if panel.Type != "row" && (len(panel.Targets) == 0 || panel.Description == "") {
			t.Errorf("panel %q shows nothing, or does not say what", panel.Title)
		}
		for _, target := range panel.Targets {
			for _, name := range metricsOf(t, strings.ReplaceAll(target.Expr, "$pipeline", "p")) {
				shown[name] = true
				if !known[name] && !slices.Contains(ofRuntime, name) {
					t.Errorf("panel %q: the program has no metric %s", panel.Title, name)
				}
			}
			if target.Datasource["uid"] != "${datasource}" {
				t.Errorf("panel %q is bound to a data source", panel.Title)
			}
		}
	}
	for name := range known {
		if !shown[name] {
			t.Errorf("%s is shown nowhere", name)
		}
	}
}

func TestDashboardPanelsDoNotOverlap(t *testing.T) {
	t.Parallel()
	taken, ids := map[[2]int]string{}, map[int]bool{}
	for _, panel := range loadDashboard(t).Panels {
		if ids[panel.ID] {
			t.Errorf("panel %q: its id %d is taken", panel.Title, panel.ID)
		}
		ids[panel.ID] = true
		g := panel.Grid
		if g.W < 1 || g.H < 1 || g.X < 0 || g.X+g.W > 24 {
			t.Errorf("panel %q is out of the grid: %+v", panel.Title, g)
		}
		for x := g.X; x < g.X+g.W; x++ {
			for y := g.Y; y < g.Y+g.H; y++ {
				if other, has := taken[[2]int{x, y}]; has {
					t.Fatalf("panel %q lies on %q", panel.Title, other)
				}
				taken[[2]int{x, y}] = panel.Title
			}
		}
	}
}

// What the chart puts into a cluster is what stands in files/.
func TestChartShipsRulesAndDashboard(t *testing.T) {
	t.Parallel()
	full := release(t, read(t, chart+"/ci/full-values.yaml"))
	if diff := cmp.Diff(read(t, chart+"/files/dashboard.json"), full.configs["archive-dashboard"].Data["docarchive.json"]); diff != "" {
		t.Errorf("the dashboard (-file +cluster):\n%s", diff)
	}
	if label := full.configs["archive-dashboard"].Labels["grafana_dashboard"]; label != "1" {
		t.Errorf("the sidecar looks for grafana_dashboard=1, not %q", label)
	}
	var file, shipped any
	if err := yaml.Unmarshal([]byte(read(t, chart+"/files/rules.yaml")), &file); err != nil {
		t.Fatal(err)
	}
	spec, err := yaml.Marshal(full.rules[0].Spec)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(spec, &shipped); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(file, shipped); diff != "" {
		t.Errorf("the rules (-file +cluster):\n%s", diff)
	}
}
