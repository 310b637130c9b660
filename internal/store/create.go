package store

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
)

// PutIfAbsent writes bytes under a key where nothing stands. It returns nil only
// when these very bytes stand there, and [ErrExists] only when others do.
//
// A reply may be lost after the write, a driver may repeat a request and then
// hear its own success as a refusal, and the context may end in the middle. In
// all these cases the object is read back, if need be after the context's end
// within the grace period, and compared. Callers who must tell their write from
// another's same one put a nonce into the bytes. If even that gives no answer,
// the error is [ErrUnknown].
func (s *Store) PutIfAbsent(ctx context.Context, key string, data []byte) error {
	if err := CheckKey(key); err != nil {
		return err
	}
	if len(data) > MaxCreate {
		return s.wrap("create", key, fmt.Errorf("%w: %d bytes, more than %d", ErrTooLarge, len(data), MaxCreate))
	}
	return s.wrap("create", key, s.putIfAbsent(ctx, key, data))
}

func (s *Store) putIfAbsent(ctx context.Context, key string, data []byte) error {
	var last error
	for try := range s.options.Attempts {
		if try > 0 && s.pause(ctx, try) != nil {
			break
		}
		if try == 0 && ctx.Err() != nil {
			return context.Cause(ctx) // nothing was sent
		}
		err := s.try(ctx, int64(len(data))+1, func(ctx context.Context) error {
			return s.backend.Create(ctx, key, data)
		})
		if err == nil || settled(err) {
			return err
		}
		last = err
		mine, readErr := s.compare(ctx, key, data)
		switch {
		case readErr == nil && mine:
			return nil
		case readErr == nil:
			return ErrExists
		case !errors.Is(readErr, ErrNotExist):
			return fmt.Errorf("%w: %w; reading it back: %w", ErrUnknown, last, readErr)
		case ctx.Err() != nil:
			return fmt.Errorf("%w: %w", ErrUnknown, last)
		case !Temporary(err) && !errors.Is(err, ErrExists):
			return err
		}
	}
	return fmt.Errorf("%w: %w", ErrUnknown, last)
}

// settled reports whether a failed create needs no reading back: the request
// was refused, or is not durable even if it can be seen.
func settled(err error) bool {
	return Denied(err) || Local(err) || errors.Is(err, ErrNoBucket) || errors.Is(err, ErrNoConditionalWrites)
}

// compare reads an object back and reports whether it has these bytes.
func (s *Store) compare(ctx context.Context, key string, data []byte) (same bool, err error) {
	if ctx.Err() != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), s.options.Grace)
		defer cancel()
	}
	there, err := s.Get(ctx, key, int64(len(data)))
	if errors.Is(err, ErrTooLarge) {
		return false, nil
	}
	return err == nil && bytes.Equal(there, data), err
}

// probePrefix lies where readers never look and garbage collection does.
const probePrefix = "_archive/staging/probe-"

// Probe finds out whether the storage can be written, and whether it refuses to
// overwrite where it must: if not, the error is [ErrNoConditionalWrites].
func (s *Store) Probe(ctx context.Context) (err error) {
	key := probePrefix + rand.Text()
	first, second := []byte(rand.Text()), []byte(rand.Text())
	if err := s.PutIfAbsent(ctx, key, first); err != nil {
		return err
	}
	defer func() {
		clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.options.Grace)
		defer cancel()
		if deleteErr := s.Delete(clean, key); err == nil {
			err = deleteErr
		}
	}()
	switch err := s.PutIfAbsent(ctx, key, second); {
	case err == nil:
		return s.wrap("probe", key, ErrNoConditionalWrites)
	case !errors.Is(err, ErrExists):
		return err
	}
	switch same, err := s.compare(ctx, key, first); {
	case err != nil:
		return err
	case !same:
		return s.wrap("probe", key, ErrNoConditionalWrites)
	}
	return nil
}
