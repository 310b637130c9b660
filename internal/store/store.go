package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"time"
)

// MaxCreate is the size in bytes up to which [Store.PutIfAbsent] takes an
// object: what every service accepts in a single conditional request.
const MaxCreate = 15 << 20

// Options tunes a store; zero values mean the defaults.
type Options struct {
	Attempts int           // tries of one operation, by default 5; the drivers' own come on top
	Timeout  time.Duration // of one try, by default a minute, and a second more for each MiB
	Grace    time.Duration // for finding out how a cancelled write ended, by default 10 s
	// Sleep waits between tries; by default on a timer. It returns early with an
	// error if the context ends.
	Sleep func(ctx context.Context, d time.Duration) error
}

func (o Options) withDefaults() Options {
	if o.Attempts <= 0 {
		o.Attempts = 5
	}
	if o.Timeout <= 0 {
		o.Timeout = time.Minute
	}
	if o.Grace <= 0 {
		o.Grace = 10 * time.Second
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	return o
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Store is a bucket. It may be used by several goroutines at once.
type Store struct {
	backend Backend
	where   string
	options Options
}

// New makes a store of a backend; where names it in messages, without secrets.
func New(b Backend, where string, o Options) *Store {
	return &Store{backend: b, where: where, options: o.withDefaults()}
}

// With returns a store whose operations pass through what wrap makes of this
// store's backend. Closing either closes both.
func (s *Store) With(wrap func(Backend) Backend) *Store {
	return &Store{backend: wrap(s.backend), where: s.where, options: s.options}
}

// Redacted is the store's URL without anything secret, for printing.
func (s *Store) Redacted() string { return s.where }

// Close releases what the driver holds.
func (s *Store) Close() error { return s.backend.Close() }

// do tries an operation on a key until it succeeds, fails for good, or the
// tries are used up. Each try gets time for size bytes; zero means no deadline.
func (s *Store) do(ctx context.Context, op, key string, size int64, f func(ctx context.Context) error) error {
	var err error
	for try := range s.options.Attempts {
		if try > 0 && s.pause(ctx, try) != nil {
			break
		}
		if err = s.try(ctx, size, f); !Temporary(err) {
			break
		}
	}
	return s.wrap(op, key, err)
}

func (s *Store) wrap(op, key string, err error) error {
	if err == nil {
		return nil
	}
	return &opError{op, key, s.where, err}
}

// pause waits before the given try, longer each time, and not in step with others.
func (s *Store) pause(ctx context.Context, try int) error {
	const first, longest = 200 * time.Millisecond, 10 * time.Second
	d := min(first<<min(try-1, 10), longest)
	return s.options.Sleep(ctx, d/2+rand.N(d/2))
}

func (s *Store) try(ctx context.Context, size int64, f func(ctx context.Context) error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	limited := ctx
	if size > 0 {
		var cancel context.CancelFunc
		limited, cancel = context.WithTimeout(ctx, s.options.Timeout+time.Duration(size>>20)*time.Second)
		defer cancel()
	}
	err := f(limited)
	if err != nil && ctx.Err() == nil && limited.Err() != nil && !Temporary(err) {
		return fmt.Errorf("%w: no answer in time: %w", ErrTemporary, err)
	}
	return err
}

// Get returns an object's bytes, or [ErrTooLarge] if there are more than limit.
func (s *Store) Get(ctx context.Context, key string, limit int64) ([]byte, error) {
	if err := CheckKey(key); err != nil {
		return nil, err
	}
	var data []byte
	err := s.do(ctx, "read", key, limit, func(ctx context.Context) (err error) {
		r, err := s.backend.Read(ctx, key)
		if err != nil {
			return err
		}
		data, err = io.ReadAll(io.LimitReader(r, limit+1))
		if closeErr := r.Close(); err == nil {
			err = closeErr
		}
		if err == nil && int64(len(data)) > limit {
			return fmt.Errorf("%w: more than %d bytes", ErrTooLarge, limit)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return data, nil
}

// Open opens an object for reading. The context ends the reading, too. A failure
// in the middle shows in Read, of the same kinds as other errors.
func (s *Store) Open(ctx context.Context, key string) (io.ReadCloser, error) {
	if err := CheckKey(key); err != nil {
		return nil, err
	}
	var r io.ReadCloser
	err := s.do(ctx, "open", key, 0, func(ctx context.Context) (err error) {
		r, err = s.backend.Read(ctx, key)
		return err
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// Stat returns what the storage knows of an object.
func (s *Store) Stat(ctx context.Context, key string) (Object, error) {
	if err := CheckKey(key); err != nil {
		return Object{}, err
	}
	var o Object
	err := s.do(ctx, "stat", key, 1, func(ctx context.Context) (err error) {
		o, err = s.backend.Stat(ctx, key)
		return err
	})
	return o, err
}

// Put writes bytes under a key, whatever stood there. It is for objects whose
// name follows from their content, and for those that nothing depends on.
func (s *Store) Put(ctx context.Context, key string, data []byte) error {
	return s.put(ctx, key, bytesContent(data))
}

// PutFile is [Store.Put] from a local file, which must not change meanwhile.
func (s *Store) PutFile(ctx context.Context, key, localPath string) error {
	info, err := os.Stat(localPath)
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New(localPath + " is not a regular file")
	}
	if err != nil {
		return s.wrap("write", key, classified(ErrLocal, err))
	}
	return s.put(ctx, key, Content{
		Size: info.Size(),
		Open: func() (io.ReadCloser, error) { return os.Open(localPath) },
	})
}

func (s *Store) put(ctx context.Context, key string, c Content) error {
	if err := CheckKey(key); err != nil {
		return err
	}
	return s.do(ctx, "write", key, c.Size+1, func(ctx context.Context) error {
		return s.backend.Put(ctx, key, c)
	})
}

// Copy gives an object a second name and checks that size bytes arrived. An
// object of that size that stands there already is left alone on a local folder
// and replaced elsewhere: names stand for bytes. On S3 an object may have at
// most 5 GB.
func (s *Store) Copy(ctx context.Context, from, to string, size int64) error {
	if err := errors.Join(CheckKey(from), CheckKey(to)); err != nil {
		return err
	}
	return s.do(ctx, "copy", from+" to "+to, size+1, func(ctx context.Context) error {
		if err := s.backend.Copy(ctx, from, to); err != nil {
			return err
		}
		o, err := s.backend.Stat(ctx, to)
		if err == nil && o.Size != size {
			err = fmt.Errorf("the copy has %d bytes, not %d", o.Size, size)
		}
		return err
	})
}

// Delete removes an object. One that does not exist is no error.
func (s *Store) Delete(ctx context.Context, key string) error {
	if err := CheckKey(key); err != nil {
		return err
	}
	return s.do(ctx, "delete", key, 1, func(ctx context.Context) error {
		return s.backend.Delete(ctx, key)
	})
}

// List calls fn for every object whose key begins with prefix, in no particular
// order, and stops at fn's first error, which it returns as it is. It is not
// tried again, since fn has seen a part.
func (s *Store) List(ctx context.Context, prefix string, fn func(Object) error) error {
	var own error
	err := s.backend.List(ctx, prefix, func(o Object) error {
		own = fn(o)
		return own
	})
	if own != nil {
		return own
	}
	return s.wrap("list", prefix+"*", err)
}

// Sweep removes what writes that crashed before the given time left behind, and
// returns how many. Only a local folder has such leftovers; a cloud's unfinished
// uploads are for the bucket's lifecycle rule.
func (s *Store) Sweep(ctx context.Context, before time.Time) (int, error) {
	n, err := s.backend.Sweep(ctx, before)
	return n, s.wrap("sweep", "temporary files", err)
}
