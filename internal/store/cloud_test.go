//go:build unix

package store_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/adteco/docarchive/internal/store"
	"github.com/adteco/docarchive/internal/store/storetest"
	"github.com/adteco/docarchive/internal/testserver"
	"github.com/adteco/docarchive/internal/testserver/gcs"
)

func TestMain(m *testing.M) { testserver.Main(m) }

func TestClouds(t *testing.T) {
	for name, fresh := range map[string]func(testing.TB) string{
		"s3": testserver.S3, "azure": testserver.Azure, "gcs": gcs.Bucket,
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Run(t, func(t *testing.T) *store.Store { return open(t, fresh(t)) })
			t.Run("in several requests", func(t *testing.T) { large(t, open(t, fresh(t))) })
		})
	}
}

// large is more than the drivers send in one request.
func large(t *testing.T, s *store.Store) {
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	const size = 20 << 20
	file := filepath.Join(t.TempDir(), "large")
	text := bytes.Repeat([]byte("0123456789abcdef"), size/16)
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	short := s.With(func(b store.Backend) store.Backend { return shortened{b} })
	if err := short.PutFile(t.Context(), "d/x", file); !store.Local(err) {
		t.Error("a file that shrinks meanwhile:", err)
	}
	if _, err := s.Stat(t.Context(), "d/x"); !errors.Is(err, store.ErrNotExist) {
		t.Error("part of a file is visible:", err)
	}
	if err := s.PutFile(t.Context(), "d/x", file); err != nil {
		t.Fatal(err)
	}
	if err := s.Copy(t.Context(), "d/x", "d/y", size); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Get(t.Context(), "d/y", size); err != nil || !bytes.Equal(got, text) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if err := s.PutIfAbsent(t.Context(), "d/z", text); !errors.Is(err, store.ErrTooLarge) {
		t.Error("created in several requests:", err)
	}
	most := text[:store.MaxCreate]
	if err := s.PutIfAbsent(t.Context(), "d/z", most); err != nil {
		t.Error(err)
	}
	if err := s.PutIfAbsent(t.Context(), "d/z", text[1:store.MaxCreate+1]); !errors.Is(err, store.ErrExists) {
		t.Error(err)
	}
}

// shortened announces more than there is.
type shortened struct{ store.Backend }

func (s shortened) Put(ctx context.Context, key string, c store.Content) error {
	c.Size++
	return s.Backend.Put(ctx, key, c)
}
