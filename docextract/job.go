package docextract

import (
	"fmt"
	"time"

	"github.com/adteco/docarchive/internal/rawjson"
)

// Status is where a job stands in its life. A server may send a status that is
// none of the constants; such a job counts as not final.
type Status string

// The life of a job: queued → processing → completed or failed.
const (
	StatusQueued     Status = "queued"
	StatusProcessing Status = "processing"
	StatusCompleted  Status = "completed"
	StatusFailed     Status = "failed"
)

// Final reports whether a job in this status will never change again.
func (s Status) Final() bool { return s == StatusCompleted || s == StatusFailed }

// Known reports whether the status is one of the constants.
func (s Status) Known() bool {
	return s.Final() || s == StatusQueued || s == StatusProcessing
}

// Job is one extraction: what identifies it, and the JSON object as received.
type Job struct {
	ID          string
	ExtractorID string
	Status      Status
	CreatedAt   time.Time // UTC
	Raw         []byte    // the whole object; shares the memory of its page
}

// Malformed is a listing's element that could not be read as a job.
type Malformed struct {
	Raw    []byte // as received; shares the memory of its page
	Reason string
}

// ParseJob reads one job from a JSON object. The job keeps raw. The error is a
// [*rawjson.SyntaxError] if raw is not JSON, else it says which field keeps the
// object from being a job.
func ParseJob(raw []byte) (Job, error) {
	s := rawjson.NewScanner(raw)
	job, problem, err := scanJob(s)
	if err == nil {
		err = s.End()
	}
	if err != nil {
		return Job{}, err
	}
	if problem != "" {
		return Job{}, fmt.Errorf("not a job: %s", problem)
	}
	return job, nil
}

// envelope is what scanJob needs of a job, by name in the JSON object.
const (
	fieldID = iota
	fieldExtractorID
	fieldStatus
	fieldCreatedAt
	fieldCount
)

func fieldIndex(key []byte) int {
	switch string(key) {
	case `"id"`:
		return fieldID
	case `"extractor_id"`:
		return fieldExtractorID
	case `"status"`:
		return fieldStatus
	case `"created_at"`:
		return fieldCreatedAt
	}
	return -1
}

// scanJob reads the next value as a job. err means that the text is no JSON;
// problem that it is JSON but no job.
func scanJob(s *rawjson.Scanner) (job Job, problem string, err error) {
	if s.Peek() != rawjson.Object {
		raw, err := s.Value()
		return Job{Raw: raw}, "not an object", err
	}
	var fields [fieldCount][]byte
	start := s.Offset()
	more, err := s.OpenObject()
	for more && err == nil {
		var key, value []byte
		if key, err = s.Key(); err != nil {
			break
		}
		if value, err = s.Value(); err != nil {
			break
		}
		if i := fieldIndex(key); i >= 0 {
			if fields[i] != nil && problem == "" {
				problem = "the key " + string(key) + " stands twice"
			}
			fields[i] = value
		}
		more, err = s.NextMember()
	}
	if err != nil {
		return Job{}, "", err
	}
	job.Raw = s.Since(start)
	if problem == "" {
		problem = job.fill(&fields)
	}
	return job, problem, nil
}

// fill sets the envelope from the raw fields and says what is wrong with them.
func (j *Job) fill(fields *[fieldCount][]byte) (problem string) {
	text := func(i int, name string) string {
		raw := fields[i]
		switch {
		case raw == nil || string(raw) == "null":
			problem = name + " is missing"
			return ""
		case raw[0] != '"':
			problem = name + " is not a string"
			return ""
		}
		value, exact := rawjson.Text(raw)
		if !exact {
			problem = name + " is not valid Unicode"
		}
		return value
	}
	var created string
	micros, usual := rawjson.Micros(fields[fieldCreatedAt])
	if usual {
		j.CreatedAt = time.UnixMicro(micros).UTC()
	} else {
		created = text(fieldCreatedAt, "created_at")
	}
	j.Status = knownStatus(fields[fieldStatus])
	if j.Status == "" {
		j.Status = Status(text(fieldStatus, "status"))
	}
	j.ID = text(fieldID, "id")
	if problem == "" && j.ID == "" {
		problem = "id is empty"
	}
	if raw := fields[fieldExtractorID]; len(raw) > 0 && raw[0] == '"' {
		j.ExtractorID, _ = rawjson.Text(raw)
	}
	if problem != "" {
		return problem
	}
	if !usual {
		at, err := time.Parse(time.RFC3339Nano, created)
		if err != nil {
			return "created_at is not an RFC 3339 time"
		}
		j.CreatedAt = at.UTC()
	}
	if year := j.CreatedAt.Year(); year < 2000 || year >= 2200 {
		return "created_at is not between the years 2000 and 2200"
	}
	return ""
}

// knownStatus returns the status of a raw string, as most are written.
func knownStatus(raw []byte) Status {
	switch string(raw) {
	case `"completed"`:
		return StatusCompleted
	case `"failed"`:
		return StatusFailed
	case `"queued"`:
		return StatusQueued
	case `"processing"`:
		return StatusProcessing
	}
	return ""
}
