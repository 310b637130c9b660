// Package manifests renders the Helm chart, for its tests and into plain
// Kubernetes manifests for those who do not use Helm.
package manifests

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"
	"sigs.k8s.io/yaml"
)

// Release says as what a chart is rendered.
type Release struct {
	Chart     string // its folder
	Name      string
	Namespace string // empty: left to kubectl
	Values    []byte // YAML over the chart's own values
}

// Render returns what each template yields, by its name below templates/.
// Templates that yield nothing are left out. Values that the chart's schema
// refuses are an error.
func Render(r Release) (map[string]string, error) {
	c, err := loader.LoadDir(r.Chart)
	if err != nil {
		return nil, fmt.Errorf("load the chart %s: %w", r.Chart, err)
	}
	values := map[string]any{}
	if err := yaml.UnmarshalStrict(r.Values, &values); err != nil {
		return nil, fmt.Errorf("read the values: %w", err)
	}
	options := common.ReleaseOptions{Name: r.Name, Namespace: r.Namespace, Revision: 1, IsInstall: true}
	top, err := util.ToRenderValues(c, values, options, nil)
	if err != nil {
		return nil, fmt.Errorf("apply the values: %w", err)
	}
	rendered, err := engine.Render(c, top)
	if err != nil {
		return nil, fmt.Errorf("render the chart: %w", err)
	}
	out := map[string]string{}
	for name, text := range rendered {
		_, name, _ = strings.Cut(name, "/templates/")
		if strings.TrimSpace(text) != "" && !strings.HasPrefix(path.Base(name), "_") {
			out[name] = text
		}
	}
	return out, nil
}

// Documents splits rendered templates, given by name, into YAML documents, in
// the order of the names. Texts that are no manifests, such as NOTES.txt, are
// left out.
func Documents(rendered map[string]string) []string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(rendered)) {
		if path.Ext(name) != ".yaml" {
			continue
		}
		for _, document := range strings.Split("\n"+rendered[name], "\n---\n") {
			if document = strings.TrimSpace(document); document != "" {
				all = append(all, document+"\n")
			}
		}
	}
	return all
}

// ofHelm are lines that only mean something where Helm manages a release.
var ofHelm = []string{"helm.sh/chart:", "app.kubernetes.io/managed-by:", "checksum/jobs.yaml:"}

// Plain takes from a manifest what only Helm needs, and the namespace where
// there is none.
func Plain(document string) string {
	var kept []string
	for line := range strings.Lines(document) {
		text := strings.TrimSpace(line)
		helms := slices.ContainsFunc(ofHelm, func(start string) bool { return strings.HasPrefix(text, start) })
		if !helms && text != "namespace:" {
			kept = append(kept, line)
		}
	}
	return strings.Join(slices.DeleteFunc(kept, emptied(kept)), "")
}

// emptied reports for the annotations: lines in turn whether nothing is left
// below them.
func emptied(lines []string) func(line string) bool {
	at := -1
	return func(line string) bool {
		at++
		if strings.TrimSpace(line) != "annotations:" {
			return false
		}
		return at+1 == len(lines) || indent(lines[at+1]) <= indent(line)
	}
}

func indent(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }
