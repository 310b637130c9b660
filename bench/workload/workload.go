// Package workload makes jobs as the API would list them: always the same ones
// for the same [Spec], each on its own, so that they can be made in parallel and
// out of order.
//
// A job is about 1.5 kB of JSON. Five extractors share some fields; objects are
// nested up to three deep, line items and the like are arrays of objects, two
// fields come now as a number and now as text, and a few jobs have failed. All
// of them flatten into [Spec.Columns], of which a row fills about 41.
package workload

import (
	"strconv"
	"time"
)

// BaseColumns is the number of columns of a workload without extra ones.
const BaseColumns = 94

// extraFilled is how many of the extra columns one job fills.
const extraFilled = 20

// Spec says which jobs there are. Equal specs make equal jobs.
type Spec struct {
	Jobs  int
	Days  int       // over which created_at is spread evenly
	End   time.Time // all jobs are created before it; whole microseconds, UTC
	Seed  uint64
	Extra int // columns on top of BaseColumns
}

// Start is the time from which on jobs are created.
func (s Spec) Start() time.Time { return s.End.AddDate(0, 0, -s.Days) }

// CreatedAt is the time of creation of job i, in whole microseconds. It grows
// with i.
func (s Spec) CreatedAt(i int) time.Time {
	span := s.End.Sub(s.Start()).Microseconds()
	slot := span / int64(max(1, s.Jobs))
	at := int64(float64(span) / float64(max(1, s.Jobs)) * float64(i))
	if slot > 2 {
		d := s.dice(i, streamTime)
		at += int64(d.below(uint64(slot / 2)))
	}
	return s.Start().Add(time.Duration(at) * time.Microsecond)
}

// Status is the state of job i: a final one.
func (s Spec) Status(i int) string {
	d := s.dice(i, streamStatus)
	if d.below(1000) < 30 {
		return "failed"
	}
	return "completed"
}

// Extractor is the number of the extractor of job i in [Spec.ExtractorIDs].
func (s Spec) Extractor(i int) int {
	d := s.dice(i, streamKind)
	at := int(d.below(100))
	for n := range kinds {
		if at -= kinds[n].share; at < 0 {
			return n
		}
	}
	return 0
}

// ExtractorIDs lists the extractors.
func (s Spec) ExtractorIDs() []string {
	ids := make([]string, len(kinds))
	for n := range kinds {
		ids[n] = kinds[n].id
	}
	return ids
}

// Append appends job i as one JSON object without line breaks.
func (s Spec) Append(dst []byte, i int) []byte {
	w := &press{buf: dst, dice: s.dice(i, streamJob)}
	kind, created := &kinds[s.Extractor(i)], s.CreatedAt(i)
	failed := s.Status(i) == "failed"
	w.open('{')
	w.key("id")
	w.buf = append(w.buf, `"job_`...)
	id := s.dice(i, streamID)
	w.hex(id.next(), 16)
	w.hex(uint64(i), 8)
	w.buf = append(w.buf, '"')
	w.text("org_id", "org_7d1f4c2ab09e")
	w.text("extractor_id", kind.id)
	w.text("status", s.Status(i))
	w.key("document_url")
	w.buf = append(w.buf, `"https://storage.adteco.com/documents/`...)
	w.hex(w.dice.next(), 16)
	w.buf = append(w.buf, `.pdf?signature=`...)
	w.hex(w.dice.next(), 16)
	w.buf = append(w.buf, '"')
	w.text("mime_type", w.pick(mimeTypes))
	w.int("file_size_bytes", 20_000+w.dice.below(4_000_000))
	took := 800 + w.dice.below(9_000)
	if failed {
		w.null("extracted_data")
		w.null("confidence")
	} else {
		w.object("extracted_data", func() {
			kind.data(w)
			s.extra(w, i)
		})
		w.object("confidence", func() {
			for _, field := range kind.confidence {
				w.confidence(field)
			}
		})
	}
	w.object("metadata", func() { metadata(w) })
	w.int("processing_time_ms", took)
	w.int("cost_credits", 1+w.dice.below(8))
	if failed {
		w.object("error_details", func() {
			w.text("code", w.pick(errorCodes))
			w.text("message", "The document could not be processed.")
		})
	} else {
		w.null("error_details")
	}
	started := created.Add(time.Duration(w.dice.below(3_000_000)) * time.Microsecond)
	w.time("created_at", created)
	w.time("started_at", started)
	w.time("completed_at", started.Add(time.Duration(took)*time.Millisecond))
	w.close('}')
	return w.buf
}

// extra fills some of the extra columns, each of which comes up in turn.
func (s Spec) extra(w *press, i int) {
	for k := range min(extraFilled, s.Extra) {
		n := (i*extraFilled + k) % s.Extra
		if n%2 == 0 {
			w.int(extraName(n), w.dice.below(1_000_000))
		} else {
			w.text(extraName(n), w.pick(cities))
		}
	}
}

func extraName(n int) string { return "extra_" + strconv.Itoa(10_000 + n)[1:] }
