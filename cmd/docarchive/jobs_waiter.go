package main

import (
	"context"
	"time"

	"github.com/sourcegraph/conc"

	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/pipeline"
)

const (
	firstPoll   = time.Second
	longestPoll = 30 * time.Second
)

// waiter asks for a job until it is final.
type waiter struct {
	fetch func(context.Context, string) (docextract.Job, error)
	sleep func(context.Context, time.Duration) error
	left  func() (remaining, limit int64, ok bool) // of the rate window
}

func (w *workplace) waiter() *waiter {
	return &waiter{fetch: w.client.Job, sleep: pause, left: w.budget.Left}
}

// wait returns the job when it is final. Beside an error stands the job as it
// was last seen, if it was.
func (w *waiter) wait(ctx context.Context, id string) (last docextract.Job, err error) {
	for next := firstPoll; ; next = min(next*3/2, longestPoll) {
		job, err := w.fetch(ctx, id)
		if err != nil {
			return last, err
		}
		if job.Status.Final() {
			return job, nil
		}
		last = job
		if err := w.sleep(ctx, w.stretched(next)); err != nil {
			return last, context.Cause(ctx)
		}
	}
}

// stretched makes pauses longer where less than a quarter of the rate window is
// left: to wait is the least urgent use of a request.
func (w *waiter) stretched(d time.Duration) time.Duration {
	if remaining, limit, ok := w.left(); ok && remaining*4 < limit {
		return 4 * d
	}
	return d
}

// pause waits for d or for the end of ctx, whose error it returns then.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// untilStopped returns a context that ends as soon as a stop is asked for, for
// what may be broken off anywhere. release must be called.
func (a *app) untilStopped(ctx context.Context) (_ context.Context, release func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	var watcher conc.WaitGroup
	watcher.Go(func() {
		select {
		case <-a.stop.begin:
			cancel(pipeline.ErrStopped)
		case <-ctx.Done():
		}
	})
	return ctx, func() {
		cancel(nil)
		watcher.Wait()
	}
}
