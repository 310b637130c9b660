package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/internal/config"
)

// parseDraft reads what init would write.
func parseDraft(t interface {
	Helper()
	Fatalf(string, ...any)
}, text []byte,
) *config.Config {
	t.Helper()
	cfg, err := config.Parse("jobs.yaml", text, config.Options{LookupEnv: func(name string) (string, bool) {
		return "sk_test_0123456789", name == "DOCEXTRACT_API_KEY"
	}})
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return cfg
}

// uncommented is a draft with everything that it suggests.
func uncommented(text []byte) []byte {
	return regexp.MustCompile(`(?m)^ +# (fields:|  [^ ].*: (table|decimal\(18,2\)) |- type: database|  url:)`).
		ReplaceAllFunc(text, func(line []byte) []byte { return []byte(strings.Replace(string(line), "# ", "", 1)) })
}

// TestDraftIsValid writes drafts of whatever an API may answer: they are valid,
// also with everything that they suggest.
func TestDraftIsValid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.OneOf(rapid.String(), rapid.StringMatching(`[a-zA-Z_]{1,12}`), rapid.SampledFrom([]string{
			"true", "null", "a: b", "a\n  - b: c", "${HOME}", "# x", "ext_", "EXT_A", "ext_a", "everything", "ext_everything", "a.b", `"`, "é", "on",
		}))
		fields := rapid.Custom(func(t *rapid.T) docextract.FieldDefinition {
			return docextract.FieldDefinition{Name: texts.Draw(t, "field"), Type: rapid.SampledFrom([]string{"array", "currency", "text"}).Draw(t, "type")}
		})
		s := &survey{BaseURL: texts.Draw(t, "base"), Jobs: rapid.Int64Range(-1, 1<<40).Draw(t, "jobs"), PageSize: 100}
		s.Extractors = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) extractor {
			return extractor{
				ID: texts.Draw(t, "id"), Name: texts.Draw(t, "name"), Jobs: rapid.Int64Range(-1, 1<<40).Draw(t, "jobs"),
				HasJobs: rapid.Bool().Draw(t, "has"), Fields: rapid.SliceOfN(fields, 0, 5).Draw(t, "fields"),
			}
		}), 0, 120).Draw(t, "extractors")
		d := newDraft(s)
		text, err := d.yaml()
		if err != nil {
			t.Fatal(err)
		}
		cfg := parseDraft(t, text)
		if len(cfg.Pipelines) != len(d.Pipelines) {
			t.Fatalf("%d pipelines, want %d", len(cfg.Pipelines), len(d.Pipelines))
		}
		for i, p := range parseDraft(t, uncommented(text)).Pipelines {
			if p.Extractor != d.Pipelines[i].Extractor || len(p.Fields) != len(d.Pipelines[i].Fields) || len(p.Sinks) != 2 {
				t.Fatalf("pipeline %s is %+v, want %+v in\n%s", p.Name, p, d.Pipelines[i], text)
			}
		}
	})
}

// TestDraftSizes checks the windows and the estimates.
func TestDraftSizes(t *testing.T) {
	s := &survey{Jobs: 9_000_900, PageSize: 50, PerMinute: 100, Extractors: []extractor{
		{ID: "ext_small", Jobs: 900, HasJobs: true},
		{ID: "ext_huge", Jobs: 90 * 100_000, HasJobs: true},
		{ID: "ext_none"},
		{ID: "EXT-Small", Jobs: docextract.UnknownTotal, HasJobs: true},
	}}
	d := newDraft(s)
	want := []drafted{
		{Name: "huge", Extractor: "ext_huge", Title: "ext_huge", Jobs: 9_000_000, Hours: 12, Windows: 181, Requests: 180_181},
		{Name: "small", Extractor: "ext_small", Title: "ext_small", Jobs: 900, Hours: 24, Windows: 91, Requests: 109},
		{Name: "ext_small", Extractor: "EXT-Small", Title: "EXT-Small", Jobs: -1, Hours: 24, Windows: 91, Requests: 91},
	}
	if diff := cmp.Diff(want, d.Pipelines); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"ext_none"}, d.Left); diff != "" {
		t.Error(diff)
	}
	if d.Requests != 180_381 || d.Hours < 30 || d.Hours > 30.1 {
		t.Errorf("%d requests in %v h", d.Requests, d.Hours)
	}
}

// TestCreateWhole never replaces a file unless told to, and leaves nothing
// beside it.
func TestCreateWhole(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "jobs.yaml")
	for _, c := range []struct {
		text, want string
		replace    bool
		err        error
	}{
		{"a", "a", false, nil}, {"b", "a", false, fs.ErrExist}, {"c", "c", true, nil},
	} {
		if err := createWhole(path, []byte(c.text), c.replace); !errors.Is(err, c.err) {
			t.Errorf("%s: %v, want %v", c.text, err, c.err)
		}
		got, err := os.ReadFile(path)
		if err != nil || string(got) != c.want {
			t.Errorf("%s: the file holds %q, %v", c.text, got, err)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("the folder holds %v, %v", entries, err)
	}
}
