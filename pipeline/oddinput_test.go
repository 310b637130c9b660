package pipeline

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/adteco/docarchive/docextract"
)

func TestNestingOf200(t *testing.T) {
	h := newHarness(t, nil)
	defer h.close()
	objects := strings.Repeat(`{"k":`, 200) + `"deep"` + strings.Repeat("}", 200)
	arrays := strings.Repeat("[", 200) + `"deep"` + strings.Repeat("]", 200)
	h.check(jobText("1", `{"o":`+objects+`,"a":`+arrays+`}`, objects, objects))
	row := h.dataOf(`{"o":` + objects + `,"a":` + arrays + `}`)["jobs"][0]
	if row["a"] != arrays {
		t.Errorf("the array came back as %.80s", row["a"])
	}
	delete(row, "a")
	rest := strings.Repeat(`{"k":`, 200-maxFlattenDepth+2) + `"deep"` + strings.Repeat("}", 200-maxFlattenDepth+2)
	for name, value := range row {
		if value != rest {
			t.Errorf("column %s is %.80s, want %.80s", name, value, rest)
		}
	}
	if len(row) != 1 {
		t.Errorf("the objects stand in %d columns", len(row))
	}
}

func TestArrayOf3000Objects(t *testing.T) {
	elements := make([]string, 3000)
	for i := range elements {
		elements[i] = fmt.Sprintf(`{"i":%d,"s":"%d"}`, i, i)
	}
	array := "[" + strings.Join(elements, ",") + "]"

	h := newHarness(t, nil)
	defer h.close()
	if got := h.dataOf(`{"x":` + array + `}`)["jobs"][0]["x"]; got != array {
		t.Errorf("the array came back as %.80s", got)
	}

	h = newHarness(t, Rules{"x": {Mode: ModeTable}})
	defer h.close()
	rows := h.dataOf(`{"x":` + array + `}`)["jobs__x"]
	if len(rows) != len(elements) {
		t.Fatalf("%d child rows", len(rows))
	}
	for i, row := range rows {
		n := fmt.Sprint(i)
		if diff := cmp.Diff(cells{"ordinal": n, "i": n, "s": n}, row); diff != "" {
			t.Fatalf("child row %d (-want +got): %s", i, diff)
		}
	}
}

// manyKeys is an object of n keys from k00000 on.
func manyKeys(n int) string {
	members := make([]string, n)
	for i := range members {
		members[i] = fmt.Sprintf(`"k%05d":%d`, i, i)
	}
	return "{" + strings.Join(members, ",") + "}"
}

func TestKeysPastTheLastColumnOverflow(t *testing.T) {
	h := newHarness(t, nil)
	defer h.close()
	h.check(jobText("1", manyKeys(3000), "null", "null"))
	row := h.dataOf(manyKeys(3000))["jobs"][0]
	if n := len(h.books["jobs"].Schema().Columns); n != MaxColumns {
		t.Errorf("%d columns", n)
	}
	var overflow map[string]int
	if err := json.Unmarshal([]byte(row[ColumnOverflow]), &overflow); err != nil {
		t.Fatal(err)
	}
	fit := MaxColumns - len(standard) - 1
	for i := range 3000 {
		key := fmt.Sprintf("k%05d", i)
		if i < fit && row[key] != fmt.Sprint(i) {
			t.Fatalf("column %s is %q", key, row[key])
		}
		if got, has := overflow["/extracted_data/"+key]; i >= fit && got != i || has != (i >= fit) {
			t.Fatalf("overflow has %s: %v, %d", key, has, got)
		}
	}
}

// A full table still takes misfits, duplicates and nested objects without loss,
// and remembers no keys that have no column.
func TestFullTable(t *testing.T) {
	h := newHarness(t, nil)
	defer h.close()
	h.check(jobText("1", manyKeys(3000), "null", "null"))
	h.reload()
	h.check(
		jobText("1", `{"new":1,"k00000":1,"k00000":2,"k00001":"misfit","new":2,"o":{"p":1,"p":2},"o":3,"l":[{"a":1}]}`, `{"c":1}`, `{"m":{}}`),
		jobText("2", `{"k00002":5,"k00000":7,"new":{"x":1}}`, "null", "null"),
		jobText("3", `{}`, "null", "null"),
		jobText("4", `{"o":{"p":5},"k00000":8}`, "null", "null"))
	for _, n := range []*node{h.f.root.byKey["extracted_data"], h.f.root.byKey["confidence"], h.f.root.byKey["metadata"]} {
		for key, child := range n.byKey {
			if child.col == nil && key != "new" { // by which the table was found to be full
				t.Errorf("the key %q is remembered", key)
			}
		}
	}
	if n := len(h.books["jobs"].Schema().Columns); n > MaxColumns {
		t.Errorf("%d columns", n)
	}
}

func TestKeysWithoutColumnsAreForgotten(t *testing.T) {
	h := newHarness(t, nil)
	defer h.close()
	data := h.f.root.byKey["extracted_data"]
	for i := range 50 {
		h.check(jobText("1", fmt.Sprintf(`{"null%d":null,"a":1}`, i), "null", "null"))
	}
	if len(data.byKey) != 1 {
		t.Errorf("%d keys are remembered for their nulls", len(data.byKey)-1)
	}
	h.check(jobText("1", manyKeys(2100), "null", "null"))
	byKey, byRaw := len(data.byKey), len(data.byRaw)
	for i := range 50 {
		h.check(jobText("1", fmt.Sprintf(`{"fresh%d":1,"fresh%d":2,"object%d":{"a":{"b":1}}}`, i, i, i), "null", "null"))
	}
	if len(data.byKey) > byKey || len(data.byRaw) > byRaw {
		t.Errorf("a full table remembers %d and %d keys, %d and %d before", len(data.byKey), len(data.byRaw), byKey, byRaw)
	}
}

func TestDuplicateKeys(t *testing.T) {
	h := newHarness(t, nil)
	defer h.close()
	got := h.dataOf(
		`{"a":1,"a":"two","\u0061":null,"b":{"c":1},"b":{"c":2}}`,
		`{"a":null,"a":3}`,
		`{"a":4}`)["jobs"]
	want := []cells{
		{"a": "1", "b__c": "1", "overflow": `{"/extracted_data/a~#2":"two","/extracted_data/a~#3":null,"/extracted_data/b~#2":{"c":2}}`},
		{"a": "3"},
		{"a": "4"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-want +got): %s", diff)
	}
}

func TestTextThatUTF8CannotHold(t *testing.T) {
	h := newHarness(t, nil)
	defer h.close()
	got := h.dataOf(
		`{"x":"\ud800a","\udfff":1,"z":"`+"\xff"+`"}`,
		`{"x":"\ud83d\ude00","z":"nul \u0000"}`)["jobs"]
	want := []cells{
		{"x__text": `"\ud800a"`, "_udfff": "1", "z__text": `"\udcff"`},
		{"x": "😀", "z": "nul \x00"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-want +got): %s", diff)
	}
	for _, c := range h.books["jobs"].Schema().Columns {
		if c.Name == "_udfff" && c.Source != `/extracted_data/\udfff` {
			t.Errorf("source %q", c.Source)
		}
	}
}

func TestNumberThatNoTypeHolds(t *testing.T) {
	h := newHarness(t, Rules{"i": {Mode: ModeTyped, Type: TypeInt64}, "d": {Mode: ModeTyped, Type: Decimal(38, 0)}})
	defer h.close()
	got := h.dataOf(`{"f":1e400,"i":1e400,"d":-1e400}`)["jobs"]
	want := []cells{{"f__text": "1e400", "i__text": "1e400", "d__text": "-1e400"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-want +got): %s", diff)
	}
}

func TestStringOfOneMegabyte(t *testing.T) {
	h := newHarness(t, nil)
	defer h.close()
	long := strings.Repeat("äb\n", 1<<20/4)
	row := h.dataOf(`{"x":`+quotedJSON(long)+`,"y":1}`, `{"y":`+quotedJSON(long)+`}`)["jobs"]
	if row[0]["x"] != long || row[1]["y__text"] != long {
		t.Error("a long string came back changed")
	}
}

func TestExtractedDataThatIsNoObject(t *testing.T) {
	for data, want := range map[string]cells{
		`[1, {"a":2}]`: {"extracted_data": `[1, {"a":2}]`},
		`"text"`:       {"extracted_data": "text"},
		`7`:            {"extracted_data": "7"},
		`true`:         {"extracted_data": "true"},
		`{}`:           {"extracted_data": "{}"},
		`null`:         {},
	} {
		h := newHarness(t, nil)
		if diff := cmp.Diff([]cells{want}, h.dataOf(data)["jobs"]); diff != "" {
			t.Errorf("%s (-want +got): %s", data, diff)
		}
		h.close()
	}
	h := newHarness(t, nil)
	defer h.close()
	row := h.rowsOf(`{"id":"j","status":"failed","created_at":"2026-01-02T03:04:05Z"}`)["jobs"][0]
	if diff := cmp.Diff(cells{}, row.fields()); diff != "" {
		t.Errorf("missing (-want +got): %s", diff)
	}
}

func TestBrokenJobIsAnError(t *testing.T) {
	h := newHarness(t, nil)
	defer h.close()
	job := docextract.Job{ID: "job_7", Raw: []byte(`{"id":"job_7","extracted_data":{"a":1`)}
	if err := h.f.Append(&job); err == nil || !strings.Contains(err.Error(), "job_7") {
		t.Errorf("got %v", err)
	}
}
