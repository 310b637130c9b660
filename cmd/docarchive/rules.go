package main

import (
	"fmt"

	"github.com/adteco/docarchive/internal/config"
	"github.com/adteco/docarchive/pipeline"
)

// schemaPolicy translates the value of schema, which the configuration has
// checked.
func schemaPolicy(name string) pipeline.SchemaPolicy {
	switch name {
	case "freeze":
		return pipeline.SchemaFreeze
	case "quarantine":
		return pipeline.SchemaQuarantine
	default:
		return pipeline.SchemaEvolve
	}
}

// rulesOf translates the fields of jobs.yaml.
func rulesOf(fields []config.Field) (pipeline.Rules, error) {
	rules := pipeline.Rules{}
	for _, f := range fields {
		rule := pipeline.Rule{Mode: pipeline.ModeTyped}
		switch f.Type.Kind {
		case config.KindUTF8:
			rule.Type = pipeline.TypeUTF8
		case config.KindFloat64:
			rule.Type = pipeline.TypeFloat64
		case config.KindInt64:
			rule.Type = pipeline.TypeInt64
		case config.KindBool:
			rule.Type = pipeline.TypeBool
		case config.KindDate32:
			rule.Type = pipeline.TypeDate32
		case config.KindTimestamp:
			rule.Type = pipeline.TypeTimestamp
		case config.KindDecimal:
			rule.Type = pipeline.Decimal(f.Type.Precision, f.Type.Scale)
		case config.KindList:
			rule.Mode = pipeline.ModeList
		case config.KindTable:
			rule.Mode = pipeline.ModeTable
		case config.KindJSON:
			rule.Mode = pipeline.ModeJSON
		case config.KindDrop:
			rule.Mode = pipeline.ModeDrop
		case config.KindHash:
			rule.Mode = pipeline.ModeHash
		default:
			return nil, &configError{fmt.Errorf("%s: unknown field type %s", f.Pos, f.Type)}
		}
		rules[f.Path] = rule
	}
	return rules, nil
}
