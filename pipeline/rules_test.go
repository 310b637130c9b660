package pipeline

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func hashed(text string) string {
	mac := hmac.New(sha256.New, testHashKey)
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}

func TestModes(t *testing.T) {
	typed := func(t Type) Rule { return Rule{Mode: ModeTyped, Type: t} }
	for _, c := range []struct {
		name string
		rule Rule
		rows map[string]cells // value of x → row
	}{
		{"decimal", typed(Decimal(6, 2)), map[string]cells{
			`1.50`: {"x": "1.5"}, `-9999.99`: {"x": "-9999.99"}, `1.5e2`: {"x": "150"}, `0`: {"x": "0"},
			`1.005`: {"x__text": "1.005"}, `10000`: {"x__text": "10000"}, `"1.50"`: {"x__text": "1.50"}, `-0`: {"x__text": "-0"},
		}},
		{"int64", typed(TypeInt64), map[string]cells{
			`7`: {"x": "7"}, `7.0`: {"x": "7"}, `7e2`: {"x": "700"}, `9007199254740993`: {"x": "9007199254740993"},
			`7.5`: {"x__text": "7.5"}, `9223372036854775808`: {"x__text": "9223372036854775808"}, `"7"`: {"x__text": "7"},
		}},
		{"float64", typed(TypeFloat64), map[string]cells{
			`0.1`: {"x": "0.1"}, `9007199254740993`: {"x__text": "9007199254740993"},
		}},
		{"bool", typed(TypeBool), map[string]cells{
			`true`: {"x": "true"}, `false`: {"x": "false"}, `1`: {"x__text": "1"}, `"yes"`: {"x__text": "yes"},
		}},
		{"date", typed(TypeDate32), map[string]cells{
			`"2024-02-29"`: {"x": "2024-02-29"}, `"1969-12-31"`: {"x": "1969-12-31"}, `"0001-01-01"`: {"x": "0001-01-01"},
			`"2023-02-29"`: {"x__text": "2023-02-29"}, `"0000-12-31"`: {"x__text": "0000-12-31"},
			`"29.02.2024"`: {"x__text": "29.02.2024"}, `20240229`: {"x__text": "20240229"},
			`"2024-02-29T00:00:00Z"`: {"x__text": "2024-02-29T00:00:00Z"},
		}},
		{"timestamp", typed(TypeTimestamp), map[string]cells{
			`"2024-02-29T01:02:03.123456Z"`:      {"x": "2024-02-29T01:02:03.123456Z"},
			`"2024-02-29T01:02:03.1234560000Z"`:  {"x": "2024-02-29T01:02:03.123456Z"},
			`"1969-12-31T23:59:59.999999Z"`:      {"x": "1969-12-31T23:59:59.999999Z"},
			`"2024-02-29T01:02:03.1234567Z"`:     {"x__text": "2024-02-29T01:02:03.1234567Z"},
			`"2024-02-29T01:02:03.0000000001Z"`:  {"x__text": "2024-02-29T01:02:03.0000000001Z"},
			`"2024-02-29T01:02:03,00000000001Z"`: {"x__text": "2024-02-29T01:02:03,00000000001Z"},
			`"2024-02-29T01:02:03+02:00"`:        {"x__text": "2024-02-29T01:02:03+02:00"},
			`"2024-02-29"`:                       {"x__text": "2024-02-29"},
		}},
		{"json", Rule{Mode: ModeJSON}, map[string]cells{
			`{"a": {"b" :1}}`: {"x": `{"a": {"b" :1}}`}, `[]`: {"x": "[]"}, `"[]"`: {"x__text": "[]"}, `1`: {"x__text": "1"},
		}},
		{"list as seen", Rule{Mode: ModeList}, map[string]cells{
			`["a",null,"b"]`: {"x": `["a",null,"b"]`}, `[]`: {"x": "[]"}, `[null]`: {"x": "[null]"},
			`"a"`: {"x__text": "a"},
		}},
		{"list of decimals", Rule{Mode: ModeList, Type: Decimal(6, 2)}, map[string]cells{
			`[1, 2.50]`: {"x": `["1","2.5"]`}, `[1, 2.505]`: {"x__text": "[1, 2.505]"}, `[1,"2"]`: {"x__text": `[1,"2"]`},
		}},
		{"drop", Rule{Mode: ModeDrop}, map[string]cells{`1`: {}, `{"a":{"b":1}}`: {}, `[1]`: {}}},
		{"hash", Rule{Mode: ModeHash}, map[string]cells{
			`"Anna \u0041"`: {"x": hashed("Anna A")}, `12.0`: {"x": hashed("12.0")}, `{"a" : 1}`: {"x": hashed(`{"a" : 1}`)},
			`"\ud800"`: {"x": hashed(`"\ud800"`)}, `null`: {},
		}},
	} {
		for text, want := range c.rows {
			h := newHarness(t, Rules{"x": c.rule})
			got := h.dataOf(`{"x":` + text + `}`)["jobs"]
			if diff := cmp.Diff([]cells{want}, got); diff != "" {
				t.Errorf("%s: %s (-want +got): %s", c.name, text, diff)
			}
			h.close()
		}
	}
}

func TestListKeepsItsElementType(t *testing.T) {
	h := newHarness(t, Rules{"x": {Mode: ModeList}})
	defer h.close()
	got := h.dataOf(`{"x":[null,1]}`, `{"x":["a"]}`, `{"x":[2,[]]}`, `{"x":[]}`)["jobs"]
	want := []cells{{"x": "[null,1]"}, {"x__text": `["a"]`}, {"x__text": "[2,[]]"}, {"x": "[]"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-want +got): %s", diff)
	}
	if h.typeOf("x") != "list(float64)" {
		t.Errorf("type %q", h.typeOf("x"))
	}
}

func TestTables(t *testing.T) {
	h := newHarness(t, Rules{
		"items": {Mode: ModeTable}, "items.taxes": {Mode: ModeTable}, "items.taxes.rate": {Mode: ModeTyped, Type: Decimal(5, 2)},
		"vendor.ids": {Mode: ModeTable},
	})
	defer h.close()
	got := h.dataOf(
		`{"items":[{"n":"a","taxes":[{"rate":7},{"rate":19.5}]},"bare",null,{},{"taxes":[]},[1]],"vendor":{"ids":["v"]}}`,
		`{"items":[],"vendor":{"ids":5}}`,
		`{"items":{"n":"not an array"}}`)
	want := map[string][]cells{
		"jobs": {{}, {"items": "[]", "vendor__ids": "5"}, {"items__n": "not an array"}},
		"jobs__items": {
			{"ordinal": "0", "n": "a"},
			{"ordinal": "1", "value": "bare"},
			{"ordinal": "2"},
			{"ordinal": "3", "value__text": "{}"},
			{"ordinal": "4", "taxes": "[]"},
			{"ordinal": "5", "value__text": "[1]"},
		},
		"jobs__items__taxes": {
			{"parent_ordinal": "0", "ordinal": "0", "rate": "7"},
			{"parent_ordinal": "0", "ordinal": "1", "rate": "19.5"},
		},
		"jobs__vendor__ids": {{"ordinal": "0", "value": "v"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-want +got): %s", diff)
	}
}

// A rule's path does not tell a key with a dot from two keys.
func TestDottedKeyMeetsTheRuleOfANestedTable(t *testing.T) {
	h := newHarness(t, Rules{"a": {Mode: ModeTable}, "a.b": {Mode: ModeTable}})
	defer h.close()
	got := h.dataOf(`{"a.b":[1]}`)["jobs__a__b"]
	if diff := cmp.Diff([]cells{{"ordinal": "0", "value": "1"}}, got); diff != "" {
		t.Errorf("rows (-want +got): %s", diff)
	}
}

func TestNothingShowsWhatRulesHide(t *testing.T) {
	h := newHarness(t, Rules{
		"name": {Mode: ModeHash}, "note": {Mode: ModeDrop}, "people.name": {Mode: ModeHash}, "people.note": {Mode: ModeDrop},
	})
	defer h.close()
	name := hashed("Anna")
	got := h.dataOf(
		`{"name":"Anna","name":"Anna","note":"x","note":"x"}`,
		`{"people":[{"name":"Anna","note":"x"},[{"note":1}], {"name":null}]}`,
		`{"people":{"name":"Anna","note":"x"},"people":{"name":"Anna","note":"x","age":4}}`,
		`[{"note":"x","n\u0061me":"Anna"}]`)["jobs"]
	want := []cells{
		{"name": name, "overflow": `{"/extracted_data/name~#2":"` + name + `"}`},
		{"people": `[{"name":"` + name + `"},[{}],{"name":null}]`},
		{"people__name": name, "overflow": `{"/extracted_data/people~#2":{"name":"` + name + `","age":4}}`},
		{"extracted_data": `[{"n\u0061me":"` + name + `"}]`},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-want +got): %s", diff)
	}
}

func TestChildDatasets(t *testing.T) {
	rules := Rules{"Line Items": {Mode: ModeTable}, "a.b": {Mode: ModeTable}, "x": {Mode: ModeJSON}}
	want := map[string]string{"invoices__line_items": "Line Items", "invoices__a__b": "a.b"}
	if diff := cmp.Diff(want, rules.Children("invoices")); diff != "" {
		t.Errorf("children (-want +got): %s", diff)
	}
}

func TestFixedColumnsOfTables(t *testing.T) {
	rules := Rules{"a": {Mode: ModeTable}, "a.b": {Mode: ModeJSON}, "a.b.c": {Mode: ModeTable}, "a.b.c.d": {Mode: ModeTable}}
	for path, want := range map[string][]string{
		"a":       {"job_id", "ordinal"},
		"a.b.c":   {"job_id", "ordinal", "parent_ordinal"},
		"a.b.c.d": {"job_id", "ordinal", "parent_ordinal", "parent_parent_ordinal"},
	} {
		var names []string
		for i, c := range FixedColumns(rules, path) {
			names = append(names, c.Name)
			if c.FieldID != i+1 || c.Group != GroupStandard {
				t.Errorf("%s: column %+v", path, c)
			}
		}
		if diff := cmp.Diff(want, names); diff != "" {
			t.Errorf("%s (-want +got): %s", path, diff)
		}
	}
}
