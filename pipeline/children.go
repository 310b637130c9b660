package pipeline

import "github.com/adteco/docarchive/internal/rawjson"

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
		return f.leaf(t, n, value{kind: rawjson.Array, raw: s.Since(start)})
	}
	return err
}

// element reads one element as a row: an object's members as columns, anything
// else as the column value.
func (f *Flattener) element(t *table, n *node, s *rawjson.Scanner) error {
	if err := f.identify(t); err != nil {
		return err
	}
	if s.Peek() == rawjson.Object {
		start := s.Offset()
		count, err := f.members(t, n, s)
		if err == nil && count == 0 {
			err = f.leaf(t, n, value{kind: rawjson.Object, raw: s.Since(start)})
		}
		if err != nil {
			return err
		}
		return t.endRow()
	}
	v, err := next(s)
	if err == nil && v.kind != rawjson.Null {
		err = f.leaf(t, n, v)
	}
	if err != nil {
		return err
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
		switch {
		case c.Type == TypeUTF8:
			col.putString(t.rows, f.job.ID)
		case i <= len(f.ordinal):
			// Its own ordinal first, then outwards. A key that has dots and the path
			// of a nested table stands in no other array.
			col.putWord(t.rows, uint64(f.ordinal[len(f.ordinal)-i]))
		}
	}
	return nil
}
