package docextracttest

import "time"

// plan is the course of every generated job: pure functions of the seed and the
// job's number. Numbers below jobs are the population at the start; those from
// there on arrive later.
type plan struct {
	seed     uint64
	start    micros
	calendar calendar
	jobs     int
	open     int // of jobs, those not final at the start
	oldOpen  int // of open, those that are old
	burst    int // jobs created within one second, in the middle of the span
	arrivals float64
	failed   float64
}

// oldestOpen bounds how many of the open jobs are old ones.
const oldestOpen = 3

func newPlan(c Config, start micros) plan {
	p := plan{
		seed: c.Seed, start: start, jobs: c.Jobs, open: min(max(c.Open, 0), c.Jobs),
		burst: min(max(c.Burst, 0), c.Jobs), arrivals: max(c.Arrivals, 0), failed: c.Failed,
		calendar: newCalendar(start-c.Span.Microseconds(), start),
	}
	p.oldOpen = min(p.open/2, oldestOpen)
	return p
}

// Streams keep the random numbers of different purposes apart.
const (
	streamID = iota + 1
	streamCourse
	streamJitter
	streamMetadata
	streamContent
	streamFault
	streamOrder
	streamFile
	streamRequest
	streamLag
)

func (p *plan) created(number int) micros {
	jitter := unit(hash(p.seed, streamJitter, uint64(number)))
	if number >= p.jobs {
		minutes := (float64(number-p.jobs) + jitter) / p.arrivals
		return p.start + 1 + micros(minutes*float64(time.Minute.Microseconds()))
	}
	if p.burst > 0 && number >= (p.jobs-p.burst)/2 {
		return p.createdSinceBurst(number, jitter)
	}
	return min(p.calendar.at((float64(number)+jitter)/float64(p.jobs)), p.start-1)
}

// createdSinceBurst is created for the jobs of the burst, which begins with a
// full second, and for those after it, which share the rest of the span.
func (p *plan) createdSinceBurst(number int, jitter float64) micros {
	first := (p.jobs - p.burst) / 2
	share := float64(first) / float64(p.jobs)
	const second = micros(1_000_000)
	begin := (p.calendar.at(share)/second + 1) * second
	if i := number - first; i < p.burst {
		return begin + micros(i)*second/micros(p.burst)
	}
	rest := (float64(number-first-p.burst) + jitter) / float64(p.jobs-first-p.burst)
	return min(max(begin+second, p.calendar.at(share+rest*(1-share))), p.start-1)
}

// entry plans a generated job.
func (p *plan) entry(number int) entry {
	e := entry{created: p.created(number), ref: int32(number)}
	p.course(&e, uint64(number))
	switch {
	case number >= p.jobs:
	case p.isOpen(number):
		p.leaveOpen(&e, number)
	default:
		p.finishBeforeStart(&e)
	}
	return e
}

// course draws the extractor, the outcome and the delays of a job that is
// created at e.created.
func (p *plan) course(e *entry, number uint64) {
	d := dice(hash(p.seed, streamCourse, number))
	e.kind = kindShares[d.below(len(kindShares))]
	e.outcome = completed
	if unit(d.next()) < p.failed {
		e.outcome = failed
	}
	wait := 200 + d.below(20_000)
	e.work = uint32(600 + d.below(3_000) + d.below(6_000)*d.below(6)/2)
	e.finish = e.created + micros(wait+int(e.work))*1000
}

// finishBeforeStart makes sure that a job of the population is final at the
// start, however late it came.
func (p *plan) finishBeforeStart(e *entry) {
	if e.finish <= p.start {
		return
	}
	e.finish = p.start
	e.work = min(e.work, uint32((p.start-e.created)/1000))
}

// isOpen reports whether a job of the population is open at the start: the most
// recent ones, and a few old ones.
func (p *plan) isOpen(number int) bool {
	recent := p.open - p.oldOpen
	if number >= p.jobs-recent {
		return true
	}
	rest := p.jobs - recent
	for i := range p.oldOpen {
		if number == rest*(i+1)/(p.oldOpen+1) {
			return true
		}
	}
	return false
}

// leaveOpen lets the job end some time after the start: recent ones within ten
// minutes, old ones within a day. Every other one is being processed already.
func (p *plan) leaveOpen(e *entry, number int) {
	d := dice(hash(p.seed, streamCourse, uint64(number), 1))
	e.open = true
	left := 20_000 + d.below(580_000)
	if number < p.jobs-(p.open-p.oldOpen) {
		left = 600_000 + d.below(85_000_000)
	}
	e.finish = p.start + micros(left)*1000
	e.work = uint32(left) / 2
	if d.below(2) == 0 {
		since := int((p.start - e.created) / 1000)
		e.work = uint32(left + min(since, 1+d.below(4_000)))
	}
}

// arrived is how many jobs have arrived since the start.
func (p *plan) arrived(now micros) int {
	if p.arrivals == 0 || now <= p.start {
		return 0
	}
	// The jitter may put off the last one.
	n := int(float64(now-p.start)/float64(time.Minute.Microseconds())*p.arrivals) + 1
	for n > 0 && p.created(p.jobs+n-1) > now {
		n--
	}
	return n
}

const idPrefix = "job_"

// id names a job by its number. The numbers of ids are scattered, but no two
// jobs share one, and number finds the way back.
func (p *plan) id(number uint64) string {
	return string(p.appendID(make([]byte, 0, len(idPrefix)+16), number))
}

func (p *plan) appendID(dst []byte, number uint64) []byte {
	return appendHex(append(dst, idPrefix...), p.scatter(number))
}

func (p *plan) scatter(number uint64) uint64 { return mix(number + hash(p.seed, streamID)) }

func (p *plan) number(id string) (number uint64, ok bool) {
	if len(id) != len(idPrefix)+16 || id[:len(idPrefix)] != idPrefix {
		return 0, false
	}
	var x uint64
	for _, c := range []byte(id[len(idPrefix):]) {
		switch {
		case c >= '0' && c <= '9':
			x = x<<4 | uint64(c-'0')
		case c >= 'a' && c <= 'f':
			x = x<<4 | uint64(c-'a'+10)
		default:
			return 0, false
		}
	}
	return unmix(x) - hash(p.seed, streamID), true
}

func appendHex(dst []byte, x uint64) []byte {
	for shift := 60; shift >= 0; shift -= 4 {
		dst = append(dst, "0123456789abcdef"[x>>shift&15])
	}
	return dst
}
