package config_test

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/adteco/docarchive/internal/config"
)

// document is the schema as plain JSON.
func document(t *testing.T) map[string]any {
	t.Helper()
	text, err := config.Schema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return doc.(map[string]any)
}

func compile(t *testing.T) *jsonschema.Schema {
	t.Helper()
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("jobs.schema.json", document(t)); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("jobs.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// plainYAML is a document as the JSON that an editor checks.
func plainYAML(t *testing.T, text []byte) any {
	t.Helper()
	asJSON, err := yaml.YAMLToJSON(text)
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(asJSON))
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func TestFilesSatisfySchema(t *testing.T) {
	schema := compile(t)
	for _, name := range []string{"testdata/contract.yaml", "testdata/complete.yaml", "../../jobs.yaml"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(plainYAML(t, text)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSchemaRefuses(t *testing.T) {
	schema := compile(t)
	for _, change := range [][2]string{
		{"key: k", "kye: k"},
		{"key: k", "key: 1"},
		{"key: k", "key: k, page_size: 0"},
		{"key: k", "key: k, page_size: x"},
		{"type: csv", "type: cvs"},
		{"type: csv", "type: csv, colour: red"},
		{"[{type: csv}]", "[]"},
		{"  p:", "  _p:"},
		{"    sinks", "    window: 24\n    sinks"},
		{"    sinks", "    fields: {a: tabel}\n    sinks"},
		{"    sinks", "    since: yesterday\n    sinks"},
		{"    sinks", "    status: [queued]\n    sinks"},
		{"    sinks", "    raw: 1\n    sinks"},
		{"pipelines:", "pipelines: {}\nignored:"},
	} {
		text := strings.Replace(minimal, change[0], change[1], 1)
		if schema.Validate(plainYAML(t, []byte(text))) == nil {
			t.Errorf("accepted:\n%s", text)
		}
		if problems(t, text) == nil {
			t.Errorf("Parse accepts what the schema refuses:\n%s", text)
		}
	}
	if err := schema.Validate(plainYAML(t, []byte(minimal))); err != nil {
		t.Errorf("the file these are made from: %v", err)
	}
}

// TestSchemaNamesEveryKey holds the keys of the schema against this list, and
// the keys the decoder accepts against the schema: a file that uses them all.
func TestSchemaNamesEveryKey(t *testing.T) {
	want := map[string]string{
		"Config":         "api archive cache hash_key pipelines",
		"API":            "base_url concurrency document_hosts key keys page_size requests_per_minute",
		"APIKey":         "base_url key requests_per_minute",
		"Pipeline":       "alerts documents extractor fields key metadata min_confidence raw resubmit schema settle since sinks status window",
		"Sink":           "compression escape_formulas partition path table type url",
		"Resubmit":       "codes concurrency max_attempts max_credits",
		"Alerts":         "confidence failure_rate min_jobs processing_time repeat_after webhooks",
		"ProcessingTime": "avg max",
		"Webhook":        "type url",
	}
	got := map[string]string{}
	used := usedKeys(t)
	for name, definition := range document(t)["$defs"].(map[string]any) {
		properties := definition.(map[string]any)["properties"].(map[string]any)
		keys := slices.Sorted(maps.Keys(properties))
		got[name] = strings.Join(keys, " ")
		if closed, ok := definition.(map[string]any)["additionalProperties"].(bool); !ok || closed {
			t.Errorf("%s takes unknown keys", name)
		}
		for _, key := range keys {
			if properties[key].(map[string]any)["description"] == nil {
				t.Errorf("%s.%s is not described", name, key)
			}
			if !used[key] {
				t.Errorf("testdata/complete.yaml does not use %s.%s", name, key)
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, err := config.Load("testdata/complete.yaml", environment(nil)); err != nil {
		t.Error(err)
	}
}

func usedKeys(t *testing.T) map[string]bool {
	text, err := os.ReadFile("testdata/complete.yaml")
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	var walk func(any)
	walk = func(value any) {
		switch value := value.(type) {
		case map[string]any:
			for key, inner := range value {
				used[key] = true
				walk(inner)
			}
		case []any:
			for _, inner := range value {
				walk(inner)
			}
		}
	}
	walk(plainYAML(t, text))
	return used
}

// TestDefaultsOfSchema writes every default of the schema into a file: it must
// parse to the same configuration as the file without them.
func TestDefaultsOfSchema(t *testing.T) {
	definitions := document(t)["$defs"].(map[string]any)
	defaults := func(definition, indent string) string {
		var out strings.Builder
		properties := definitions[definition].(map[string]any)["properties"].(map[string]any)
		for _, key := range slices.Sorted(maps.Keys(properties)) {
			switch value := properties[key].(map[string]any)["default"].(type) {
			case nil:
			case []any:
				fmt.Fprintf(&out, "%s%s: [%s]\n", indent, key, strings.Trim(fmt.Sprint(value), "[]"))
				s := strings.ReplaceAll(out.String(), "completed failed", "completed, failed")
				out.Reset()
				out.WriteString(s)
			default:
				fmt.Fprintf(&out, "%s%s: %v\n", indent, key, value)
			}
		}
		return out.String()
	}
	head, tail := "api:\n  key: k\n", "    sinks: [{type: csv}]\n    resubmit: {}\n    alerts: {webhooks: [{url: http://h}]}\n"
	bare, err := config.Parse("f", []byte(head+"pipelines:\n  p:\n"+tail), environment(nil))
	if err != nil {
		t.Fatal(err)
	}
	full, err := config.Parse("f", []byte(head+defaults("API", "  ")+defaults("Config", "")+"pipelines:\n  p:\n"+
		defaults("Pipeline", "    ")+"    sinks:\n    - type: csv\n"+defaults("Sink", "      ")+
		"    resubmit:\n"+defaults("Resubmit", "      ")+"    alerts:\n"+defaults("Alerts", "      ")+
		"      processing_time:\n"+defaults("ProcessingTime", "        ")+
		"      webhooks:\n      - url: http://h\n"+defaults("Webhook", "        ")), environment(nil))
	if err != nil {
		t.Fatal(err)
	}
	ignorePositions := cmp.FilterValues(func(a, b config.Position) bool { return true }, cmp.Ignore())
	if diff := cmp.Diff(bare, full, ignorePositions); diff != "" {
		t.Error(diff)
	}
}

func TestUnknownKeyInEachMapping(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"top":             {minimal + "cach: x\n", `5:1: unknown key "cach" in the file: did you mean "cache"?`},
		"api":             {strings.Replace(minimal, "key: k", "key: k, page_sizes: 1", 1), `1:15: unknown key "page_sizes" in api: did you mean "page_size"?`},
		"pipeline":        {minimal + "    windows: 1h\n", `5:5: unknown key "windows" in pipeline "p": did you mean "window"?`},
		"sink":            {strings.Replace(minimal, "type: csv", "type: csv, paht: x", 1), `4:25: unknown key "paht" in sink: did you mean "path"?`},
		"resubmit":        {minimal + "    resubmit: {max_credit: 1}\n", `5:16: unknown key "max_credit" in resubmit: did you mean "max_credits"?`},
		"alerts":          {minimal + "    alerts: {failurerate: 1}\n", `5:14: unknown key "failurerate" in alerts: did you mean "failure_rate"?`},
		"processing_time": {minimal + "    alerts: {processing_time: {mean: 1s}}\n", `5:32: unknown key "mean" in processing_time: use one of avg, max`},
		"webhook":         {minimal + "    alerts: {webhooks: [{url: http://h, kind: slack}]}\n", `5:41: unknown key "kind" in webhook: use one of url, type`},
	} {
		if diff := cmp.Diff(c.want, strings.Join(problems(t, c.text), "\n")); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
