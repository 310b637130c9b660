package sinks

import (
	"encoding/binary"
	"slices"

	"github.com/apache/arrow/go/v17/arrow/decimal128"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// decimalBytes is the length of decimals with more than 18 digits.
const decimalBytes = 16

// wideDecimal is the type of decimals in 16 bytes. parquet-go compares these
// as unsigned numbers, and its bounds would make readers skip pages with the
// negative values that they look for. So the column has no bounds in the
// chunk's statistics, and those of the type in its page index.
type wideDecimal struct {
	parquet.Type
	precision int
}

func (t wideDecimal) NewColumnIndexer(int) parquet.ColumnIndexer {
	limit := decimal128.GetMaxValue(int32(t.precision))
	return &wideIndexer{lowest: appendBigEndian(nil, limit.Negate()), highest: appendBigEndian(nil, limit)}
}

// wideIndexer makes a page index in which every page may hold every value.
type wideIndexer struct {
	lowest, highest []byte
	nullPages       []bool
	nullCounts      []int64
}

func (x *wideIndexer) Reset() {
	x.nullPages, x.nullCounts = x.nullPages[:0], x.nullCounts[:0]
}

func (x *wideIndexer) IndexPage(numValues, numNulls int64, _, _ parquet.Value) {
	x.nullPages = append(x.nullPages, numValues == numNulls)
	x.nullCounts = append(x.nullCounts, numNulls)
}

func (x *wideIndexer) ColumnIndex() format.ColumnIndex {
	index := format.ColumnIndex{
		NullPages:     slices.Clone(x.nullPages),
		NullCounts:    slices.Clone(x.nullCounts),
		BoundaryOrder: format.Ascending,
	}
	for _, null := range x.nullPages {
		lowest, highest := x.lowest, x.highest
		if null {
			lowest, highest = []byte{}, []byte{}
		}
		index.MinValues = append(index.MinValues, lowest)
		index.MaxValues = append(index.MaxValues, highest)
	}
	return index
}

// appendBigEndian appends the 16 bytes of a two's complement number.
func appendBigEndian(dst []byte, v decimal128.Num) []byte {
	dst = binary.BigEndian.AppendUint64(dst, uint64(v.HighBits()))
	return binary.BigEndian.AppendUint64(dst, v.LowBits())
}
