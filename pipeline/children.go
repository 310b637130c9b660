package pipeline

import (
	"github.com/apache/arrow/go/v17/arrow/array"

	"github.com/adteco/docarchive/internal/rawjson"
)

// elements reads an array into the rows of the node's child table.
func (f *Flattener) elements(t *table, n *node, s *rawjson.Scanner) error {
	if n.child == nil {
		child, err := f.table(childDataset(f.options.Dataset, n.path()))
		if err != nil {
			return err
		}
		n.child = child
		n.item = &node{
			place: place{parent: n, key: "*"},
			shape: shapeElements, group: GroupData, depth: n.depth + 1, veiled: n.veiled,
		}
	}
	start := s.Offset()
	f.ordinal = append(f.ordinal, 0)
	err := s.Array(func() error {
		if err := f.element(n.child, n.item, s); err != nil {
			return err
		}
		f.ordinal[len(f.ordinal)-1]++
		return nil
	})
	last := len(f.ordinal) - 1
	count := f.ordinal[last]
	f.ordinal = f.ordinal[:last]
	if err == nil && count == 0 {
		// An array without elements has no row to stand in.
		return f.leaf(t, n, value{rawjson.Array, s.Since(start)})
	}
	return err
}

// element reads one element as a row: an object's members as columns, anything
// else as the column value.
func (f *Flattener) element(t *table, n *node, s *rawjson.Scanner) error {
	if err := f.identify(t); err != nil {
		return err
	}
	kind := s.Peek()
	if kind == rawjson.Object {
		start, count := s.Offset(), 0
		if err := f.members(t, n, s, &count); err != nil {
			return err
		}
		if count == 0 {
			if err := f.leaf(t, n, value{kind, s.Since(start)}); err != nil {
				return err
			}
		}
		return t.endRow()
	}
	raw, err := s.Value()
	if err != nil {
		return err
	}
	if kind != rawjson.Null {
		if err := f.leaf(t, n, value{kind, raw}); err != nil {
			return err
		}
	}
	return t.endRow()
}

// identify sets the columns that say where a child row belongs.
func (f *Flattener) identify(t *table) error {
	fixed := t.book.Fixed()
	for i, c := range fixed {
		col, err := t.column(c)
		if err != nil {
			return err
		}
		col.pad(t.rows)
		switch b := col.builder.(type) {
		case *array.StringBuilder:
			b.Append(f.job.ID)
		case *array.Int64Builder:
			// Its own ordinal first, then outwards. A key that has dots and the path
			// of a nested table stands in no other array.
			if i <= len(f.ordinal) {
				b.Append(f.ordinal[len(f.ordinal)-i])
			} else {
				b.AppendNull()
			}
		}
	}
	return nil
}
