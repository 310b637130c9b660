package cache

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/cespare/xxhash/v2"
	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/adteco/docarchive/pipeline"
)

// The keys in a window's bucket.
var (
	headKey = []byte("head")
	sizeKey = []byte("size") // how many ids
	sumKey  = []byte("sum")  // of their hashes, modulo 2^64
	timeKey = []byte("time") // of the last Mark, in Unix seconds
	idsKey  = []byte("ids")  // bucket
)

// present is the value of every id.
var present = []byte{1}

func windowKey(set pipeline.SeenSet) []byte {
	return []byte(strconv.Quote(set.ArchiveID) + strconv.Quote(set.Pipeline) + strconv.Quote(set.Window))
}

// Filter implements [pipeline.Seen].
func (e *Embedded) Filter(ctx context.Context, set pipeline.SeenSet, ids []string) (fresh []string, known bool, err error) {
	if set.Count == 0 {
		return slices.Clone(ids), true, nil
	}
	broken := false
	err = e.view(func(tx *bolt.Tx) error {
		b := tx.Bucket(seenBucket).Bucket(windowKey(set))
		if b == nil || string(b.Get(headKey)) != set.Head || number(b, sizeKey) != uint64(set.Count) {
			return nil
		}
		held := b.Bucket(idsKey)
		if held == nil || !e.sound(windowOf(set), b, held) {
			broken = true
			return nil
		}
		fresh, known = make([]string, 0, len(ids)), true
		for _, id := range ids {
			if held.Get([]byte(id)) == nil {
				fresh = append(fresh, id)
			}
		}
		return nil
	}, func() (err error) {
		fresh, known, err = e.memory.Filter(ctx, set, ids)
		return err
	})
	if err == nil && broken {
		e.logger.Warn("a skip list in the cache file is damaged and was dropped", "file", e.path, "window", set.Window)
		err = e.update(func(tx *bolt.Tx) error { return dropWindow(tx, windowKey(set)) }, func() error { return nil })
	}
	if err != nil {
		return nil, false, fmt.Errorf("read the skip list of %s in %s: %w", set.Window, e.path, err)
	}
	return fresh, known, nil
}

// sound compares a window's ids with their number and checksum, once a process.
func (e *Embedded) sound(name windowName, window, held *bolt.Bucket) bool {
	e.checkedMu.Lock()
	defer e.checkedMu.Unlock()
	if e.checked[name] {
		return true
	}
	var size, sum uint64
	cursor := held.Cursor()
	for id, _ := cursor.First(); id != nil; id, _ = cursor.Next() {
		size++
		sum += xxhash.Sum64(id)
	}
	e.checked[name] = size == number(window, sizeKey) && sum == number(window, sumKey)
	return e.checked[name]
}

// Mark implements [pipeline.Seen].
func (e *Embedded) Mark(ctx context.Context, set pipeline.SeenSet, ids []string) error {
	ids = slices.Clone(ids)
	slices.Sort(ids) // neighbours share pages
	err := e.update(func(tx *bolt.Tx) error {
		return markWindow(tx, set, slices.Compact(ids), e.now())
	}, func() error { return e.memory.Mark(ctx, set, ids) })
	if err != nil {
		return fmt.Errorf("write the skip list of %s into %s: %w", set.Window, e.path, err)
	}
	return nil
}

func markWindow(tx *bolt.Tx, set pipeline.SeenSet, ids []string, now time.Time) error {
	window, err := windowAt(tx, set)
	if err != nil {
		return err
	}
	held, err := window.CreateBucketIfNotExists(idsKey)
	if err != nil {
		return err
	}
	size, sum := number(window, sizeKey), number(window, sumKey)
	for _, id := range ids {
		key := []byte(id)
		if len(key) == 0 || held.Get(key) != nil {
			continue
		}
		if err := held.Put(key, present); err != nil {
			return err
		}
		size++
		sum += xxhash.Sum64(key)
	}
	return errors.Join(
		window.Put(headKey, []byte(set.Head)),
		putNumber(window, sizeKey, size),
		putNumber(window, sumKey, sum),
		putNumber(window, timeKey, uint64(now.Unix())),
	)
}

// windowAt is the window's bucket if what it holds belongs to the set or to its
// base, else a new one.
func windowAt(tx *bolt.Tx, set pipeline.SeenSet) (*bolt.Bucket, error) {
	all, key := tx.Bucket(seenBucket), windowKey(set)
	if b := all.Bucket(key); b != nil {
		head := string(b.Get(headKey))
		if head == set.Head || set.Base != "" && head == set.Base {
			return b, nil
		}
		if err := all.DeleteBucket(key); err != nil {
			return nil, err
		}
	}
	return all.CreateBucket(key)
}

func dropWindow(tx *bolt.Tx, key []byte) error {
	err := tx.Bucket(seenBucket).DeleteBucket(key)
	if errors.Is(err, bolterrors.ErrBucketNotFound) {
		return nil
	}
	return err
}

func dropOldWindows(tx *bolt.Tx, now time.Time) error {
	var old [][]byte
	all := tx.Bucket(seenBucket)
	err := all.ForEachBucket(func(key []byte) error {
		marked := time.Unix(int64(number(all.Bucket(key), timeKey)), 0)
		if now.Sub(marked) >= seenLife {
			old = append(old, slices.Clone(key))
		}
		return nil
	})
	for _, key := range old {
		err = errors.Join(err, dropWindow(tx, key))
	}
	return err
}

// number reads what putNumber wrote, or 0.
func number(b *bolt.Bucket, key []byte) uint64 {
	value := b.Get(key)
	if len(value) != 8 {
		return 0
	}
	return binary.BigEndian.Uint64(value)
}

func putNumber(b *bolt.Bucket, key []byte, n uint64) error {
	return b.Put(key, binary.BigEndian.AppendUint64(nil, n))
}
