package docextracttest

import (
	"sync"
	"time"
)

// RateKey is a bearer key with limits of its own, beside [Config.Key].
type RateKey struct {
	Key       string
	PerMinute int64 // requests; 0: no limit
	PerHour   int64
}

// RateUse is what became of one window of a key's limit of a minute.
type RateUse struct {
	Start   time.Time
	Limit   int64 // 0: none
	Used    int64 // requests that it allowed
	Refused int64 // requests answered by a 429
}

// mostUses bounds the history of a key's windows.
const mostUses = 10_000

// rates counts the requests of each key.
type rates struct {
	mu     sync.Mutex
	own    map[string]*rateWindows // of the keys that have limits of their own
	shared rateWindows             // of all others together
}

func newRates(keys []RateKey) *rates {
	r := &rates{own: map[string]*rateWindows{}}
	for _, k := range keys {
		r.own[k.Key] = &rateWindows{limits: &RateKey{PerMinute: k.PerMinute, PerHour: k.PerHour}}
	}
	return r
}

// known reports whether the key has limits of its own.
func (r *rates) known(key string) bool { return r.own[key] != nil }

// take counts a request of the key if count is set and the limits allow it. The
// state is that of the window that is nearer to its end.
func (r *rates) take(key string, now micros, set *rateSettings, count bool) (rateState, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.windows(key).take(now, set, count)
}

func (r *rates) windows(key string) *rateWindows {
	if w := r.own[key]; w != nil {
		return w
	}
	return &r.shared
}

// RateUse tells how the key's windows of a minute were used, oldest first; keys
// without limits of their own share one history. Windows without a request are
// left out.
func (s *Simulator) RateUse(key string) []RateUse {
	s.rates.mu.Lock()
	defer s.rates.mu.Unlock()
	w := s.rates.windows(key)
	if w.use.Start.IsZero() {
		return nil
	}
	return append(append([]RateUse(nil), w.past...), w.use)
}

// rateWindows counts one key's requests in windows of a minute and of an hour,
// which begin with the full minute and the full hour.
type rateWindows struct {
	limits       *RateKey // nil: those of the knobs
	minute, hour rateWindow
	use          RateUse
	past         []RateUse
}

type rateWindow struct {
	index int64
	used  int64
}

// rateState is what the headers of an answer say.
type rateState struct {
	limited          bool // there is a limit at all
	limit, remaining int64
	reset            micros
}

func (w *rateWindows) take(now micros, set *rateSettings, count bool) (rateState, bool) {
	perMinute, perHour := set.minute, set.hour
	if w.limits != nil {
		perMinute, perHour = w.limits.PerMinute, w.limits.PerHour
	}
	minute := w.minute.state(now, set.window, perMinute)
	hour := w.hour.state(now, time.Hour, perHour)
	allowed := (!minute.limited || minute.remaining > 0) && (!hour.limited || hour.remaining > 0)
	if count {
		w.note(minute, set.window, allowed)
	}
	if count && allowed {
		w.minute.used++
		w.hour.used++
		minute.remaining--
		hour.remaining--
	}
	switch {
	case !hour.limited:
		return minute, allowed
	case !minute.limited:
		return hour, allowed
	case hour.remaining <= minute.remaining:
		return hour, allowed
	default:
		return minute, allowed
	}
}

// note keeps the history.
func (w *rateWindows) note(minute rateState, length time.Duration, allowed bool) {
	if start := time.UnixMicro(minute.reset).Add(-length).UTC(); !start.Equal(w.use.Start) {
		if !w.use.Start.IsZero() && len(w.past) < mostUses {
			w.past = append(w.past, w.use)
		}
		w.use = RateUse{Start: start, Limit: minute.limit}
	}
	if allowed {
		w.use.Used++
	} else {
		w.use.Refused++
	}
}

func (w *rateWindow) state(now micros, length time.Duration, limit int64) rateState {
	if index := now / length.Microseconds(); index != w.index {
		*w = rateWindow{index: index}
	}
	return rateState{
		limited: limit > 0, limit: limit, remaining: max(0, limit-w.used),
		reset: (w.index + 1) * length.Microseconds(),
	}
}
