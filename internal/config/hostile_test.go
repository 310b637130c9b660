package config_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/adteco/docarchive/internal/config"
)

// TestHostileInputIsBounded feeds files of 1 MiB that make a YAML parser recurse
// or take quadratic time.
func TestHostileInputIsBounded(t *testing.T) {
	size := 1 << 20
	if testing.Short() {
		size >>= 3
	}
	fill := func(prefix, unit string) string {
		return prefix + strings.Repeat(unit, (size-len(prefix))/len(unit))
	}
	lines := func(prefix, unit string) string { return prefix + strings.Repeat(unit+"\n", 4_990) }
	wide := strings.Repeat(" ", 100)
	var stairs, keys strings.Builder
	for i := range 1400 {
		stairs.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	for i := range 4_990 {
		keys.WriteString("k" + strings.Repeat("x", i%90) + string(rune('a'+i%26)) + ":\n")
	}
	for name, text := range map[string]string{
		"brackets": fill("", "["), "braces": fill("a: ", "{"), "pairs": fill("", "{a: "), "dashes": fill("", "- "), "questions": fill("", "? "),
		"anchors": fill("", "&a "), "aliases": fill("a: [", "*a,"), "tags": fill("", "! "), "documents": fill("", "---\n"),
		"blank lines in a literal": lines("a: |\n", " "), "wide blank lines": lines("a: >\n", wide), "wide text": lines("a: >\n", wide+"x"),
		"blank and wide lines": strings.Repeat(" \n"+wide+"\n", 2_490), "empty lines": fill("", "\n"), "keys": keys.String(), "stairs": stairs.String(),
		"flow items": fill("a: [", "a,"), "flow pairs": fill("a: {", "a: b,"), "open quote": fill("a: \"", "x\n"), "escapes": fill("a: \"", "\\n"),
		"one word": fill("", "x"), "one key": fill("", "x") + ": 1", "colons": fill("", ": "), "comments": lines("", "a: #"), "literals": fill("", "a: |\n"),
		"references": fill("cache: ", "${A}"), "open references": fill("cache: ", "${"), "files": fill("cache: ", "${file:/f}"),
		"sinks":     "api: {key: k}\npipelines:\n  p:\n    sinks: [" + strings.Repeat("{type: csv},", 5_000) + "]\n",
		"pipelines": "api: {key: k}\npipelines: {" + strings.Repeat("p: {sinks: [{type: csv}]},", 3_000) + "}\n",
	} {
		options := config.Options{
			LookupEnv: func(string) (string, bool) { return "", false },
			ReadFile:  func(string) ([]byte, error) { return []byte(strings.Repeat("x", 60<<10)), nil },
		}
		began := time.Now()
		_, err := config.Parse("f", []byte(text), options)
		// Each takes about a second at most; the rest allows for a busy machine.
		// Without the bounds they take minutes, or overflow the stack.
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("%s: took %v", name, took)
		}
		var list *config.Problems
		if !errors.As(err, &list) {
			t.Errorf("%s: %v", name, err)
		} else if len(*list) > 201 {
			t.Errorf("%s: %d problems", name, len(*list))
		}
	}
}

// TestValuesNeverBecomeSyntax puts any text into a variable: it comes out as one
// value, whatever is in it.
func TestValuesNeverBecomeSyntax(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := strings.ReplaceAll(rapid.String().Draw(t, "value"), "\x00", "")
		cfg, err := config.Parse("f", []byte(minimal+"    extractor: <${V}>\n    metadata: {v: \"${V}\"}\n"),
			environment(map[string]string{"V": value}))
		if err != nil {
			t.Fatal(err)
		}
		if p := cfg.Pipelines[0]; p.Extractor != "<"+value+">" || p.Metadata["v"] != value || len(p.Metadata) != 1 {
			t.Fatalf("%q became %+v", value, p.Selection)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, name := range []string{"testdata/contract.yaml", "testdata/complete.yaml", "../../jobs.yaml"} {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	for _, text := range []string{minimal, "", "a: [", "a: &x 1\nb: *x", "? a", "a: |\n x\n \n", "a: \"\\u12\"", "{a: ${X}}", "\ta", "- - - a", "%a\n---\n"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		began := time.Now()
		cfg, err := config.Parse("f", text, environment(withKey))
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("took %v", took)
		}
		var list *config.Problems
		switch {
		case err == nil && (cfg == nil || len(cfg.Pipelines) == 0 || cfg.API.Key == ""):
			t.Errorf("an incomplete configuration: %+v", cfg)
		case err != nil && (!errors.As(err, &list) || len(*list) == 0):
			t.Errorf("the error is %#v", err)
		case err != nil:
			for _, p := range *list {
				if p.Line < 1 || p.Column < 1 || p.Message == "" || strings.Contains(p.Message, "\n") {
					t.Errorf("problem %#v", p)
				}
			}
		}
	})
}
