package pipeline

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
)

// MaxColumns is the greatest number of columns of a dataset, the overflow
// column included.
const MaxColumns = 2000

// Book is the union schema of one dataset while a run adds to it. What it hands
// out is decided once: a column keeps its name, type and field id. Several
// windows may use one book at once.
type Book struct {
	dataset string
	runID   string
	fixed   []Column
	settled bool // the dataset had a durable schema when the book was opened

	mu      sync.Mutex
	durable int      // version of the latest durable schema; 0: none
	columns []Column // in order of field id
	index
	dirty  bool    // columns holds more than the durable version
	latest *Schema // columns as a schema in the table's order; nil: to be made
	nextID int     // next field id
	epoch  int     // how often other meanings had to be taken over
}

// index finds columns by where their values come from and by name.
type index struct {
	byPath map[string]int // pathKey → place in the book
	byName map[string]int // folded name → place in the book
}

// NewBook returns the book of a dataset that begins with the fixed columns.
// latest is its durable schema, or nil. Columns added are marked with runID.
func NewBook(dataset string, fixed []Column, latest *Schema, runID string) *Book {
	b := &Book{dataset: dataset, runID: runID, fixed: fixed, settled: latest != nil}
	b.load(latest)
	return b
}

func (b *Book) load(latest *Schema) {
	b.byPath, b.byName = map[string]int{}, map[string]int{}
	b.columns, b.durable, b.latest, b.nextID = nil, 0, nil, 1
	b.dirty = latest == nil
	columns := b.fixed
	if latest != nil {
		b.durable = latest.Version
		columns = latest.Columns
	}
	for _, c := range columns {
		b.add(c)
	}
}

// add enters a column as it is. The caller holds the lock, or the book is new.
func (b *Book) add(c Column) {
	i := len(b.columns)
	b.columns = append(b.columns, c)
	b.byName[fold(c.Name)] = i
	b.byPath[pathKey(c.Group, c.Source, c.TextOf != "")] = i
	b.nextID = max(b.nextID, c.FieldID+1)
	b.latest = nil
}

// pathKey tells columns apart by where their values come from.
func pathKey(g Group, source string, sibling bool) string {
	return string(g) + strconv.FormatBool(sibling) + source
}

// Fixed returns the columns that the dataset begins with.
func (b *Book) Fixed() []Column { return b.fixed }

// Column returns the column for a source path, and adds it with the given type
// if the dataset does not have it yet. ok is false if the dataset is full; the
// value belongs in the overflow column then.
func (b *Book) Column(g Group, keys []string, source string, t Type) (c Column, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if i, known := b.byPath[pathKey(g, source, false)]; known {
		return b.columns[i], true
	}
	return b.enter(Column{Name: baseName(b.fixed, g, keys, source), Group: g, Type: t, Source: source}, source)
}

// news reports whether a column for the source path would be a new field of a
// dataset that had a schema before.
func (b *Book) news(g Group, source string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, known := b.byPath[pathKey(g, source, false)]
	return b.settled && !known
}

// scratch returns a book of the same columns, to try what a job would add.
func (b *Book) scratch() *Book {
	s := NewBook(b.dataset, b.fixed, b.Schema(), b.runID)
	s.settled = b.settled
	return s
}

// Sibling returns the text column beside c for the values that do not fit c.
func (b *Book) Sibling(c Column) (sibling Column, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	group := c.Group
	if group == GroupStandard {
		group = GroupData
	}
	if i, known := b.byPath[pathKey(group, c.Source, true)]; known {
		return b.columns[i], true
	}
	path := c.Source + "\x00text"
	name := shorten(c.Name+siblingSuffix, path)
	return b.enter(Column{Name: name, Group: group, Type: TypeUTF8, Source: c.Source, TextOf: c.Name}, path)
}

// Overflow returns the column that takes what finds no column of its own.
func (b *Book) Overflow() Column {
	b.mu.Lock()
	defer b.mu.Unlock()
	if i, known := b.byName[ColumnOverflow]; known {
		return b.columns[i]
	}
	c := Column{Name: ColumnOverflow, Group: GroupData, Type: TypeJSON, FieldID: b.nextID, FirstSeen: b.runID}
	b.add(c)
	b.dirty = true
	return c
}

// enter gives a new column its final name and field id.
func (b *Book) enter(c Column, path string) (Column, bool) {
	room := MaxColumns - len(b.columns)
	if _, has := b.byName[ColumnOverflow]; !has {
		room-- // kept for the overflow column
	}
	if room <= 0 {
		return Column{}, false
	}
	name := c.Name
	for n := 0; ; n++ {
		if _, taken := b.byName[fold(c.Name)]; !taken {
			break
		}
		c.Name = suffixed(name, path+suffixOf(n))
	}
	c.FieldID, c.FirstSeen = b.nextID, b.runID
	b.add(c)
	b.dirty = true
	return c, true
}

// suffixOf makes the n-th attempt at a unique hash differ from the one before.
func suffixOf(n int) string {
	if n == 0 {
		return ""
	}
	return "\x00" + strconv.Itoa(n)
}

// Schema returns the union schema as it stands. Its version is the durable one,
// or the one after it if columns were added since. The caller must not change
// it.
func (b *Book) Schema() *Schema {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.snapshot()
}

func (b *Book) snapshot() *Schema {
	if b.latest == nil {
		s := &Schema{Dataset: b.dataset, Version: b.durable, Columns: append([]Column(nil), b.columns...)}
		if b.dirty {
			s.Version++
		}
		sortColumns(s.Columns)
		b.latest = s
	}
	return b.latest
}

// errSchemaRaced means that another run gave a column another meaning first.
var errSchemaRaced = fmt.Errorf("the union schema was changed: %w", ErrConflict)

// Durable is the version of the latest schema that is durable; 0 before the
// first.
func (b *Book) Durable() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.durable
}

// Epoch counts how often the book gave up meanings that it had handed out.
func (b *Book) Epoch() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.epoch
}

// Publish makes the schema durable and returns its version. epoch is the book's
// epoch when flattening began. Publish returns errSchemaRaced if another run
// was first and disagrees: the book then holds the other's schema, and what was
// flattened must be flattened again.
func (b *Book) Publish(ctx context.Context, log SchemaLog, epoch int) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if epoch != b.epoch {
		return 0, errSchemaRaced
	}
	for b.dirty {
		s := b.snapshot()
		err := log.AppendSchema(ctx, s)
		switch {
		case err == nil:
			b.durable, b.dirty, b.latest = s.Version, false, nil
		case errors.Is(err, ErrConflict):
			other, err := log.LatestSchema(ctx, b.dataset)
			if err != nil {
				return 0, err
			}
			if err := b.rebase(other); err != nil {
				return 0, err
			}
		default:
			return 0, err
		}
	}
	return b.durable, nil
}

// sameColumn reports whether two columns agree in all but when they were seen.
func sameColumn(a, b Column) bool {
	a.FirstSeen = b.FirstSeen
	return a == b
}

// rebase takes over the schema that another run made durable.
func (b *Book) rebase(other *Schema) error {
	if other == nil || other.Version <= b.durable {
		return fmt.Errorf("dataset %s: schema version %d is taken, but cannot be read", b.dataset, b.durable+1)
	}
	theirs := make(map[string]Column, len(other.Columns))
	ids := make(map[int]bool, len(other.Columns))
	for _, c := range other.Columns {
		theirs[c.Name], ids[c.FieldID] = c, true
	}
	agree := true
	for _, mine := range b.columns {
		c, has := theirs[mine.Name]
		if has && !sameColumn(c, mine) || !has && ids[mine.FieldID] {
			agree = false
		}
	}
	mine := b.columns
	b.load(other)
	for _, c := range mine {
		if _, has := theirs[c.Name]; has {
			continue
		}
		_, nameTaken := b.byName[fold(c.Name)]
		_, pathTaken := b.byPath[pathKey(c.Group, c.Source, c.TextOf != "")]
		if nameTaken || pathTaken {
			agree = false
		}
		if !agree {
			break
		}
		b.add(c)
		b.dirty = true
	}
	if !agree {
		b.load(other)
		b.epoch++
		return errSchemaRaced
	}
	return nil
}
