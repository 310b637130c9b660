package main

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/adteco/docarchive/internal/config"
	"github.com/adteco/docarchive/internal/ledger"
	"github.com/adteco/docarchive/pipeline"
)

// windowsRead is how many windows' records are read at once: on a remote store
// most of that is waiting.
const windowsRead = 8

// living is [stand] over the windows whose jobs the API may still have, which
// alone say how many days are left: what it takes does not grow with the archive.
func living(ctx context.Context, l *ledger.Ledger, p config.Pipeline, now time.Time) (standing, error) {
	st := standing{Pipeline: p.Name}
	settings, err := l.SettingsOf(ctx, p.Name)
	if err != nil || settings.Window == 0 {
		return st, err
	}
	names, err := l.Windows(ctx, p.Name)
	if err != nil {
		return st, err
	}
	var windows []pipeline.Window
	for _, name := range names {
		w, err := pipeline.ParseWindow(name, settings.Window)
		if err != nil {
			return st, err
		}
		if !w.End.Before(now.Add(-pipeline.Retention)) {
			windows = append(windows, w)
		}
	}
	known := map[time.Time]bool{}
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(windowsRead)
	for _, w := range windows {
		group.Go(func() error {
			h, err := l.Load(ctx, p.Name, w)
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			known[w.Start] = true
			st.add(h)
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return st, err
	}
	st.expect(settings, known, p.Settle, now)
	return st, nil
}
