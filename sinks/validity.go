package sinks

import "github.com/apache/arrow/go/v17/arrow"

// validity tells which rows of a column have a value.
type validity struct {
	bitmap []byte // bit offset+row is the row's; empty: all rows have a value, unless none has
	offset int
	none   bool // no row has a value
}

func validityOf(column arrow.Array) validity {
	return validity{
		bitmap: column.NullBitmapBytes(), offset: column.Data().Offset(),
		none: column.Len() > 0 && column.NullN() == column.Len(),
	}
}

// has reports whether the row has a value.
func (v *validity) has(row int) bool {
	if len(v.bitmap) == 0 || v.none {
		return !v.none
	}
	at := v.offset + row
	return v.bitmap[at>>3]>>(at&7)&1 == 1
}
