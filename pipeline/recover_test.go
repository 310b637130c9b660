package pipeline

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
)

// recovered is a value as a record gives it back.
type recovered struct {
	canonical string
	text      bool // of a sibling: a string, or JSON text
	instant   bool // a time: its text may be another
}

// is reports whether the value is the expected leaf.
func (r recovered) is(want string) bool {
	switch {
	case r.text:
		if strconv.Quote(r.canonical) == want {
			return true
		}
		return json.Valid([]byte(r.canonical)) && canonical([]byte(r.canonical)) == want
	case r.instant:
		a, err := time.Parse(time.RFC3339Nano, r.canonical)
		text, _ := strconv.Unquote(want)
		b, bad := time.Parse(time.RFC3339Nano, text)
		return err == nil && bad == nil && a.Equal(b)
	}
	return r.canonical == want
}

// archive is what is known of the jobs from their records alone.
type archive struct {
	jobs map[string]map[string]recovered // job id → leaf id → value
	rows map[string]map[string]int       // job id → dataset → rows
}

func newArchive() *archive {
	return &archive{jobs: map[string]map[string]recovered{}, rows: map[string]map[string]int{}}
}

// add reads a batch. schema is the dataset's, as its file has it.
func (a *archive) add(b Batch, schema *Schema) error {
	types := map[string]Type{}
	for _, c := range schema.Columns {
		types[c.Name] = c.Type
	}
	for row := range int(b.Record.NumRows()) {
		id := b.Record.Column(0).(*array.String).Value(row)
		if a.jobs[id] == nil {
			a.jobs[id], a.rows[id] = map[string]recovered{}, map[string]int{}
		}
		a.rows[id][b.Dataset]++
		ordinals := ordinalsOf(b.Record, row)
		for i, field := range b.Record.Schema().Fields() {
			group, _ := field.Metadata.GetValue(MetaGroup)
			column := b.Record.Column(i)
			if group == string(GroupStandard) || column.IsNull(row) {
				continue
			}
			if err := a.cell(id, ordinals, field, types[field.Name], column, row); err != nil {
				return fmt.Errorf("job %s, column %s: %w", id, field.Name, err)
			}
		}
	}
	return nil
}

func (a *archive) cell(id string, ordinals []string, field arrow.Field, t Type, column arrow.Array, row int) error {
	if field.Name == ColumnOverflow {
		for _, m := range membersOf([]byte(column.(*array.String).Value(row))) {
			if err := a.put(id, located(m.key, ordinals), recovered{canonical: canonical(m.raw)}); err != nil {
				return err
			}
		}
		return nil
	}
	source, has := field.Metadata.GetValue(MetaSource)
	if !has {
		return fmt.Errorf("no source")
	}
	if !strings.HasPrefix(source, "/extracted_data") && !strings.HasPrefix(source, "/confidence") &&
		!strings.HasPrefix(source, "/metadata") {
		return nil
	}
	if _, sibling := field.Metadata.GetValue(MetaSibling); sibling {
		return a.put(id, located(source, ordinals), recovered{canonical: column.(*array.String).Value(row), text: true})
	}
	_, instant := column.(*array.Timestamp)
	return a.put(id, located(source, ordinals), recovered{canonical: cellText(column, t, row), instant: instant})
}

func (a *archive) put(id, leaf string, v recovered) error {
	if old, twice := a.jobs[id][leaf]; twice {
		return fmt.Errorf("leaf %s has two values: %q and %q", leaf, old.canonical, v.canonical)
	}
	a.jobs[id][leaf] = v
	return nil
}

// ordinalsOf returns a child row's ordinals, outermost first.
func ordinalsOf(record arrow.Record, row int) []string {
	var ordinals []string
	for i, field := range record.Schema().Fields() {
		group, _ := field.Metadata.GetValue(MetaGroup)
		if group == string(GroupStandard) && strings.HasSuffix(field.Name, ColumnOrdinal) {
			ordinals = append(ordinals, record.Column(i).ValueStr(row))
		}
	}
	slices.Reverse(ordinals)
	return ordinals
}

// located puts the ordinals into a pointer that has * for any element.
func located(pointer string, ordinals []string) string {
	segments := strings.Split(pointer, "/")
	for i, s := range segments {
		if s == "*" && len(ordinals) > 0 {
			segments[i], ordinals = ordinals[0], ordinals[1:]
		}
	}
	return strings.Join(segments, "/")
}

// cellText returns a typed value in canonical form.
func cellText(column arrow.Array, t Type, row int) string {
	switch c := column.(type) {
	case *array.String:
		if t == TypeJSON {
			return canonical([]byte(c.Value(row)))
		}
		return strconv.Quote(c.Value(row))
	case *array.Float64:
		return canonicalNumber(strconv.FormatFloat(c.Value(row), 'e', -1, 64))
	case *array.Int64:
		return canonicalNumber(strconv.FormatInt(c.Value(row), 10))
	case *array.Boolean:
		return strconv.FormatBool(c.Value(row))
	case *array.Decimal128:
		return canonicalNumber(c.Value(row).ToString(c.DataType().(*arrow.Decimal128Type).Scale))
	case *array.Date32:
		return strconv.Quote(c.Value(row).ToTime().Format(time.DateOnly))
	case *array.Timestamp:
		return c.Value(row).ToTime(arrow.Microsecond).Format(time.RFC3339Nano)
	case *array.List:
		element, _ := t.Element()
		from, to := c.ValueOffsets(row)
		text := "["
		for i := from; i < to; i++ {
			if c.ListValues().IsNull(int(i)) {
				text += "null,"
			} else {
				text += cellText(c.ListValues(), element, int(i)) + ","
			}
		}
		return text + "]"
	}
	panic(fmt.Sprintf("no reader for %T", column))
}
