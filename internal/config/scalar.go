package config

import (
	"errors"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// scalar decodes one scalar: references first, then the type that v wants.
func (d *decoder) scalar(path string, k key, n ast.Node, v reflect.Value) {
	text, isText, ok := scalarText(n)
	if !ok {
		d.mistyped(path, k, n, wanted(v))
		return
	}
	d.origins[path] = origin{at: d.start(n), written: masked(text)}
	d.expander.lenient = d.expander.options.KeyOptional && isKeyPath(path)
	value, faults := d.expander.expand(text)
	for _, fault := range faults {
		d.add(d.position(path), "%s: %s", k.name, fault)
		d.faulty[path] = true
	}
	if len(faults) > 0 {
		return
	}
	if !strings.Contains(text, "${") && isText != wantsText(v) {
		advice := ""
		if v.Kind() == reflect.String {
			advice = ": put it in quotes"
		}
		d.fault(path, "%s must be %s, found %s%s", k.name, wanted(v), describe(n), advice)
		return
	}
	d.assign(path, k, v, value)
}

// assign sets v from a value that was expanded, if the rules of its key let it.
func (d *decoder) assign(path string, k key, v reflect.Value, value string) {
	if len(k.enum) > 0 && !slices.Contains(k.enum, value) {
		d.fault(path, "%s is %s: %s", k.name, d.written(path), d.choice(path, k, value))
		return
	}
	if err := set(v, value); err != nil {
		d.fault(path, "%s is %s: it %v", k.name, d.written(path), err)
		return
	}
	var number float64
	switch v.Kind() {
	case reflect.Float64:
		number = v.Float()
	case reflect.Int:
		number = float64(v.Int())
	default:
		return
	}
	if k.minimum != nil && number < *k.minimum || k.maximum != nil && number > *k.maximum {
		d.fault(path, "%s is %s: it must be %s", k.name, d.written(path), span(k))
	}
}

// choice says what to write instead of a value that is none of the choices.
func (d *decoder) choice(path string, k key, value string) string {
	if k.name == "status" && (value == "queued" || value == "processing") {
		return "only jobs in a final state are archived, completed or failed"
	}
	if value != d.origins[path].written {
		return "use one of " + strings.Join(k.enum, ", ") // a near miss would hint at what the variable holds
	}
	return hint(value, k.enum)
}

func span(k key) string {
	format := func(n *float64) string { return strconv.FormatFloat(*n, 'f', -1, 64) }
	switch {
	case k.maximum == nil:
		return "at least " + format(k.minimum)
	case k.minimum == nil:
		return "at most " + format(k.maximum)
	}
	return format(k.minimum) + " to " + format(k.maximum)
}

// scalarText returns the text of a scalar, and whether YAML takes it for text.
func scalarText(n ast.Node) (text string, isText, ok bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true, true
	case *ast.LiteralNode:
		return n.Value.Value, true, true
	case *ast.BoolNode, *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, false, true
	}
	return "", false, false
}

// wantsText reports whether v is written as text, rather than as a YAML number
// or truth value.
func wantsText(v reflect.Value) bool {
	if v.Type() == reflect.TypeFor[time.Duration]() {
		return true
	}
	switch v.Kind() {
	case reflect.Int, reflect.Float64, reflect.Bool:
		return false
	}
	return true
}

// wanted describes what v is written as.
func wanted(v reflect.Value) string {
	switch v.Type() {
	case reflect.TypeFor[time.Duration]():
		return "a duration with its unit, such as 24h"
	case reflect.TypeFor[Since]():
		return "a duration such as 90d, or a date"
	case reflect.TypeFor[FieldType]():
		return "the name of a type"
	}
	switch v.Kind() {
	case reflect.Int:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	case reflect.Bool:
		return "true or false"
	}
	return "text"
}

// set parses text into v by v's type.
func set(v reflect.Value, text string) error {
	var (
		parsed any
		err    error
	)
	switch v.Interface().(type) {
	case time.Duration:
		parsed, err = parseDuration(text)
	case Since:
		parsed, err = ParseSince(text)
	case FieldType:
		parsed, err = parseFieldType(text)
	case int:
		parsed, err = parseInt(text)
	case float64:
		parsed, err = parseFloat(text)
	case bool:
		parsed, err = parseBool(text)
	default:
		parsed = text
	}
	if err == nil {
		v.Set(reflect.ValueOf(parsed))
	}
	return err
}

func parseInt(text string) (int, error) {
	number, err := strconv.Atoi(text)
	if err != nil {
		return 0, errors.New("must be a whole number in plain decimal digits")
	}
	return number, nil
}

func parseFloat(text string) (float64, error) {
	number, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(number, 0) || math.IsNaN(number) || strings.ContainsAny(text, "xX_") {
		return 0, errors.New("must be a number in plain decimal digits")
	}
	return number, nil
}

func parseBool(text string) (bool, error) {
	switch strings.ToLower(text) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, errors.New("must be true or false")
}
