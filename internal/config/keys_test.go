package config_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/adteco/docarchive/internal/config"
)

const twoKeys = `api:
  key: ${A}
  requests_per_minute: 90
  keys:
    emea: {key: "${B}", base_url: "https://eu.example.com/v1/", requests_per_minute: 30}
    apac: {key: "${C}"}
pipelines:
  a: {sinks: [{type: csv}]}
  b: {key: emea, sinks: [{type: csv}]}
  c: {key: apac, sinks: [{type: csv}]}
`

func TestKeysOfPipelines(t *testing.T) {
	cfg, err := config.Parse("f", []byte(twoKeys), environment(map[string]string{"A": "sk_a", "B": "sk_b", "C": "sk_c"}))
	if err != nil {
		t.Fatal(err)
	}
	var got []config.APIKey
	for i := range cfg.Pipelines {
		k := cfg.Account(&cfg.Pipelines[i])
		k.Pos = config.Position{}
		got = append(got, k)
	}
	want := []config.APIKey{
		{Key: "sk_a", BaseURL: "https://api.adteco.com/v1", RequestsPerMinute: 90},
		{Name: "emea", Key: "sk_b", BaseURL: "https://eu.example.com/v1", RequestsPerMinute: 30},
		{Name: "apac", Key: "sk_c", BaseURL: "https://api.adteco.com/v1"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, secret := range []string{"sk_a", "sk_b", "sk_c"} {
		if !slices.Contains(cfg.Secrets(), secret) {
			t.Errorf("%s is not among the secrets", secret)
		}
	}
}

// TestNamedKeysOptional: what makes no request needs none of the keys.
func TestNamedKeysOptional(t *testing.T) {
	o := config.Options{
		LookupEnv: func(string) (string, bool) { return "", false },
		ReadFile:  func(string) ([]byte, error) { return nil, os.ErrNotExist }, KeyOptional: true,
	}
	if _, err := config.Parse("f", []byte(twoKeys), o); err != nil {
		t.Error(err)
	}
	o.KeyOptional = false
	_, err := config.Parse("f", []byte(twoKeys), o)
	if err == nil || !strings.Contains(err.Error(), "5:17: key: ") {
		t.Errorf("a missing key is not reported at its place: %v", err)
	}
}

func TestKeyMistakes(t *testing.T) {
	const sinks = "sinks: [{type: csv}]"
	for _, c := range []struct{ keys, pipeline, want string }{
		{"{emea: {key: k}}", "{key: emae, " + sinks + "}", `3:12: key names "emae", which is not under api.keys: did you mean "emea"?`},
		{"{emea: {key: k}, apac: {key: l}}", "{key: nowhere, " + sinks + "}", `3:12: key names "nowhere", which is not under api.keys: use one of emea, apac`},
		{"{emea: {key: k}}", "{key: '${ODD}', " + sinks + "}", `3:12: key names none of the keys under api.keys: use one of emea`},
		{"{}", "{key: emea, " + sinks + "}", `3:12: key names "emea", and there are no keys: name it under api.keys, or leave it out to use api.key`},
		{"{emea: {base_url: 'https://x.example'}}", "{" + sinks + "}", `1:22: API key "emea" has no key: take it from the environment or from a file, as in ${OTHER_API_KEY}`},
		{"{emea: {key: '  '}}", "{" + sinks + "}", "1:34: key is empty: set it to your API key, for instance through ${DOCEXTRACT_API_KEY}"},
		{"{emea: {key: k, base_url: 'ftp://x'}}", "{" + sinks + "}", "1:47: base_url must be https://…, http://…"},
		{
			"{emea: {key: k, reqests_per_minute: 1}}", "{" + sinks + "}",
			`1:37: unknown key "reqests_per_minute" in API key "emea": did you mean "requests_per_minute"?`,
		},
		{"{'E mea': {key: k}}", "{" + sinks + "}", `1:22: the name of API key "E mea" must begin with a-z or 0-9 and hold only a-z, 0-9, _ and -, at most 63 in all`},
		{"[k]", "{" + sinks + "}", "1:21: keys must be a mapping, found a list"},
	} {
		got := strings.Join(problems(t, "api: {key: k, keys: "+c.keys+"}\npipelines:\n  p: "+c.pipeline+"\n"), "\n")
		if got != c.want {
			t.Errorf("keys %s, pipeline %s:\n got %s\nwant %s", c.keys, c.pipeline, got, c.want)
		}
	}
}
