package ledger_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"github.com/adteco/docarchive/internal/store"
	"github.com/adteco/docarchive/pipeline"
)

// seeds is how many worlds are tried; a mistake may take more of them to show.
var seeds = flag.Uint64("seeds", 60, "how many worlds the model tries")

const mutantSeeds = 1000

func TestModel(t *testing.T) {
	t.Parallel()
	committed := 0
	for seed := range *seeds {
		w := newWorld(t, seed, nil)
		w.run(t)
		if found := w.violations(t); len(found) > 0 {
			t.Fatalf("seed %d: %q", seed, found)
		}
		committed += len(w.acked)
	}
	if committed < 3*int(*seeds) {
		t.Errorf("only %d commits in %d worlds: the model tests too little", committed, *seeds)
	}
}

// Each of these is a mistake that the model must notice.
func TestModelHasTeeth(t *testing.T) {
	t.Parallel()
	for name, m := range map[string]mutant{
		"records are written unconditionally": func(b store.Backend) store.Backend { return unconditional{b} },
		"a refusal is taken for success":      func(b store.Backend) store.Backend { return always{b} },
		"garbage is collected at any age":     func(b store.Backend) store.Backend { return ancient{b} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(mutantSeeds) {
				w := newWorld(t, seed, m)
				w.run(t)
				if len(w.violations(t)) > 0 {
					return
				}
			}
			t.Errorf("no violation in %d worlds", mutantSeeds)
		})
	}
}

// These are mistakes in how a run uses the cache.
func TestModelHasTeethForTheCache(t *testing.T) {
	t.Parallel()
	for name, use := range map[string]reliance{
		"the cache is the truth":             asTruth,
		"the cache is told before the write": beforehand,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(mutantSeeds) {
				w := newWorld(t, seed, nil)
				w.cache.use = use
				w.run(t)
				if len(w.violations(t)) > 0 {
					return
				}
			}
			t.Errorf("no violation in %d worlds", mutantSeeds)
		})
	}
}

type unconditional struct{ store.Backend }

func (u unconditional) Create(ctx context.Context, key string, data []byte) error {
	if err := u.Delete(ctx, key); err != nil {
		return err
	}
	return u.Backend.Create(ctx, key, data)
}

type always struct{ store.Backend }

func (a always) Create(ctx context.Context, key string, data []byte) error {
	if err := a.Backend.Create(ctx, key, data); !errors.Is(err, store.ErrExists) {
		return err
	}
	return nil
}

// ancient says of every object that it is old.
type ancient struct{ store.Backend }

func (a ancient) Stat(ctx context.Context, key string) (store.Object, error) {
	o, err := a.Backend.Stat(ctx, key)
	o.Modified = time.Time{}
	return o, err
}

func (a ancient) List(ctx context.Context, prefix string, fn func(store.Object) error) error {
	return a.Backend.List(ctx, prefix, func(o store.Object) error {
		o.Modified = time.Time{}
		return fn(o)
	})
}

// flaky is the bucket as a run in the model sees it.
type flaky struct {
	store.Backend
	run *worker
	t   *testing.T
}

var (
	errKilled = errors.New("the run was killed")
	errBusy   = fmt.Errorf("%w: injected", store.ErrTemporary)
)

// around does one request, or something worse.
func (f *flaky) around(request func() error) error {
	w := f.run.world
	w.others(f.t)
	switch {
	case f.run.dead:
		return errKilled
	case w.chance(3):
		f.run.dead = true
		return errKilled
	case w.chance(8):
		return errBusy
	}
	err := request()
	w.others(f.t)
	switch {
	case w.chance(3):
		f.run.dead = true
		return errKilled
	case w.chance(8):
		return errBusy // the reply is lost
	}
	return err
}

func (f *flaky) Create(ctx context.Context, key string, data []byte) error {
	return f.around(func() error {
		if f.run.world.chance(10) {
			f.run.world.zombies = append(f.run.world.zombies, func() {
				if err := f.Backend.Create(context.WithoutCancel(ctx), key, data); err != nil && !errors.Is(err, store.ErrExists) {
					f.t.Error(err)
				}
			})
			return errBusy
		}
		return f.Backend.Create(ctx, key, data)
	})
}

func (f *flaky) Read(ctx context.Context, key string) (r io.ReadCloser, err error) {
	err = f.around(func() (err error) { r, err = f.Backend.Read(ctx, key); return err })
	if err != nil && r != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, err
}

func (f *flaky) Stat(ctx context.Context, key string) (o store.Object, err error) {
	err = f.around(func() (err error) { o, err = f.Backend.Stat(ctx, key); return err })
	return o, err
}

func (f *flaky) Put(ctx context.Context, key string, c store.Content) error {
	return f.around(func() error { return f.Backend.Put(ctx, key, c) })
}

func (f *flaky) Copy(ctx context.Context, from, to string) error {
	return f.around(func() error { return f.Backend.Copy(ctx, from, to) })
}

func (f *flaky) Delete(ctx context.Context, key string) error {
	return f.around(func() error { return f.Backend.Delete(ctx, key) })
}

func (f *flaky) List(ctx context.Context, prefix string, fn func(store.Object) error) error {
	return f.around(func() error { return f.Backend.List(ctx, prefix, fn) })
}

// spooled writes a part's file.
func spooled(file, path, text string, rows int64) pipeline.Part {
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		panic(err) // the disk of the machine that runs the tests
	}
	sum := sha256.Sum256([]byte(text))
	return pipeline.Part{Spool: file, File: pipeline.File{
		Kind: pipeline.KindData, Dataset: "invoices", Sink: "csv:invoices", Path: path,
		SHA256: hex.EncodeToString(sum[:]), Size: int64(len(text)), Rows: rows,
	}}
}
