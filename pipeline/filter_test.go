package pipeline

import (
	"testing"

	"github.com/adteco/docarchive/docextract"
)

func TestFilter(t *testing.T) {
	const completed = `{"id":"1","extractor_id":"ext_a","status":"completed","created_at":"2026-01-02T03:04:05Z",
		"confidence":{"a":0.9,"b":0.7,"c":null,"d":"high"},
		"metadata":{"dep\u0061rtment":"acc\u006funting","n":1.50,"t":true,"e":"","z":null}}`
	const failed = `{"id":"2","extractor_id":"ext_b","status":"failed","created_at":"2026-01-02T03:04:05Z","confidence":null}`
	const bare = `{"id":"3","status":"completed","created_at":"2026-01-02T03:04:05Z","confidence":{},"metadata":"x"}`
	for name, c := range map[string]struct {
		filter Filter
		want   [3]bool // completed, failed, bare
	}{
		"everything":        {Filter{}, [3]bool{true, true, true}},
		"extractor":         {Filter{ExtractorID: "ext_a"}, [3]bool{true, false, false}},
		"status":            {Filter{Status: []docextract.Status{"failed"}}, [3]bool{false, true, false}},
		"both states":       {Filter{Status: []docextract.Status{"failed", "completed"}}, [3]bool{true, true, true}},
		"confidence at":     {Filter{MinConfidence: 0.8}, [3]bool{true, true, false}},
		"confidence above":  {Filter{MinConfidence: 0.81}, [3]bool{false, true, false}},
		"metadata":          {Filter{Metadata: map[string]string{"department": "accounting"}}, [3]bool{true, false, false}},
		"metadata differs":  {Filter{Metadata: map[string]string{"department": "sales"}}, [3]bool{}},
		"metadata number":   {Filter{Metadata: map[string]string{"n": "1.50", "t": "true"}}, [3]bool{true, false, false}},
		"metadata empty":    {Filter{Metadata: map[string]string{"e": ""}}, [3]bool{true, false, false}},
		"metadata missing":  {Filter{Metadata: map[string]string{"nothing": ""}}, [3]bool{}},
		"one of two differ": {Filter{Metadata: map[string]string{"department": "accounting", "n": "2"}}, [3]bool{}},
		"all at once": {Filter{
			ExtractorID: "ext_a", Status: []docextract.Status{"completed"}, MinConfidence: 0.5,
			Metadata: map[string]string{"department": "accounting"},
		}, [3]bool{true, false, false}},
	} {
		for i, text := range []string{completed, failed, bare} {
			job, err := docextract.ParseJob([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			if got := c.filter.Match(&job); got != c.want[i] {
				t.Errorf("%s: job %s matches: %v, want %v", name, job.ID, got, c.want[i])
			}
		}
	}
}
