package docextracttest

import (
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// filter is what a listing selects. It is comparable: equal filters select the
// same jobs.
type filter struct {
	extractor     string
	status        status
	from, to      micros // from ≤ created_at < to
	minConfidence float64
	confidence    bool   // minConfidence is given
	metadata      string // KEY=VALUE lines, escaped; empty: any
}

// query is a listing request.
type query struct {
	filter
	limit, offset int
}

// refusal is an error that the API answers with.
type refusal struct {
	status        int
	code, message string
	suggestion    string
}

func badRequest(code, message, suggestion string) *refusal {
	return &refusal{http.StatusBadRequest, code, message, suggestion}
}

func badParameter(name, want string) *refusal {
	return badRequest("invalid_parameter", "The parameter "+name+" is not valid.", name+" must be "+want+".")
}

// parseQuery reads the parameters of a listing, as the settings say.
func parseQuery(values url.Values, s *settings) (query, *refusal) {
	q := query{filter: filter{status: anyStatus, from: math.MinInt64, to: never}, limit: int(s.listing.limitDefault)}
	for name, list := range values {
		value := list[len(list)-1]
		if r := q.set(name, value, s); r != nil {
			return q, r
		}
	}
	q.limit = min(q.limit, int(s.listing.limitMax))
	if s.listing.ignoreOffset {
		q.offset = 0
	}
	return q, nil
}

func (q *query) set(name, value string, s *settings) *refusal {
	var ok bool
	switch name {
	case "extractor_id":
		q.extractor = value
	case "status":
		if q.status = statusNamed(value); q.status == otherStatus {
			return badParameter(name, "queued, processing, completed or failed")
		}
	case "created_after":
		if q.from, ok = lowerBound(value, s); !ok {
			return badParameter(name, "an RFC 3339 time")
		}
	case "created_before":
		if q.to, ok = upperBound(value, s); !ok {
			return badParameter(name, "an RFC 3339 time")
		}
	case "min_confidence":
		c, err := strconv.ParseFloat(value, 64)
		if err != nil || !(c >= 0 && c <= 1) {
			return badParameter(name, "a number from 0 to 1")
		}
		q.minConfidence, q.confidence = c, true
	case "limit":
		return q.setLimit(value, &s.listing)
	case "offset":
		return q.setOffset(value, &s.listing)
	default:
		return q.setOther(name, value, &s.filter)
	}
	return nil
}

func (q *query) setLimit(value string, l *listingSettings) *refusal {
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 || l.refuseLimit && int64(n) > l.limitMax {
		return badParameter("limit", "a whole number from 1 to "+strconv.FormatInt(l.limitMax, 10))
	}
	q.limit = n
	return nil
}

func (q *query) setOffset(value string, l *listingSettings) *refusal {
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 {
		return badParameter("offset", "a whole number from 0")
	}
	if l.offsetMax > 0 && int64(n) > l.offsetMax {
		return badParameter("offset", "at most "+strconv.FormatInt(l.offsetMax, 10)+"; narrow the listing by created_after and created_before")
	}
	q.offset = n
	return nil
}

func (q *query) setOther(name, value string, f *filterSettings) *refusal {
	key, bracket := strings.CutPrefix(name, "metadata[")
	key, closed := strings.CutSuffix(key, "]")
	switch {
	case bracket && closed && f.metadataSearch == on:
		// The order of parameters must not matter, nor what the values hold.
		line := url.QueryEscape(key) + "=" + url.QueryEscape(value)
		q.metadata = sortedLines(q.metadata, line)
		return nil
	case bracket && closed && f.metadataSearch == off:
		return badRequest("metadata_search_disabled", "Metadata search is not enabled for this organization.",
			"Contact support to have it enabled, or filter the jobs yourself.")
	case bracket && closed:
		return nil
	case f.refuseUnknown:
		return badRequest("unknown_parameter", "Unknown parameter: "+name+".", "Remove it.")
	}
	return nil
}

func sortedLines(lines, line string) string {
	if lines == "" {
		return line
	}
	head, tail, more := strings.Cut(lines, "\n")
	switch {
	case line < head:
		return line + "\n" + lines
	case more:
		return head + "\n" + sortedLines(tail, line)
	default:
		return head + "\n" + line
	}
}

// lowerBound is the earliest created_at that created_after=value lets in.
func lowerBound(value string, s *settings) (micros, bool) {
	t, ok := parseBound(value, s)
	if s.filter.bounds == exclusive {
		return afterUnit(t, s.look.stored), ok
	}
	return unitFrom(t, s.look.stored), ok
}

// upperBound is the earliest created_at that created_before=value keeps out.
func upperBound(value string, s *settings) (micros, bool) {
	t, ok := parseBound(value, s)
	if s.filter.bounds == inclusive {
		return afterUnit(t, s.look.stored), ok
	}
	return unitFrom(t, s.look.stored), ok
}

func parseBound(value string, s *settings) (time.Time, bool) {
	t, err := time.Parse(time.RFC3339Nano, value)
	if err != nil || t.Year() < 1700 || t.Year() > 2200 {
		return time.Time{}, false
	}
	if s.filter.boundsResolution > time.Microsecond {
		t = t.UTC().Truncate(s.filter.boundsResolution)
	}
	return t, true
}

// unitFrom is the first time that, cut to the unit, is at or after t.
func unitFrom(t time.Time, unit time.Duration) micros {
	cut := t.Truncate(unit)
	if cut.Before(t) {
		cut = cut.Add(unit)
	}
	return cut.UnixMicro()
}

// afterUnit is the first time that, cut to the unit, is after t.
func afterUnit(t time.Time, unit time.Duration) micros {
	return t.Truncate(unit).Add(unit).UnixMicro()
}
