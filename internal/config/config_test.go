package config_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/adteco/docarchive/internal/config"
)

// environment makes options that know these variables and files only.
func environment(values map[string]string) config.Options {
	return config.Options{
		LookupEnv: func(name string) (string, bool) {
			value, ok := values[name]
			return value, ok
		},
		ReadFile: func(path string) ([]byte, error) {
			value, ok := values[path]
			if !ok {
				return nil, &os.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
			}
			return []byte(value), nil
		},
	}
}

var withKey = map[string]string{"DOCEXTRACT_API_KEY": "sk_test_1"}

func TestContractExample(t *testing.T) {
	cfg, err := config.Load("testdata/contract.yaml", environment(withKey))
	if err != nil {
		t.Fatal(err)
	}
	day := 24 * time.Hour
	want := &config.Config{
		File: "testdata/contract.yaml",
		API: config.API{
			BaseURL: "https://api.adteco.com/v1", Key: "sk_test_1", PageSize: 100, Concurrency: 4, DocumentHosts: []string{},
		},
		Cache:   "embedded",
		Archive: "file://./archive",
		Pipelines: []config.Pipeline{{
			Name: "invoices",
			Selection: config.Selection{
				Extractor: "ext_invoice", Status: []string{"completed", "failed"}, Metadata: map[string]string{"department": "accounting"},
			},
			Windows: config.Windows{Since: config.Since{Ago: 90 * day}, Window: day, Settle: 15 * time.Minute},
			Raw:     true,
			Schema:  "evolve",
			Fields: []config.Field{
				{Path: "total_amount", Type: config.FieldType{Kind: config.KindDecimal, Precision: 18, Scale: 2}},
				{Path: "line_items", Type: config.FieldType{Kind: config.KindTable}},
				{Path: "internal_note", Type: config.FieldType{Kind: config.KindDrop}},
			},
			Sinks: []config.Sink{
				{Type: "parquet", Path: "invoices", Partition: []string{"created_month"}, Compression: "zstd"},
				{Type: "database", URL: "sqlite://./archive/warehouse.db", Table: "invoices"},
			},
			Resubmit: &config.Resubmit{MaxAttempts: 2, Concurrency: 10, Codes: []string{"timeout"}},
			Alerts: &config.Alerts{
				ProcessingTime: config.ProcessingTime{Avg: 10 * time.Second, Max: 30 * time.Second},
				FailureRate:    0.05, MinJobs: 20, Confidence: 0.8, RepeatAfter: day,
			},
		}},
	}
	if diff := cmp.Diff(want, cfg, cmpopts.IgnoreTypes(config.Position{})); diff != "" {
		t.Error(diff)
	}
	p := cfg.Pipelines[0]
	if got := []string{p.Pos.String(), p.Fields[0].Pos.String(), p.Sinks[1].Pos.String()}; !cmp.Equal(got, []string{
		"testdata/contract.yaml:12:3", "testdata/contract.yaml:22:7", "testdata/contract.yaml:30:9",
	}) {
		t.Errorf("positions: %v", got)
	}
}

func TestShippedFile(t *testing.T) {
	cfg, err := config.Load("../../jobs.yaml", environment(withKey))
	if err != nil {
		t.Fatal(err)
	}
	formats := map[string]bool{}
	var names []string
	for _, p := range cfg.Pipelines {
		names = append(names, p.Name+" "+p.Extractor)
		if p.Since.Ago != 60*24*time.Hour || p.Window != 24*time.Hour {
			t.Errorf("pipeline %s: since %v, window %v", p.Name, p.Since, p.Window)
		}
		for _, s := range p.Sinks {
			formats[s.Type] = true
		}
	}
	if diff := cmp.Diff([]string{"invoices ext_invoice", "receipts ext_receipt", "everything "}, names); diff != "" {
		t.Error(diff)
	}
	if !formats["parquet"] || !formats["csv"] || !formats["jsonl"] {
		t.Errorf("formats: %v", formats)
	}
}

const minimal = "api: {key: k}\npipelines:\n  p:\n    sinks: [{type: csv}]\n"

func TestDefaults(t *testing.T) {
	cfg, err := config.Parse("f", []byte(minimal+"    resubmit: {}\n    alerts: {webhooks: [{url: https://h/x}]}\n"), environment(nil))
	if err != nil {
		t.Fatal(err)
	}
	day := 24 * time.Hour
	want := &config.Config{
		File:    "f",
		API:     config.API{BaseURL: "https://api.adteco.com/v1", Key: "k", PageSize: 100, Concurrency: 4},
		Cache:   "embedded",
		Archive: "file://./archive",
		Pipelines: []config.Pipeline{{
			Name:      "p",
			Selection: config.Selection{Status: []string{"completed", "failed"}},
			Windows:   config.Windows{Since: config.Since{Ago: 90 * day}, Window: day, Settle: 15 * time.Minute},
			Raw:       true, Schema: "evolve",
			Sinks:    []config.Sink{{Type: "csv", Path: "p", Compression: "none"}},
			Resubmit: &config.Resubmit{MaxAttempts: 2, Concurrency: 10},
			Alerts: &config.Alerts{
				ProcessingTime: config.ProcessingTime{Avg: 10 * time.Second, Max: 30 * time.Second},
				FailureRate:    0.05, MinJobs: 20, Confidence: 0.8, RepeatAfter: day,
				Webhooks: []config.Webhook{{URL: "https://h/x", Type: "generic"}},
			},
		}},
	}
	if diff := cmp.Diff(want, cfg, cmpopts.IgnoreTypes(config.Position{})); diff != "" {
		t.Error(diff)
	}
}

func TestExpansion(t *testing.T) {
	options := environment(map[string]string{
		"KEY": "sk_live_1\nhash_key: injected", "SIZE": "50", "RAW": "false", "EMPTY": "", "REF": "${SIZE}",
		"DAYS": "30d", "/run/secrets/key": "sk_file\r\n", "PASSWORD": "p%40w",
	})
	cfg, err := config.Parse("f", []byte(`
api:
  key: ${file:/run/secrets/key}
  page_size: ${SIZE}
  concurrency: "${NONE:-7}"
cache: redis://:${PASSWORD}@${HOST:-cache}:6379/1
archive: '${EMPTY:-mem://}'
pipelines:
  p:
    extractor: $${EMPTY}${REF}
    raw: ${RAW}
    since: ${DAYS}
    min_confidence: 0.${SIZE}
    metadata:
      ${KEY}: ${KEY}
    sinks:
      - type: ${TYPE:-csv}
`), options)
	if err != nil {
		t.Fatal(err)
	}
	p := cfg.Pipelines[0]
	got := []any{
		cfg.API.Key, cfg.API.PageSize, cfg.API.Concurrency, cfg.Cache, cfg.Archive, cfg.HashKey,
		p.Extractor, p.Raw, p.Since.Ago, p.MinConfidence, p.Metadata, p.Sinks[0].Type,
	}
	want := []any{
		"sk_file", 50, 7, "redis://:p%40w@cache:6379/1", "mem://", "",
		"$${SIZE}", false, 720 * time.Hour, 0.5,
		map[string]string{"${KEY}": "sk_live_1\nhash_key: injected"},
		"csv",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSinceStart(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.FixedZone("", 3600))
	for text, want := range map[string]string{
		"90d": "2025-12-01T11:00:00Z", "1w2d12h": "2026-02-19T23:00:00Z", "2026-01-31": "2026-01-31T00:00:00Z",
		"2026-01-31T10:00:00+02:00": "2026-01-31T08:00:00Z",
	} {
		cfg, err := config.Parse("f", []byte(minimal+"    since: "+text+"\n"), environment(nil))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := cfg.Pipelines[0].Since.Start(now).Format(time.RFC3339); got != want {
			t.Errorf("%s starts at %s, want %s", text, got, want)
		}
	}
}

func TestSecrets(t *testing.T) {
	cfg, err := config.Parse("f", []byte(`
api: {key: sk_live_1}
hash_key: 0123456789abcdef
cache: redis://user:ca%40che@h:6379
archive: s3://b?region=eu&access_key=AKIA%2F1
pipelines:
  p:
    sinks:
      - {type: database, url: "postgres://u:data@h/db?sslmode=disable"}
      - {type: database, url: "postgres://u:data@h/other"}
    alerts: {webhooks: [{url: "https://hooks.slack.com/services/T0/B0/x", type: slack}]}
`), environment(nil))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"sk_live_1", "0123456789abcdef", "ca%40che", "ca@che", "AKIA%2F1", "AKIA/1", "data",
		"https://hooks.slack.com/services/T0/B0/x", "/services/T0/B0/x",
	}
	if diff := cmp.Diff(want, cfg.Secrets()); diff != "" {
		t.Error(diff)
	}
}

func TestLoadErrors(t *testing.T) {
	var missing *os.PathError
	if _, err := config.Load(filepath.Join(t.TempDir(), "no.yaml"), config.Options{}); !errors.As(err, &missing) {
		t.Errorf("a missing file gives %v", err)
	}
	if _, err := config.Load(t.TempDir(), config.Options{}); !errors.As(err, &missing) {
		t.Errorf("a directory gives %v", err)
	}
	large := filepath.Join(t.TempDir(), "large.yaml")
	if err := os.WriteFile(large, []byte(strings.Repeat("# padding\n", 110_000)), 0o600); err != nil {
		t.Fatal(err)
	}
	var problems *config.Problems
	if _, err := config.Load(large, config.Options{}); !errors.As(err, &problems) || err.Error() != large+":1:1: the file is larger than 1 MiB" {
		t.Errorf("a large file gives %v", err)
	}
}

func TestReadFileOfTheSystem(t *testing.T) {
	dir := t.TempDir()
	secret := filepath.Join(dir, "key")
	if err := os.WriteFile(secret, []byte("sk_disk\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	parse := func(path string) (*config.Config, error) {
		return config.Parse("f", []byte(strings.Replace(minimal, "key: k", `key: "${file:`+path+`}"`, 1)), config.Options{})
	}
	if cfg, err := parse(secret); err != nil || cfg.API.Key != "sk_disk" {
		t.Errorf("%+v, %v", cfg, err)
	}
	if err := os.WriteFile(secret, make([]byte, 64<<10+1), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{secret: "larger than 64 KiB", dir: "not a regular file", "/dev/zero": "not a regular file"} {
		if _, err := parse(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
}
