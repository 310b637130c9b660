package docextracttest

import "math"

// status is where a job stands.
type status uint8

const (
	queued status = iota
	processing
	completed
	failed
	otherStatus // of a job inserted by hand: anything else, or nothing
	anyStatus   // in a filter
)

var statusNames = [...]string{"queued", "processing", "completed", "failed"}

// statusNamed returns the status of that name, or otherStatus.
func statusNamed(name string) status {
	for i, s := range statusNames {
		if s == name {
			return status(i)
		}
	}
	return otherStatus
}

func (s status) final() bool { return s == completed || s == failed }

// micros is a time in microseconds since 1970, UTC.
type micros = int64

const never = micros(math.MaxInt64)

// entry is what the store keeps of every job: enough to filter and to sort, in
// 32 bytes. Everything else is made when it is asked for.
type entry struct {
	created micros
	finish  micros // when it becomes final
	work    uint32 // milliseconds of processing before finish
	ref     int32  // the job's number if it is generated, else -1 - its index among the specials
	kind    uint8  // index of the extractor; noKind if it has none of ours
	outcome status // once final
	open    bool   // open when the simulator started
}

const noKind = math.MaxUint8

func (e *entry) begin() micros { return e.finish - int64(e.work)*1000 }

// clock is a moment as jobs see it.
type clock struct {
	now   micros
	start micros // of the simulator
	stuck bool   // jobs that were open at the start stay as they were
}

// of is the moment that counts for e.
func (c clock) of(e *entry) micros {
	if c.stuck && e.open {
		return min(c.now, c.start)
	}
	return c.now
}

func (e *entry) status(c clock) status {
	switch now := c.of(e); {
	case now >= e.finish:
		return e.outcome
	case now >= e.begin():
		return processing
	default:
		return queued
	}
}

// nextChange is when the status will differ from that at c.
func (e *entry) nextChange(c clock) micros {
	switch {
	case c.stuck && e.open && c.now >= c.start:
		return never
	case c.now >= e.finish:
		return never
	case c.now >= e.begin():
		return e.finish
	default:
		return e.begin()
	}
}

// special is a job that the generator did not plan: submitted, or inserted by
// hand. It does not change once it is in the store.
type special struct {
	id       string
	number   uint64 // of a submitted job, for the generator
	raw      []byte // of a job inserted by hand, as it is sent
	label    string // extractor_id
	metadata []byte // of a submitted job: JSON
	document *document
	problem  bool // raw is not a job
}

// document is what was submitted.
type document struct {
	sha256   string
	mimeType string
	size     int
	credits  int
}

// item is a job in hand: a copy, good without the store's lock.
type item struct {
	entry
	special *special // nil if the job is generated
}
