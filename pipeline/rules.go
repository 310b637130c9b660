package pipeline

import "strings"

// Mode is how a field is laid into the table.
type Mode int

// The modes. ModeTyped gives the column a type; the others need none.
const (
	ModeSeen  Mode = iota // by what is seen first
	ModeTyped             // a column of Rule.Type
	ModeJSON              // one column of JSON text, objects included
	ModeList              // a typed list; the type is that of the elements seen first unless given
	ModeTable             // a child table
	ModeDrop              // not in the table; the raw layer keeps it
	ModeHash              // HMAC-SHA256 of the value, in hex
)

// Rule says how one field is laid into the table.
type Rule struct {
	Mode Mode
	Type Type // of the column (ModeTyped) or of the elements (ModeList, may be empty)
}

// Rules maps field paths, keys joined by dots, to rules. An array's elements
// have the path of the array.
type Rules map[string]Rule

// Children returns the datasets of the child tables that the rules ask for, of
// a pipeline's dataset, with their field paths.
func (r Rules) Children(dataset string) map[string]string {
	children := map[string]string{}
	for path, rule := range r {
		if rule.Mode == ModeTable {
			children[childDataset(dataset, path)] = path
		}
	}
	return children
}

// childDataset names the table that holds the elements of the array at path.
func childDataset(dataset, path string) string {
	keys := strings.Split(path, ".")
	for i, key := range keys {
		keys[i] = mangle(key)
	}
	return shorten(dataset+separator+strings.Join(keys, separator), dataset+"\x00"+path)
}

// FixedColumns returns the columns that a dataset begins with: those of a
// pipeline's own table, or those of a child table whose arrays stand at path.
func FixedColumns(rules Rules, path string) []Column {
	if path == "" {
		return standard
	}
	columns := []Column{{Name: ColumnJobID, Type: TypeUTF8, Source: "/id"}, {Name: ColumnOrdinal, Type: TypeInt64}}
	name := ColumnOrdinal
	for range enclosingTables(rules, path) {
		name = "parent_" + name
		columns = append(columns, Column{Name: name, Type: TypeInt64})
	}
	return numbered(columns)
}

// enclosingTables counts the arrays around path that are tables themselves.
func enclosingTables(rules Rules, path string) int {
	n := 0
	for i, c := range path {
		if c == '.' && rules[path[:i]].Mode == ModeTable {
			n++
		}
	}
	return n
}
