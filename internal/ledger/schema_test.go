package ledger_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/adteco/docarchive/internal/ledger"
	"github.com/adteco/docarchive/pipeline"
)

func dataPart(t testing.TB, path, text string) pipeline.Part {
	t.Helper()
	return part(t, pipeline.KindData, path, text, 1)
}

// schema is a version with the given columns.
func schema(version int, names ...string) *pipeline.Schema {
	s := &pipeline.Schema{Dataset: "invoices", Version: version}
	for i, name := range names {
		s.Columns = append(s.Columns, pipeline.Column{
			Name: name, Group: pipeline.GroupData, Type: pipeline.TypeUTF8, Source: "/extracted_data/" + name, FieldID: i + 1,
		})
	}
	return s
}

func TestSchemas(t *testing.T) {
	t.Parallel()
	s := openStore(t, "mem://")
	l, other := openLedger(t, s, options()), openLedger(t, s, options())
	ctx := t.Context()
	if latest, err := l.LatestSchema(ctx, "invoices"); latest != nil || err != nil {
		t.Error(latest, err)
	}
	must(t, l.AppendSchema(ctx, schema(1, "a")))
	must(t, other.AppendSchema(ctx, schema(1, "a")))
	if err := other.AppendSchema(ctx, schema(1, "a", "b")); !errors.Is(err, pipeline.ErrConflict) {
		t.Error("the number is taken:", err)
	}
	must(t, other.AppendSchema(ctx, schema(2, "a", "b")))
	for _, ledger := range []*ledger.Ledger{l, other, openLedger(t, s, options())} {
		latest, err := ledger.LatestSchema(ctx, "invoices")
		must(t, err)
		if diff := cmp.Diff(schema(2, "a", "b"), latest); diff != "" {
			t.Error(diff)
		}
	}
	lost, retyped := schema(3, "a"), schema(3, "a", "b")
	retyped.Columns[1].Type = pipeline.TypeBool
	double, twice := schema(3, "a", "b", "B"), schema(3, "a", "b", "c")
	twice.Columns[2].FieldID = 1
	odd := schema(3, "a", "b", "c")
	odd.Columns[2].Type = "text"
	for name, bad := range map[string]*pipeline.Schema{
		"gap": schema(4, "a", "b"), "lost": lost, "retyped": retyped, "folded": double, "field id": twice, "type": odd,
		"version 0": schema(0, "a"), "no columns": schema(3),
	} {
		if err := l.AppendSchema(ctx, bad); err == nil || errors.Is(err, pipeline.ErrConflict) {
			t.Errorf("%s: %v", name, err)
		}
	}
	key := "_archive/schema/invoices/000003.json"
	for name, content := range map[string]string{
		"another's": strings.ReplaceAll(text(t, s, "_archive/schema/invoices/000002.json"), "invoices", "orders"),
		"shrunk":    strings.Replace(text(t, s, "_archive/schema/invoices/000001.json"), `"version":1`, `"version":3`, 1),
		"no JSON":   "x",
	} {
		must(t, s.Put(ctx, key, []byte(content)))
		var damage *ledger.DamageError
		if _, err := l.LatestSchema(ctx, "invoices"); !errors.As(err, &damage) || damage.Key != key {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	s := openStore(t, "mem://")
	l := openLedger(t, s, options())
	begun := time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	for _, first := range []time.Time{begun, begun.AddDate(0, 0, 7)} {
		got, err := l.Settings(t.Context(), "invoices", ledger.Settings{Window: 24 * time.Hour, First: first})
		must(t, err)
		if !got.First.Equal(begun) {
			t.Errorf("the archive begins at %v", got.First)
		}
	}
	_, err := l.Settings(t.Context(), "orders", ledger.Settings{Window: time.Hour})
	must(t, err)
	_, err = l.Settings(t.Context(), "invoices", ledger.Settings{Window: 6 * time.Hour})
	var differs *ledger.SettingsError
	if !errors.As(err, &differs) || differs.Was.Window != 24*time.Hour || !strings.Contains(err.Error(), "set window: 24h again") {
		t.Error(err)
	}
	must(t, s.Put(t.Context(), "_archive/pipelines/invoices.json", []byte(`{"v":2}`)))
	var newer *ledger.VersionError
	if _, err := l.Settings(t.Context(), "invoices", ledger.Settings{}); !errors.As(err, &newer) {
		t.Error(err)
	}
}

func TestReports(t *testing.T) {
	t.Parallel()
	l := openLedger(t, openStore(t, "mem://"), options())
	for i := range 12 {
		must(t, l.PutReport(t.Context(), fmt.Sprintf("run-%02d", i), fmt.Appendf(nil, "report %d", i)))
	}
	must(t, l.PutPage(t.Context(), "run-10", []byte("<!DOCTYPE html>")))
	var got []ledger.Report
	collect := func(r ledger.Report) error {
		got = append(got, r)
		return nil
	}
	must(t, l.Reports(t.Context(), "run-09x", "run-11", collect))
	want := []ledger.Report{{RunID: "run-10", Data: []byte("report 10")}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	got = nil
	if err := l.Reports(t.Context(), "", "s", collect); err != nil || len(got) != 12 {
		t.Error(len(got), err)
	}
	enough := errors.New("enough")
	if err := l.Reports(t.Context(), "s", "", func(ledger.Report) error { return errors.New("of nothing") }); err != nil {
		t.Error(err)
	}
	if err := l.Reports(t.Context(), "", "s", func(ledger.Report) error { return enough }); !errors.Is(err, enough) {
		t.Error(err)
	}
	if l.PutReport(t.Context(), "a/b", nil) == nil || l.PutPage(t.Context(), "a/b", nil) == nil {
		t.Error("a run id with a slash was accepted")
	}
	if l.PutPage(t.Context(), "run-10", make([]byte, 5<<20)) == nil {
		t.Error("a page of 5 MiB was accepted")
	}
}
