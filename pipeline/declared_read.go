package pipeline

import (
	"context"
	"slices"

	"github.com/adteco/docarchive/docextract"
)

// WithDeclared returns the rules with the types added that the extractors
// declare for the fields of which the rules say nothing.
func (r Rules) WithDeclared(extractors []docextract.Extractor) Rules {
	definitions := make([]*Definition, 0, len(extractors))
	for i := range extractors {
		definitions = append(definitions, &Definition{ExtractorID: extractors[i].ID, Fields: extractors[i].Fields})
	}
	slices.SortStableFunc(definitions, byExtractor)
	return r.declare(definitions)
}

// WithKept is WithDeclared by what the extractor, or every one if id is empty,
// declared when a run last asked: no request to the API is made.
func (r Rules) WithKept(ctx context.Context, kept DefinitionLog, id string) (Rules, error) {
	definitions, err := keptDefinitions(ctx, kept, id)
	if err != nil {
		return nil, err
	}
	return r.declare(definitions), nil
}

// keptDefinitions returns the definitions that the archive has, of an extractor
// or of all if id is empty, in order of id.
func keptDefinitions(ctx context.Context, log DefinitionLog, id string) ([]*Definition, error) {
	ids := []string{id}
	if id == "" {
		var err error
		if ids, err = log.DefinedExtractors(ctx); err != nil {
			return nil, err
		}
	}
	var definitions []*Definition
	for _, id := range ids {
		latest, err := log.LatestDefinition(ctx, id)
		if err != nil {
			return nil, err
		}
		if latest != nil {
			definitions = append(definitions, latest)
		}
	}
	slices.SortFunc(definitions, byExtractor)
	return definitions, nil
}
