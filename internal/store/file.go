package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync"
	"syscall"
	"time"
)

// folder is a local directory as a bucket. Nothing outside of it can be
// reached, not even through symbolic links within.
//
// A file comes into being under a temporary name in its own directory, is
// written through to the disk, and only then gets its name, by link(2) where
// it must not replace another: that is atomic between processes, and on NFS.
type folder struct {
	dir string

	mu      sync.Mutex
	root    *os.Root            // nil until the directory exists
	durable map[string]struct{} // directories whose entries in their parents are on disk
}

func newFolder(dir string) *folder {
	return &folder{dir: dir, durable: map[string]struct{}{}}
}

// open returns the directory, which create says to make if it is missing.
func (f *folder) open(create bool) (*os.Root, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.root != nil {
		return f.root, nil
	}
	if create {
		if err := os.MkdirAll(f.dir, 0o777); err != nil {
			return nil, fileError(err)
		}
	}
	root, err := os.OpenRoot(f.dir)
	if err != nil {
		return nil, fileError(err)
	}
	f.root = root
	return root, nil
}

// fileError classifies an error of the operating system.
func fileError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return classified(ErrNotExist, err)
	case errors.Is(err, fs.ErrExist):
		return classified(ErrExists, err)
	default:
		return classified(ErrLocal, err)
	}
}

func (f *folder) Read(ctx context.Context, key string) (io.ReadCloser, error) {
	root, err := f.begin(ctx, false)
	if err != nil {
		return nil, err
	}
	file, err := root.Open(key)
	if err != nil {
		return nil, fileError(err)
	}
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(notRegular(key, err), file.Close())
	}
	return &localReader{ctx, file}, nil
}

func notRegular(key string, err error) error {
	if err != nil {
		return fileError(err)
	}
	return fmt.Errorf("%w: %s is not a regular file", ErrNotExist, key)
}

// localReader ends with its context and classifies what the disk says.
type localReader struct {
	ctx  context.Context
	file *os.File
}

func (r *localReader) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, context.Cause(r.ctx)
	}
	n, err := r.file.Read(p)
	if err != nil && err != io.EOF {
		err = classified(ErrLocal, err)
	}
	return n, err
}

// Seek implements io.Seeker, as the readers of cloud storages do.
func (r *localReader) Seek(offset int64, whence int) (int64, error) {
	return r.file.Seek(offset, whence)
}

func (r *localReader) Close() error { return r.file.Close() }

// begin is how every operation starts.
func (f *folder) begin(ctx context.Context, create bool) (*os.Root, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return f.open(create)
}

func (f *folder) Stat(ctx context.Context, key string) (Object, error) {
	root, err := f.begin(ctx, false)
	if err != nil {
		return Object{}, err
	}
	info, err := root.Stat(key)
	if err != nil || !info.Mode().IsRegular() {
		return Object{}, notRegular(key, err)
	}
	return Object{Key: key, Size: info.Size(), Modified: info.ModTime()}, nil
}

func (f *folder) Delete(ctx context.Context, key string) error {
	root, err := f.begin(ctx, false)
	if errors.Is(err, ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := root.Remove(key); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fileError(err)
	}
	return nil
}

func (f *folder) List(ctx context.Context, prefix string, fn func(Object) error) error {
	return f.walk(ctx, path.Dir(prefix+"x"), func(o Object) error {
		if !strings.HasPrefix(o.Key, prefix) || isTemp(path.Base(o.Key)) {
			return nil
		}
		return fn(o)
	})
}

// walk calls fn for every regular file below dir. What vanishes meanwhile is
// left out; what cannot be read is an error.
func (f *folder) walk(ctx context.Context, dir string, fn func(Object) error) error {
	root, err := f.begin(ctx, false)
	if errors.Is(err, ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var own error
	err = fs.WalkDir(root.FS(), dir, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case !entry.Type().IsRegular():
			return nil
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		own = fn(Object{Key: name, Size: info.Size(), Modified: info.ModTime()})
		return own
	})
	if own != nil || ctx.Err() != nil {
		return err
	}
	return fileError(err)
}

func (f *folder) Sweep(ctx context.Context, before time.Time) (int, error) {
	removed := 0
	err := f.walk(ctx, ".", func(o Object) error {
		if !isTemp(path.Base(o.Key)) || !o.Modified.Before(before) {
			return nil
		}
		removed++
		return f.Delete(ctx, o.Key)
	})
	return removed, err
}

func (f *folder) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.root == nil {
		return nil
	}
	err := f.root.Close()
	f.root = nil
	return err
}

// refusesLinks reports whether a file system has no hard links.
func refusesLinks(err error) bool {
	return errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOTSUP) || errors.Is(err, syscall.ENOSYS)
}
