package config_test

import (
	"os"
	"strings"
	"testing"

	"github.com/adteco/docarchive/internal/config"
)

// Without a request to make, the key may be missing; nothing else may.
func TestKeyOptional(t *testing.T) {
	const rest = "pipelines: {p: {sinks: [{type: csv}]}}\n"
	o := config.Options{
		LookupEnv:   func(string) (string, bool) { return "", false },
		ReadFile:    func(path string) ([]byte, error) { return nil, os.ErrNotExist },
		KeyOptional: true,
	}
	for text, fault := range map[string]string{
		"api: {key: '${KEY}'}":                            "",
		"api: {key: '${file:/run/secrets/key}'}":          "",
		"api: {key: sk_test_1}":                           "",
		"api: {key: '${KEY'}":                             "without its }",
		"api: {key: 'a b'}":                               "blank",
		"api: {}":                                         "key",
		"api: {key: '${KEY}', base_url: '${URL}'}":        "variable URL is not set",
		"api: {key: '${KEY}'}\nhash_key: '${HASH_KEY}'":   "variable HASH_KEY is not set",
		"api: {key: '${KEY}'}\nhash_key: '${file:/nope}'": "cannot be read",
	} {
		cfg, err := config.Parse("jobs.yaml", []byte(text+"\n"+rest), o)
		switch {
		case fault == "" && err != nil:
			t.Errorf("%s: %v", text, err)
		case fault == "" && strings.Contains(text, "${") && cfg.API.Key != "":
			t.Errorf("%s: the key is %q", text, cfg.API.Key)
		case fault != "" && (err == nil || !strings.Contains(err.Error(), fault)):
			t.Errorf("%s: %v, want %q", text, err, fault)
		}
	}
	o.KeyOptional = false
	if _, err := config.Parse("jobs.yaml", []byte("api: {key: '${KEY}'}\n"+rest), o); err == nil {
		t.Error("the key is missing, and nobody says so")
	}
}
