package databasetest

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/adteco/docarchive/pipeline"
)

// literals returns for each type JSON values that it holds, its extremes among
// them.
func literals() map[pipeline.Type][]string {
	digits38 := strings.Repeat("9", 38)
	scalars := map[pipeline.Type][]string{
		pipeline.TypeUTF8: {
			`""`, `" "`, `"null"`, `"\\N"`, `"a\"b'c` + "`" + `"`, `"a\tb\nc\r\n"`, `"\\"`, `"é 日本語 🧾"`, `"\u0001\u001f\u007f"`, `"{}"`, `"e\u0301"`,
			strconv.Quote(strings.Repeat("long ", 1<<16)),
		},
		pipeline.TypeInt64:     {"0", "1", "-1", strconv.Itoa(math.MaxInt64), strconv.Itoa(math.MinInt64), "9007199254740993"},
		pipeline.TypeFloat64:   {"0", "-1", "0.1", "1e308", "5e-324", "1.7976931348623157e308", "-2.2250738585072014e-308", "123456789012345680"},
		pipeline.TypeBool:      {"true", "false"},
		pipeline.TypeDate32:    {`"2026-11-22"`, `"0001-01-01"`, `"9999-12-31"`, `"1970-01-01"`, `"1969-12-31"`, `"2000-02-29"`, `"1582-10-10"`},
		pipeline.TypeTimestamp: {`"2026-11-22T08:00:00Z"`, `"0001-01-01T00:00:00Z"`, `"9999-12-31T23:59:59.999999Z"`, `"1969-12-31T23:59:59.999999Z"`, `"2026-03-29T02:30:00.000001Z"`},
		pipeline.Decimal(18, 4): {
			"0", "0.0001", "-0.0001", "99999999999999.9999", "-99999999999999.9999", "12.5", "100",
		},
		pipeline.Decimal(38, 0):  {"0", digits38, "-" + digits38, "1"},
		pipeline.Decimal(38, 30): {"0", "0." + strings.Repeat("0", 29) + "1", "-99999999." + strings.Repeat("9", 30)},
		pipeline.Decimal(38, 38): {"0", "0." + digits38, "-0." + digits38, "0." + strings.Repeat("0", 37) + "1"},
		pipeline.Decimal(1, 0):   {"0", "9", "-9"},
	}
	all := map[pipeline.Type][]string{
		pipeline.TypeJSON: {`{"a":[1,"b",null],"c":{"d":1.50}}`, `[]`, `{}`, `[1e400, "\u0000", 1.10]`},
	}
	for t, values := range scalars {
		all[t] = values
		all["list("+t+")"] = []string{
			"[]", "[null]", "[" + strings.Join(values, ",") + "]", "[" + values[0] + ",null," + values[1] + "]",
		}
	}
	return all
}

// typedColumn is a column of the suite's own with the rule that gives it its
// type.
type typedColumn struct {
	name     string
	typ      pipeline.Type
	literals []string
}

// typedColumns returns one column for each type, and the rules that make them.
func typedColumns() ([]typedColumn, pipeline.Rules) {
	rules := pipeline.Rules{}
	var columns []typedColumn
	for typ, values := range literals() {
		name := strings.Trim(strings.NewReplacer("(", "_", ")", "", ",", "_").Replace("c_"+string(typ)), "_")
		columns = append(columns, typedColumn{name, typ, values})
		element, list := typ.Element()
		switch {
		case list:
			rules[name] = pipeline.Rule{Mode: pipeline.ModeList, Type: element}
		case typ == pipeline.TypeJSON:
			rules[name] = pipeline.Rule{Mode: pipeline.ModeJSON}
		default:
			rules[name] = pipeline.Rule{Mode: pipeline.ModeTyped, Type: typ}
		}
	}
	slices.SortFunc(columns, func(a, b typedColumn) int { return strings.Compare(a.name, b.name) })
	return columns, rules
}

// checkTyped loads jobs whose fields are picked by pick ("" is none), and
// compares every column with what was archived.
func checkTyped(b *bench, fatalf func(string, ...any), w pipeline.Warehouse, f *Flattener, seq, rows int,
	columns []typedColumn, pick func(row, column int) string,
) {
	want := map[string]map[string]string{}
	var texts []string
	for row := range rows {
		id := fmt.Sprintf("job_%d_%d", seq, row)
		want[id] = map[string]string{}
		var members []string
		for i, c := range columns {
			literal := pick(row, i)
			want[id][c.name] = null
			if literal == "" || literal == "null" {
				continue
			}
			members = append(members, fmt.Sprintf("%q:%s", c.name, literal))
			if c.typ == pipeline.TypeJSON {
				want[id][c.name] = literal
			} else {
				want[id][c.name] = canonical(c.typ, decode(literal))
			}
		}
		texts = append(texts, Job(id, "{"+strings.Join(members, ",")+"}"))
	}
	loaded, err := w.Load(b.Context(), Record(seq), Feed(f.Batches(texts...)...))
	if err != nil || len(loaded.Rejected) > 0 || loaded.Rows != int64(rows) {
		fatalf("load: %+v, %v", loaded, err)
	}
	list := b.Ident("job_id")
	for _, c := range columns {
		list += ", " + b.Ident(c.name)
	}
	got := map[string]map[string]string{}
	for _, row := range b.query("SELECT %s FROM %s WHERE job_id LIKE 'job_%d_%%'", list, b.Ident(dataset), seq) {
		values := map[string]string{}
		for i, c := range columns {
			values[c.name] = canonical(c.typ, row[i+1])
		}
		got[canonical(pipeline.TypeUTF8, row[0])] = values
	}
	if diff := cmp.Diff(want, got); diff != "" {
		fatalf("(-archived +read)\n%s", diff)
	}
}

// testTypes stores the extremes of every type, and nulls.
func testTypes(b *bench) {
	columns, rules := typedColumns()
	w := b.open(options())
	pick := func(row, column int) string {
		c := columns[column]
		switch {
		case row < len(c.literals):
			return c.literals[row]
		case row == len(c.literals):
			return ""
		}
		return "null"
	}
	checkTyped(b, b.Fatalf, w, NewFlattener(b, rules), 1, 14, columns, pick)
	rows := b.query("SELECT %s, %s, %s FROM %s", b.Ident("archived_at"), b.Ident("created_at"), b.Ident("status"), b.Ident(dataset))
	for _, row := range rows {
		got := []string{canonical(pipeline.TypeTimestamp, row[0]), canonical(pipeline.TypeTimestamp, row[1]), canonical(pipeline.TypeUTF8, row[2])}
		if diff := cmp.Diff([]string{archivedAt().Format(time.RFC3339Nano), "2026-11-22T08:00:00Z", "completed"}, got); diff != "" {
			b.Fatal(diff)
		}
	}
}

// testRandomRows loads random mixtures of the types, record after record.
func testRandomRows(b *bench) {
	columns, rules := typedColumns()
	w := b.open(options())
	f := NewFlattener(b, rules)
	seq := 1
	checkTyped(b, b.Fatalf, w, f, seq, 1, columns, func(_, column int) string { return columns[column].literals[0] })
	rapid.Check(b.T, func(t *rapid.T) {
		seq++
		rows := rapid.IntRange(1, 5).Draw(t, "rows")
		picked := map[[2]int]string{}
		for row := range rows {
			for i, c := range columns {
				picked[[2]int{row, i}] = drawLiteral(t, c)
			}
		}
		checkTyped(b, t.Fatalf, w, f, seq, rows, columns, func(row, column int) string { return picked[[2]int{row, column}] })
	})
}

// drawLiteral makes a JSON value of the column's type; "" is none.
func drawLiteral(t *rapid.T, c typedColumn) string {
	if rapid.IntRange(0, 2).Draw(t, "absent") == 0 {
		return ""
	}
	switch c.typ {
	case pipeline.TypeInt64:
		return strconv.FormatInt(rapid.Int64().Draw(t, "int"), 10)
	case pipeline.TypeFloat64:
		f := rapid.Float64().Filter(func(f float64) bool { return !math.IsInf(f, 0) && !math.IsNaN(f) }).Draw(t, "float")
		return strconv.FormatFloat(f, 'g', -1, 64)
	case pipeline.TypeTimestamp:
		const last = 253402300799
		at := time.Unix(rapid.Int64Range(-62135596800, last).Draw(t, "second"), rapid.Int64Range(0, 999_999).Draw(t, "micro")*1000)
		return strconv.Quote(at.UTC().Format(time.RFC3339Nano))
	case pipeline.Decimal(18, 4):
		return fmt.Sprintf("%d.%04d", rapid.Int64Range(-1e13, 1e13).Draw(t, "whole"), rapid.IntRange(0, 9999).Draw(t, "fraction"))
	}
	return rapid.SampledFrom(c.literals).Draw(t, "literal")
}
