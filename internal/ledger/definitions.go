package ledger

import (
	"context"
	"encoding/base64"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/adteco/docarchive/internal/store"
	"github.com/adteco/docarchive/pipeline"
)

var _ pipeline.DefinitionLog = (*Ledger)(nil)

// plainID is an extractor's id that can name a folder everywhere. What is none
// is encoded, behind a sign that a plain id cannot begin with.
var plainID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,200}$`)

const encodedSign = "="

func definitionDir(extractorID string) string {
	if !plainID.MatchString(extractorID) {
		extractorID = encodedSign + base64.RawURLEncoding.EncodeToString([]byte(extractorID))
	}
	return extractorsDir + extractorID + "/"
}

// definedID is the inverse of definitionDir, for the folder's name.
func definedID(folder string) (string, bool) {
	if encoded, is := strings.CutPrefix(folder, encodedSign); is {
		id, err := base64.RawURLEncoding.DecodeString(encoded)
		return string(id), err == nil
	}
	return folder, plainID.MatchString(folder)
}

// LatestDefinition returns the newest version of what an extractor declares, nil
// if there is none.
func (l *Ledger) LatestDefinition(ctx context.Context, extractorID string) (*pipeline.Definition, error) {
	var latest *pipeline.Definition
	for version := 1; ; version++ {
		next, err := l.definition(ctx, extractorID, version)
		if err != nil || next == nil {
			return latest, err
		}
		latest = next
	}
}

// definition reads one version, nil if it does not exist.
func (l *Ledger) definition(ctx context.Context, extractorID string, version int) (*pipeline.Definition, error) {
	key := numbered(definitionDir(extractorID), version)
	d := new(pipeline.Definition)
	if hash, err := l.read(ctx, key, store.MaxCreate, unversioned, d); err != nil || hash == "" {
		return nil, err
	}
	if d.ExtractorID != extractorID || d.Version != version {
		return nil, damaged(key, "it calls itself version %d of %q", d.Version, d.ExtractorID)
	}
	return d, nil
}

// DefinedExtractors lists the ids of the extractors that have a definition,
// sorted. It asks for a listing.
func (l *Ledger) DefinedExtractors(ctx context.Context) ([]string, error) {
	ids := map[string]struct{}{}
	err := l.store.List(ctx, extractorsDir, func(o store.Object) error {
		folder, _, _ := strings.Cut(strings.TrimPrefix(o.Key, extractorsDir), "/")
		if id, ok := definedID(folder); ok {
			ids[id] = struct{}{}
		}
		return nil
	})
	return slices.Sorted(maps.Keys(ids)), err
}

// AppendDefinition makes d durable as its extractor's next version. If that
// number is taken by another definition, the error is [pipeline.ErrConflict]; if
// by the same, there is none.
func (l *Ledger) AppendDefinition(ctx context.Context, d *pipeline.Definition) error {
	key := numbered(definitionDir(d.ExtractorID), d.Version)
	_, err := l.create(ctx, key, d)
	return err
}
