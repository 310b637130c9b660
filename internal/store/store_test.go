package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/adteco/docarchive/internal/store"
	"github.com/adteco/docarchive/internal/store/storetest"
)

// quick is a store's options without waiting.
func quick() store.Options {
	return store.Options{Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }}
}

func open(t *testing.T, url string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), url, quick())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestFolder(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) *store.Store {
		return open(t, "file://"+filepath.Join(t.TempDir(), "made", "later"))
	})
}

func TestMemory(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) *store.Store { return open(t, "mem://") })
}

func TestPrefix(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) *store.Store { return open(t, "mem:///tenant/one?prefix=two/") })
}

func TestOpenRelative(t *testing.T) {
	t.Chdir(t.TempDir())
	s := open(t, "file://./archive?prefix=sub/&create_dir=true&metadata=skip")
	if err := s.Put(t.Context(), "a/b", []byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat("archive/sub/a/b"); err != nil {
		t.Error(err)
	}
	if got := s.Redacted(); got != "file://./archive" {
		t.Error("redacted:", got)
	}
}

func TestOpenErrors(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"file://":                       "names no folder",
		"file://./x?prefix=../up":       "prefix",
		"file://./x?metadata=yes":       `"metadata"`,
		"ftp://host/x":                  `unknown scheme "ftp"`,
		"archive":                       `unknown scheme ""`,
		"s3://":                         "names no bucket",
		"s3://bucket?key=canary":        "parameter key",
		"s3://u:canary@bucket?x=canary": "s3://bucket",
		"://":                           "not a URL",
	} {
		_, err := store.Open(t.Context(), url, store.Options{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %q", url, err, want)
		} else if strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", url, err)
		}
	}
}

func TestRetries(t *testing.T) {
	t.Parallel()
	busy := fmt.Errorf("%w: busy", store.ErrTemporary)
	for _, c := range []struct {
		err   error
		tries int64
	}{{busy, 5}, {store.ErrDenied, 1}, {store.ErrLocal, 1}, {errors.New("odd"), 1}} {
		var tries atomic.Int64
		s := storetest.Wrap(open(t, "mem://"), storetest.Hooks{Before: func(op storetest.Op, _ string) error {
			if op == storetest.Put {
				tries.Add(1)
			}
			return c.err
		}})
		if err := s.Put(t.Context(), "a", nil); !errors.Is(err, c.err) || tries.Load() != c.tries {
			t.Errorf("%v: tried %d times: %v", c.err, tries.Load(), err)
		}
	}
}

func TestTimeoutIsTemporary(t *testing.T) {
	t.Parallel()
	o := quick()
	o.Attempts, o.Timeout = 2, time.Nanosecond
	s, err := store.Open(t.Context(), "mem://", o)
	if err != nil {
		t.Fatal(err)
	}
	hung := s.With(func(b store.Backend) store.Backend { return hanging{b} })
	if _, err := hung.Stat(t.Context(), "a"); !store.Temporary(err) {
		t.Error(err)
	}
}

type hanging struct{ store.Backend }

func (hanging) Stat(ctx context.Context, _ string) (store.Object, error) {
	<-ctx.Done()
	return store.Object{}, ctx.Err()
}

func TestFolderLeftovers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, "file://"+dir)
	ctx := t.Context()
	if err := s.Put(ctx, "a/x", []byte("x")); err != nil {
		t.Fatal(err)
	}
	temp := filepath.Join(dir, "a", ".docarchive-crashed.tmp")
	if err := os.WriteFile(temp, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(temp)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := s.Sweep(ctx, info.ModTime()); n != 0 || err != nil {
		t.Errorf("swept %d of what is not old, %v", n, err)
	}
	if n, err := s.Sweep(ctx, info.ModTime().Add(time.Second)); n != 1 || err != nil {
		t.Errorf("swept %d, %v", n, err)
	}
	entries, err := os.ReadDir(filepath.Join(dir, "a"))
	if err != nil || len(entries) != 1 || entries[0].Name() != "x" {
		t.Error(entries, err)
	}
}

func TestFolderDoesNotFollowLinksOutside(t *testing.T) {
	t.Parallel()
	dir, outside := t.TempDir(), t.TempDir()
	if err := os.Symlink(outside, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	s := open(t, "file://"+dir)
	if err := s.Put(t.Context(), "link/x", []byte("x")); !store.Local(err) {
		t.Error(err)
	}
	if entries, err := os.ReadDir(outside); err != nil || len(entries) > 0 {
		t.Error(entries, err)
	}
}

func TestFolderLocalErrors(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t, "file://"+dir)
	err := s.PutIfAbsent(t.Context(), "file/below", []byte("x"))
	if !store.Local(err) || !errors.Is(err, syscall.ENOTDIR) {
		t.Error(err)
	}
}
