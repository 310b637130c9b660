package main

import (
	"log/slog"
	"sync"
	"time"
)

// retryLogEvery is the shortest time between two lines about repeated requests:
// where one fails, many do.
const retryLogEvery = 5 * time.Second

// retryLog tells of requests that have to be repeated more than once.
type retryLog struct {
	log *slog.Logger

	mu   sync.Mutex
	last time.Time
}

func newRetryLog(log *slog.Logger) *retryLog { return &retryLog{log: log} }

// retrying is told of a failed attempt. One failure is nothing to speak of.
func (r *retryLog) retrying(attempt int, err error, pause time.Duration) {
	if attempt < 2 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if now := time.Now(); r.last.IsZero() || now.Sub(r.last) >= retryLogEvery {
		r.last = now
		r.log.Info("retrying", "failures", attempt, "reason", printable(err.Error()), "pause", pause.Round(time.Millisecond))
	}
}
