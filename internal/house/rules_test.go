package house

import (
	"strings"
	"testing"
)

// tree holds the sources of a sample by their paths.
type tree map[string]string

// rule is one house rule. Its check returns a finding per violation.
type rule struct {
	name   string
	remedy string
	check  func([]*file) []string
	bad    []tree // each has at least one violation
	good   tree   // a near miss, which must pass
}

// each makes a check of the whole tree from one that looks at single files.
func each(check func(*file) []string) func([]*file) []string {
	return func(files []*file) []string {
		var findings []string
		for _, f := range files {
			findings = append(findings, check(f)...)
		}
		return findings
	}
}

func TestHouse(t *testing.T) {
	t.Parallel()
	files := loadTree(t, moduleRoot(t))
	for _, r := range allRules() {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			for _, finding := range r.check(files) {
				t.Errorf("%s\n\t%s", finding, r.remedy)
			}
		})
	}
}

func TestEveryRuleCanFail(t *testing.T) {
	t.Parallel()
	for _, r := range allRules() {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			for _, bad := range r.bad {
				if len(r.check(loadSample(t, bad))) == 0 {
					t.Errorf("the rule finds nothing in %v", bad)
				}
			}
			if len(r.bad) == 0 {
				t.Error("the rule has no bad sample")
			}
			if findings := r.check(loadSample(t, r.good)); len(findings) > 0 {
				t.Errorf("the rule objects to its good sample:\n%s", strings.Join(findings, "\n"))
			}
			if r.remedy == "" {
				t.Error("the rule does not say what to do instead")
			}
		})
	}
}

func allRules() []rule {
	return append(importRules(), syntaxRules()...)
}
