package pipeline

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/adteco/docarchive/docextract"
)

// fieldsOf makes field definitions of pairs of a name and a type.
func fieldsOf(pairs ...string) []docextract.FieldDefinition {
	var fields []docextract.FieldDefinition
	for i := 0; i < len(pairs); i += 2 {
		fields = append(fields, docextract.FieldDefinition{Name: pairs[i], Type: pairs[i+1]})
	}
	return fields
}

func TestDeclaredTypes(t *testing.T) {
	typed := func(t Type) Rule { return Rule{Mode: ModeTyped, Type: t} }
	own := Rules{"total": typed(Decimal(18, 2)), "note": {Mode: ModeDrop}, "items": {Mode: ModeTable}}
	got := own.declare([]*Definition{
		{ExtractorID: "ext_a", Fields: fieldsOf("total", "currency", "note", "text", "items", "array", "tax", "currency",
			"due", "date", "mail", "email", "call", "phone", "n", "number", "paid", "boolean", "tags", "array",
			"vendor", "object", "new", "hologram", "", "text", "Name", "TEXT")},
		{ExtractorID: "ext_b", Fields: fieldsOf("due", "text", "vendor", "text", "new", "date", "late", "date")},
	})
	want := Rules{
		"total": own["total"], "note": own["note"], "items": own["items"],
		"tax": typed(Decimal(18, 4)), "due": typed(TypeDate32), "mail": typed(TypeUTF8), "call": typed(TypeUTF8),
		"n": typed(TypeFloat64), "paid": typed(TypeBool), "tags": typed(TypeJSON), "Name": typed(TypeUTF8),
		"late": typed(TypeDate32),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rules (-want +got): %s", diff)
	}
	if len(own) != 3 {
		t.Errorf("the pipeline's own rules were changed: %v", own)
	}
}

func TestDeclaredColumns(t *testing.T) {
	rules := Rules(nil).declare([]*Definition{{Fields: fieldsOf(
		"total", "currency", "due", "date", "paid", "boolean", "n", "number", "name", "text", "tags", "array", "vendor", "object",
	)}})
	h := newHarness(t, rules)
	defer h.close()
	got := h.dataOf(
		`{"total":"12.50","due":"soon","paid":"yes","n":"7","name":5,"tags":"x","vendor":"ACME"}`,
		`{"total":12.5,"due":"2026-02-28","paid":true,"n":1.5,"name":"x","tags":["a",1],"vendor":{"name":"ACME"}}`,
		`{"total":0.00001,"due":"2026-02-30"}`,
	)["jobs"]
	want := []cells{{
		"total__text": "12.50", "due__text": "soon", "paid__text": "yes", "n__text": "7", "name__text": "5", "tags__text": "x", "vendor": "ACME",
	}, {
		"total": "12.5", "due": "2026-02-28", "paid": "true", "n": "1.5", "name": "x", "tags": `["a",1]`, "vendor__name": "ACME",
	}, {
		"total__text": "0.00001", "due__text": "2026-02-30",
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-want +got): %s", diff)
	}
	if got := h.typeOf("total"); got != Decimal(18, 4) {
		t.Errorf("total is %s", got)
	}
}

// catalog is an API's extractors that counts how often it is asked.
type catalog struct {
	extractors []docextract.Extractor
	err        error
	asked      int
}

func (c *catalog) Extractors(context.Context) ([]docextract.Extractor, error) {
	c.asked++
	return append([]docextract.Extractor(nil), c.extractors...), c.err
}

func (c *catalog) Extractor(_ context.Context, id string) (docextract.Extractor, error) {
	c.asked++
	for _, e := range c.extractors {
		if e.ID == id && c.err == nil {
			return e, nil
		}
	}
	return docextract.Extractor{}, errors.Join(c.err, errors.New("no such extractor"))
}

// definitionLog keeps definitions in memory. A rival writes before it does.
type definitionLog struct {
	versions map[string][]*Definition
	rival    *Definition
}

func (l *definitionLog) LatestDefinition(_ context.Context, id string) (*Definition, error) {
	if all := l.versions[id]; len(all) > 0 {
		return all[len(all)-1], nil
	}
	return nil, nil
}

func (l *definitionLog) DefinedExtractors(context.Context) (ids []string, err error) {
	for id := range l.versions {
		ids = append(ids, id)
	}
	return ids, nil
}

func (l *definitionLog) AppendDefinition(_ context.Context, d *Definition) error {
	if l.rival != nil {
		l.versions[d.ExtractorID] = append(l.versions[d.ExtractorID], l.rival)
		l.rival = nil
		return ErrConflict
	}
	l.versions[d.ExtractorID] = append(l.versions[d.ExtractorID], d)
	return nil
}

// declaring is one run after another over a catalog and a log.
type declaring struct {
	*testing.T
	catalog catalog
	log     definitionLog
	warned  []string
}

func (d *declaring) run(extractors ...string) []Rules {
	d.Helper()
	d.warned = nil
	r := &Runner{
		Identity: Identity{RunID: "run"}, Catalog: &d.catalog, Stores: Stores{Definitions: &d.log},
		Now: func() time.Time { return archivedAt },
	}
	run := &declarations{Runner: r, known: map[string][]*Definition{}, warn: func(m string) { d.warned = append(d.warned, m) }}
	var all []Rules
	for _, id := range extractors {
		rules, err := run.rules(d.Context(), &Spec{Filter: Filter{ExtractorID: id}})
		if err != nil {
			d.Fatal(err)
		}
		all = append(all, rules)
	}
	return all
}

func TestDefinitionsAreKeptInVersions(t *testing.T) {
	d := &declaring{T: t, log: definitionLog{versions: map[string][]*Definition{}}}
	d.catalog.extractors = []docextract.Extractor{
		{ID: "ext_b", Fields: fieldsOf("x", "date")}, {ID: "ext_a", UsageCount: 1, Fields: fieldsOf("x", "number")},
	}
	rules := d.run("", "ext_b", "", "ext_b")
	if d.catalog.asked != 2 {
		t.Errorf("the API was asked %d times for two answers", d.catalog.asked)
	}
	if all, b := rules[0]["x"].Type, rules[1]["x"].Type; all != TypeFloat64 || b != TypeDate32 {
		t.Errorf("x is %s over all extractors and %s of ext_b", all, b)
	}
	d.catalog.extractors[1].UsageCount = 99 // no part of the definition
	d.run("")
	if n := len(d.log.versions["ext_a"]); n != 1 {
		t.Errorf("%d versions of a definition that did not change", n)
	}
	d.catalog.extractors[1].Fields = fieldsOf("x", "text")
	d.run("")
	versions := d.log.versions["ext_a"]
	if len(versions) != 2 || versions[1].Version != 2 || versions[1].Fields[0].Type != "text" || versions[0].Fields[0].Type != "number" {
		t.Errorf("versions of a definition that changed: %+v", versions)
	}
}

func TestAnotherRunKeepsTheDefinitionFirst(t *testing.T) {
	d := &declaring{T: t, log: definitionLog{
		versions: map[string][]*Definition{}, rival: &Definition{ExtractorID: "ext_a", Version: 1, Fields: fieldsOf("x", "date")},
	}}
	d.catalog.extractors = []docextract.Extractor{{ID: "ext_a", Fields: fieldsOf("x", "number")}}
	d.run("ext_a")
	if versions := d.log.versions["ext_a"]; len(versions) != 2 || versions[1].Version != 2 {
		t.Errorf("versions: %+v", versions)
	}
}

func TestAnAPIWithoutExtractors(t *testing.T) {
	d := &declaring{T: t, log: definitionLog{versions: map[string][]*Definition{}}}
	d.catalog.err = &docextract.Error{Status: 403}
	if rules := d.run("", ""); len(rules[0]) != 0 || len(d.warned) != 1 || !strings.Contains(d.warned[0], "403") {
		t.Errorf("rules %v, warnings %q", rules[0], d.warned)
	}
	d.catalog.err, d.catalog.extractors = nil, []docextract.Extractor{{ID: "ext_a", Fields: fieldsOf("x", "date")}}
	d.run("")
	d.catalog.err = &docextract.Error{Status: 404}
	for i, rules := range d.run("", "ext_a", "ext_unknown") {
		if want := map[bool]Type{true: TypeDate32}[i < 2]; rules["x"].Type != want {
			t.Errorf("pipeline %d: x is %q, want %q as kept before", i, rules["x"].Type, want)
		}
	}
}
