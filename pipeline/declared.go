package pipeline

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/adteco/docarchive/docextract"
)

// Catalog tells what the organisation's extractors declare.
type Catalog interface {
	Extractors(ctx context.Context) ([]docextract.Extractor, error)
	Extractor(ctx context.Context, id string) (docextract.Extractor, error)
}

// Definition is one version of what an extractor declares. Definitions change;
// the versions tell what a field was meant to be when its column was made.
type Definition struct {
	ExtractorID  string                       `json:"extractor_id"`
	Version      int                          `json:"version"` // from 1
	Name         string                       `json:"name"`
	DocumentType string                       `json:"document_type"`
	Fields       []docextract.FieldDefinition `json:"field_definitions"`
	RunID        string                       `json:"run_id"`  // the run that met it first
	SeenAt       time.Time                    `json:"seen_at"` // and when
}

// same reports whether the extractor still declares what the definition says.
func (d *Definition) same(e *docextract.Extractor) bool {
	return d.Name == e.Name && d.DocumentType == e.DocumentType && slices.Equal(d.Fields, e.Fields)
}

func byExtractor(a, b *Definition) int { return strings.Compare(a.ExtractorID, b.ExtractorID) }

// DefinitionLog keeps the versions of the extractors' definitions.
type DefinitionLog interface {
	// LatestDefinition returns nil for an extractor without one.
	LatestDefinition(ctx context.Context, extractorID string) (*Definition, error)
	// DefinedExtractors lists the ids of the extractors that have a definition.
	DefinedExtractors(ctx context.Context) ([]string, error)
	// AppendDefinition makes the version durable, or returns [ErrConflict] if its
	// number is taken by another's.
	AppendDefinition(ctx context.Context, d *Definition) error
}

// declarations is what the extractors declare, as far as a run has asked. An
// extractor is asked for once a run.
type declarations struct {
	*Runner
	known map[string][]*Definition // by extractor id; empty: all extractors
	warn  func(message string)
}

// rules returns a pipeline's rules, with the types that its extractors declare
// for the fields of which the rules say nothing.
func (d *declarations) rules(ctx context.Context, spec *Spec) (Rules, error) {
	if d.Catalog == nil || d.Stores.Definitions == nil {
		return spec.Rules, nil
	}
	definitions, err := d.of(ctx, spec.Filter.ExtractorID)
	if err != nil {
		return nil, fmt.Errorf("what the extractors declare: %w", err)
	}
	return spec.Rules.declare(definitions), nil
}

// declare returns the rules with the declared types of other fields added. Where
// several extractors declare one field, the one with the least id counts: a
// dataset has one column for it.
func (r Rules) declare(definitions []*Definition) Rules {
	merged := maps.Clone(r)
	if merged == nil {
		merged = Rules{}
	}
	decided := map[string]bool{}
	for _, d := range definitions {
		for _, f := range d.Fields {
			_, ruled := r[f.Name]
			if ruled || decided[f.Name] || f.Name == "" {
				continue
			}
			decided[f.Name] = true
			if t, ok := declaredType(f.Type); ok {
				merged[f.Name] = Rule{Mode: ModeTyped, Type: t}
			}
		}
	}
	return merged
}

// declaredType is the column type for a type of the API's. Objects have none:
// their members become columns.
func declaredType(name string) (Type, bool) {
	switch strings.ToLower(name) {
	case "text", "email", "phone":
		return TypeUTF8, true
	case "number":
		return TypeFloat64, true
	case "currency":
		return Decimal(18, 4), true
	case "date":
		return TypeDate32, true
	case "boolean":
		return TypeBool, true
	case "array":
		return TypeJSON, true
	}
	return "", false
}

// of returns the definitions of an extractor, or of all if id is empty, in order
// of id: the API's, or where it does not tell, those that were kept last.
func (d *declarations) of(ctx context.Context, id string) ([]*Definition, error) {
	if known, has := d.known[id]; has {
		return known, nil
	}
	extractors, err := d.ask(ctx, id)
	var definitions []*Definition
	switch {
	case err == nil:
		definitions, err = d.keepAll(ctx, extractors)
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	default:
		// Types are worth less than jobs, which expire.
		d.warn(fmt.Sprintf("the API does not tell what extractors declare, types are those known before or as seen: %v", err))
		definitions, err = keptDefinitions(ctx, d.Stores.Definitions, id)
	}
	if err != nil {
		return nil, err
	}
	d.known[id] = definitions
	return definitions, nil
}

func (d *declarations) ask(ctx context.Context, id string) ([]docextract.Extractor, error) {
	if id == "" {
		all, err := d.Catalog.Extractors(ctx)
		slices.SortStableFunc(all, func(a, b docextract.Extractor) int { return strings.Compare(a.ID, b.ID) })
		return slices.CompactFunc(all, func(a, b docextract.Extractor) bool { return a.ID == b.ID }), err
	}
	one, err := d.Catalog.Extractor(ctx, id)
	return []docextract.Extractor{one}, err
}

func (d *declarations) keepAll(ctx context.Context, extractors []docextract.Extractor) ([]*Definition, error) {
	definitions := make([]*Definition, 0, len(extractors))
	for i := range extractors {
		definition, err := d.keep(ctx, &extractors[i])
		if err != nil {
			return nil, fmt.Errorf("extractor %s: %w", extractors[i].ID, err)
		}
		definitions = append(definitions, definition)
	}
	return definitions, nil
}

// keep makes durable what an extractor declares, if that is news.
func (d *declarations) keep(ctx context.Context, e *docextract.Extractor) (*Definition, error) {
	for {
		latest, err := d.Stores.Definitions.LatestDefinition(ctx, e.ID)
		if err != nil || latest != nil && latest.same(e) {
			return latest, err
		}
		next := &Definition{
			ExtractorID: e.ID, Version: 1, Name: e.Name, DocumentType: e.DocumentType, Fields: e.Fields,
			RunID: d.RunID, SeenAt: d.Now().UTC().Truncate(time.Second),
		}
		if latest != nil {
			next.Version = latest.Version + 1
		}
		err = d.Stores.Definitions.AppendDefinition(ctx, next)
		if errors.Is(err, ErrConflict) && ctx.Err() == nil {
			continue // another run met it too
		}
		return next, err
	}
}
