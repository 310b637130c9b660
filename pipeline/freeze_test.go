package pipeline

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/adteco/docarchive/docextract"
)

// frozenHarness is a harness whose datasets have the fields of the given data,
// and may get no others.
func frozenHarness(t *testing.T, data string) *harness {
	h := newHarness(t, Rules{"items": {Mode: ModeTable}})
	h.dataOf(data)
	h.reload()
	h.freeze()
	return h
}

func (h *harness) freeze() {
	h.f.options.Frozen = true
}

func (h *harness) append(data string) error {
	job, err := docextract.ParseJob([]byte(jobText("job", data, "null", "null")))
	if err != nil {
		h.Fatal(err)
	}
	return h.f.Append(&job)
}

func TestFrozenSchema(t *testing.T) {
	for data, want := range map[string]*NewFieldError{
		`{"a":1,"o":{"b":"x"},"items":[{"c":1}]}`: nil,
		`{"a":null,"z":null}`:                     nil, // a null is no field
		`{"a":"one","o":{"b":[]}}`:                nil, // misfits of known fields
		`{"items":[]}`:                            {Dataset: "jobs", Source: "/extracted_data/items"},
		`{"z":1}`:                                 {Dataset: "jobs", Source: "/extracted_data/z"},
		`{"o":{"z":{"y":1}}}`:                     {Dataset: "jobs", Source: "/extracted_data/o/z/y"},
		`{"items":[{"c":1},{"d":2}]}`:             {Dataset: "jobs__items", Source: "/extracted_data/items/*/d"},
	} {
		h := frozenHarness(t, `{"a":1,"o":{"b":"x"},"items":[{"c":1}]}`)
		err := h.append(data)
		var got *NewFieldError
		errors.As(err, &got)
		if diff := cmp.Diff(want, got); diff != "" || want == nil && err != nil {
			t.Errorf("%s: %v (-want +got): %s", data, err, diff)
		}
		h.close()
	}
}

func TestTheFirstRunMakesTheSchema(t *testing.T) {
	h := newHarness(t, nil)
	defer h.close()
	h.freeze()
	if err := h.append(`{"a":1}`); err != nil {
		t.Error(err)
	}
}

func TestScratchBooksLeaveNoTrace(t *testing.T) {
	h := frozenHarness(t, `{"a":1}`)
	defer h.close()
	book := h.books["jobs"]
	before := book.Schema()
	scratch := book.scratch()
	for _, c := range before.Columns {
		if _, ok := scratch.Sibling(c); !ok {
			t.Fatalf("no room beside %s", c.Name)
		}
	}
	if !scratch.news(GroupData, "/extracted_data/z") || scratch.news(GroupData, "/extracted_data/a") {
		t.Error("the scratch book is not as settled as its original")
	}
	if diff := cmp.Diff(before, book.Schema()); diff != "" {
		t.Errorf("the book was changed: %s", diff)
	}
}
