package submission

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/adteco/docarchive/docextract"
)

const (
	// before and after an intent its job may be created, by the server's clock:
	// clocks differ, and a submission may have waited for the request budget.
	before = 15 * time.Minute
	after  = 3 * time.Hour
)

// stretch is a time in which the jobs of intents would have been created.
type stretch struct{ from, to time.Time }

// stretches covers the intents, without looking at any time twice.
func stretches(intents []Intent) []stretch {
	slices.SortFunc(intents, func(a, b Intent) int { return a.At.Compare(b.At) })
	var all []stretch
	for _, in := range intents {
		s := stretch{in.At.Add(-before), in.At.Add(after)}
		if n := len(all); n > 0 && !s.from.After(all[n-1].to) {
			all[n-1].to = s.to
			continue
		}
		all = append(all, s)
	}
	return all
}

// reconcile looks for the jobs of intents without a result and notes those that
// it finds, by intent. The metadata is compared here: an organisation need not
// have metadata search. That a listing lacks a job says nothing, so nothing is
// concluded from it.
func (b *batch) reconcile(ctx context.Context, intents []Intent) (map[string]docextract.Job, error) {
	wanted, found := map[string]Intent{}, map[string]docextract.Job{}
	for _, in := range intents {
		wanted[in.ID] = in
	}
	for _, s := range stretches(intents) {
		q := docextract.Query{ExtractorID: b.Extractor, CreatedAfter: s.from, CreatedBefore: s.to}
		err := b.Walk(ctx, q, func(job docextract.Job) error {
			in, ok := wanted[intentOf(job)]
			if !ok || job.ID == "" {
				return nil
			}
			delete(wanted, in.ID)
			found[in.ID] = job
			return b.Journal.Done(in, job.ID)
		})
		if err != nil {
			return found, fmt.Errorf("look for %d submissions that may have been charged: %w", len(wanted), err)
		}
	}
	return found, nil
}

// intentOf is the intent that a job says it comes from; empty if none.
func intentOf(job docextract.Job) string {
	var carried struct {
		Metadata map[string]json.RawMessage `json:"metadata"`
	}
	var id string
	if json.Unmarshal(job.Raw, &carried) != nil || json.Unmarshal(carried.Metadata[MetaIntent], &id) != nil {
		return ""
	}
	return id
}
