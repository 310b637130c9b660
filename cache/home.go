package cache

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/pipeline"
)

const (
	seenLife     = 100 * 24 * time.Hour // a job leaves the API after 90 days
	jobLife      = 7 * 24 * time.Hour
	identityLife = 400 * 24 * time.Hour
	maxJob       = 1 << 20 // bytes; a larger job is not cached
)

// Home is everything that a cache offers. It may be used by several goroutines
// at once. Close ends what the home started, leases included.
type Home interface {
	pipeline.Seen
	Jobs
	Leaser
	Identities
	io.Closer
}

// Jobs is the job cache. Both methods do what they can: a cache that is away
// holds nothing and keeps nothing.
type Jobs interface {
	// Get returns the job as received, for the caller to keep; ok is false if it
	// is not held.
	Get(ctx context.Context, id string) (raw []byte, ok bool)
	// Put keeps a completed job for seven days. Anything that is not the JSON of
	// a completed job with this id is ignored, as it may still change. Put
	// retains nothing of raw.
	Put(ctx context.Context, id string, raw []byte)
}

// Identities remembers which archive a bucket held.
type Identities interface {
	// Remember returns the archive that was remembered for the bucket, or "" if
	// none was. If none was and archiveID is not empty, it is remembered from
	// now on; another archive is never overwritten, so that every run notices.
	Remember(ctx context.Context, archiveURL, archiveID string) (previous string, err error)
	// Forget makes room for another archive in the bucket.
	Forget(ctx context.Context, archiveURL string) error
}

// Leaser hands out leases, which save work and protect nothing: what must not
// happen twice is excluded by the ledger.
type Leaser interface {
	// Acquire takes the lease of that name, see [LeaseName], or returns an
	// [*ErrHeld]. ttl is for how long others wait for a holder that died; a
	// living one renews. The lease outlives ctx and ends with Release, or with
	// the home.
	Acquire(ctx context.Context, name string, ttl time.Duration) (Lease, error)
}

// Lease is held until it is released or lost.
type Lease interface {
	// Lost is closed when another holder was seen. Nothing is damaged by going
	// on, but work is done twice.
	Lost() <-chan struct{}
	// Release gives the lease back. It may be repeated.
	Release(ctx context.Context) error
}

// ErrHeld means that another run holds the lease.
type ErrHeld struct {
	Name   string
	Holder string // host and process, as far as known
}

func (e *ErrHeld) Error() string {
	return fmt.Sprintf("the lease %s is held by %s: wait until that run has ended", e.Name, e.Holder)
}

// LeaseName names the lease of a pipeline of an archive.
func LeaseName(archiveID, pipeline string) string {
	return archiveID + ":lease:" + pipeline
}

// completed reports whether raw is a completed job with this id.
func completed(id string, raw []byte) bool {
	if len(raw) > maxJob {
		return false
	}
	job, err := docextract.ParseJob(raw)
	return err == nil && job.ID == id && job.Status == docextract.StatusCompleted
}

// holderOrDefault is what others are told about who holds a lease.
func holderOrDefault(holder string) string {
	if holder != "" {
		return holder
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	return fmt.Sprintf("%s, process %d", host, os.Getpid())
}

func clockOrDefault(c docextract.Clock) docextract.Clock {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Sleep == nil {
		c.Sleep = func(ctx context.Context, d time.Duration) error {
			timer := time.NewTimer(d)
			defer timer.Stop()
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-timer.C:
				return nil
			}
		}
	}
	return c
}

func loggerOrDefault(l *slog.Logger) *slog.Logger {
	if l == nil {
		return slog.New(slog.DiscardHandler)
	}
	return l
}

// fingerprint stands for a secret, or for a text of any length, in a key.
func fingerprint(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:12])
}

func newToken() string {
	var token [16]byte
	_, _ = rand.Read(token[:]) // never fails: see crypto/rand
	return hex.EncodeToString(token[:])
}
