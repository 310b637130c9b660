package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	passed = `{"Action":"start","Package":"p"}
{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"run","Package":"p","Test":"TestA/sub"}
{"Action":"output","Package":"p","Test":"TestA/sub","Output":"quiet when it passes\n"}
{"Action":"pass","Package":"p","Test":"TestA/sub","Elapsed":0}
{"Action":"pass","Package":"p","Test":"TestA","Elapsed":0}
{"Action":"pass","Package":"p","Elapsed":0.1}
`
	failed = `{"Action":"output","Package":"q","Test":"TestB","Output":"    b_test.go:7: wrong\n"}
{"Action":"fail","Package":"q","Test":"TestB","Elapsed":0}
{"Action":"fail","Package":"q","Elapsed":0.1}
`
	skipped = `{"Action":"output","Package":"r","Test":"TestC","Output":"    c_test.go:7: redis-server is not installed\n"}
{"Action":"skip","Package":"r","Test":"TestC","Elapsed":0}
{"Action":"pass","Package":"r","Elapsed":0.1}
`
	unbuilt = `{"ImportPath":"s [s.test]","Action":"build-output","Output":"s.go:3:1: syntax error\n"}
{"ImportPath":"s [s.test]","Action":"build-fail"}
{"Action":"start","Package":"s"}
{"Action":"fail","Package":"s","Elapsed":0,"FailedBuild":"s [s.test]"}
`
	crashed = `{"Action":"run","Package":"t","Test":"TestD"}
{"Action":"output","Package":"t","Test":"TestD","Output":"panic: test timed out\n"}
{"Action":"fail","Package":"t","Elapsed":300}
`
	cutOff = `{"Action":"run","Package":"u","Test":"TestE"}
`
	testless = `{"Action":"skip","Package":"v","Elapsed":0}
`
)

func TestRun(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		events  string
		summary string
		shows   []string // in the output for people
		wrong   string   // in the error; "" for success
	}{
		"all passed":     {passed + testless, "2 passed, 0 failed, 0 skipped", []string{"ok   p"}, ""},
		"run twice":      {passed + passed, "4 passed, 0 failed, 0 skipped", nil, ""},
		"one failed":     {passed + failed, "2 passed, 1 failed, 0 skipped", []string{"FAIL q TestB", "b_test.go:7: wrong"}, "failed"},
		"one skipped":    {passed + skipped, "2 passed, 0 failed, 1 skipped", []string{"redis-server is not installed"}, "skipped"},
		"does not build": {passed + unbuilt, "2 passed, 1 failed, 0 skipped", []string{"s.go:3:1: syntax error", "FAIL s"}, "failed"},
		"crashed":        {passed + crashed, "2 passed, 1 failed, 0 skipped", []string{"UNFINISHED t TestD", "panic: test timed out"}, "failed"},
		"cut off":        {passed + cutOff, "2 passed, 1 failed, 0 skipped", []string{"FAIL u: cut off"}, "failed"},
		"no event":       {"go: no such module\n", "0 passed, 0 failed, 0 skipped", []string{"go: no such module"}, "no test ran"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "summary")
			var out strings.Builder
			err := run([]string{"-summary", file}, strings.NewReader(test.events), &out)
			if (err == nil) != (test.wrong == "") || err != nil && !strings.Contains(err.Error(), test.wrong) {
				t.Errorf("error %v, want %q", err, test.wrong)
			}
			summary, err := os.ReadFile(file)
			if err != nil || string(summary) != test.summary+"\n" {
				t.Errorf("summary %q, %v, want %q", summary, err, test.summary)
			}
			for _, want := range test.shows {
				if !strings.Contains(out.String(), want) {
					t.Errorf("the output lacks %q:\n%s", want, &out)
				}
			}
			if strings.Contains(out.String(), "quiet when it passes") {
				t.Error("the output of a passed test is shown")
			}
		})
	}
}

func TestSummaryClosesTheOutput(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	if err := run(nil, strings.NewReader(passed), &out); err != nil {
		t.Fatal(err)
	}
	if want := "\n2 passed, 0 failed, 0 skipped\n"; !strings.HasSuffix(out.String(), want) {
		t.Errorf("the output ends otherwise than with %q:\n%s", want, &out)
	}
}
