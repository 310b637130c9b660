package config

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/invopop/jsonschema"
)

const durationPattern = `([0-9]+(\.[0-9]+)?(w|d|h|m|s|ms|us|µs|ns))+`

// Schema is the JSON Schema (draft 2020-12) of the configuration file, as an
// indented document. It says of the file what editors can use; [Parse] knows
// more. A value that is not plain text may also be a reference.
func Schema() ([]byte, error) {
	reflector := jsonschema.Reflector{
		Anonymous:                  true,
		RequiredFromJSONSchemaTags: true,
		Mapper:                     mapped,
	}
	schema := reflector.Reflect(&Config{})
	schema.Title = "jobs.yaml of docarchive"
	allowReferences(schema)
	text, err := json.MarshalIndent(schema, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("cannot write the schema of the configuration: %w", err)
	}
	return append(text, '\n'), nil
}

// mapped describes the types that are written as text of a certain form.
func mapped(t reflect.Type) *jsonschema.Schema {
	switch t {
	case reflect.TypeFor[time.Duration]():
		return &jsonschema.Schema{Type: "string", Pattern: `^` + durationPattern + `$`}
	case reflect.TypeFor[Since]():
		return &jsonschema.Schema{
			Type:    "string",
			Pattern: `^(` + durationPattern + `|[0-9]{4}-[0-9]{2}-[0-9]{2}(T.+)?)$`,
		}
	case reflect.TypeFor[FieldType]():
		return &jsonschema.Schema{
			Type:    "string",
			Pattern: `^(` + strings.Join(fieldTypes(), "|") + `|decimal\( *[0-9]+ *, *[0-9]+ *\))$`,
		}
	}
	return nil
}

// JSONSchemaProperty says what the pipelines are in the file: a mapping by name.
func (Config) JSONSchemaProperty(name string) any {
	if name == "pipelines" {
		return map[string]Pipeline{}
	}
	return nil
}

// JSONSchemaProperty says what the keys are in the file: a mapping by name.
func (API) JSONSchemaProperty(name string) any {
	if name == "keys" {
		return map[string]APIKey{}
	}
	return nil
}

// JSONSchemaExtend adds what a key may be called.
func (API) JSONSchemaExtend(s *jsonschema.Schema) {
	if keys, ok := s.Properties.Get("keys"); ok {
		keys.PropertyNames = &jsonschema.Schema{Pattern: pipelineName}
	}
}

// JSONSchemaExtend adds what a pipeline may be called.
func (Config) JSONSchemaExtend(s *jsonschema.Schema) {
	if pipelines, ok := s.Properties.Get("pipelines"); ok {
		least := uint64(1)
		pipelines.MinProperties = &least
		pipelines.PropertyNames = &jsonschema.Schema{Pattern: pipelineName}
	}
}

// JSONSchemaProperty says what the fields are in the file: types by path.
func (Pipeline) JSONSchemaProperty(name string) any {
	if name == "fields" {
		return map[string]FieldType{}
	}
	return nil
}

// allowReferences lets every value below s that is more than plain text also be
// text with a reference in it.
func allowReferences(s *jsonschema.Schema) {
	if s == nil {
		return
	}
	for _, definition := range s.Definitions {
		allowReferences(definition)
	}
	if s.Properties != nil {
		for property := s.Properties.Oldest(); property != nil; property = property.Next() {
			allowReferences(property.Value)
		}
	}
	allowReferences(s.Items)
	allowReferences(s.AdditionalProperties)
	constrained := s.Type == "string" && (len(s.Enum) > 0 || s.Pattern != "")
	if constrained || s.Type == "integer" || s.Type == "number" || s.Type == "boolean" {
		typed := &jsonschema.Schema{
			Type: s.Type, Enum: s.Enum, Pattern: s.Pattern, Minimum: s.Minimum, Maximum: s.Maximum,
		}
		s.Type, s.Enum, s.Pattern, s.Minimum, s.Maximum = "", nil, "", "", ""
		s.AnyOf = []*jsonschema.Schema{typed, {Type: "string", Pattern: `\$\{`}}
	}
}
