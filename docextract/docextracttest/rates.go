package docextracttest

import (
	"sync"
	"time"
)

// rateWindows counts requests in windows of a minute and of an hour, which
// begin with the full minute and the full hour.
type rateWindows struct {
	mu           sync.Mutex
	minute, hour rateWindow
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

// take counts a request if count is set and the limits allow it. The state is
// that of the window that is nearer to its end.
func (w *rateWindows) take(now micros, set *rateSettings, count bool) (rateState, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	minute := w.minute.state(now, time.Minute, set.minute)
	hour := w.hour.state(now, time.Hour, set.hour)
	allowed := (!minute.limited || minute.remaining > 0) && (!hour.limited || hour.remaining > 0)
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

func (w *rateWindow) state(now micros, length time.Duration, limit int64) rateState {
	if index := now / length.Microseconds(); index != w.index {
		*w = rateWindow{index: index}
	}
	return rateState{
		limited: limit > 0, limit: limit, remaining: max(0, limit-w.used),
		reset: (w.index + 1) * length.Microseconds(),
	}
}
