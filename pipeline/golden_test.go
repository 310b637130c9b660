package pipeline

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var updateGolden = flag.Bool("update-golden", false, "write testdata/*.golden.json anew")

// The schema file is a stored format: what these jobs give stays as it is, for
// archives that exist are read by it.
func TestGoldenSchemas(t *testing.T) {
	h := newHarness(t, Rules{
		"total_amount":       {Mode: ModeTyped, Type: Decimal(18, 2)},
		"invoice_date":       {Mode: ModeTyped, Type: TypeDate32},
		"due":                {Mode: ModeTyped, Type: TypeTimestamp},
		"pages":              {Mode: ModeTyped, Type: TypeInt64},
		"line_items":         {Mode: ModeTable},
		"line_items.amount":  {Mode: ModeTyped, Type: Decimal(18, 4)},
		"line_items.taxes":   {Mode: ModeTable},
		"tags":               {Mode: ModeList},
		"raw_ocr":            {Mode: ModeJSON},
		"internal_note":      {Mode: ModeDrop},
		"tax_number":         {Mode: ModeHash},
		"vendor.bank.number": {Mode: ModeHash},
	})
	defer h.close()
	jobs, err := os.ReadFile("testdata/jobs.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(jobs) {
		h.check(string(bytes.TrimSpace(line)))
	}
	for dataset := range h.datasets() {
		got, err := json.MarshalIndent(h.books[dataset].Schema(), "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		golden(t, dataset+".golden.json", append(got, '\n'))
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *updateGolden {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got): %s", path, diff)
	}
}
