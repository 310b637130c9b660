package config

import (
	"reflect"
	"strconv"
	"strings"
	"time"
)

// key is one key of a mapping: what the tags of its struct field say.
type key struct {
	name     string
	index    []int // of the field, through embedded structs
	required bool
	missing  string // what to do where it is required and missing
	defaults []string
	enum     []string
	minimum  *float64
	maximum  *float64
	least    int // items of a list
	unique   bool
}

// keysOf lists the keys of a struct in the order of its fields.
func keysOf(t reflect.Type) []key {
	var keys []key
	for _, f := range reflect.VisibleFields(t) {
		name := f.Tag.Get("json")
		if f.Anonymous || name == "" || name == "-" {
			continue
		}
		k := key{name: name, index: f.Index, missing: f.Tag.Get("missing")}
		for rule := range strings.SplitSeq(f.Tag.Get("jsonschema"), ",") {
			k.apply(rule)
		}
		keys = append(keys, k)
	}
	return keys
}

// apply takes in one rule of a jsonschema tag.
func (k *key) apply(rule string) {
	name, value, _ := strings.Cut(rule, "=")
	switch name {
	case "required":
		k.required = true
	case "default":
		k.defaults = append(k.defaults, value)
	case "enum":
		k.enum = append(k.enum, value)
	case "minimum":
		k.minimum = bound(value)
	case "maximum":
		k.maximum = bound(value)
	case "minItems":
		k.least, _ = strconv.Atoi(value)
	case "uniqueItems":
		k.unique = true
	}
}

func bound(text string) *float64 {
	number, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return nil
	}
	return &number
}

func find(keys []key, name string) (key, bool) {
	for _, k := range keys {
		if k.name == name {
			return k, true
		}
	}
	return key{}, false
}

func names(keys []key) []string {
	list := make([]string, len(keys))
	for i, k := range keys {
		list[i] = k.name
	}
	return list
}

// setDefault gives v the default of its key; a struct gets those of its own keys.
func setDefault(k key, v reflect.Value) {
	switch {
	case v.Kind() == reflect.Struct && !isScalar(v.Type()) && v.Type() != reflect.TypeFor[Position]():
		for _, inner := range keysOf(v.Type()) {
			setDefault(inner, v.FieldByIndex(inner.index))
		}
	case v.Type() == reflect.TypeFor[[]string]():
		v.Set(reflect.ValueOf(append([]string(nil), k.defaults...)))
	case len(k.defaults) == 1:
		// A default that its own type refuses leaves the zero value; the tests
		// hold every default against the schema.
		_ = set(v, k.defaults[0])
	}
}

// isScalar reports whether a value of type t is written as one scalar.
func isScalar(t reflect.Type) bool {
	switch t {
	case reflect.TypeFor[time.Duration](), reflect.TypeFor[Since](), reflect.TypeFor[FieldType]():
		return true
	}
	switch t.Kind() {
	case reflect.String, reflect.Int, reflect.Float64, reflect.Bool:
		return true
	}
	return false
}
