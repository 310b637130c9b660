package cache

import (
	"context"
	"sync"
	"time"
)

// localLeases are leases among the goroutines of this process. They need no
// renewal: a holder that dies takes the table with it.
type localLeases struct {
	holder string

	mu   sync.Mutex
	held map[string]*localLease
}

func newLocalLeases(holder string) *localLeases {
	return &localLeases{holder: holder, held: map[string]*localLease{}}
}

func (l *localLeases) Acquire(_ context.Context, name string, _ time.Duration) (Lease, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held[name] != nil {
		return nil, &ErrHeld{Name: name, Holder: l.holder}
	}
	lease := &localLease{table: l, name: name, lost: make(chan struct{})}
	l.held[name] = lease
	return lease, nil
}

type localLease struct {
	table *localLeases
	name  string
	lost  chan struct{} // never closed: nobody can take the lease away
}

func (l *localLease) Lost() <-chan struct{} { return l.lost }

func (l *localLease) Release(context.Context) error {
	l.table.mu.Lock()
	defer l.table.mu.Unlock()
	if l.table.held[l.name] == l {
		delete(l.table.held, l.name)
	}
	return nil
}
