package pipeline

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

func TestBaseName(t *testing.T) {
	for _, c := range []struct {
		group Group
		keys  []string
		want  string
	}{
		{GroupData, []string{"vendor", "address", "city"}, "vendor__address__city"},
		{GroupData, []string{"Total Amount (EUR)"}, "total_amount_eur_"},
		{GroupData, []string{"a.b"}, "a_b"},
		{GroupData, []string{"a . - b"}, "a_b"},
		{GroupData, []string{"a_.b"}, "a__b"},
		{GroupData, []string{""}, "_"},
		{GroupData, []string{"😀"}, "_"},
		{GroupData, []string{"e\u0301TÉ"}, "été"},
		{GroupData, []string{"日本"}, "日本"},
		{GroupData, []string{"2024"}, "2024"},
		{GroupData, []string{"\x00\xff"}, "_"},
		{GroupData, []string{"job_id"}, "data__job_id"},
		{GroupData, []string{"JOB_ID"}, "data__job_id"},
		{GroupData, []string{"run_id", "x"}, "run_id__x"},
		{GroupData, []string{"confidence", "x"}, "data__confidence__x"},
		{GroupData, []string{"metadata__x"}, "data__metadata__x"},
		{GroupData, []string{"data", "job_id"}, "data__data__job_id"},
		{GroupData, []string{"overflow"}, "data__overflow"},
		{GroupData, []string{"over\ufb02ow"}, "data__over\ufb02ow"},
		{GroupConfidence, []string{"job_id"}, "confidence__job_id"},
		{GroupMetadata, []string{""}, "metadata___"},
		{GroupMetadata, []string{"Department"}, "metadata__department"},
	} {
		if got := baseName(standard, c.group, c.keys, "/p"); got != c.want {
			t.Errorf("baseName(%s, %q) = %q, want %q", c.group, c.keys, got, c.want)
		}
	}
}

func TestLongNamesAreCutBetweenCharacters(t *testing.T) {
	for _, key := range []string{strings.Repeat("k", 64), strings.Repeat("é", 32), strings.Repeat("日", 300)} {
		name := baseName(standard, GroupData, []string{key}, "/extracted_data/"+key)
		other := baseName(standard, GroupData, []string{key}, "/elsewhere/"+key)
		if len(name) > maxNameBytes || len(name) < maxNameBytes-3 || !utf8.ValidString(name) || name == other {
			t.Errorf("%q and %q, %d bytes", name, other, len(name))
		}
	}
	if name := strings.Repeat("k", 63); baseName(standard, GroupData, []string{name}, "/p") != name {
		t.Error("a name of 63 bytes was cut")
	}
}

// path is a place in a job that a column may come from.
type path struct {
	Group   Group
	Keys    []string
	Sibling bool
}

func (p path) source() string {
	root := map[Group]string{GroupData: "extracted_data", GroupConfidence: "confidence", GroupMetadata: "metadata"}
	return pointerTo(append([]string{root[p.Group]}, p.Keys...)...)
}

// enter asks the book for the path's column, as the flattener does.
func (p path) enter(b *Book) Column {
	c, ok := b.Column(p.Group, p.Keys, p.source(), TypeFloat64)
	if ok && p.Sibling {
		c, ok = b.Sibling(c)
	}
	if !ok {
		panic("the dataset is full")
	}
	return c
}

var drawPath = rapid.Custom(func(t *rapid.T) path {
	key := rapid.OneOf(
		rapid.SampledFrom(keyPool),
		rapid.String(),
		rapid.StringMatching(`[A-Ca-c_.]{1,3}(__text)?`),
		rapid.SampledFrom([]string{"SELECT", "drop table", "Null", "created_at", "Created_At", "archived_at__text", "run_id"}),
	)
	return path{
		Group:   rapid.SampledFrom([]Group{GroupData, GroupData, GroupConfidence, GroupMetadata}).Draw(t, "group"),
		Keys:    rapid.SliceOfN(key, 1, 3).Draw(t, "keys"),
		Sibling: rapid.Bool().Draw(t, "sibling"),
	}
})

func TestNames(t *testing.T) {
	for range randomCases / 100 {
		rapid.Check(t, checkNames)
		if t.Failed() || testing.Short() {
			return
		}
	}
}

func checkNames(t *rapid.T) {
	paths := rapid.SliceOfN(drawPath, 1, 30).Draw(t, "paths")
	book := NewBook("jobs", FixedColumns(nil, ""), nil, "run-1")
	first := make([]Column, len(paths))
	for i, p := range paths {
		first[i] = p.enter(book)
	}
	overflow := book.Overflow()
	if overflow.Name != ColumnOverflow || overflow.Type != TypeJSON || overflow.Source != "" {
		t.Fatalf("the overflow column is %+v", overflow)
	}
	later := reloaded(t, book)
	for _, i := range rapid.Permutation(indexes(len(paths))).Draw(t, "order") {
		if c := paths[i].enter(later); c != first[i] {
			t.Fatalf("%q was %+v, and is %+v when it comes in another order", paths[i].Keys, first[i], c)
		}
	}
	if later.Schema().Version != 1 || len(later.Schema().Columns) != len(book.Schema().Columns) {
		t.Fatalf("a later run made a new schema of the same fields")
	}
	sources, ids := map[string]string{}, map[int]bool{}
	folded := map[string]string{}
	for _, c := range book.Schema().Columns {
		if other, taken := folded[fold(c.Name)]; taken {
			t.Fatalf("%q and %q count as the same", other, c.Name)
		}
		folded[fold(c.Name)], ids[c.FieldID] = c.Name, true
		checkName(t, c)
		if c.Group == GroupStandard || c.Name == ColumnOverflow {
			continue
		}
		key := pathKey(GroupData, c.Source, c.TextOf != "")
		if other, taken := sources[key]; taken {
			t.Fatalf("%q and %q lead to %q", other, c.Name, c.Source)
		}
		sources[key] = c.Name
	}
	if len(ids) != len(book.Schema().Columns) {
		t.Fatal("two columns have one field id")
	}
	for i, p := range paths {
		if first[i].Source != p.source() {
			t.Fatalf("%q leads back to %q, want %q", first[i].Name, first[i].Source, p.source())
		}
	}
}

func checkName(t *rapid.T, c Column) {
	if c.Name == "" || len(c.Name) > maxNameBytes || !utf8.ValidString(c.Name) || !norm.NFC.IsNormalString(c.Name) {
		t.Fatalf("bad name %q", c.Name)
	}
	for _, r := range c.Name {
		if r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			t.Fatalf("%q has %q", c.Name, r)
		}
	}
	prefix := prefixOf(c.Group)
	if c.Group != GroupStandard && !strings.HasPrefix(c.Name, prefix) {
		t.Fatalf("%q in group %s", c.Name, c.Group)
	}
}

func indexes(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// reloaded returns the book that a later run makes of the schema's file.
func reloaded(t rapid.TB, b *Book) *Book {
	t.Helper()
	text, err := json.Marshal(b.Schema())
	if err != nil {
		t.Fatal(err)
	}
	var latest Schema
	if err := json.Unmarshal(text, &latest); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(*b.Schema(), latest); diff != "" {
		t.Fatalf("the schema's JSON loses something: %s", diff)
	}
	return NewBook(latest.Dataset, b.Fixed(), &latest, "run-2")
}

func TestFirstComeNameStays(t *testing.T) {
	book := NewBook("jobs", FixedColumns(nil, ""), nil, "run-1")
	var names []string
	for _, keys := range [][]string{{"a", "b"}, {"a__b"}, {"A__B"}, {"a.b"}, {"STRASSE"}, {"straße"}} {
		names = append(names, path{Group: GroupData, Keys: keys}.enter(book).Name)
	}
	want := []string{"a__b", "a__b_84e79abf", "a__b_21bd7b34", "a_b", "strasse", "straße_812c380a"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("names (-want +got): %s", diff)
	}
}

func TestPointerTo(t *testing.T) {
	if got := pointerTo("a/b", "~1", "", "x"); got != "/a~1b/~01//x" {
		t.Errorf("got %q", got)
	}
	if got := slices.Compact([]string{pointerTo("a", "b"), pointerTo("a/b")}); len(got) != 2 {
		t.Errorf("two paths have the pointer %q", got[0])
	}
}
