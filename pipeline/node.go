package pipeline

import (
	"slices"
	"strings"

	"github.com/adteco/docarchive/internal/rawjson"
)

// maxFlattenDepth is how deep objects are taken apart; what lies deeper stays
// JSON text. Names of such columns would be hashes anyway.
const maxFlattenDepth = 100

// node is one path of the jobs seen so far, and where its values go.
type node struct {
	place
	group  Group
	depth  int
	rule   Rule
	shape  shape
	veiled bool // a rule drops or hashes something below
	below
	cell
	branch
}

// place is where a node stands among the members of its parent.
type place struct {
	parent  *node
	key     string // decoded
	raw     string // one that leads here from the parent's byRaw; empty: none yet
	next    *node  // the member that came after this one the last time
	passing bool   // forgotten at the end of the row, unless it leads to a column
}

// below is the nodes below a node, and how they are found. Jobs of one extractor
// have their keys in one order, so a member is mostly the one that came next the
// last time.
type below struct {
	byRaw map[string]*node // raw key, quotes included, as it was met
	byKey map[string]*node // decoded key
	first *node            // the member that came first the last time
}

// branch is where the elements of a ModeTable node's arrays go.
type branch struct {
	child *table
	item  *node // stands for any element
}

// cell is where a node's values are put.
type cell struct {
	col  *column
	text *column // beside col, for what does not fit
	row  int     // 1 + the row of the table in which a value was met last
}

// shape is what kind of place a node is.
type shape int

const (
	shapeData     shape = iota // objects are taken apart, new keys become nodes
	shapeLeaf                  // one column, whatever the value
	shapeLeaves                // an object whose members are leaves
	shapeClosed                // an object of which only the known members count
	shapeElements              // the element of a child table's array
)

func newNode(parent *node, key string, s shape, g Group) *node {
	n := &node{place: place{parent: parent, key: key}, shape: s, group: g}
	if parent != nil {
		n.depth = parent.depth + 1
		parent.attach(n)
	}
	return n
}

func (n *node) attach(child *node) {
	if n.byKey == nil {
		n.byKey, n.byRaw = map[string]*node{}, map[string]*node{}
	}
	n.byKey[child.key] = child
}

// find returns the child for a raw key, or nil. Several spellings of one key
// lead to the same child.
func (n *node) find(raw []byte) *node {
	if child := n.byRaw[string(raw)]; child != nil {
		return child
	}
	if len(n.byKey) == 0 {
		return nil
	}
	child := n.byKey[decodeKey(raw)]
	if child != nil && !child.passing && len(n.byRaw) < 4*len(n.byKey) {
		child.raw = string(raw)
		n.byRaw[child.raw] = child
	}
	return child
}

// decodeKey decodes a raw key; one that UTF-8 cannot hold stays as it was
// escaped.
func decodeKey(raw []byte) string {
	key, exact := rawjson.Text(raw)
	if !exact {
		key = string(rawjson.AppendPrintable(nil, raw[1:len(raw)-1]))
	}
	return key
}

// settle decides at the end of a row whether a passing node stays.
func (n *node) settle() {
	if n.col == nil && n.text == nil && n.child == nil && len(n.byKey) == 0 {
		delete(n.parent.byKey, n.key)
		return
	}
	n.passing = false
}

// tellsEmpty reports whether an object without members is a value of the node.
// One in the place of confidence, metadata or error_details says no more than
// null does.
func (n *node) tellsEmpty() bool {
	return n.group == GroupData || n.depth > 1 && n.shape != shapeClosed
}

// keys returns the keys that the node's column is named by: those from its
// group's root down to it, the root's own aside.
func (n *node) keys() []string {
	if n.top() {
		switch {
		case n.shape == shapeElements:
			return []string{"value"}
		case n.group == GroupData:
			return []string{n.key}
		}
		return nil
	}
	var keys []string
	for p := n; !p.top(); p = p.parent {
		keys = append(keys, p.key)
	}
	slices.Reverse(keys)
	return keys
}

// top reports whether the node is the root of its group's names: a member of
// the job itself, or the element of a child table's array.
func (n *node) top() bool { return n.depth == 1 || n.shape == shapeElements }

// pointer returns the JSON Pointer of the node in the job; * stands for any
// element of an array.
func (n *node) pointer() string {
	var keys []string
	for p := n; p.parent != nil; p = p.parent {
		keys = append(keys, p.key)
	}
	slices.Reverse(keys)
	return pointerTo(keys...)
}

// path returns the node's field path, by which rules name it; array elements
// have the path of their array.
func (n *node) path() string {
	var keys []string
	for p := n; p.depth > 1; p = p.parent {
		if p.shape != shapeElements {
			keys = append(keys, p.key)
		}
	}
	slices.Reverse(keys)
	return strings.Join(keys, ".")
}

// prefix is what the field paths of the node's members begin with.
func (n *node) prefix() string {
	if n.depth == 1 {
		return ""
	}
	return n.path() + "."
}
