package deploy_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v4/pkg/chart/v2/lint"
	"helm.sh/helm/v4/pkg/chart/v2/lint/support"
	"sigs.k8s.io/yaml"

	"github.com/adteco/docarchive/deploy/manifests"
)

func TestChartLints(t *testing.T) {
	t.Parallel()
	for _, message := range lint.RunAll(chart, map[string]any{}, "archive").Messages {
		if message.Severity > support.InfoSev {
			t.Errorf("%v", message)
		}
	}
}

func TestManifestsDecodeStrictly(t *testing.T) {
	t.Parallel()
	for name, want := range map[string][]string{
		"default": {"run", "validate"},
		"full":    {"backfill", "gc", "monitor", "resubmit", "run", "status", "validate", "verify"},
		"workers": {"finalize", "run", "validate"},
		"volume":  {"run", "validate"},
	} {
		c, has := releases(t)[name]
		if !has {
			t.Fatalf("there are no values %s", name)
		}
		if diff := cmp.Diff(want, slices.Sorted(maps.Keys(c.pods))); diff != "" {
			t.Errorf("%s: workloads (-want +got):\n%s", name, diff)
		}
	}
}

func TestPlainManifestsAreUpToDate(t *testing.T) {
	t.Parallel()
	files, err := manifests.Files(".")
	if err != nil {
		t.Fatal(err)
	}
	found, err := filepath.Glob("kubernetes/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range found {
		base := filepath.Base(name)
		if _, has := files[base]; !has && !strings.HasPrefix(base, "values") && base != "kustomization.yaml" {
			t.Errorf("%s is rendered by nothing", name)
		}
	}
	var kustomization struct {
		APIVersion string   `json:"apiVersion"`
		Kind       string   `json:"kind"`
		Resources  []string `json:"resources"`
	}
	if err := yaml.UnmarshalStrict([]byte(read(t, "kubernetes/kustomization.yaml")), &kustomization); err != nil {
		t.Fatal(err)
	}
	var applied []string
	for name, want := range files {
		data, err := os.ReadFile(filepath.Join("kubernetes", name))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(data)); diff != "" {
			t.Errorf("%s is out of date, run make manifests (-want +got):\n%s", name, diff)
		}
		for _, foreign := range []string{"Helm", "helm.sh", "checksum", "namespace:"} {
			if strings.Contains(want, foreign) {
				t.Errorf("%s: %s is left", name, foreign)
			}
		}
		decode(t, manifests.Documents(map[string]string{name: want}))
		if name != "workers.yaml" {
			applied = append(applied, name)
		}
	}
	slices.Sort(applied)
	slices.Sort(kustomization.Resources)
	if diff := cmp.Diff(applied, kustomization.Resources); diff != "" {
		t.Errorf("kustomization.yaml (-want +got):\n%s", diff)
	}
}

// leaves are the dotted names of all values.
func leaves(prefix string, value any) []string {
	object, ok := value.(map[string]any)
	if !ok || len(object) == 0 || prefix == "resources" || strings.HasSuffix(prefix, "labels") {
		return []string{prefix}
	}
	var all []string
	for name, sub := range object {
		all = append(all, leaves(strings.TrimPrefix(prefix+"."+name, "."), sub)...)
	}
	return all
}

func TestReadmeListsEveryValue(t *testing.T) {
	t.Parallel()
	var values map[string]any
	if err := yaml.Unmarshal([]byte(read(t, chart+"/values.yaml")), &values); err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, name := range leaves("", values) {
		if task := regexp.MustCompile(`^tasks\.[a-z]+\.`); task.MatchString(name) {
			name = task.ReplaceAllString(name, "tasks.NAME.")
		}
		want = append(want, name)
	}
	slices.Sort(want)
	var told []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([A-Za-z.]+)` \\|").FindAllStringSubmatch(read(t, chart+"/README.md"), -1) {
		told = append(told, row[1])
	}
	slices.Sort(told)
	if diff := cmp.Diff(slices.Compact(want), told); diff != "" {
		t.Errorf("the README's table of values (-values.yaml +README.md):\n%s", diff)
	}
}
