package cache

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// renewLease prolongs the lease at KEYS[1] if it holds the token ARGV[1], and
// takes it again if it is gone: a flush is no other holder. It returns 0 if
// another holds it.
var renewLease = redis.NewScript(`
local held = redis.call("GET", KEYS[1])
if held and held ~= ARGV[1] then return 0 end
redis.call("SET", KEYS[1], ARGV[1], "PX", ARGV[2])
return 1`)

// releaseLease deletes the lease only if it is still the caller's.
var releaseLease = redis.NewScript(`
if redis.call("GET", KEYS[1]) == ARGV[1] then return redis.call("DEL", KEYS[1]) end
return 0`)

// Acquire implements [Leaser]. While Redis is away the lease excludes this
// process only.
func (r *Redis) Acquire(ctx context.Context, name string, ttl time.Duration) (Lease, error) {
	key, token := "docarchive:"+name, r.holder+"#"+newToken()
	holder, err := r.claim(ctx, key, token, ttl)
	if errors.Is(err, redis.Nil) {
		// It was held, and free again by the time the holder was asked for.
		holder, err = r.claim(ctx, key, token, ttl)
	}
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, fmt.Errorf("take the lease %s: %w", name, context.Cause(ctx))
	case err != nil:
		return r.local.Acquire(ctx, name, ttl)
	case holder != token:
		return nil, &ErrHeld{Name: name, Holder: holderOf(holder)}
	}
	lease := &redisLease{home: r, key: key, token: token, lost: make(chan struct{}), stopped: make(chan struct{})}
	alive, stop := context.WithCancel(r.alive)
	lease.stop = stop
	r.renewals.Go(func() {
		defer close(lease.stopped)
		defer stop()
		lease.renew(alive, ttl)
	})
	return lease, nil
}

// claim sets the token if nobody's stands there and returns the one that does.
// "Not set" may be the answer to a repetition of a command that was carried
// out, and no answer says nothing: the token alone decides.
func (r *Redis) claim(ctx context.Context, key, token string, ttl time.Duration) (holder string, err error) {
	taken := false
	err = r.guard.do(ctx, func(ctx context.Context) (err error) {
		taken, err = r.client.SetNX(ctx, key, token, ttl).Result()
		return err
	})
	if taken {
		return token, nil
	}
	if err != nil && ctx.Err() != nil {
		return "", err
	}
	err = r.guard.do(ctx, func(ctx context.Context) (err error) {
		holder, err = r.client.Get(ctx, key).Result()
		return err
	})
	return holder, err
}

// holderOf is the part of a token that is meant for people.
func holderOf(token string) string {
	if i := strings.LastIndexByte(token, '#'); i > 0 {
		return token[:i]
	}
	return "another program"
}

type redisLease struct {
	home       *Redis
	key, token string
	lost       chan struct{}
	stop       context.CancelFunc
	stopped    chan struct{} // closed when no renewal is under way any more
	release    sync.Mutex
	released   bool
}

func (l *redisLease) Lost() <-chan struct{} { return l.lost }

// renew prolongs the lease until ctx ends or another holder is seen. A Redis
// that does not answer is no other holder: the ledger excludes what matters, and
// the cache may not end a run.
func (l *redisLease) renew(ctx context.Context, ttl time.Duration) {
	for l.home.clock.Sleep(ctx, ttl/3) == nil {
		kept := 1
		err := l.home.guard.do(ctx, func(ctx context.Context) (err error) {
			kept, err = renewLease.Run(ctx, l.home.client, []string{l.key}, l.token, milliseconds(ttl)).Int()
			return err
		})
		if err == nil && kept == 0 {
			close(l.lost)
			return
		}
	}
}

// Release implements [Lease]. It ends the renewal first, so that the lease is
// not taken again behind its back.
func (l *redisLease) Release(ctx context.Context) error {
	l.release.Lock()
	defer l.release.Unlock()
	if l.released {
		return nil
	}
	l.stop()
	<-l.stopped
	l.released = true
	err := l.home.guard.do(ctx, func(ctx context.Context) error {
		return releaseLease.Run(ctx, l.home.client, []string{l.key}, l.token).Err()
	})
	return ignore(ctx, err)
}
