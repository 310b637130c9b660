package docextract_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/adteco/docarchive/docextract"
)

// TestDeepJobKeepsItsPage reads a page on which one job nests deeper than
// recursive decoders go.
func TestDeepJobKeepsItsPage(t *testing.T) {
	const depth = 50_000
	job := func(id, data string) string {
		return fmt.Sprintf(`{"id":%q,"status":"completed","created_at":"2026-11-01T10:00:00Z","extracted_data":%s}`, id, data)
	}
	deep := job("job_deep", strings.Repeat(`{"a":`, depth)+"1"+strings.Repeat("}", depth))
	page, err := docextract.ParsePage([]byte(`{"jobs":[` + job("job_1", "{}") + "," + deep + "," + job("job_2", "{}") + `],"total":3}`))
	if err != nil {
		t.Fatal(err)
	}
	if len(page.Jobs) != 3 || len(page.Malformed) != 0 || string(page.Jobs[1].Raw) != deep {
		t.Errorf("%d jobs, %d malformed", len(page.Jobs), len(page.Malformed))
	}
	if _, err := docextract.ParseJob([]byte(deep)); err != nil {
		t.Error(err)
	}
}
