package sinktest

import (
	"fmt"
	"math"
	"os"

	"pgregory.net/rapid"

	"github.com/adteco/docarchive/pipeline"
)

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// diffTables says where two tables differ, or nothing.
func diffTables(want, got []Row) string {
	if len(want) != len(got) {
		return fmt.Sprintf("%d rows were written, %d read", len(want), len(got))
	}
	for i := range want {
		if diff := diffRows(want[i], got[i]); diff != "" {
			return fmt.Sprintf("row %d: %s", i, diff)
		}
	}
	return ""
}

// diffRows says in which column two rows differ, or nothing.
func diffRows(want, got Row) string {
	for name, text := range want {
		if found, ok := got[name]; !ok || found != text {
			return fmt.Sprintf("column %s: wrote %q, read %q (there: %v)", name, text, found, ok)
		}
	}
	for name, text := range got {
		if _, ok := want[name]; !ok {
			return fmt.Sprintf("column %s: wrote null, read %q", name, text)
		}
	}
	return ""
}

// removePart deletes a part as its owner does.
func removePart(t *rapid.T, p pipeline.Part) {
	if err := os.Remove(p.Spool); err != nil {
		t.Errorf("remove the part: %v", err)
	}
}
