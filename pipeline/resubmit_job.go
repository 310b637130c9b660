package pipeline

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"

	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/internal/rawjson"
)

// dearest is what a document costs at most, in credits.
const dearest = 8

// failedJob is a job that may be submitted again.
type failedJob struct {
	docextract.Job
	code     string // of its error; empty if it has none
	url      string // of its document
	mimeType string
	size     int64         // of its document in bytes; 0 if not known
	credits  float64       // what another submission costs, at most
	metadata []byte        // JSON object; nil if it has none
	kept     *KeptDocument // in the archive; nil if it is not known to have the document
	link
}

// link is how a job says that it is a resubmission.
type link struct {
	from       string // the job that it was made from; empty if it was not
	token      string
	generation int // resubmissions up to it; 0 if it does not say
}

// readFailed reads what a resubmission needs of a job.
func readFailed(job docextract.Job) failedJob {
	f := failedJob{Job: job, credits: dearest}
	eachMember(job.Raw, func(key string, value []byte) {
		switch key {
		case "error_details":
			if isObject(value) {
				eachMember(value, func(key string, value []byte) {
					if key == "code" {
						f.code = textOf(value)
					}
				})
			}
		case "document_url":
			f.url = textOf(value)
		case "mime_type":
			f.mimeType = textOf(value)
		case "file_size_bytes":
			if n, err := strconv.ParseInt(string(value), 10, 64); err == nil && n > 0 {
				f.size = n
			}
		case "cost_credits":
			// A job that failed may have been cheaper than its document is.
			if n, err := strconv.ParseFloat(string(value), 64); err == nil && n > 0 && n < 1e6 {
				f.credits = n
			}
		case "metadata":
			if isObject(value) {
				f.metadata, f.link = value, readLink(value)
			}
		}
	})
	return f
}

// linkOf reads whether an element of a listing, a job or not, is a resubmission.
func linkOf(raw []byte) (l link) {
	if !bytes.Contains(raw, []byte(`"metadata"`)) || !isObject(raw) {
		return l
	}
	eachMember(raw, func(key string, value []byte) {
		if key == "metadata" && isObject(value) {
			l = readLink(value)
		}
	})
	return l
}

func readLink(metadata []byte) (l link) {
	eachMember(metadata, func(key string, value []byte) {
		switch key {
		case MetadataFrom:
			l.from = textOf(value)
		case MetadataToken:
			l.token = textOf(value)
		case MetadataAttempt:
			text := textOf(value)
			if text == "" {
				text = string(value)
			}
			if n, err := strconv.Atoi(text); err == nil && n > 0 {
				l.generation = n
			}
		}
	})
	return l
}

// eachMember calls f with the members of an object. What is no JSON ends early.
func eachMember(raw []byte, f func(key string, value []byte)) {
	s := rawjson.NewScanner(raw)
	// The text was validated when its page or its file was read.
	_ = s.Object(func(key []byte) error {
		value, err := s.Value()
		if err == nil {
			f(decodeKey(key), value)
		}
		return err
	})
}

func isObject(raw []byte) bool { return rawjson.NewScanner(raw).Peek() == rawjson.Object }

// textOf returns a JSON string's text; empty if it is none.
func textOf(raw []byte) string {
	if len(raw) == 0 || raw[0] != '"' {
		return ""
	}
	text, _ := rawjson.Text(raw)
	return text
}

// linked returns the job's metadata as that of a resubmission of it: all that it
// had, byte for byte, and where it comes from.
func (f *failedJob) linked(generation int, token string) json.RawMessage {
	out := []byte{'{'}
	add := func(key, value []byte) {
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(append(append(out, key...), ':'), value...)
	}
	s := rawjson.NewScanner(f.metadata)
	if f.metadata != nil {
		_ = s.Object(func(key []byte) error { // validated, as above
			value, err := s.Value()
			switch decodeKey(key) {
			case MetadataFrom, MetadataToken, MetadataAttempt:
			default:
				add(key, value)
			}
			return err
		})
	}
	for _, own := range [][2]string{
		{MetadataFrom, f.ID}, {MetadataAttempt, strconv.Itoa(generation)}, {MetadataToken, token},
	} {
		add(rawjson.AppendQuoted(nil, own[0]), rawjson.AppendQuoted(nil, own[1]))
	}
	return append(out, '}')
}

// Choice says which failed jobs of a pipeline are submitted again.
type Choice struct {
	Pipeline string
	Window   time.Duration // the size of the pipeline's windows
	Filter   Filter        // what else the jobs must be; its Status is not asked
	Since    time.Time     // jobs created earlier are left out
	Until    time.Time     // likewise those from here on; zero: none
	Codes    []string      // error codes; empty: every one
	FromAPI  bool          // look for them in the API's listing, not in the raw layer
}

// matches reports whether the job is among those chosen.
func (c *Choice) matches(job *docextract.Job) bool {
	if job.Status != docextract.StatusFailed || job.CreatedAt.Before(c.Since) ||
		!c.Until.IsZero() && !job.CreatedAt.Before(c.Until) {
		return false
	}
	filter := c.Filter
	filter.Status = nil
	return filter.Match(job)
}

// wants reports whether the job failed in a way that is worth another attempt.
func (c *Choice) wants(f *failedJob) bool {
	for _, code := range c.Codes {
		if code == f.code {
			return true
		}
	}
	return len(c.Codes) == 0
}

// MadeFrom returns the id of the job that a job says it is a resubmission of;
// empty if it says nothing.
func MadeFrom(job []byte) string { return linkOf(job).from }
