package sinks

import (
	"fmt"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/adteco/docarchive/pipeline"
)

// What rows can be partitioned by.
const (
	byMonth     = "created_month"
	byDate      = "created_date"
	byYear      = "created_year"
	byExtractor = pipeline.ColumnExtractorID
	byStatus    = pipeline.ColumnStatus
)

func partitionColumns() []string { return []string{byMonth, byDate, byYear, byExtractor, byStatus} }

// group is the rows of a batch that go into one folder, in their order.
type group struct {
	folder string
	rows   arrow.Record
}

func releaseGroups(groups []group) {
	for _, g := range groups {
		g.rows.Release()
	}
}

// partitioner splits batches by the folder that their rows go to.
type partitioner struct {
	columns []string
	folder  string
	window  pipeline.Window
	mem     memory.Allocator
}

func newPartitioner(columns []string, folder string, window pipeline.Window, mem memory.Allocator) *partitioner {
	return &partitioner{columns: columns, folder: folder, window: window, mem: mem}
}

// codes numbers the values of one partition column: row i has values[code(i)].
type codes struct {
	of     []int32
	values []string
}

// split returns a record for each folder, in order of its first row. The caller
// releases them.
func (p *partitioner) split(batch arrow.Record) ([]group, error) {
	if batch.NumRows() == 0 {
		return nil, nil
	}
	folders := codes{of: make([]int32, batch.NumRows()), values: []string{p.folder}}
	for _, name := range p.columns {
		values, err := p.codesOf(batch, name)
		if err != nil {
			return nil, err
		}
		folders = nest(folders, name, values)
	}
	runs := runsOf(folders)
	groups := make([]group, 0, len(folders.values))
	for code, spans := range runs {
		rows, err := take(p.mem, batch, spans)
		if err != nil {
			releaseGroups(groups)
			return nil, fmt.Errorf("gather the rows of %s: %w", folders.values[code], err)
		}
		groups = append(groups, group{folder: folders.values[code], rows: rows})
	}
	return groups, nil
}

// nest puts the folders of one more column below those so far. Folders are
// numbered by their first row.
func nest(outer codes, name string, inner codes) codes {
	type pair struct{ outer, inner int32 }
	known := map[pair]int32{}
	nested := codes{of: outer.of}
	last, lastCode := pair{-1, -1}, int32(0)
	for i := range outer.of {
		key := pair{outer.of[i], inner.of[i]}
		if key != last {
			code, ok := known[key]
			if !ok {
				code = int32(len(nested.values))
				known[key] = code
				nested.values = append(nested.values, outer.values[key.outer]+"/"+name+"="+inner.values[key.inner])
			}
			last, lastCode = key, code
		}
		nested.of[i] = lastCode
	}
	return nested
}

// span is the rows [start, end).
type span struct{ start, end int }

// runsOf returns the runs of rows of every code.
func runsOf(c codes) [][]span {
	runs := make([][]span, len(c.values))
	for start := 0; start < len(c.of); {
		end := start + 1
		for end < len(c.of) && c.of[end] == c.of[start] {
			end++
		}
		runs[c.of[start]] = append(runs[c.of[start]], span{start, end})
		start = end
	}
	return runs
}

// codesOf finds the values of one partition column. A child table has no
// created_at of its own: its rows belong to the window, and so does their time
// where the window does not cross a border.
func (p *partitioner) codesOf(batch arrow.Record, name string) (codes, error) {
	n := int(batch.NumRows())
	if name == byExtractor || name == byStatus {
		if column, ok := standardColumn[*array.String](batch, name); ok {
			return textCodes(column), nil
		}
		return constant(n, nullValue), nil
	}
	format, err := bucketFormat(name)
	if err != nil {
		return codes{}, err
	}
	if column, ok := standardColumn[*array.Timestamp](batch, pipeline.ColumnCreatedAt); ok {
		return timeCodes(column, format), nil
	}
	first := p.window.Start.UTC().Format(format)
	if !p.window.Empty() && first == p.window.End.Add(-time.Nanosecond).UTC().Format(format) {
		return constant(n, first), nil
	}
	return constant(n, nullValue), nil
}

func bucketFormat(name string) (string, error) {
	switch name {
	case byMonth:
		return "2006-01", nil
	case byDate:
		return time.DateOnly, nil
	case byYear:
		return "2006", nil
	default:
		return "", fmt.Errorf("cannot partition by %q", name)
	}
}

func constant(n int, value string) codes {
	return codes{of: make([]int32, n), values: []string{value}}
}

// coder numbers values as they come.
type coder[K comparable] struct {
	codes
	known map[K]int32
}

func newCoder[K comparable](n int) *coder[K] {
	return &coder[K]{codes: codes{of: make([]int32, n)}, known: map[K]int32{}}
}

func (c *coder[K]) add(row int, key K, value func() string) {
	code, ok := c.known[key]
	if !ok {
		code = int32(len(c.values))
		c.known[key] = code
		c.values = append(c.values, value())
	}
	c.of[row] = code
}

// textKey tells null from the empty text.
type textKey struct {
	null bool
	text string
}

func textCodes(column *array.String) codes {
	c := newCoder[textKey](column.Len())
	for i := range column.Len() {
		key := textKey{null: column.IsNull(i)}
		if !key.null {
			key.text = column.Value(i)
		}
		if i > 0 && same(column, i) {
			c.of[i] = c.of[i-1]
			continue
		}
		c.add(i, key, func() string {
			if key.null {
				return nullValue
			}
			return escapeValue(key.text)
		})
	}
	return c.codes
}

// same reports whether row i has the text of the row before.
func same(column *array.String, i int) bool {
	return column.IsNull(i) == column.IsNull(i-1) && (column.IsNull(i) || column.Value(i) == column.Value(i-1))
}

const microsPerDay = int64(24 * time.Hour / time.Microsecond)

// dayKey tells null from a day since 1970.
type dayKey struct {
	null bool
	day  int64
}

func timeCodes(column *array.Timestamp, format string) codes {
	days := newCoder[dayKey](column.Len())
	buckets := map[string]int32{}
	merged := codes{}
	toBucket := []int32{}
	for i := range column.Len() {
		key := dayKey{null: column.IsNull(i)}
		if !key.null {
			key.day = floorDiv(int64(column.Value(i)), microsPerDay)
		}
		days.add(i, key, func() string {
			if key.null {
				return nullValue
			}
			return time.UnixMicro(key.day * microsPerDay).UTC().Format(format)
		})
	}
	for _, value := range days.values {
		code, ok := buckets[value]
		if !ok {
			code = int32(len(merged.values))
			buckets[value] = code
			merged.values = append(merged.values, value)
		}
		toBucket = append(toBucket, code)
	}
	merged.of = days.of
	for i, day := range merged.of {
		merged.of[i] = toBucket[day]
	}
	return merged
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
