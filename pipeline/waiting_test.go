package pipeline

import (
	"testing"
	"time"

	"github.com/adteco/docarchive/docextract"
)

// TestLaterJobsOutliveTheirPages takes out jobs that are to wait on: what is
// left is counted without them, and their bytes are their own.
func TestLaterJobsOutliveTheirPages(t *testing.T) {
	noon := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	page := []byte(`{"id":1}{"id":22}{"id":333}`)
	var w waiting
	for _, job := range []docextract.Job{
		{ID: "1", CreatedAt: noon.Add(-time.Second), Raw: page[:8]},
		{ID: "22", CreatedAt: noon, Raw: page[8:17]},
		{ID: "333", CreatedAt: noon.Add(time.Second), Raw: page[17:]},
	} {
		w.take(&job)
	}
	later := w.later(noon)
	if len(w.pending) != 1 || w.pending[0].ID != "1" || w.bytes != 8 {
		t.Errorf("%d jobs of %d bytes wait, want the first alone, of 8", len(w.pending), w.bytes)
	}
	clear(page) // as the next page would overwrite it
	if len(later) != 2 || string(later[0].Raw) != `{"id":22}` || string(later[1].Raw) != `{"id":333}` {
		t.Errorf("later: %q", later)
	}
}
