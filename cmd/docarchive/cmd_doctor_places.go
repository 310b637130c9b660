package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/adteco/docarchive/cache"
	"github.com/adteco/docarchive/internal/ledger"
	"github.com/adteco/docarchive/internal/store"
)

// trialPrefix is where objects stand that the doctor writes and removes: readers
// never look there, and gc does.
const trialPrefix = "_archive/staging/doctor-"

// bucket examines the archive's storage.
func (d *doctor) bucket(ctx context.Context) {
	s, err := store.Open(ctx, d.cfg.Archive, store.Options{Attempts: 2, Timeout: 15 * time.Second})
	if err != nil {
		d.fail("bucket", "address", "correct archive", err)
		return
	}
	made := missingFolders(s.Folder())
	d.storage(ctx, s)
	if err := s.Close(); err != nil {
		d.fail("bucket", "close", "try again", err)
	}
	for _, dir := range made {
		os.Remove(dir) // succeeds if it was made here, and is empty
	}
}

// missingFolders are the folders of an archive that writing a trial makes, the
// innermost first. There are none if dir is empty.
func missingFolders(dir string) []string {
	var missing []string
	if dir == "" {
		return nil
	}
	for _, at := range []string{filepath.Join(dir, "_archive", "staging"), filepath.Join(dir, "_archive"), dir} {
		if _, err := os.Lstat(at); errors.Is(err, os.ErrNotExist) {
			missing = append(missing, at)
		}
	}
	return missing
}

func (d *doctor) storage(ctx context.Context, s *store.Store) {
	l, err := ledger.OpenExisting(ctx, s, ledger.Options{ToolVersion: version, Clock: d.now})
	switch {
	case errors.Is(err, ledger.ErrNoArchive):
		d.ok("bucket", "archive", "%s holds no archive yet: the first run begins one", s.Redacted())
	case err != nil:
		d.fail("bucket", "archive", "the bucket must exist and be readable with these credentials", err)
		return
	default:
		d.ok("bucket", "archive", "%s holds archive %s", s.Redacted(), l.ID())
	}
	if err := s.Probe(ctx); err != nil {
		d.fail("bucket", "conditional writes", "allow writing under _archive/, on a storage that honours conditional writes", err)
		return
	}
	d.ok("bucket", "conditional writes", "the second of two writers under one key was refused")
	if err := trial(ctx, s); err != nil {
		d.fail("bucket", "copy, list, delete", "allow these on all objects of the archive", err)
	} else {
		d.ok("bucket", "copy, list, delete", "work, and show at once")
	}
	switch rule, err := s.UploadRule(ctx); {
	case err != nil:
		d.ok("bucket", "unfinished uploads", "not checked: %v", err)
	case !rule.Asked && s.Folder() == "":
		d.ok("bucket", "unfinished uploads", "not checked with this kind of storage")
	case rule.Asked && rule.Days == 0:
		d.warn("bucket", "unfinished uploads", "add a lifecycle rule with AbortIncompleteMultipartUpload after 2 days",
			"what a killed run had begun to upload is kept and paid for, though nobody sees it")
	case rule.Asked:
		d.ok("bucket", "unfinished uploads", "are dropped after %d days", rule.Days)
	}
	if dir := s.Folder(); dir != "" {
		d.room("bucket", dir)
	}
}

// trial writes, copies, lists and deletes an object, and leaves none.
func trial(ctx context.Context, s *store.Store) (err error) {
	prefix := trialPrefix + rand.Text()
	from, to := prefix+"-a", prefix+"-b"
	defer func() {
		clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		err = errors.Join(err, s.Delete(clean, from), s.Delete(clean, to))
	}()
	if err := s.Put(ctx, from, []byte("trial")); err != nil {
		return err
	}
	if err := s.Copy(ctx, from, to, int64(len("trial"))); err != nil {
		return err
	}
	seen := 0
	if err := s.List(ctx, prefix, func(store.Object) error { seen++; return nil }); err != nil {
		return err
	}
	if seen != 2 {
		return fmt.Errorf("a listing shows %d of the 2 objects just written under %s", seen, prefix)
	}
	if err := s.Delete(ctx, to); err != nil {
		return err
	}
	if _, err := s.Stat(ctx, to); !errors.Is(err, store.ErrNotExist) {
		return fmt.Errorf("%s is still there after it was deleted: %v", to, err)
	}
	return nil
}

// cache examines the cache. One that is away costs time only.
func (d *doctor) cache(ctx context.Context) {
	if d.cfg.Cache == "embedded" {
		dir, has := d.cacheDir()
		if !has {
			d.warn("cache", "folder", "set DOCARCHIVE_CACHE_DIR to a folder that lasts, or cache to a Redis", "there is no home directory: nothing is remembered between runs")
			return
		}
		d.writable("cache", dir)
		return
	}
	home, err := d.openHome(ctx, d.cfg)
	if err != nil {
		d.fail("redis", "reachable", "correct cache", err)
		return
	}
	defer home.Close() // it has written nothing that could be lost
	redis, ok := home.(*cache.Redis)
	if !ok {
		return
	}
	facts, err := redis.Facts(ctx)
	if err != nil {
		d.warn("redis", "reachable", "runs go on without it, and take longer; workers then share neither leases nor the rate limit", "%v", err)
		return
	}
	d.ok("redis", "reachable", "Redis %s, %s, answers in %s", facts.Version, facts.Role, facts.Latency.Round(time.Microsecond))
	d.redisKeeps(facts)
}

// redisKeeps judges what Redis drops and what it keeps.
func (d *doctor) redisKeeps(f cache.RedisFacts) {
	switch {
	case f.MaxMemory == 0:
		d.ok("redis", "memory", "%s used, without a limit", bytesText(f.Used))
	case f.Policy == "noeviction":
		d.ok("redis", "memory", "%s of %s used; noeviction: when it is full it keeps nothing new, which costs time only", bytesText(f.Used), bytesText(f.MaxMemory))
	case f.Policy != "":
		d.warn("redis", "memory", "set maxmemory-policy noeviction, or give docarchive a Redis of its own",
			"%s: when it is full, leases and the shared rate limit may be dropped, so that workers do the same work and are refused", f.Policy)
	}
	if f.Saves {
		d.ok("redis", "persistence", "what it holds outlives a restart")
		return
	}
	d.warn("redis", "persistence", "set appendonly yes, if restarts are frequent", "nothing was saved so far: after a restart a run reads what it knew again, which costs time only")
}

// local examines this machine.
func (d *doctor) local(context.Context) {
	spool := d.spoolBase()
	d.writable("spool", spool)
	d.room("spool", spool)
	text, _ := os.ReadFile(limitFile) // there is none outside a container
	if limit, set := d.getenv("GOMEMLIMIT"); set {
		d.ok("memory", "limit", "GOMEMLIMIT is %s, the container's limit %s", limit, strings.TrimSpace(string(text)))
	} else {
		d.ok("memory", "limit", "a run keeps to about %s", bytesText(softLimit(string(text))))
	}
	if _, err := time.LoadLocation("Europe/Berlin"); err != nil {
		d.warn("time zones", "data", "install tzdata, or set ZONEINFO; all times of the archive are UTC and need none", "%v", err)
		return
	}
	d.ok("time zones", "data", "there")
}

// writable tries to make a file in a folder, or in the nearest one above it that
// exists, and removes it.
func (d *doctor) writable(area, dir string) {
	at := nearest(dir)
	f, err := os.CreateTemp(at, ".docarchive-doctor-*")
	if err == nil {
		err = errors.Join(f.Close(), os.Remove(f.Name()))
	}
	if err != nil {
		d.fail(area, "folder", "let this account write there, or name another folder", fmt.Errorf("%w: %w", store.ErrLocal, err))
		return
	}
	d.ok(area, "folder", "%s can be written", dir)
}

// nearest is the folder, or the nearest one above it that exists.
func nearest(dir string) string {
	for {
		if _, err := os.Stat(dir); err == nil || filepath.Dir(dir) == dir {
			return dir
		}
		dir = filepath.Dir(dir)
	}
}
