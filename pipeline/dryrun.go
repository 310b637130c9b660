package pipeline

import "context"

// DryRun returns stores that read what is there and keep to themselves what is
// written, so that a run does all its work and changes nothing.
func DryRun(s Stores) Stores {
	s.Ledger = dryLedger{s.Ledger}
	s.Shelf = dryShelf{}
	s.Schemas = drySchemas{s.Schemas}
	s.Seen = drySeen{s.Seen}
	if s.Definitions != nil {
		s.Definitions = dryDefinitions{s.Definitions}
	}
	return s
}

type dryLedger struct{ Ledger }

// Append returns the history as it would be.
func (dryLedger) Append(_ context.Context, h *History, r *Record, ids []string) (*History, error) {
	next := *h
	r.Seq, r.Pipeline, r.Window = h.NextSeq(), h.Pipeline, h.Window.Name()
	next.Head, next.HeadHash = r, ""
	next.Archived += int64(len(ids))
	next.Excluded = r.Excluded
	next.Rejected = append(append([]string(nil), h.Rejected...), r.Rejected...)
	return &next, nil
}

type dryShelf struct{}

func (dryShelf) Stage(context.Context, Part) error      { return nil }
func (dryShelf) Publish(context.Context, *Record) error { return nil }

type drySchemas struct{ SchemaLog }

func (drySchemas) AppendSchema(context.Context, *Schema) error { return nil }

type dryDefinitions struct{ DefinitionLog }

func (dryDefinitions) AppendDefinition(context.Context, *Definition) error { return nil }

type drySeen struct{ Seen }

func (drySeen) Mark(context.Context, SeenSet, []string) error { return nil }
