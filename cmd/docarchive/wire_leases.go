package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/adteco/docarchive/cache"
	"github.com/adteco/docarchive/pipeline"
)

// releaseTime is how long giving back a lease may take.
const releaseTime = time.Second

// leases adapts the cache's leases to what a run needs.
type leases struct {
	home      cache.Leaser
	archiveID string
	log       *slog.Logger
}

// Try implements [pipeline.Leases]. A cache that cannot tell holds nobody up.
func (l leases) Try(ctx context.Context, name string) (release func(), ok bool) {
	lease, err := l.home.Acquire(ctx, cache.LeaseName(l.archiveID, name), pipeline.LeaseTTL)
	var held *cache.ErrHeld
	if errors.As(err, &held) {
		l.log.Debug("another run works on this window", "window", name, "holder", held.Holder)
		return nil, false
	}
	if err != nil {
		return func() {}, true
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTime)
		defer cancel()
		if err := lease.Release(ctx); err != nil {
			l.log.Debug("a lease was not given back, and ends by itself", "window", name, "error", err)
		}
	}, true
}
