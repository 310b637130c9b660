package cache

import (
	"encoding/binary"
	"errors"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"
)

// Jobs lie in one bucket for each UTC day on which they were put, so that a
// whole day is dropped at once. A job is its time in Unix seconds, eight bytes,
// and its JSON.

func dayKey(t time.Time) []byte { return []byte(t.UTC().Format("20060102")) }

// findJob returns a copy of the job, or nil.
func findJob(tx *bolt.Tx, id string, now time.Time) []byte {
	all := tx.Bucket(jobsBucket)
	for age := time.Duration(0); age <= jobLife; age += 24 * time.Hour {
		day := all.Bucket(dayKey(now.Add(-age)))
		if day == nil {
			continue
		}
		value := day.Get([]byte(id))
		if len(value) < 8 {
			continue
		}
		put := time.Unix(int64(binary.BigEndian.Uint64(value)), 0)
		if now.Sub(put) < jobLife {
			return slices.Clone(value[8:])
		}
	}
	return nil
}

func keepJob(tx *bolt.Tx, id string, raw []byte, now time.Time) error {
	all, key := tx.Bucket(jobsBucket), dayKey(now)
	day := all.Bucket(key)
	if day == nil {
		var err error
		if err = dropOldJobs(tx, now); err != nil {
			return err
		}
		if day, err = all.CreateBucket(key); err != nil {
			return err
		}
	}
	value := binary.BigEndian.AppendUint64(make([]byte, 0, 8+len(raw)), uint64(now.Unix()))
	return day.Put([]byte(id), append(value, raw...))
}

func dropOldJobs(tx *bolt.Tx, now time.Time) error {
	var old [][]byte
	all, oldest := tx.Bucket(jobsBucket), dayKey(now.Add(-jobLife))
	err := all.ForEachBucket(func(key []byte) error {
		if string(key) < string(oldest) {
			old = append(old, slices.Clone(key))
		}
		return nil
	})
	for _, key := range old {
		err = errors.Join(err, all.DeleteBucket(key))
	}
	return err
}
