package pipeline

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/adteco/docarchive/docextract"
)

// What is ruled stays, and of two extractors that declare one field the one with
// the least id counts, whether the API tells it or the archive.
func TestRulesWithDeclared(t *testing.T) {
	a := []docextract.FieldDefinition{{Name: "total", Type: "currency"}, {Name: "due", Type: "date"}}
	b := []docextract.FieldDefinition{{Name: "due", Type: "text"}, {Name: "paid", Type: "boolean"}}
	rules := Rules{"total": {Mode: ModeHash}}
	want := Rules{
		"total": {Mode: ModeHash},
		"due":   {Mode: ModeTyped, Type: TypeDate32},
		"paid":  {Mode: ModeTyped, Type: TypeBool},
	}
	if diff := cmp.Diff(want, rules.WithDeclared([]docextract.Extractor{{ID: "ext_b", Fields: b}, {ID: "ext_a", Fields: a}})); diff != "" {
		t.Errorf("as the API tells (-want +got): %s", diff)
	}
	kept := &definitionLog{versions: map[string][]*Definition{
		"ext_a": {{ExtractorID: "ext_a", Version: 1, Fields: b}, {ExtractorID: "ext_a", Version: 2, Fields: a}},
		"ext_b": {{ExtractorID: "ext_b", Version: 1, Fields: b}},
	}}
	got, err := rules.WithKept(t.Context(), kept, "")
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("as the archive tells: %v (-want +got): %s", err, diff)
	}
	delete(want, "paid")
	got, err = rules.WithKept(t.Context(), kept, "ext_a")
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("of one extractor: %v (-want +got): %s", err, diff)
	}
	if len(rules) != 1 {
		t.Errorf("the rules were changed: %v", rules)
	}
}
