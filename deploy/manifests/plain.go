package manifests

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const notice = "# Rendered from deploy/chart/docarchive with deploy/kubernetes/%s: change those, then run make manifests.\n"

// variants are the files of plain manifests: the values they are rendered with,
// and the templates that stand in them.
var variants = []struct {
	values, file string
	templates    []string
}{
	{"values.yaml", "docarchive.yaml", []string{"serviceaccount.yaml", "configmap.yaml", "networkpolicy.yaml", "run.yaml"}},
	{"values.yaml", "tasks.yaml", []string{"tasks.yaml"}},
	{"values.yaml", "by-hand.yaml", []string{"once.yaml"}},
	{"values-workers.yaml", "workers.yaml", []string{"run.yaml"}},
}

// Files returns the plain manifests by file name. deploy is the folder that
// holds chart/ and kubernetes/.
func Files(deploy string) (map[string]string, error) {
	files := map[string]string{}
	for _, v := range variants {
		values, err := os.ReadFile(filepath.Join(deploy, "kubernetes", v.values))
		if err != nil {
			return nil, fmt.Errorf("read the values of the plain manifests: %w", err)
		}
		rendered, err := Render(Release{
			Chart: filepath.Join(deploy, "chart", "docarchive"), Name: "docarchive", Values: values,
		})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", v.values, err)
		}
		var documents []string
		for _, template := range v.templates {
			for _, document := range Documents(map[string]string{template: rendered[template]}) {
				documents = append(documents, Plain(document))
			}
		}
		if len(documents) == 0 {
			return nil, fmt.Errorf("%s: nothing is left of %s", v.file, strings.Join(v.templates, ", "))
		}
		files[v.file] = fmt.Sprintf(notice, v.values) + strings.Join(documents, "---\n")
	}
	return files, nil
}
