package docextract_test

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/docextract/docextracttest"
)

func TestExtractors(t *testing.T) {
	_, client := simulated(t, docextracttest.Config{Jobs: 50})
	list, err := client.Extractors(context.Background())
	if err != nil || len(list) < 2 {
		t.Fatalf("%d extractors, %v", len(list), err)
	}
	used := int64(0)
	for _, e := range list {
		used += e.UsageCount
		if e.Name == "" || e.DocumentType == "" || !e.IsActive || len(e.Fields) == 0 || e.Fields[0].Name == "" || e.Fields[0].Type == "" || !json.Valid(e.Raw) {
			t.Errorf("%+v", e)
		}
		one, err := client.Extractor(context.Background(), e.ID)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(e, one); diff != "" {
			t.Errorf("listed and fetched alone (-listed +alone)\n%s", diff)
		}
	}
	if used != 50 {
		t.Errorf("used %d times, want 50", used)
	}
	if _, err := client.Extractor(context.Background(), "ext_none"); !docextract.NotFound(err) {
		t.Errorf("an extractor that is not there: %v", err)
	}
}

func TestExtractorsOfOtherForms(t *testing.T) {
	odd := `{"id":"e","name":7,"is_active":"yes","usage_count":1e400,"field_definitions":[{"name":"a","type":"text","required":"no","description":"d"},{"name":"b"}]}`
	wanted := docextract.Extractor{ID: "e", Fields: []docextract.FieldDefinition{{Name: "a", Type: "text", Description: "d"}, {Name: "b"}}, Raw: []byte(odd)}
	for body, good := range map[string]bool{
		`[` + odd + `]`: true, `{"extractors":[` + odd + `]}`: true,
		`{}`: false, `{"extractors":{}}`: false, `7`: false, `[{}]`: false, `[{"id":""}]`: false, `[7]`: false, `[`: false,
	} {
		r := newRig(t, answering(http.StatusOK, body))
		list, err := r.client.Extractors(context.Background())
		if !good {
			want[*docextract.MalformedError](t, err)
			continue
		}
		if diff := cmp.Diff([]docextract.Extractor{wanted}, list); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got)\n%s", body, err, diff)
		}
	}
	none := newRig(t, answering(http.StatusOK, `{"extractors":null}`))
	if list, err := none.client.Extractors(context.Background()); err != nil || len(list) != 0 {
		t.Errorf("null for none: %+v, %v", list, err)
	}
	r := newRig(t, answering(http.StatusOK, odd))
	if _, err := r.client.Extractor(context.Background(), "f"); err == nil {
		t.Error("another extractor was taken for the one asked for")
	}
}

func TestStats(t *testing.T) {
	_, client := simulated(t, docextracttest.Config{Jobs: 300, Failed: 0.2})
	s, err := client.Stats(context.Background(), "30d")
	if err != nil {
		t.Fatal(err)
	}
	jobs := int64(0)
	for _, e := range s.ByExtractor {
		jobs += e.JobCount
		if e.ExtractorID == "" || e.ExtractorName == "" || e.SuccessRate <= 0 {
			t.Errorf("%+v", e)
		}
	}
	if s.Period != "30d" || s.TotalJobs == 0 || s.TotalJobs >= 300 || jobs != s.TotalJobs || s.CompletedJobs+s.FailedJobs != s.TotalJobs ||
		s.ByStatus[docextract.StatusFailed] != s.FailedJobs || s.SuccessRate <= 0 || s.AvgProcessingTimeMS <= 0 || s.AvgConfidence <= 0 ||
		s.TotalCreditsUsed <= 0 || !json.Valid(s.Raw) {
		t.Errorf("%+v", s)
	}
	if all, err := client.Stats(context.Background(), ""); err != nil || all.Period == "" {
		t.Errorf("without a period: %+v, %v", all, err)
	}
	if _, err := client.Stats(context.Background(), "soon"); want[*docextract.Error](t, err).Status != http.StatusBadRequest {
		t.Errorf("a bad period: %v", err)
	}
	none := newRig(t, answering(http.StatusOK, `{"total_jobs":0,"avg_confidence":null,"avg_processing_time_ms":4231.5}`))
	if s, err := none.client.Stats(context.Background(), "24h"); err != nil || s.AvgProcessingTimeMS != 4231.5 {
		t.Errorf("no jobs: %+v, %v", s, err)
	}
}

func TestCredits(t *testing.T) {
	_, client := simulated(t, docextracttest.Config{})
	c, err := client.Credits(context.Background())
	if err != nil || c.Balance != 100_000 || c.TotalPurchased != 100_000 || c.TotalUsed != 0 || c.Currency != "USD" || !json.Valid(c.Raw) {
		t.Errorf("%+v, %v", c, err)
	}
}

// TestAccountsOfOtherForms: another answer is not taken for an empty account.
func TestAccountsOfOtherForms(t *testing.T) {
	for _, body := range []string{`{}`, `[]`, `null`, `{"balance":null,"total_jobs":null}`, `{"balance":"10","total_jobs":"10"}`, `{"balance":1,"total_jobs":1}x`} {
		r := newRig(t, answering(http.StatusOK, body))
		_, credits := r.client.Credits(context.Background())
		_, stats := r.client.Stats(context.Background(), "7d")
		want[*docextract.MalformedError](t, credits)
		want[*docextract.MalformedError](t, stats)
	}
}
