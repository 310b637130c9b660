package ledger

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/adteco/docarchive/internal/store"
	"github.com/adteco/docarchive/pipeline"
)

// Layout is the version of the archive's layout that this program writes.
const Layout = 1

// Options tunes a ledger; zero values mean the defaults.
type Options struct {
	ToolVersion string // of this program, as it is to stand in records

	Clock func() time.Time // by default time.Now
	// NewNonce returns a text that nobody returns again, by default a random UUID.
	NewNonce func() string

	// CommitAge is how long ago a part may have been staged when it is committed,
	// by default a day. Garbage collection takes nothing younger than twice that.
	CommitAge time.Duration
	AtOnce    int // how many files are published or deleted at a time, by default 4
	InlineIDs int // a record with more ids has them in a file beside it; by default 5000
}

func (o Options) withDefaults() Options {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.NewNonce == nil {
		o.NewNonce = uuid.NewString
	}
	if o.CommitAge <= 0 {
		o.CommitAge = 24 * time.Hour
	}
	if o.AtOnce <= 0 {
		o.AtOnce = 4
	}
	if o.InlineIDs <= 0 {
		o.InlineIDs = 5000
	}
	return o
}

// Ledger is the log of one archive. It may be used by several goroutines at once.
type Ledger struct {
	store    *store.Store
	options  Options
	identity identity

	mu          sync.Mutex
	staged      map[string]time.Time        // staging key → since when it is there
	schemas     map[string]*pipeline.Schema // dataset → latest version seen; versions never change
	unpublished map[string]struct{}         // final paths of what this process committed and did not publish yet
	swaps       map[string]*swaps           // pipeline → what is known of its swaps
	files       filesOf                     // the data files that were read last
}

var (
	_ pipeline.Ledger    = (*Ledger)(nil)
	_ pipeline.Shelf     = (*Ledger)(nil)
	_ pipeline.SchemaLog = (*Ledger)(nil)
)

// identity is who the archive is. Its file is the sentinel: while the archive
// can be read at all, it can.
type identity struct {
	UUID    string    `json:"uuid"`
	Layout  int       `json:"layout"`
	Created time.Time `json:"created"`
}

// smallFile bounds the control files that have a few lines.
const smallFile = 64 << 10

// Open opens the archive in a bucket, and makes one if there is none. The bucket
// stays the caller's to close.
func Open(ctx context.Context, s *store.Store, o Options) (*Ledger, error) {
	l, err := OpenExisting(ctx, s, o)
	if !errors.Is(err, ErrNoArchive) {
		return l, err
	}
	o = o.withDefaults()
	data, err := encode(identity{UUID: o.NewNonce(), Layout: Layout, Created: o.Clock().UTC().Truncate(time.Second)})
	if err != nil {
		return nil, err
	}
	if err := s.PutIfAbsent(ctx, identityKey, data); err != nil && !errors.Is(err, store.ErrExists) {
		return nil, fmt.Errorf("make an archive: %w", err)
	}
	return OpenExisting(ctx, s, o)
}

// OpenExisting opens the archive in a bucket, or returns [ErrNoArchive].
func OpenExisting(ctx context.Context, s *store.Store, o Options) (*Ledger, error) {
	id, err := readIdentity(ctx, s)
	if errors.Is(err, store.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", s.Redacted(), ErrNoArchive)
	}
	if err != nil {
		return nil, err
	}
	return &Ledger{
		store: s, options: o.withDefaults(), identity: id,
		staged: map[string]time.Time{}, schemas: map[string]*pipeline.Schema{},
		unpublished: map[string]struct{}{}, swaps: map[string]*swaps{},
	}, nil
}

func readIdentity(ctx context.Context, s *store.Store) (identity, error) {
	var id identity
	data, err := s.Get(ctx, identityKey, smallFile)
	if err != nil {
		return id, fmt.Errorf("read the archive's identity: %w", err)
	}
	err = decode(data, &id)
	switch {
	case id.Layout > Layout:
		return id, &VersionError{Key: identityKey, Found: id.Layout, Known: Layout}
	case err != nil:
		return id, damaged(identityKey, "%v", err)
	case id.UUID == "" || id.Layout < 1:
		return id, damaged(identityKey, "it has no UUID or no layout version")
	}
	return id, nil
}

// ID is the archive's UUID.
func (l *Ledger) ID() string { return l.identity.UUID }

// Created is when the archive was made.
func (l *Ledger) Created() time.Time { return l.identity.Created }

// absent reports whether an error means that an object does not exist, after it
// has made sure that the archive itself can still be read.
func (l *Ledger) absent(ctx context.Context, err error) (bool, error) {
	if !errors.Is(err, store.ErrNotExist) {
		return false, err
	}
	id, err := readIdentity(ctx, l.store)
	if errors.Is(err, store.ErrNotExist) {
		return false, &IdentityError{Was: l.identity.UUID, Is: "none"}
	}
	if err != nil {
		return false, err
	}
	if id.UUID != l.identity.UUID {
		return false, &IdentityError{Was: l.identity.UUID, Is: id.UUID}
	}
	return true, nil
}
