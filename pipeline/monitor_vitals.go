package pipeline

import (
	"math"
	"strconv"
	"strings"

	"github.com/adteco/docarchive/internal/rawjson"
)

// vitals is what a Monitor takes from a job. It is filled again for every job.
type vitals struct {
	timed  bool
	took   int64 // milliseconds
	code   string
	scores []fieldScore
}

type fieldScore struct {
	field string
	value float64
}

// scan reads a job. What is of another kind than promised, or out of bounds, is
// passed over: a monitor measures what is there.
func (v *vitals) scan(raw []byte) {
	*v = vitals{code: MonitorNone, scores: v.scores[:0]}
	s := rawjson.NewScanner(raw)
	// The text was validated when its page, or its line, was read.
	_ = s.Object(func(key []byte) error {
		kind := s.Peek()
		switch {
		case string(key) == `"processing_time_ms"` && kind == rawjson.Number:
			value, err := s.Value()
			ms, bad := strconv.ParseFloat(string(value), 64)
			if bad == nil && ms >= 0 && ms <= longestDuration {
				v.timed, v.took = true, int64(math.Round(ms))
			}
			return err
		case string(key) == `"error_details"` && kind == rawjson.Object:
			return s.Object(func(key []byte) error {
				kind := s.Peek()
				value, err := s.Value()
				if string(key) == `"code"` && kind == rawjson.String {
					code, _ := rawjson.Text(value)
					v.code = shortName(code)
				}
				return err
			})
		case string(key) == `"confidence"` && kind == rawjson.Object:
			return v.scanScores(s, "")
		}
		_, err := s.Value()
		return err
	})
}

// scanScores reads an object of confidences. Those of nested fields get the
// path, joined by dots.
func (v *vitals) scanScores(s *rawjson.Scanner, path string) error {
	return s.Object(func(key []byte) error {
		field := path + decodeKey(key)
		switch s.Peek() {
		case rawjson.Object:
			if len(field) < monitorName {
				return v.scanScores(s, field+".")
			}
		case rawjson.Number:
			value, err := s.Value()
			if score, bad := strconv.ParseFloat(string(value), 64); bad == nil && score >= 0 && score <= 1 {
				v.scores = append(v.scores, fieldScore{shortName(field), score})
			}
			return err
		}
		_, err := s.Value()
		return err
	})
}

// shortName bounds a name that others chose.
func shortName(name string) string {
	if len(name) <= monitorName {
		return name
	}
	return strings.ToValidUTF8(name[:monitorName], "") + "…"
}
