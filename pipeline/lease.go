package pipeline

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

const (
	// LeaseTTL is for how long others wait for a run that died with a lease.
	LeaseTTL = 30 * time.Second
	// leaseWait is how long a run waits for a window that another is working on.
	leaseWait = 2 * LeaseTTL
	// leasePoll is how often it asks meanwhile.
	leasePoll = 500 * time.Millisecond
)

// ErrHeld means that another run kept a window to itself for so long that this
// one gave up waiting.
var ErrHeld = errors.New("another run is still working on this window")

// Leases give leave to work on a window, so that runs which overlap do not do
// the same work. They save requests and protect nothing: the ledger does.
type Leases interface {
	// Try takes the lease of that name for [LeaseTTL], and renews it until it is
	// released. ok is false if another run holds it.
	Try(ctx context.Context, name string) (release func(), ok bool)
}

// archiveApart archives windows one by one. Those that other runs are working on
// come last.
func (p *pipelineRun) archiveApart(ctx context.Context, windows []Window) error {
	var mu sync.Mutex
	var later []Window
	err := p.each(ctx, len(windows), func(ctx context.Context, i int) error {
		release, ok := p.lease(ctx, windows[i])
		if !ok {
			mu.Lock()
			defer mu.Unlock()
			later = append(later, windows[i])
			return nil
		}
		defer release()
		return p.guarded(ctx, windows[i], p.window)
	})
	slices.SortFunc(later, func(a, b Window) int { return a.Start.Compare(b.Start) })
	return errors.Join(err, p.each(ctx, len(later), func(ctx context.Context, i int) error {
		return p.guarded(ctx, later[i], p.afterOthers)
	}))
}

func (p *pipelineRun) lease(ctx context.Context, w Window) (release func(), ok bool) {
	if p.Stores.Leases == nil {
		return func() {}, true
	}
	return p.Stores.Leases.Try(ctx, p.Spec.Name+"/"+w.Name())
}

// afterOthers archives a window once no other run is working on it.
func (p *pipelineRun) afterOthers(ctx context.Context, w Window) error {
	patience := time.NewTimer(leaseWait)
	defer patience.Stop()
	again := time.NewTicker(leasePoll)
	defer again.Stop()
	for {
		release, ok := p.lease(ctx, w)
		if ok {
			defer release()
			return p.window(ctx, w)
		}
		select {
		case <-again.C:
		case <-patience.C:
			return ErrHeld
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-p.Stopping:
			return ErrStopped
		}
	}
}
