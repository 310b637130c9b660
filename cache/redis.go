package cache

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
	"github.com/sourcegraph/conc"

	"github.com/adteco/docarchive/docextract"
)

// ErrAuth means that Redis refused the password or the user. It is a matter of
// configuration, which no repetition mends.
var ErrAuth = errors.New("redis refused the user or the password of the cache URL: check the secret it comes from")

// ErrURL means that the cache's URL cannot be used. It never holds the URL,
// which may hold a password.
var ErrURL = errors.New("the cache URL must look like redis://USER:PASSWORD@HOST:6379/0 or rediss://…, and must not turn off TLS verification")

// RedisOptions configures a [Redis]. The zero value will do.
type RedisOptions struct {
	Logger  *slog.Logger     // discards if nil
	Clock   docextract.Clock // the system's if zero
	Holder  string           // what others are told about who holds a lease; host and process if empty
	RootCAs *x509.CertPool   // for rediss://; the system's if nil
}

// Redis is a [Home] that several processes share. A Redis that is away, full,
// read-only or emptied is no error: the home then knows nothing, keeps nothing
// and says so in the log once. In a whole run it waits less than two seconds
// for a Redis that does not answer.
type Redis struct {
	client *redis.Client
	guard  *guard
	clock  docextract.Clock
	holder string
	local  *localLeases // while Redis is away

	alive    context.Context // until Close
	end      context.CancelFunc
	renewals conc.WaitGroup
}

// OpenRedis connects to a redis:// or rediss:// URL. The error is [ErrURL] or
// [ErrAuth], or says that ctx ended; a Redis that is merely away opens, and is
// looked for again later.
func OpenRedis(ctx context.Context, location string, o RedisOptions) (*Redis, error) {
	options, err := redisOptions(location, o.RootCAs)
	if err != nil {
		return nil, err
	}
	silenceDriver()
	clock := clockOrDefault(o.Clock)
	holder := holderOrDefault(o.Holder)
	r := &Redis{
		client: redis.NewClient(options),
		guard:  newGuard(loggerOrDefault(o.Logger), clock.Now),
		clock:  clock,
		holder: holder,
		local:  newLocalLeases(holder),
	}
	r.alive, r.end = context.WithCancel(context.WithoutCancel(ctx))
	err = r.guard.do(ctx, func(ctx context.Context) error { return r.client.Ping(ctx).Err() })
	switch {
	case refusesPassword(err):
		err = ErrAuth
	case ctx.Err() != nil:
		err = fmt.Errorf("open the cache: %w", context.Cause(ctx))
	default:
		return r, nil
	}
	return nil, errors.Join(err, r.Close())
}

// redisOptions reads the URL. Whatever it says of retries and timeouts is
// overruled: they are what bounds the cost of a dead Redis.
func redisOptions(location string, roots *x509.CertPool) (*redis.Options, error) {
	parsed, err := url.Parse(location)
	if err != nil || parsed.Hostname() == "" || parsed.Scheme != "redis" && parsed.Scheme != "rediss" {
		return nil, ErrURL
	}
	// The driver's error would quote the URL.
	options, err := redis.ParseURL(location)
	if err != nil || options.TLSConfig != nil && options.TLSConfig.InsecureSkipVerify {
		return nil, ErrURL
	}
	if options.TLSConfig != nil {
		options.TLSConfig.MinVersion = tls.VersionTLS12
		options.TLSConfig.RootCAs = roots
	}
	options.MaxRetries = -1 // the breaker decides
	options.DialerRetries = 1
	options.DialTimeout = commandTimeout
	options.ReadTimeout = commandTimeout
	options.WriteTimeout = commandTimeout
	options.PoolTimeout = commandTimeout
	options.ContextTimeoutEnabled = true
	options.DisableIdentity = true
	options.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return options, nil
}

// silenceDriver discards what the driver prints on standard error by itself,
// each failed dial for one, which would tear the progress bars and repeat what
// the guard says once. The driver's logger is global and not locked, so it is
// set once, before the first client of this package exists.
var silenceDriver = sync.OnceFunc(func() { redis.SetLogger(driverSilence{}) })

type driverSilence struct{}

func (driverSilence) Printf(context.Context, string, ...any) {}

// refusesPassword reports whether Redis wants another user or password.
func refusesPassword(err error) bool {
	if err == nil {
		return false
	}
	if redis.IsAuthError(err) {
		return true
	}
	// Servers before Redis 6, and those that want no password at all.
	text := err.Error()
	return strings.Contains(text, "ERR invalid password") || strings.Contains(text, "ERR AUTH ") ||
		strings.Contains(text, "ERR Client sent AUTH")
}

// Close ends the renewal of leases, which others then get after their time to
// live, and closes the connections.
func (r *Redis) Close() error {
	r.end()
	r.renewals.Wait()
	if err := r.client.Close(); err != nil && !errors.Is(err, redis.ErrClosed) {
		return fmt.Errorf("close the connections to redis: %w", err)
	}
	return nil
}

// ignore turns what Redis could not do into nothing done, which the guard has
// logged; the caller's own cancellation stays an error.
func ignore(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

func archiveKey(archiveID, rest string) string { return "docarchive:" + archiveID + ":" + rest }

func jobKey(id string) string { return "job:" + id }

func bucketKey(archiveURL string) string { return "docarchive:bucket:" + fingerprint(archiveURL) }

// Get implements [Jobs].
func (r *Redis) Get(ctx context.Context, id string) ([]byte, bool) {
	var raw []byte
	err := r.guard.do(ctx, func(ctx context.Context) (err error) {
		raw, err = r.client.Get(ctx, jobKey(id)).Bytes()
		return err
	})
	// Others may write there too.
	if err != nil || !completed(id, raw) {
		return nil, false
	}
	return raw, true
}

// Put implements [Jobs].
func (r *Redis) Put(ctx context.Context, id string, raw []byte) {
	if !completed(id, raw) {
		return
	}
	// What cannot be kept is fetched again; the guard has logged why.
	_ = r.guard.do(ctx, func(ctx context.Context) error {
		return r.client.Set(ctx, jobKey(id), raw, jobLife).Err()
	})
}

// Remember implements [Identities].
func (r *Redis) Remember(ctx context.Context, archiveURL, archiveID string) (string, error) {
	key := bucketKey(archiveURL)
	previous, err := r.remembered(ctx, key)
	if err != nil || archiveID == "" || previous != "" && previous != archiveID {
		return previous, ignore(ctx, err)
	}
	err = r.guard.do(ctx, func(ctx context.Context) error {
		_, err := r.client.Pipelined(ctx, func(p redis.Pipeliner) error {
			p.SetNX(ctx, key, archiveID, identityLife)
			p.Expire(ctx, key, identityLife)
			return nil
		})
		return err
	})
	return previous, ignore(ctx, err)
}

func (r *Redis) remembered(ctx context.Context, key string) (archiveID string, err error) {
	err = r.guard.do(ctx, func(ctx context.Context) (err error) {
		archiveID, err = r.client.Get(ctx, key).Result()
		return err
	})
	if errors.Is(err, redis.Nil) {
		return "", nil
	}
	return archiveID, err
}

// Forget implements [Identities]. Here alone a Redis that is away is an error,
// since the archive would still be remembered.
func (r *Redis) Forget(ctx context.Context, archiveURL string) error {
	err := r.guard.do(ctx, func(ctx context.Context) error {
		return r.client.Del(ctx, bucketKey(archiveURL)).Err()
	})
	if err != nil {
		return fmt.Errorf("forget the archive of the bucket: %w", err)
	}
	return nil
}

// milliseconds is how durations are passed to scripts.
func milliseconds(d time.Duration) int64 { return max(1, d.Milliseconds()) }
