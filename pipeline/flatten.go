package pipeline

import (
	"fmt"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/internal/rawjson"
)

// FlattenOptions says how a pipeline's jobs become rows.
type FlattenOptions struct {
	Dataset string
	Rules   Rules
	HashKey []byte
	Books   map[string]*Book // the dataset's and its children's
	Frozen  bool             // a new field of a dataset that has a schema is a [NewFieldError]
	Memory  memory.Allocator // Go's if nil
}

// Batch is an Arrow record of one dataset. Whoever receives it releases the
// record.
type Batch struct {
	Dataset string
	Record  arrow.Record
}

// Flattener turns jobs into rows, column by column, in one pass over their
// bytes. It is used by one goroutine at a time.
type Flattener struct {
	options FlattenOptions
	root    *node
	main    *table
	tables  []*table // main first
	job     *docextract.Job
	scanner rawjson.Scanner
	created *column
	ordinal []int64 // of the arrays that are being read, outermost first
}

// NewFlattener returns a flattener over the books of the dataset and its
// children.
func NewFlattener(o FlattenOptions) (*Flattener, error) {
	if o.Memory == nil {
		o.Memory = memory.DefaultAllocator
	}
	f := &Flattener{options: o}
	main, err := f.table(o.Dataset)
	if err != nil {
		return nil, err
	}
	f.main = main
	if err := f.plant(); err != nil {
		return nil, err
	}
	return f, nil
}

// plant makes the nodes of the job's own fields.
func (f *Flattener) plant() error {
	f.root = newNode(nil, "", shapeClosed, GroupStandard)
	details := newNode(f.root, "error_details", shapeClosed, GroupStandard)
	for _, c := range standard {
		if c.Source == "" {
			continue
		}
		parent, key := f.root, c.Source[1:]
		switch c.Name {
		case "error_code":
			parent, key = details, "code"
		case "error_message":
			parent, key = details, "message"
		}
		n := newNode(parent, key, shapeLeaf, GroupStandard)
		col, err := f.main.column(c)
		if err != nil {
			return err
		}
		n.col = col
		if c.Name == ColumnCreatedAt {
			f.created = col
		}
	}
	newNode(f.root, "extracted_data", shapeData, GroupData).veiled = f.options.Rules.veil("")
	newNode(f.root, "confidence", shapeData, GroupConfidence)
	newNode(f.root, "metadata", shapeLeaves, GroupMetadata)
	return nil
}

// Rows is the number of jobs since the last batch.
func (f *Flattener) Rows() int { return f.main.rows }

// Append adds a job. An error leaves the flattener fit for nothing but Release.
func (f *Flattener) Append(job *docextract.Job) error {
	f.job = job
	s := &f.scanner
	s.Reset(job.Raw)
	if _, err := f.members(f.main, f.root, s); err != nil {
		return fmt.Errorf("flatten job %s: %w", job.ID, err)
	}
	if err := f.main.endRow(); err != nil {
		return fmt.Errorf("flatten job %s: %w", job.ID, err)
	}
	return nil
}

// members reads an object, hands each member to its node and counts them.
func (f *Flattener) members(t *table, n *node, s *rawjson.Scanner) (count int, err error) {
	likely := &n.first
	more, err := s.OpenObject()
	for more && err == nil {
		count++
		child := *likely
		if child == nil || child.raw == "" || !s.KeyIs(child.raw) {
			key, err := s.Key()
			if err != nil {
				return count, err
			}
			if child = n.find(key); child == nil && n.shape != shapeClosed && s.Peek() != rawjson.Null {
				child = f.grow(t, n, decodeKey(key))
			}
		}
		if child == nil {
			_, err = s.Value()
		} else {
			*likely = child
			likely = &child.next
			err = f.value(t, child, s)
		}
		if err != nil {
			return count, err
		}
		more, err = s.NextMember()
	}
	return count, err
}

// grow makes the node for a key met for the first time. In a full table it is
// kept for the row, so that what stands twice is noticed, and longer only if it
// has a column: keys may be without number.
func (f *Flattener) grow(t *table, parent *node, key string) *node {
	s := shapeData
	if parent.shape == shapeLeaves || parent.depth+1 >= maxFlattenDepth {
		s = shapeLeaf
	}
	n := newNode(parent, key, s, parent.group)
	if t.full {
		n.passing = true
		t.passing = append(t.passing, n)
	}
	if n.group == GroupData {
		n.rule, n.veiled = f.options.Rules[n.path()], f.options.Rules.veil(n.prefix())
	}
	return n
}

// value reads the next value and puts it where the node says.
func (f *Flattener) value(t *table, n *node, s *rawjson.Scanner) error {
	kind, twice := s.Peek(), n.row == t.rows+1
	if n.rule.Mode == ModeDrop || kind == rawjson.Null && !twice {
		_, err := s.Value()
		return err
	}
	if twice {
		v, err := next(s)
		if err == nil {
			t.overflowDuplicate(n.pointer(), f.shown(n, v).raw)
		}
		return err
	}
	n.row = t.rows + 1
	if kind < rawjson.Array && n.col != nil && n.rule.Mode != ModeHash && n.shape != shapeClosed { // as most are
		v, err := next(s)
		if err != nil || f.fits(t, n.col, v) {
			return err
		}
		return f.misfit(t, n, v)
	}
	switch {
	case kind == rawjson.Array && n.rule.Mode == ModeTable:
		return f.elements(t, n, s)
	case kind == rawjson.Object && n.shape != shapeLeaf && n.rule.Mode != ModeJSON && n.rule.Mode != ModeHash:
		start := s.Offset()
		if count, err := f.members(t, n, s); err != nil || count > 0 || !n.tellsEmpty() {
			return err
		}
		return f.leaf(t, n, value{kind: kind, raw: s.Since(start)})
	}
	v, err := next(s)
	if err != nil {
		return err
	}
	return f.leaf(t, n, v)
}

// leaf puts a value into the node's column, into the text column beside it, or
// into the overflow.
func (f *Flattener) leaf(t *table, n *node, v value) error {
	if n.shape == shapeClosed {
		n = n.byKey["message"] // error_details that are no object
		if n == nil {
			return nil
		}
		return f.misfit(t, n, v)
	}
	if n.rule.Mode == ModeHash || n.veiled {
		v = f.shown(n, v)
	}
	if n.col == nil {
		if f.options.Frozen && t.book.news(n.group, n.pointer()) {
			return &NewFieldError{Dataset: t.dataset, Source: n.pointer()}
		}
		c, ok := t.book.Column(n.group, n.keys(), n.pointer(), n.typeFor(v))
		if !ok {
			t.full = true
			t.overflow(n.pointer(), v.raw)
			return nil
		}
		col, err := t.column(c)
		if err != nil {
			return err
		}
		n.col = col
	}
	if f.fits(t, n.col, v) {
		return nil
	}
	return f.misfit(t, n, v)
}

// fits puts a value into its column, if it fits there. created_at holds a time
// in every row, since files are sorted and partitioned by it: one finer than a
// microsecond is cut, and stands in full beside it.
func (f *Flattener) fits(t *table, c *column, v value) bool {
	if c != f.created {
		return c.put(t.rows, v)
	}
	c.putWord(t.rows, uint64(f.job.CreatedAt.UnixMicro()))
	_, exact := exactTime(v, true)
	return exact
}

func (f *Flattener) misfit(t *table, n *node, v value) error {
	if n.text == nil {
		c, ok := t.book.Sibling(n.col.Column)
		if !ok {
			t.full = true
			t.overflow(n.pointer(), v.raw)
			return nil
		}
		text, err := t.column(c)
		if err != nil {
			return err
		}
		n.text = text
	}
	n.text.put(t.rows, v)
	return nil
}

// typeFor is the type of a new column whose first value is v.
func (n *node) typeFor(v value) Type {
	switch {
	case n.group == GroupConfidence:
		return TypeFloat64
	case n.group == GroupMetadata || n.rule.Mode == ModeHash:
		return TypeUTF8
	case n.rule.Mode == ModeTyped:
		return n.rule.Type
	case n.rule.Mode == ModeJSON:
		return TypeJSON
	case n.rule.Mode == ModeList:
		return listType(n.rule.Type, v)
	}
	return seenType(v.kind)
}

func seenType(kind rawjson.Kind) Type {
	switch kind {
	case rawjson.Number:
		return TypeFloat64
	case rawjson.True, rawjson.False:
		return TypeBool
	case rawjson.Array, rawjson.Object:
		return TypeJSON
	default:
		return TypeUTF8
	}
}

// listType is the list type for a first value: of the declared elements, or of
// the first element that is not null.
func listType(element Type, v value) Type {
	if element == "" {
		element = TypeUTF8
		if v.kind == rawjson.Array {
			element = firstElementType(v.raw)
		}
	}
	return "list(" + element + ")"
}

func firstElementType(raw []byte) Type {
	element := TypeUTF8
	found := false
	s := rawjson.NewScanner(raw)
	_ = s.Array(func() error { // the text was validated when it was cut out
		kind := s.Peek()
		if !found && kind != rawjson.Null {
			element, found = seenType(kind), true
		}
		_, err := s.Value()
		return err
	})
	return element
}

// Batches returns what was appended since the last call, each dataset's rows
// as one record, the pipeline's own dataset first. The caller releases them.
func (f *Flattener) Batches(archivedAt time.Time, runID string) ([]Batch, error) {
	if err := f.main.stamp(archivedAt, runID); err != nil {
		return nil, err
	}
	var batches []Batch
	for _, t := range f.tables {
		if t.rows == 0 {
			continue
		}
		record, err := t.record()
		if err != nil {
			for _, b := range batches {
				b.Record.Release()
			}
			return nil, err
		}
		batches = append(batches, Batch{Dataset: t.dataset, Record: record})
	}
	f.forgetRows(f.root)
	return batches, nil
}

// forgetRows makes rows count from zero again.
func (f *Flattener) forgetRows(n *node) {
	n.row = 0
	for _, child := range n.byKey {
		f.forgetRows(child)
	}
	if n.item != nil {
		f.forgetRows(n.item)
	}
}

// Release lets go of the flattener's memory. It may be repeated.
func (f *Flattener) Release() { f.root, f.main, f.tables = nil, nil, nil }
