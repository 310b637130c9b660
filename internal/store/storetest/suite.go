package storetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/adteco/docarchive/internal/store"
)

// Run checks that a kind of storage keeps the promises of package store. Each
// call of open must return an empty store.
func Run(t *testing.T, open func(t *testing.T) *store.Store) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, *store.Store)
	}{
		{"absence", absence},
		{"round trip", roundTrip},
		{"one creator", oneCreator},
		{"lost replies", lostReplies},
		{"copy", copies},
		{"list", lists},
		{"bad uploads leave nothing", badUploads},
		{"cancelled", cancelled},
		{"probe", probes},
		{"keys", keys},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := open(t)
			t.Cleanup(func() {
				if err := s.Close(); err != nil {
					t.Error("close:", err)
				}
			})
			c.run(t, s)
		})
	}
}

const limit = 1 << 20

func want(t *testing.T, s *store.Store, key, content string) {
	t.Helper()
	got, err := s.Get(t.Context(), key, limit)
	if err != nil || string(got) != content {
		t.Errorf("%s: %q, %v; want %q", key, got, err, content)
	}
}

func is(t *testing.T, what string, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Errorf("%s: %v; want %v", what, err, target)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func absence(t *testing.T, s *store.Store) {
	ctx := t.Context()
	check := func() {
		t.Helper()
		_, err := s.Get(ctx, "a/b", limit)
		is(t, "get", err, store.ErrNotExist)
		_, err = s.Open(ctx, "a/b")
		is(t, "open", err, store.ErrNotExist)
		_, err = s.Stat(ctx, "a/b")
		is(t, "stat", err, store.ErrNotExist)
		is(t, "copy", s.Copy(ctx, "a/b", "a/c", 1), store.ErrNotExist)
		must(t, s.Delete(ctx, "a/b"))
	}
	check()
	must(t, s.Put(ctx, "a/b/c", []byte("x")))
	must(t, s.List(ctx, "nowhere/", func(o store.Object) error { return errors.New("listed " + o.Key) }))
	if _, err := s.Stat(ctx, "a"); !errors.Is(err, store.ErrNotExist) {
		t.Error("a prefix of a key is no object:", err)
	}
}

func roundTrip(t *testing.T, s *store.Store) {
	ctx := t.Context()
	must(t, s.Put(ctx, "d/empty", nil))
	want(t, s, "d/empty", "")
	must(t, s.Put(ctx, "d/x", []byte("one")))
	must(t, s.Put(ctx, "d/x", []byte("three")))
	want(t, s, "d/x", "three")
	big := strings.Repeat("0123456789", 3<<20/10)
	file := filepath.Join(t.TempDir(), "big")
	must(t, os.WriteFile(file, []byte(big), 0o600))
	for range 2 {
		must(t, s.PutFile(ctx, "d/k=v/big é", file))
	}
	if o, err := s.Stat(ctx, "d/k=v/big é"); err != nil || o.Size != int64(len(big)) || o.Modified.IsZero() {
		t.Errorf("stat: %+v, %v", o, err)
	}
	r, err := s.Open(ctx, "d/k=v/big é")
	must(t, err)
	all, err := io.ReadAll(r)
	must(t, errors.Join(err, r.Close()))
	if string(all) != big {
		t.Error("the object has other bytes than the file")
	}
	_, err = s.Get(ctx, "d/k=v/big é", 100)
	is(t, "get with a limit", err, store.ErrTooLarge)
	must(t, s.Delete(ctx, "d/x"))
	_, err = s.Get(ctx, "d/x", limit)
	is(t, "get after delete", err, store.ErrNotExist)
}

func oneCreator(t *testing.T, s *store.Store) {
	const keys, writers = 10, 4
	var mu sync.Mutex
	winners := map[string][]string{}
	var done sync.WaitGroup
	for w := range writers {
		done.Go(func() {
			for k := range keys {
				key, content := fmt.Sprintf("log/%d/000001.json", k), fmt.Sprintf("writer %d", w)
				switch err := s.PutIfAbsent(t.Context(), key, []byte(content)); {
				case err == nil:
					mu.Lock()
					winners[key] = append(winners[key], content)
					mu.Unlock()
				case !errors.Is(err, store.ErrExists):
					t.Error(err)
				}
			}
		})
	}
	done.Wait()
	for k := range keys {
		key := fmt.Sprintf("log/%d/000001.json", k)
		if len(winners[key]) != 1 {
			t.Errorf("%s: winners %q", key, winners[key])
			continue
		}
		want(t, s, key, winners[key][0])
	}
}

func lostReplies(t *testing.T, s *store.Store) {
	lost := fmt.Errorf("%w: reply lost", store.ErrTemporary)
	once := func(op Op) Hooks {
		failed := false
		return Hooks{After: func(o Op, _ string) error {
			if o == op && !failed {
				failed = true
				return lost
			}
			return nil
		}}
	}
	ctx := t.Context()
	must(t, Wrap(s, once(Create)).PutIfAbsent(ctx, "mine", []byte("mine")))
	is(t, "another's", s.PutIfAbsent(ctx, "mine", []byte("yours")), store.ErrExists)
	is(t, "longer", s.PutIfAbsent(ctx, "mine", []byte("mine, longer")), store.ErrExists)
	must(t, s.PutIfAbsent(ctx, "mine", []byte("mine")))
	want(t, s, "mine", "mine")
	for _, op := range []Op{Put, Copy, Delete, Read, Stat} {
		faulty := Wrap(s, once(op))
		must(t, faulty.Put(ctx, "from", []byte("text")))
		must(t, faulty.Copy(ctx, "from", "to", 4))
		must(t, faulty.Delete(ctx, "from"))
		want(t, faulty, "to", "text")
	}
}

func copies(t *testing.T, s *store.Store) {
	ctx := t.Context()
	must(t, s.Put(ctx, "staging/a", []byte("text")))
	for range 2 {
		must(t, s.Copy(ctx, "staging/a", "d/p=1/a", 4))
	}
	must(t, s.Put(ctx, "d/p=1/b", []byte("truncated")))
	must(t, s.Copy(ctx, "staging/a", "d/p=1/b", 4))
	must(t, s.Delete(ctx, "staging/a"))
	want(t, s, "d/p=1/a", "text")
	want(t, s, "d/p=1/b", "text")
	if err := s.Copy(ctx, "d/p=1/a", "d/c", 5); err == nil {
		t.Error("a copy of another size was accepted")
	}
}

func lists(t *testing.T, s *store.Store) {
	ctx := t.Context()
	var put []string
	for i := range 30 {
		put = append(put, fmt.Sprintf("jobs/%02d", i))
	}
	put = append(put, "jobs-failed/1", "jobs/sub/dir/1", "job", "other/1")
	for _, key := range put {
		must(t, s.Put(ctx, key, []byte(key)))
	}
	list := func(prefix string) []string {
		t.Helper()
		var found []string
		must(t, s.List(ctx, prefix, func(o store.Object) error {
			if o.Size != int64(len(o.Key)) || o.Modified.IsZero() {
				t.Errorf("listed %+v", o)
			}
			found = append(found, o.Key)
			return nil
		}))
		slices.Sort(found)
		return found
	}
	slices.Sort(put)
	for _, prefix := range []string{"", "job", "jobs", "jobs/", "jobs-", "jobs/1", "jobs/sub/", "nowhere"} {
		var expected []string
		for _, key := range put {
			if strings.HasPrefix(key, prefix) {
				expected = append(expected, key)
			}
		}
		if diff := cmp.Diff(expected, list(prefix)); diff != "" {
			t.Errorf("prefix %q (-want +got):\n%s", prefix, diff)
		}
	}
	stop := errors.New("stop")
	if err := s.List(ctx, "", func(store.Object) error { return stop }); err != stop {
		t.Error("list does not return the callback's error:", err)
	}
}

func probes(t *testing.T, s *store.Store) {
	ctx := t.Context()
	must(t, s.Probe(ctx))
	must(t, s.List(ctx, "", func(o store.Object) error { return errors.New("the probe left " + o.Key) }))
	for name, wrap := range map[string]func(store.Backend) store.Backend{
		"overwrites":          func(b store.Backend) store.Backend { return &overwriting{b, nil} },
		"overwrites, says no": func(b store.Backend) store.Backend { return &overwriting{b, store.ErrExists} },
	} {
		is(t, name, s.With(wrap).Probe(ctx), store.ErrNoConditionalWrites)
	}
}

// overwriting is a storage that ignores the condition.
type overwriting struct {
	store.Backend
	answer error
}

func (o *overwriting) Create(ctx context.Context, key string, data []byte) error {
	_, err := o.Stat(ctx, key)
	existed := err == nil
	if err := o.Put(ctx, key, content(string(data), int64(len(data)))); err != nil || !existed {
		return err
	}
	return o.answer
}
