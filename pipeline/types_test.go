package pipeline

import (
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
)

func TestTypeArrow(t *testing.T) {
	for _, c := range []struct {
		text Type
		want string // empty: an error
	}{
		{"utf8", "utf8"},
		{"json", "utf8"},
		{"float64", "float64"},
		{"int64", "int64"},
		{"bool", "bool"},
		{"date32", "date32"},
		{"timestamp", "timestamp[us, tz=UTC]"},
		{"decimal(18,2)", "decimal(18, 2)"},
		{"decimal(38,38)", "decimal(38, 38)"},
		{"list(utf8)", "list<item: utf8, nullable>"},
		{"list(decimal(4,0))", "list<item: decimal(4, 0), nullable>"},
		{"list(json)", "list<item: utf8, nullable>"},
		{"", ""},
		{"string", ""},
		{"decimal(0,0)", ""},
		{"decimal(39,2)", ""},
		{"decimal(4,5)", ""},
		{"decimal(4,-1)", ""},
		{"decimal(4, 2)", ""},
		{"decimal(4,2)x", ""},
		{"decimal(04,2)", ""},
		{"list()", ""},
		{"list(nothing)", ""},
		{"list(list(utf8))", ""},
	} {
		dt, err := c.text.Arrow()
		if (err == nil) != (c.want != "") || err == nil && dt.String() != c.want {
			t.Errorf("%q is %v, %v; want %q", c.text, dt, err, c.want)
		}
	}
}

func TestDecimalParameters(t *testing.T) {
	if p, s, ok := Decimal(18, 4).Decimal(); p != 18 || s != 4 || !ok {
		t.Errorf("got %d, %d, %v", p, s, ok)
	}
}

func TestField(t *testing.T) {
	for _, c := range []struct {
		column Column
		want   map[string]string
		null   bool
	}{
		{standard[0], map[string]string{MetaFieldID: "1", MetaGroup: "standard", MetaType: "utf8", MetaSource: "/id"}, false},
		{standard[15], map[string]string{MetaFieldID: "16", MetaGroup: "standard", MetaType: "utf8"}, true},
		{
			Column{Name: "a__text", Group: GroupData, Type: TypeUTF8, Source: "/extracted_data/a", TextOf: "a", FieldID: 20},
			map[string]string{MetaFieldID: "20", MetaGroup: "data", MetaType: "utf8", MetaSource: "/extracted_data/a", MetaSibling: "a"},
			true,
		},
		{
			Column{Name: ColumnOverflow, Group: GroupData, Type: TypeJSON, FieldID: 21},
			map[string]string{MetaFieldID: "21", MetaGroup: "data", MetaType: "json", MetaSource: ""},
			true,
		},
	} {
		field, err := c.column.Field()
		if err != nil {
			t.Fatal(err)
		}
		want := arrow.Field{
			Name: c.column.Name, Type: field.Type, Nullable: c.null, Metadata: arrow.MetadataFrom(c.want),
		}
		if !field.Equal(want) {
			t.Errorf("got %v, want %v", field, want)
		}
	}
	if _, err := (&Column{Name: "x", Type: "nothing"}).Field(); err == nil {
		t.Error("a column without a type became a field")
	}
}
