package docextracttest

import (
	"strconv"
	"strings"
	"time"
)

// The values that more than one file speaks of.
const (
	on  = "on"
	off = "off"

	orderDesc           = "created_desc"
	orderAsc            = "created_asc"
	orderID             = "id"
	orderShuffled       = "shuffled"
	orderShuffledStable = "shuffled_stable"
	orderUnstableTies   = "unstable_ties"

	inclusive = "inclusive"
	exclusive = "exclusive"
	halfOpen  = "half_open"

	ignore = "ignore"
	refuse = "refuse"
)

func knobTable() []knob {
	return join(listingKnobs(), filterKnobs(), jobKnobs(), accessKnobs(), transportKnobs(), submissionKnobs())
}

func join(groups ...[]knob) (all []knob) {
	for _, g := range groups {
		all = append(all, g...)
	}
	return all
}

func listingKnobs() []knob {
	l := func(s *settings) *listingSettings { return &s.listing }
	return []knob{
		choice("order", "order of a listing; shuffled anew for every request, or only among equal created_at (unstable_ties)",
			func(s *settings) *string { return &l(s).order },
			orderDesc, orderAsc, orderID, orderShuffled, orderShuffledStable, orderUnstableTies),
		{
			Doc{
				Name: "total", Values: "exact|missing|null|string|negative|short|high|stale|page|capped=N", Default: "exact",
				Text: "the total of a listing; stale is up to ten minutes old, page counts the page alone, capped stops at N",
			},
			setTotal,
		},
		whole("limit_max", "200", "greatest limit of a listing", func(s *settings) *int64 { return &l(s).limitMax }, 1),
		toggle("limit_clamp", "a limit above limit_max is lowered silently, or refused with 400",
			func(s *settings) *bool { return &l(s).refuseLimit }, refuse, "silent", refuse),
		whole("limit_default", "50", "limit where the request gives none", func(s *settings) *int64 { return &l(s).limitDefault }, 1),
		whole("offset_max", "0", "greatest offset, past it 400; 0 is none", func(s *settings) *int64 { return &l(s).offsetMax }, 0),
		toggle("offset", "ignored sends the first page for ever",
			func(s *settings) *bool { return &l(s).ignoreOffset }, "ignored", "obeyed", "ignored"),
		probability("short_pages", "how often a page has fewer jobs than asked for though there are more",
			func(s *settings) *float64 { return &l(s).shortPages }),
		toggle("null_jobs", "an empty page says \"jobs\":null", func(s *settings) *bool { return &l(s).nullJobs }, on, off, on),
		toggle("echo", "a listing echoes limit and offset as they were applied", func(s *settings) *bool { return &l(s).echo }, on, on, off),
	}
}

func setTotal(s *settings, value string) error {
	name, text, capped := strings.Cut(value, "=")
	switch name {
	case "exact", "missing", "null", "string", "negative", "short", "high", "stale", "page":
		if capped {
			return errValue
		}
	case "capped":
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 1 {
			return errValue
		}
		s.listing.totalCap = n
	default:
		return errValue
	}
	s.listing.total = name
	return nil
}

func filterKnobs() []knob {
	f := func(s *settings) *filterSettings { return &s.filter }
	return []knob{
		choice("bounds", "whether created_after and created_before include their moment; half_open: only the first does",
			func(s *settings) *string { return &f(s).bounds }, inclusive, exclusive, halfOpen),
		{
			Doc{
				Name: "bounds_resolution", Values: "exact|millisecond|second|minute|hour|day", Default: "exact",
				Text: "created_after and created_before are cut to this before they are compared",
			},
			func(s *settings, value string) error {
				return setResolution(&f(s).boundsResolution, value, "exact", "millisecond", "second", "minute", "hour", "day")
			},
		},
		toggle("unknown_params", "a parameter that the API does not have is ignored, or refused with 400",
			func(s *settings) *bool { return &f(s).refuseUnknown }, refuse, ignore, refuse),
		toggle("unknown_extractor", "a listing of an extractor that does not exist is empty, or refused with 404",
			func(s *settings) *bool { return &f(s).refuseExtractor }, refuse, "empty", refuse),
		choice("metadata_search", "metadata[KEY]=VALUE filters, is refused with 400, or is ignored",
			func(s *settings) *string { return &f(s).metadataSearch }, on, off, "ignored"),
		toggle("confidence", "min_confidence is compared with the mean or the lowest confidence of a job",
			func(s *settings) *bool { return &f(s).lowestConfidence }, "lowest", "mean", "lowest"),
		length("commit_lag", "0s", "a job appears up to this long after its created_at",
			func(s *settings) *time.Duration { return &f(s).commitLag }, false),
	}
}

func setResolution(field *time.Duration, value string, allowed ...string) error {
	sizes := map[string]time.Duration{
		"exact": time.Microsecond, "microsecond": time.Microsecond, "millisecond": time.Millisecond,
		"second": time.Second, "minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour,
	}
	for _, name := range allowed {
		if name == value {
			*field = sizes[name]
			return nil
		}
	}
	return errValue
}

func jobKnobs() []knob {
	return []knob{
		{
			Doc{
				Name: "time_resolution", Values: "microsecond|millisecond|second|second_shown", Default: "microsecond",
				Text: "resolution of created_at; second_shown: sent in seconds, but compared in microseconds",
			},
			setTimeResolution,
		},
		choice("oddities", "rare keys, numbers as text, numbers of many digits; many adds hostile texts, twin keys, deep nesting",
			func(s *settings) *string { return &s.look.oddities }, "normal", "none", "many"),
		toggle("stuck", "jobs that were open at the start stay so for ever", func(s *settings) *bool { return &s.stuck }, on, off, on),
		address("document_base", "what document_url begins with; empty: the document host, or the vendor's if none was started",
			func(s *settings) *string { return &s.look.documentBase }),
		length("document_ttl", "0s", "a document_url is signed anew in every answer and good for so long; 0s: good for ever, never changing",
			func(s *settings) *time.Duration { return &s.look.documentTTL }, false),
		choice("documents", "what the document host answers: 404, 403, no bytes, a web page, fewer bytes than announced, other bytes each time, or without end",
			func(s *settings) *string { return &s.documents.answer },
			"ok", "gone", "expired", "empty", "html", "truncated", "changing", "endless"),
		address("document_redirect", "where the document host redirects to", func(s *settings) *string { return &s.documents.redirect }),
	}
}

func setTimeResolution(s *settings, value string) error {
	if value == "second_shown" {
		s.look.resolution, s.look.stored = time.Second, time.Microsecond
		return nil
	}
	var d time.Duration
	if err := setResolution(&d, value, "microsecond", "millisecond", "second"); err != nil {
		return err
	}
	s.look.resolution, s.look.stored = d, d
	return nil
}
