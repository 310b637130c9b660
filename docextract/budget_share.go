package docextract

import "time"

// portions are what one of several workers may spend of each of the server's
// windows. A window is known by its size: the API has one of a minute and one of
// an hour, and tells of the one that is nearer to its end.
//
// Each worker holds its share of every window that begins while it is at work.
// Of one that it meets in the middle it takes only what the shares of all others
// leave for certain, since it cannot know what they have spent. So all workers
// together never spend more than there is, as long as nobody else uses the key.
type portions struct {
	workers int64
	byLimit map[int64]*portion
}

// portion is a worker's part of one window.
type portion struct {
	quota int64
	spent int64
	seen  RateHeader
	reset time.Time // on the local clock, rather too late than too early
	over  bool      // the window is over, and no answer of the next one has come
}

// mostPortions bounds what a server that names ever other limits can cost.
const mostPortions = 8

// share is a worker's part of a whole window. Where there are more workers than
// requests each may send one, and obeys the 429 that may come of it.
func (p *portions) share(limit int64) int64 { return max(1, limit/p.workers) }

// wait returns how long to wait before another request, given those in flight;
// zero if it may be sent.
func (p *portions) wait(now time.Time, inFlight int64) (delay time.Duration) {
	for limit, w := range p.byLimit {
		if !w.over && !now.Before(w.reset) {
			w.over, w.spent, w.quota = true, 0, p.share(limit)
		}
		switch {
		case w.spent+inFlight < w.quota:
		case w.over && inFlight > 0:
			delay = max(delay, probePause) // its answer will tell of the window
		case w.over: // nothing came of what was sent
		case inFlight > 0 && w.spent < w.quota:
			delay = max(delay, min(probePause, w.reset.Sub(now))) // it may have been counted before
		default:
			delay = max(delay, w.reset.Sub(now))
		}
	}
	return delay
}

// answered counts a request in the windows that it fell into.
func (p *portions) answered(seen RateHeader, now time.Time) {
	for limit, w := range p.byLimit {
		if limit != seen.Limit {
			w.spent++
		}
	}
	if seen.Remaining < 0 || seen.Limit == 0 {
		return
	}
	reset := now.Add(seen.Left)
	w := p.byLimit[seen.Limit]
	switch {
	case w == nil:
		if len(p.byLimit) == mostPortions {
			clear(p.byLimit)
		}
		share := p.share(seen.Limit)
		left := max(0, seen.Remaining-(p.workers-1)*share)
		p.byLimit[seen.Limit] = &portion{quota: min(share, left), seen: seen, reset: reset}
	case !seen.Reset.Before(w.seen.Reset.Add(sameWindow)): // the next one
		if !w.over {
			w.spent = 0
		}
		*w = portion{quota: p.share(seen.Limit), spent: w.spent + 1, seen: seen, reset: reset}
	case !seen.Reset.Before(w.seen.Reset.Add(-sameWindow)):
		if w.over {
			return // of the window that is over
		}
		w.spent++
		if reset.Before(w.reset) {
			w.reset = reset
		}
	}
}

// failed counts a request that may have been counted by the server.
func (p *portions) failed() {
	for _, w := range p.byLimit {
		w.spent++
	}
}
