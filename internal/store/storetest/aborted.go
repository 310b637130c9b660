package storetest

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/adteco/docarchive/internal/store"
)

// content says that text has size bytes.
func content(text string, size int64) store.Content {
	return store.Content{Size: size, Open: func() (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(text)), nil
	}}
}

// nothing checks that no object came into being.
func nothing(t *testing.T, s *store.Store) {
	t.Helper()
	must(t, s.List(context.WithoutCancel(t.Context()), "", func(o store.Object) error {
		t.Errorf("there is %s of %d bytes", o.Key, o.Size)
		return nil
	}))
}

func badUploads(t *testing.T, s *store.Store) {
	broken := errors.New("broken")
	text := strings.Repeat("x", 5000)
	failing := store.Content{Size: 10000, Open: func() (io.ReadCloser, error) {
		return io.NopCloser(io.MultiReader(strings.NewReader(text), iotest.ErrReader(broken))), nil
	}}
	unopened := store.Content{Size: 1, Open: func() (io.ReadCloser, error) { return nil, broken }}
	for name, c := range map[string]store.Content{
		"fails in the middle": failing, "cannot be opened": unopened,
		"too short": content(text, 5001), "too long": content(text, 4999), "too long by all": content(text, 0),
	} {
		err := putRaw(t.Context(), s, "d/x", c)
		if !store.Local(err) {
			t.Errorf("%s: %v; want a local error", name, err)
		}
		nothing(t, s)
	}
	if err := putRaw(t.Context(), s, "d/x", failing); !errors.Is(err, broken) {
		t.Error("the source's error is lost:", err)
	}
	if err := s.PutFile(t.Context(), "d/x", t.TempDir()); !store.Local(err) {
		t.Error("a directory was taken for a file:", err)
	}
	nothing(t, s)
}

// putRaw hands content to the backend itself.
func putRaw(ctx context.Context, s *store.Store, key string, c store.Content) (err error) {
	s.With(func(b store.Backend) store.Backend {
		err = b.Put(ctx, key, c)
		return b
	})
	return err
}

func cancelled(t *testing.T, s *store.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, err := range map[string]error{
		"put":    s.Put(ctx, "d/x", []byte("x")),
		"create": s.PutIfAbsent(ctx, "d/x", []byte("x")),
	} {
		is(t, name, err, context.Canceled)
	}
	nothing(t, s)

	// The context ends while the request is under way, and the request succeeds.
	for _, c := range []struct {
		text string
		want error
	}{{"mine", nil}, {"yours", store.ErrExists}} {
		ctx, cancel := context.WithCancel(t.Context())
		w := Wrap(s, Hooks{Before: func(op Op, _ string) error {
			if op == Create {
				cancel()
				if err := s.PutIfAbsent(t.Context(), "k", []byte("mine")); err != nil {
					t.Error(err)
				}
				return ctx.Err()
			}
			return nil
		}})
		if err := w.PutIfAbsent(ctx, "k", []byte(c.text)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v; want %v", c.text, err, c.want)
		}
	}

	// Nobody can say what became of it.
	ctx, cancel = context.WithCancel(t.Context())
	err := Wrap(s, Hooks{Before: func(Op, string) error { cancel(); return ctx.Err() }}).
		PutIfAbsent(ctx, "unknown", []byte("x"))
	is(t, "unresolved", err, store.ErrUnknown)
}

func keys(t *testing.T, s *store.Store) {
	ctx := t.Context()
	long := strings.Repeat("x", 256)
	for _, key := range []string{
		"", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/./b", "a\x00b", "a\nb", "a\\b", "a\xff",
		long, "a/" + long, strings.Repeat("abc/", 300) + "x", "a/.docarchive-1.tmp",
	} {
		is(t, "put "+key, s.Put(ctx, key, nil), store.ErrKey)
		is(t, "create "+key, s.PutIfAbsent(ctx, key, nil), store.ErrKey)
		is(t, "copy "+key, s.Copy(ctx, "a", key, 0), store.ErrKey)
		is(t, "delete "+key, s.Delete(ctx, key), store.ErrKey)
		_, err := s.Get(ctx, key, 1)
		is(t, "get "+key, err, store.ErrKey)
	}
	nothing(t, s)
	for _, key := range []string{"a b/ü=%2e/&?#+*", "x/" + strings.Repeat("y", 200), ".hidden/..x"} {
		must(t, s.PutIfAbsent(ctx, key, []byte(key)))
		want(t, s, key, key)
	}
}
