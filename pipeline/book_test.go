package pipeline

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"github.com/adteco/docarchive/docextract"
)

// schemaLog keeps schema versions in memory. before, if set, is called once,
// ahead of the next append.
type schemaLog struct {
	versions []*Schema
	before   func()
	fail     error
}

func (l *schemaLog) LatestSchema(context.Context, string) (*Schema, error) {
	if l.fail != nil {
		return nil, l.fail
	}
	if len(l.versions) == 0 {
		return nil, nil
	}
	return l.versions[len(l.versions)-1], nil
}

func (l *schemaLog) AppendSchema(_ context.Context, s *Schema) error {
	if before := l.before; before != nil {
		l.before = nil
		before()
	}
	switch {
	case l.fail != nil:
		return l.fail
	case s.Version <= len(l.versions):
		return fmt.Errorf("version %d: %w", s.Version, ErrConflict)
	case s.Version > len(l.versions)+1:
		return fmt.Errorf("version %d leaves a gap", s.Version)
	}
	l.versions = append(l.versions, s)
	return nil
}

func newBook(latest *Schema, run string) *Book {
	return NewBook("jobs", FixedColumns(nil, ""), latest, run)
}

// addField adds a field of extracted_data.
func addField(t *testing.T, b *Book, key string, typ Type) Column {
	t.Helper()
	c, ok := b.Column(GroupData, []string{key}, pointerTo("extracted_data", key), typ)
	if !ok {
		t.Fatalf("no room for %s", key)
	}
	return c
}

func mustPublish(t *testing.T, b *Book, log SchemaLog, want int) {
	t.Helper()
	version, err := b.Publish(t.Context(), log, b.Epoch())
	if err != nil || version != want || b.Durable() != want {
		t.Fatalf("published version %d, %v, durable %d; want %d", version, err, b.Durable(), want)
	}
}

func TestPublish(t *testing.T) {
	log := &schemaLog{}
	b := newBook(nil, "run-1")
	mustPublish(t, b, log, 1)
	mustPublish(t, b, log, 1)
	addField(t, b, "a", TypeUTF8)
	addField(t, b, "a", TypeFloat64)
	if v := b.Schema().Version; v != 2 {
		t.Errorf("the schema in the making is version %d", v)
	}
	mustPublish(t, b, log, 2)
	later := reloaded(t, b)
	mustPublish(t, later, log, 2)
	if diff := cmp.Diff(b.Schema(), later.Schema()); diff != "" {
		t.Errorf("reloaded (-want +got): %s", diff)
	}
	if c := addField(t, later, "b", TypeBool); c.FieldID != 18 || c.FirstSeen != "run-2" {
		t.Errorf("added %+v", c)
	}
	mustPublish(t, later, log, 3)
}

func TestPublishAdoptsWhatAgrees(t *testing.T) {
	log := &schemaLog{}
	mine, other := newBook(nil, "run-1"), newBook(nil, "run-2")
	a := addField(t, mine, "a", TypeUTF8)
	b := addField(t, mine, "b", TypeUTF8)
	addField(t, other, "a", TypeUTF8)
	log.before = func() { mustPublish(t, other, log, 1) }

	mustPublish(t, mine, log, 2)
	if mine.Epoch() != 0 {
		t.Error("the epoch changed though nothing handed out did")
	}
	after := addField(t, mine, "a", TypeFloat64)
	if after.FirstSeen != "run-2" || !sameColumn(after, a) || addField(t, mine, "b", TypeFloat64) != b {
		t.Errorf("a became %+v", after)
	}
	if diff := cmp.Diff(mine.Schema(), log.versions[1]); diff != "" {
		t.Errorf("durable (-want +got): %s", diff)
	}
}

func TestPublishGivesUpWhatDisagrees(t *testing.T) {
	for name, theirs := range map[string]func(b *Book){
		"another type":   func(b *Book) { addField(t, b, "a", TypeFloat64) },
		"the field id":   func(b *Book) { addField(t, b, "z", TypeUTF8) },
		"the name":       func(b *Book) { addField(t, b, "A", TypeUTF8) },
		"another id":     func(b *Book) { addField(t, b, "z", TypeUTF8); addField(t, b, "a", TypeUTF8) },
		"the name later": func(b *Book) { addField(t, b, "A", TypeUTF8); addField(t, b, "a", TypeUTF8) },
	} {
		log := &schemaLog{}
		mine, other := newBook(nil, "run-1"), newBook(nil, "run-2")
		addField(t, mine, "a", TypeUTF8)
		theirs(other)
		log.before = func() { mustPublish(t, other, log, 1) }

		epoch := mine.Epoch()
		if _, err := mine.Publish(t.Context(), log, epoch); !errors.Is(err, errSchemaRaced) || !errors.Is(err, ErrConflict) {
			t.Errorf("%s: %v", name, err)
		}
		if mine.Epoch() == epoch {
			t.Errorf("%s: the epoch stayed", name)
		}
		if _, err := mine.Publish(t.Context(), log, epoch); !errors.Is(err, errSchemaRaced) {
			t.Errorf("%s: what was flattened before was published after: %v", name, err)
		}
		if diff := cmp.Diff(other.Schema(), mine.Schema()); diff != "" {
			t.Errorf("%s: the book is not the other's (-want +got): %s", name, diff)
		}
		addField(t, mine, "later", TypeUTF8)
		mustPublish(t, mine, log, 2)
	}
}

func TestPublishFails(t *testing.T) {
	away := errors.New("storage is away")
	b := newBook(nil, "run-1")
	log := &schemaLog{fail: away}
	if _, err := b.Publish(t.Context(), log, 0); !errors.Is(err, away) {
		t.Errorf("got %v", err)
	}
	if _, err := b.Publish(t.Context(), conflicting{}, 0); err == nil || errors.Is(err, ErrConflict) {
		t.Errorf("got %v", err)
	}
	mustPublish(t, b, &schemaLog{}, 1)
}

// conflicting says that every version is taken, and has none.
type conflicting struct{}

func (conflicting) LatestSchema(context.Context, string) (*Schema, error) { return nil, nil }
func (conflicting) AppendSchema(context.Context, *Schema) error           { return ErrConflict }

// What is flattened while another run's meanings are taken over must not become
// a record: its columns are the given-up ones.
func TestRecordOfAGivenUpSchema(t *testing.T) {
	log := &schemaLog{}
	h := newHarness(t, nil)
	defer h.close()
	job, err := docextract.ParseJob([]byte(jobText("j", `{"a":"x"}`, "null", "null")))
	if err != nil {
		t.Fatal(err)
	}
	if err := h.f.Append(&job); err != nil {
		t.Fatal(err)
	}
	other := newBook(nil, "run-2")
	addField(t, other, "z", TypeFloat64)
	mustPublish(t, other, log, 1)
	if _, err := h.books["jobs"].Publish(t.Context(), log, 0); !errors.Is(err, errSchemaRaced) {
		t.Fatal(err)
	}
	if batches, err := h.f.Batches(time.UnixMicro(1), "run-1"); !errors.Is(err, errSchemaRaced) {
		t.Errorf("got %v, %v", batches, err)
	}
}

func TestBookIsFullAtMaxColumns(t *testing.T) {
	b := newBook(nil, "run-1")
	var last Column
	n := len(standard)
	for ; ; n++ {
		key := fmt.Sprintf("k%d", n)
		c, ok := b.Column(GroupData, []string{key}, "/extracted_data/"+key, TypeUTF8)
		if !ok {
			break
		}
		last = c
	}
	if n != MaxColumns-1 {
		t.Errorf("room for %d columns beside the overflow", n)
	}
	if _, ok := b.Sibling(last); ok {
		t.Error("a sibling past the last column")
	}
	if c, ok := b.Column(GroupData, nil, last.Source, TypeBool); !ok || c != last {
		t.Errorf("a known column became %+v, %v", c, ok)
	}
	overflow := b.Overflow()
	if overflow != b.Overflow() || len(b.Schema().Columns) != MaxColumns {
		t.Errorf("%d columns", len(b.Schema().Columns))
	}
	if _, ok := reloaded(t, b).Column(GroupData, []string{"new"}, "/extracted_data/new", TypeUTF8); ok {
		t.Error("a column past the last one after a reload")
	}
}

func TestBookUsedAtOnce(t *testing.T) {
	const workers, fields = 4, 60
	log := &schemaLog{}
	b := newBook(nil, "run-1")
	seen := make([]map[string]Column, workers)
	var g errgroup.Group
	for w := range workers {
		seen[w] = map[string]Column{}
		g.Go(func() error {
			for i := range fields {
				key := fmt.Sprintf("k%d", (i*(w+1))%fields)
				c, ok := b.Column(GroupData, []string{key}, "/extracted_data/"+key, Type([]string{"utf8", "bool"}[w%2]))
				if !ok {
					return fmt.Errorf("no room for %s", key)
				}
				sibling, ok := b.Sibling(c)
				if !ok {
					return fmt.Errorf("no room beside %s", key)
				}
				seen[w][c.Name], seen[w][sibling.Name] = c, sibling
				b.Overflow()
				if _, err := b.Publish(t.Context(), log, b.Epoch()); err != nil {
					return err
				}
				if s := b.Schema(); len(s.Columns) < len(standard)+2 || b.Durable() == 0 {
					return fmt.Errorf("version %d has %d columns", s.Version, len(s.Columns))
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	all := map[string]Column{}
	for _, columns := range seen {
		for name, c := range columns {
			if first, known := all[name]; known && first != c {
				t.Errorf("%+v was handed out as %+v", first, c)
			}
			all[name] = c
		}
	}
	if len(b.Schema().Columns) != len(standard)+2*fields+1 {
		t.Errorf("%d columns", len(b.Schema().Columns))
	}
	for i, s := range log.versions[1:] {
		names := map[string]Column{}
		for _, c := range s.Columns {
			names[c.Name] = c
		}
		for _, c := range log.versions[i].Columns {
			if names[c.Name] != c {
				t.Fatalf("version %d changed %+v into %+v", s.Version, c, names[c.Name])
			}
		}
	}
}
