package cache

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/adteco/docarchive/docextract"
)

const (
	embeddedFile = "cache.db"
	lockPatience = 100 * time.Millisecond
)

// The buckets of the file.
var (
	seenBucket     = []byte("seen")     // window → head, size, checksum, time, and a bucket of ids
	jobsBucket     = []byte("jobs")     // day → bucket of jobs by id
	identityBucket = []byte("identity") // bucket's fingerprint → archive
)

// EmbeddedOptions configures an [Embedded]. The zero value will do.
type EmbeddedOptions struct {
	Logger *slog.Logger     // discards if nil
	Clock  docextract.Clock // the system's if zero
	Holder string           // what others are told about who holds a lease; host and process if empty
}

// Embedded is a [Home] in one local file. The file is one process's at a time;
// a process that finds it taken, or cannot use it, works in memory instead and
// says so in the log.
//
// The file is not synced with every change: a process that dies loses nothing,
// a machine that loses power may leave a damaged file, which is noticed when it
// is used, moved aside and begun anew.
type Embedded struct {
	*localLeases
	path   string
	logger *slog.Logger
	now    func() time.Time
	memory *Memory // used once db is nil

	mu sync.RWMutex
	db *bolt.DB // nil: in memory

	checkedMu sync.Mutex
	checked   map[windowName]bool // windows whose ids agree with their checksum
}

// OpenEmbedded opens or creates the file cache.db in dir. A file that cannot be
// used is no error.
func OpenEmbedded(dir string, o EmbeddedOptions) (*Embedded, error) {
	if dir == "" {
		return nil, errors.New("open the cache: no folder was named for it")
	}
	e := &Embedded{
		localLeases: newLocalLeases(holderOrDefault(o.Holder)),
		path:        filepath.Join(dir, embeddedFile),
		logger:      loggerOrDefault(o.Logger),
		now:         clockOrDefault(o.Clock).Now,
		checked:     map[windowName]bool{},
	}
	e.memory = newMemory(e.now, e.holder)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		e.logger.Warn("the cache works in memory, as its folder cannot be made", "folder", dir, "error", err)
		return e, nil
	}
	db, err := openFile(e.path, e.now())
	if err != nil && damaged(err) {
		e.moveAside(err)
		db, err = openFile(e.path, e.now())
	}
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		e.logger.Warn("the cache works in memory, as another process uses its file", "file", e.path)
	case err != nil:
		e.logger.Warn("the cache works in memory, as its file cannot be used", "file", e.path, "error", err)
	}
	e.db = db
	return e, nil
}

// errDamaged means that the file is not what this package wrote.
var errDamaged = errors.New("the cache file is damaged")

func damaged(err error) bool {
	return errors.Is(err, errDamaged) || errors.Is(err, bolterrors.ErrInvalid) || errors.Is(err, bolterrors.ErrChecksum) ||
		errors.Is(err, bolterrors.ErrVersionMismatch)
}

// openFile opens the file, makes its buckets and drops what is too old.
func openFile(path string, now time.Time) (db *bolt.DB, err error) {
	defer func() {
		if err != nil && db != nil {
			err = errors.Join(err, db.Close())
			db = nil
		}
	}()
	err = catchFaults(func() error {
		db, err = bolt.Open(path, 0o600, &bolt.Options{
			Timeout: lockPatience, NoSync: true, FreelistType: bolt.FreelistMapType,
		})
		if err != nil {
			return err
		}
		return db.Update(func(tx *bolt.Tx) error {
			for _, name := range [][]byte{seenBucket, jobsBucket, identityBucket} {
				if _, err := tx.CreateBucketIfNotExists(name); err != nil {
					return fmt.Errorf("%w: %w", errDamaged, err)
				}
			}
			if err := dropOldWindows(tx, now); err != nil {
				return err
			}
			return dropOldJobs(tx, now)
		})
	})
	return db, err
}

// catchFaults runs f and turns what a damaged file does to the library, which
// maps it into memory and trusts it, into an error.
func catchFaults(f func() error) (err error) {
	before := debug.SetPanicOnFault(true)
	defer func() {
		debug.SetPanicOnFault(before)
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %v", errDamaged, r)
		}
	}()
	return f()
}

// moveAside keeps the damaged file for whoever wants to look at it; an earlier
// one makes room.
func (e *Embedded) moveAside(cause error) {
	aside := e.path + ".damaged"
	if err := os.Rename(e.path, aside); err != nil {
		e.logger.Warn("the cache file is damaged and cannot be moved aside", "file", e.path, "error", err)
		return
	}
	e.logger.Warn("the cache file is damaged, was moved aside and is begun anew", "file", aside, "error", cause)
}

// update changes the file, or calls inMemory if there is none. A file that
// proves damaged is given up.
func (e *Embedded) update(change func(tx *bolt.Tx) error, inMemory func() error) error {
	return e.use(func(db *bolt.DB) error { return db.Update(change) }, inMemory)
}

// view reads the file as update changes it.
func (e *Embedded) view(read func(tx *bolt.Tx) error, inMemory func() error) error {
	return e.use(func(db *bolt.DB) error { return db.View(read) }, inMemory)
}

func (e *Embedded) use(do func(*bolt.DB) error, inMemory func() error) error {
	e.mu.RLock()
	db := e.db
	if db == nil {
		e.mu.RUnlock()
		return inMemory()
	}
	err := catchFaults(func() error { return do(db) })
	e.mu.RUnlock()
	if errors.Is(err, errDamaged) {
		e.giveUp(db, err)
		return inMemory()
	}
	return err
}

// giveUp leaves a damaged file and goes on in memory. The library is not asked
// to close what it failed on: it could hang or fail again.
func (e *Embedded) giveUp(db *bolt.DB, cause error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.db != db {
		return
	}
	e.db = nil
	e.moveAside(cause)
}

// Get implements [Jobs].
func (e *Embedded) Get(ctx context.Context, id string) (raw []byte, ok bool) {
	err := e.view(func(tx *bolt.Tx) error {
		raw = findJob(tx, id, e.now())
		return nil
	}, func() error {
		raw, ok = e.memory.Get(ctx, id)
		return nil
	})
	if err != nil || !ok && !completed(id, raw) {
		return nil, false
	}
	return raw, true
}

// Put implements [Jobs].
func (e *Embedded) Put(ctx context.Context, id string, raw []byte) {
	if !completed(id, raw) {
		return
	}
	err := e.update(func(tx *bolt.Tx) error { return keepJob(tx, id, raw, e.now()) }, func() error {
		e.memory.Put(ctx, id, raw)
		return nil
	})
	if err != nil {
		e.logger.Debug("a job was not cached", "error", err)
	}
}

// Remember implements [Identities].
func (e *Embedded) Remember(ctx context.Context, archiveURL, archiveID string) (previous string, err error) {
	err = e.update(func(tx *bolt.Tx) error {
		b, key := tx.Bucket(identityBucket), []byte(fingerprint(archiveURL))
		previous = string(b.Get(key))
		if previous != "" || archiveID == "" {
			return nil
		}
		return b.Put(key, []byte(archiveID))
	}, func() (err error) {
		previous, err = e.memory.Remember(ctx, archiveURL, archiveID)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("remember the archive in %s: %w", e.path, err)
	}
	return previous, nil
}

// Forget implements [Identities].
func (e *Embedded) Forget(ctx context.Context, archiveURL string) error {
	err := e.update(func(tx *bolt.Tx) error {
		return tx.Bucket(identityBucket).Delete([]byte(fingerprint(archiveURL)))
	}, func() error { return e.memory.Forget(ctx, archiveURL) })
	if err != nil {
		return fmt.Errorf("forget the archive in %s: %w", e.path, err)
	}
	return nil
}

// Close writes the file to the disk and lets other processes have it.
func (e *Embedded) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	db := e.db
	if db == nil {
		return nil
	}
	e.db = nil
	if err := catchFaults(func() error { return errors.Join(db.Sync(), db.Close()) }); err != nil {
		return fmt.Errorf("close the cache file %s: %w", e.path, err)
	}
	return nil
}
