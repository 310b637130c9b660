package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/klauspost/compress/zstd"

	"github.com/adteco/docarchive/internal/store"
	"github.com/adteco/docarchive/pipeline"
)

// create makes a control file durable under a key where nothing stands, and
// returns the hash of its bytes. If something else stands there, the error is
// [pipeline.ErrConflict].
func (l *Ledger) create(ctx context.Context, key string, v any) (hash string, err error) {
	data, err := encode(v)
	if err != nil {
		return "", fmt.Errorf("append %s: %w", key, err)
	}
	switch err := l.store.PutIfAbsent(ctx, key, data); {
	case errors.Is(err, store.ErrExists):
		return "", fmt.Errorf("append %s: %w", key, pipeline.ErrConflict)
	case err != nil:
		return "", fmt.Errorf("append to the archive: %w", err)
	}
	return hashOf(data), nil
}

// read reads a control file of at most limit bytes into v and returns the hash
// of its bytes. If it does not exist, the hash is empty, and the archive itself
// could be read.
func (l *Ledger) read(ctx context.Context, key string, limit int64, known int, v any) (hash string, err error) {
	data, err := l.store.Get(ctx, key, limit)
	if err != nil {
		_, err := l.absent(ctx, err)
		return "", err
	}
	err = decode(data, v)
	if err == nil && version(data) <= known {
		return hashOf(data), nil
	}
	return "", unreadable(key, data, known, err)
}

// unversioned is the known version of files that do not state one.
const unversioned = 0

// version is the format version that a control file states.
func version(data []byte) int {
	var header struct {
		Version int `json:"v"`
	}
	if json.Unmarshal(data, &header) != nil {
		return 0
	}
	return header.Version
}

// unreadable is what err, met in a control file, means: damage, or a version
// that is newer than the known one.
func unreadable(key string, data []byte, known int, err error) error {
	if found := version(data); found > known {
		return &VersionError{Key: key, Found: found, Known: known}
	}
	return damaged(key, "%v", err)
}

// putNamed stores v, compressed, in a folder under its checksum, which it
// returns. It is written even if it is there already, so that it is young when
// what names it appears.
func (l *Ledger) putNamed(ctx context.Context, dir string, v any) (sum string, err error) {
	plain, err := encode(v)
	if err != nil {
		return "", err
	}
	z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return "", err
	}
	data := z.EncodeAll(plain, nil)
	if err := z.Close(); err != nil {
		return "", err
	}
	sum = hashOf(data)
	return sum, l.store.Put(ctx, namedKey(dir, sum), data)
}
