// Package storetest has the suite that every kind of storage passes, and makes
// stores fail on purpose.
package storetest

import (
	"context"
	"io"
	"sync/atomic"
	"time"

	"github.com/adteco/docarchive/internal/store"
)

// Op names one attempt of a backend's operation.
type Op string

// The operations, as the methods of [store.Backend].
const (
	Read   Op = "read"
	Stat   Op = "stat"
	Create Op = "create"
	Put    Op = "put"
	Copy   Op = "copy"
	Delete Op = "delete"
	List   Op = "list"
	Sweep  Op = "sweep"
)

// Hooks are called around every attempt. Either may be nil. They may be called
// by several goroutines at once. The key of a copy is its target, that of a
// listing its prefix.
type Hooks struct {
	// Before makes the attempt fail without being done.
	Before func(op Op, key string) error
	// After makes the attempt fail although it was done: its reply is lost.
	After func(op Op, key string) error
}

// Wrap returns a store that calls the hooks. Its retries run above them.
func Wrap(s *store.Store, h Hooks) *store.Store {
	return s.With(func(b store.Backend) store.Backend { return &hooked{Backend: b, hooks: h} })
}

// FailNth returns hooks by which the n-th attempt, from 0, fails with err,
// before or after it is done. The count of attempts so far is kept in seen.
func FailNth(n int64, after bool, err error, seen *atomic.Int64) Hooks {
	hook := func(Op, string) error {
		if seen.Add(1)-1 == n {
			return err
		}
		return nil
	}
	if after {
		return Hooks{After: hook}
	}
	return Hooks{Before: hook}
}

type hooked struct {
	store.Backend
	hooks Hooks
}

func (h *hooked) around(op Op, key string, f func() error) error {
	if h.hooks.Before != nil {
		if err := h.hooks.Before(op, key); err != nil {
			return err
		}
	}
	err := f()
	if err == nil && h.hooks.After != nil {
		err = h.hooks.After(op, key)
	}
	return err
}

func (h *hooked) Read(ctx context.Context, key string) (r io.ReadCloser, err error) {
	err = h.around(Read, key, func() (err error) {
		r, err = h.Backend.Read(ctx, key)
		return err
	})
	if err != nil && r != nil {
		_ = r.Close() // the reply is lost, and with it what it carried
		r = nil
	}
	return r, err
}

func (h *hooked) Stat(ctx context.Context, key string) (o store.Object, err error) {
	err = h.around(Stat, key, func() (err error) {
		o, err = h.Backend.Stat(ctx, key)
		return err
	})
	return o, err
}

func (h *hooked) Create(ctx context.Context, key string, data []byte) error {
	return h.around(Create, key, func() error { return h.Backend.Create(ctx, key, data) })
}

func (h *hooked) Put(ctx context.Context, key string, c store.Content) error {
	return h.around(Put, key, func() error { return h.Backend.Put(ctx, key, c) })
}

func (h *hooked) Copy(ctx context.Context, from, to string) error {
	return h.around(Copy, to, func() error { return h.Backend.Copy(ctx, from, to) })
}

func (h *hooked) Delete(ctx context.Context, key string) error {
	return h.around(Delete, key, func() error { return h.Backend.Delete(ctx, key) })
}

func (h *hooked) List(ctx context.Context, prefix string, fn func(store.Object) error) error {
	return h.around(List, prefix, func() error { return h.Backend.List(ctx, prefix, fn) })
}

func (h *hooked) Sweep(ctx context.Context, before time.Time) (n int, err error) {
	err = h.around(Sweep, "", func() (err error) {
		n, err = h.Backend.Sweep(ctx, before)
		return err
	})
	return n, err
}
