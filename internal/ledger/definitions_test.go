package ledger_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/internal/ledger"
	"github.com/adteco/docarchive/pipeline"
)

func definition(id string, version int, fieldType string) *pipeline.Definition {
	return &pipeline.Definition{
		ExtractorID: id, Version: version, Name: "Invoices", DocumentType: "invoice", RunID: "run",
		SeenAt: time.Date(2026, 11, 24, 2, 0, 0, 0, time.UTC),
		Fields: []docextract.FieldDefinition{{Name: "total", Type: fieldType, Required: true, Description: "the <sum>"}},
	}
}

func TestDefinitions(t *testing.T) {
	t.Parallel()
	s := openStore(t, "mem://")
	l := openLedger(t, s, options())
	ctx := t.Context()
	ids := []string{"../../etc", "", "ext invoice", "ext_invoice", "=x"}
	for _, id := range ids {
		if latest, err := l.LatestDefinition(ctx, id); latest != nil || err != nil {
			t.Error(latest, err)
		}
		must(t, l.AppendDefinition(ctx, definition(id, 1, "number")))
		must(t, l.AppendDefinition(ctx, definition(id, 2, "currency")))
		got, err := l.LatestDefinition(ctx, id)
		must(t, err)
		if diff := cmp.Diff(definition(id, 2, "currency"), got); diff != "" {
			t.Errorf("%q (-want +got): %s", id, diff)
		}
	}
	if err := l.AppendDefinition(ctx, definition("ext_invoice", 2, "text")); !errors.Is(err, pipeline.ErrConflict) {
		t.Errorf("a version was taken twice: %v", err)
	}
	must(t, l.AppendDefinition(ctx, definition("ext_invoice", 2, "currency"))) // our own, written before
	got, err := l.DefinedExtractors(ctx)
	must(t, err)
	if diff := cmp.Diff([]string{"", "../../etc", "=x", "ext invoice", "ext_invoice"}, got); diff != "" {
		t.Errorf("ids (-want +got): %s", diff)
	}
}

func TestDamagedDefinition(t *testing.T) {
	t.Parallel()
	s := openStore(t, "mem://")
	l := openLedger(t, s, options())
	for key, text := range map[string]string{
		"_archive/extractors/ext_a/000001.json": "{}",
		"_archive/extractors/ext_b/000001.json": `{"extractor_id":"ext_a","version":1,"name":"","document_type":"","field_definitions":null,"run_id":"","seen_at":"0001-01-01T00:00:00Z"}` + "\n",
	} {
		must(t, s.Put(t.Context(), key, []byte(text)))
	}
	for _, id := range []string{"ext_a", "ext_b"} {
		var damage *ledger.DamageError
		if _, err := l.LatestDefinition(t.Context(), id); !errors.As(err, &damage) {
			t.Errorf("%s: %v", id, err)
		}
	}
}
