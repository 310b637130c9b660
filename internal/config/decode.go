package config

import (
	"reflect"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// decoder walks a document into the structs. It addresses values by path: the
// keys and indexes down to them, joined by slashes; pipelines by their index.
type decoder struct {
	*report
	expander expander
	origins  map[string]origin
	faulty   map[string]bool // paths that have a problem already
}

// origin is where a value stands and how it is written there.
type origin struct {
	at      Position // of a scalar, or of the key of a list or mapping
	written string   // the scalar as it stands, safe to show
}

func newDecoder(r *report, o Options) *decoder {
	return &decoder{report: r, expander: expander{options: o}, origins: map[string]origin{}, faulty: map[string]bool{}}
}

// given reports whether the file has a value at path.
func (d *decoder) given(path string) bool {
	_, ok := d.origins[path]
	return ok
}

// position is where path stands, or else the nearest mapping above it.
func (d *decoder) position(path string) Position {
	for {
		if o, ok := d.origins[path]; ok {
			return o.at
		}
		cut := strings.LastIndexByte(path, '/')
		if cut < 0 {
			return Position{File: d.file, Line: 1, Column: 1}
		}
		path = path[:cut]
	}
}

// fault adds a problem at path. Of several with one value, the first is the
// cause and the others are left out.
func (d *decoder) fault(path, format string, args ...any) {
	if d.faulty[path] {
		return
	}
	d.faulty[path] = true
	d.add(d.position(path), format, args...)
}

// written is the value at path as it stands in the file.
func (d *decoder) written(path string) string { return quote(d.origins[path].written) }

// member is one entry of a mapping.
type member struct {
	key   string
	at    Position
	value ast.Node
}

// members lists the entries of a mapping. Keys that are no names, or come twice,
// are reported and left out.
func (d *decoder) members(m *ast.MappingNode) []member {
	seen := make(map[string]Position, len(m.Values))
	list := make([]member, 0, len(m.Values))
	for _, entry := range m.Values {
		at := d.at(entry.Key.GetToken())
		scalar, ok := entry.Key.(ast.ScalarNode)
		if !ok {
			d.add(at, "a key must be a name")
			continue
		}
		key := scalar.GetToken().Value
		if first, twice := seen[key]; twice {
			d.add(at, "duplicate key %s: it stands in line %d already", quote(key), first.Line)
			continue
		}
		seen[key] = at
		list = append(list, member{key: key, at: at, value: entry.Value})
	}
	return list
}

// structure decodes a mapping into a struct: defaults first, then what is given.
// name says in messages what the mapping is.
func (d *decoder) structure(path, name string, m *ast.MappingNode, v reflect.Value) {
	keys := keysOf(v.Type())
	for _, k := range keys {
		setDefault(k, v.FieldByIndex(k.index))
	}
	for _, entry := range d.members(m) {
		k, known := find(keys, entry.key)
		if !known {
			d.add(entry.at, "unknown key %s in %s: %s", quote(entry.key), name, hint(entry.key, names(keys)))
			continue
		}
		d.value(join(path, k.name), k, entry.at, entry.value, v.FieldByIndex(k.index))
	}
	for _, k := range keys {
		if k.required && !d.given(join(path, k.name)) {
			d.fault(join(path, k.name), "%s has no %s: %s", name, k.name, k.missing)
		}
	}
}

// value decodes one value by the type of its destination.
func (d *decoder) value(path string, k key, at Position, n ast.Node, v reflect.Value) {
	d.origins[path] = origin{at: at}
	if _, none := n.(*ast.NullNode); none {
		advice := "give it one, or leave the key out"
		if k.required {
			advice = k.missing
		}
		d.fault(path, "%s has no value: %s", k.name, advice)
		return
	}
	switch v.Interface().(type) {
	case []Pipeline, []APIKey, []Field, map[string]string:
		if m := d.mapping(path, k, n); m != nil {
			d.named(path, k, m, v)
		}
		return
	}
	switch {
	case isScalar(v.Type()):
		d.scalar(path, k, n, v)
	case v.Kind() == reflect.Slice:
		d.list(path, k, n, v)
	default:
		m := d.mapping(path, k, n)
		if m == nil {
			return
		}
		if v.Kind() == reflect.Pointer {
			v.Set(reflect.New(v.Type().Elem()))
			v = v.Elem()
		}
		d.structure(path, k.name, m, v)
	}
}

// mapping returns n as a mapping, or nil after reporting that it is none.
func (d *decoder) mapping(path string, k key, n ast.Node) *ast.MappingNode {
	m, ok := n.(*ast.MappingNode)
	if !ok {
		d.mistyped(path, k, n, "a mapping")
	}
	return m
}

// mistyped reports a value of the wrong type, at the value.
func (d *decoder) mistyped(path string, k key, n ast.Node, want string) {
	d.origins[path] = origin{at: d.start(n)}
	d.fault(path, "%s must be %s, found %s", k.name, want, describe(n))
}

// start is where a value begins.
func (d *decoder) start(n ast.Node) Position {
	if m, ok := n.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
		return d.at(m.Values[0].Key.GetToken())
	}
	return d.at(n.GetToken())
}

// list decodes a sequence of scalars or of structs.
func (d *decoder) list(path string, k key, n ast.Node, v reflect.Value) {
	sequence, ok := n.(*ast.SequenceNode)
	if !ok {
		d.mistyped(path, k, n, "a list, such as [a, b]")
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(sequence.Values), len(sequence.Values)))
	if len(sequence.Values) < k.least {
		advice := "name at least one"
		if k.missing != "" {
			advice = k.missing
		}
		d.fault(path, "%s is empty: %s", k.name, advice)
	}
	item := k
	item.required = false
	if v.Type().Elem().Kind() == reflect.Struct {
		item.name = strings.TrimSuffix(k.name, "s")
	}
	for i, child := range sequence.Values {
		at := join(path, strconv.Itoa(i))
		d.value(at, item, d.start(child), child, v.Index(i))
		if sink, ok := v.Index(i).Addr().Interface().(*Sink); ok {
			sink.Pos = d.position(at)
		}
	}
	if k.unique {
		d.unique(path, k, v)
	}
}

func (d *decoder) unique(path string, k key, v reflect.Value) {
	seen := map[string]bool{}
	for i := range v.Len() {
		text := v.Index(i).String()
		if seen[text] && text != "" {
			at := join(path, strconv.Itoa(i))
			d.fault(at, "%s names %s twice", k.name, d.written(at))
		}
		seen[text] = true
	}
}

// named decodes a mapping whose keys are the user's own names, in the order of
// the file.
func (d *decoder) named(path string, k key, m *ast.MappingNode, v reflect.Value) {
	entries := d.members(m)
	switch out := v.Addr().Interface().(type) {
	case *[]Pipeline:
		*out = make([]Pipeline, len(entries))
		for i, e := range entries {
			(*out)[i].Name, (*out)[i].Pos = e.key, e.at
			item := key{name: "pipeline " + quote(e.key)}
			d.value(join(path, strconv.Itoa(i)), item, e.at, e.value, reflect.ValueOf(&(*out)[i]).Elem())
		}
	case *[]APIKey:
		*out = make([]APIKey, len(entries))
		for i, e := range entries {
			(*out)[i].Name, (*out)[i].Pos = e.key, e.at
			item := key{name: "API key " + quote(e.key)}
			d.value(join(path, e.key), item, e.at, e.value, reflect.ValueOf(&(*out)[i]).Elem())
		}
	case *[]Field:
		*out = make([]Field, len(entries))
		for i, e := range entries {
			(*out)[i].Path, (*out)[i].Pos = e.key, e.at
			item := key{name: "field " + quote(e.key)}
			d.value(join(path, e.key), item, e.at, e.value, reflect.ValueOf(&(*out)[i].Type).Elem())
		}
	case *map[string]string:
		*out = make(map[string]string, len(entries))
		for _, e := range entries {
			var text string
			item := key{name: k.name + " " + quote(e.key)}
			d.value(join(path, e.key), item, e.at, e.value, reflect.ValueOf(&text).Elem())
			(*out)[e.key] = text
		}
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "/" + name
}
