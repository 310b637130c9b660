package cache_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/adteco/docarchive/cache"
	"github.com/adteco/docarchive/pipeline"
)

func client(t *testing.T, url string) *redis.Client {
	t.Helper()
	options, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	c := redis.NewClient(options)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func openEmbedded(t *testing.T, dir string, o cache.EmbeddedOptions) *cache.Embedded {
	t.Helper()
	home, err := cache.OpenEmbedded(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	closing(t, home)
	return home
}

var theSet = pipeline.SeenSet{ArchiveID: "archive", Pipeline: "invoices", Window: "20261122", Head: "h1", Count: 2}

func mark(t *testing.T, home cache.Home, ids ...string) {
	t.Helper()
	if err := home.Mark(t.Context(), theSet, ids); err != nil {
		t.Fatal(err)
	}
}

// known reports whether the home holds theSet, and checks the answer if so.
func known(t *testing.T, home cache.Home) bool {
	t.Helper()
	fresh, known, err := home.Filter(t.Context(), theSet, []string{"a", "b", "c"})
	if err != nil {
		t.Fatal(err)
	}
	if known && (len(fresh) != 1 || fresh[0] != "c") {
		t.Fatalf("a known answer is wrong: %q", fresh)
	}
	return known
}

func TestEmbeddedOutlivesTheProcess(t *testing.T) {
	t.Parallel()
	dir, c := t.TempDir(), newClock()
	first := openEmbedded(t, dir, cache.EmbeddedOptions{Clock: c.clock()})
	mark(t, first, "a", "b")
	first.Put(t.Context(), "job_1", []byte(someJob))
	if _, err := first.Remember(t.Context(), "s3://bucket", "archive"); err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	c.Advance(99 * 24 * time.Hour)
	second := openEmbedded(t, dir, cache.EmbeddedOptions{Clock: c.clock()})
	if !known(t, second) {
		t.Error("the skip list was forgotten within 100 days")
	}
	if previous, err := second.Remember(t.Context(), "s3://bucket", "other"); err != nil || previous != "archive" {
		t.Errorf("Remember: %q, %v", previous, err)
	}
	if _, ok := second.Get(t.Context(), "job_1"); ok {
		t.Error("a job is held after 99 days")
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	c.Advance(2 * 24 * time.Hour)
	if known(t, openEmbedded(t, dir, cache.EmbeddedOptions{Clock: c.clock()})) {
		t.Error("the skip list is held after 101 days")
	}
}

func TestEmbeddedInUse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := openEmbedded(t, dir, cache.EmbeddedOptions{})
	mark(t, first, "a", "b")
	var log logged
	start := time.Now()
	second := openEmbedded(t, dir, cache.EmbeddedOptions{Logger: log.logger()})
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("waited %s for the other process", took)
	}
	if log.warnings() != 1 || !strings.Contains(log.String(), "another process") {
		t.Errorf("log: %s", log.String())
	}
	if known(t, second) {
		t.Error("the second process reads the first one's file")
	}
	mark(t, second, "a", "b")
	if !known(t, second) || !known(t, first) {
		t.Error("a process does not remember what it was told")
	}
}

func TestEmbeddedWithoutAFolder(t *testing.T) {
	t.Parallel()
	if _, err := cache.OpenEmbedded("", cache.EmbeddedOptions{}); err == nil {
		t.Error("no folder is no error")
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var log logged
	home := openEmbedded(t, filepath.Join(file, "sub"), cache.EmbeddedOptions{Logger: log.logger()})
	mark(t, home, "a", "b")
	if !known(t, home) || log.warnings() != 1 {
		t.Errorf("in memory: known %v, log %s", known(t, home), log.String())
	}
}

// Whatever a disk does to the file, a known answer is right, nothing panics and
// the home works.
func TestEmbeddedDamaged(t *testing.T) {
	t.Parallel()
	origin := t.TempDir()
	home := openEmbedded(t, origin, cache.EmbeddedOptions{})
	mark(t, home, "a", "b")
	if err := home.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(filepath.Join(origin, "cache.db"))
	if err != nil {
		t.Fatal(err)
	}
	scribble := func(from, to int) []byte {
		damaged := append([]byte(nil), whole...)
		for i := from; i < min(to, len(damaged)); i++ {
			damaged[i] ^= 0xa5
		}
		return damaged
	}
	page := os.Getpagesize()
	cases := map[string][]byte{
		"text":      []byte("not a database, but long enough to be taken for one" + strings.Repeat(".", 5*page)),
		"short":     whole[:100],
		"truncated": whole[:2*page],
		"zeros":     make([]byte, len(whole)),
		"no meta":   scribble(0, 2*page),
		"no pages":  scribble(2*page, len(whole)),
	}
	for at := 2 * page; at < len(whole); at += page {
		cases["page "+string(rune('a'+at/page))] = scribble(at, at+page)
	}
	// The ids themselves: structure intact, another id.
	cases["another id"] = []byte(strings.ReplaceAll(string(whole), "b\x01", "z\x01"))
	for name, content := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "cache.db"), content, 0o600); err != nil {
				t.Fatal(err)
			}
			var log logged
			home := openEmbedded(t, dir, cache.EmbeddedOptions{Logger: log.logger()})
			if !known(t, home) && log.warnings() == 0 {
				t.Error("the damage was not reported")
			}
			mark(t, home, "a", "b")
			if !known(t, home) {
				t.Errorf("the home does not work after the damage; log: %s", log.String())
			}
			if _, err := os.Stat(filepath.Join(dir, "cache.db.damaged")); err != nil && name != "another id" && log.warnings() > 0 {
				t.Errorf("the damaged file was not kept: %v; log: %s", err, log.String())
			}
		})
	}
}
