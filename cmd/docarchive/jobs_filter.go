package main

import (
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/adteco/docarchive/docextract"
)

// jobFilter are the flags that choose jobs.
type jobFilter struct {
	extractor, status string
	after, before     string
	confidence        float64
	metadata          []string
	clientSide        bool
}

func (o *jobFilter) bind(f *pflag.FlagSet) {
	f.StringVar(&o.extractor, "extractor", "", "only jobs of this extractor (ext_…)")
	f.StringVar(&o.status, "status", "", "only queued, processing, completed or failed jobs")
	f.StringVar(&o.after, "created-after", "", "only jobs created after this: a duration back (24h, 7d), a date or an RFC 3339 time")
	f.StringVar(&o.before, "created-before", "", "only jobs created before this")
	f.Float64Var(&o.confidence, "min-confidence", 0, "only jobs of at least this confidence, 0 to 1")
	f.StringArrayVar(&o.metadata, "metadata", nil, "only jobs that carry KEY=VALUE; may be repeated")
	f.BoolVar(&o.clientSide, "client-side", false, "compare --metadata here, where the organisation has no metadata search")
}

// query is what the API is asked for.
func (o *jobFilter) query(now time.Time) (q docextract.Query, err error) {
	q.ExtractorID, q.Status = o.extractor, docextract.Status(o.status)
	if o.status != "" && !q.Status.Known() {
		return q, usagef("--status must be queued, processing, completed or failed, not %q", o.status)
	}
	if q.CreatedAfter, err = moment("--created-after", o.after, now); err != nil {
		return q, err
	}
	if q.CreatedBefore, err = moment("--created-before", o.before, now); err != nil {
		return q, err
	}
	if !q.CreatedAfter.IsZero() && !q.CreatedBefore.IsZero() && !q.CreatedAfter.Before(q.CreatedBefore) {
		return q, usagef("no time lies after --created-after %s and before --created-before %s", o.after, o.before)
	}
	switch {
	case !(o.confidence >= 0 && o.confidence <= 1):
		return q, usagef("--min-confidence must be from 0 to 1, not %v", o.confidence)
	case o.confidence > 0:
		q.MinConfidence = &o.confidence
	}
	q.Metadata, err = pairs("--metadata", o.metadata)
	return q, err
}

// pairs reads the values of a flag that takes KEY=VALUE; nil if there are none.
func pairs(flag string, texts []string) (map[string]string, error) {
	var all map[string]string
	for _, text := range texts {
		key, value, found := strings.Cut(text, "=")
		if !found || key == "" {
			return nil, usagef("%s must be KEY=VALUE, not %q", flag, text)
		}
		if _, twice := all[key]; twice {
			return nil, usagef("%s has the key %q twice", flag, key)
		}
		if all == nil {
			all = map[string]string{}
		}
		all[key] = value
	}
	return all, nil
}

// columnsOf reads --columns.
func columnsOf(text string) ([]string, error) {
	if text == "" {
		return nil, nil
	}
	columns := strings.Split(text, ",")
	for i := range columns {
		columns[i] = strings.TrimSpace(columns[i])
	}
	if slices.Contains(columns, "") {
		return nil, usagef("--columns must be names with commas between them, not %q", text)
	}
	return columns, nil
}
