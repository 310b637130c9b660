package main

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

// TestRebuildAndCompact takes turns: neither undoes what the other did, and the
// table stays what it was.
func TestRebuildAndCompact(t *testing.T) {
	config := strings.Replace(rebuildWith("line_items: table", parquetSink, csvSink), "since: 3d", "since: 40d\n    window: 120h", 1)
	a := newAdversary(t, 800, nil, nil)
	a.do(config, "run")
	a.now = a.now.Add(20 * 24 * time.Hour) // the months are over, and all jobs final
	a.do(config, "run")
	parquet, items, csv := a.save(a.table("parquet", "all")), a.save(a.table("parquet", "all__line_items")), a.save(a.table("csv", "table"))
	single := a.seen("/all/")
	for n := range 2 {
		a.do(config, "compact")
		merged := a.seen("/all/")
		if merged >= single {
			t.Errorf("%d files before the compaction, %d after", single, merged)
		}
		a.rebuild(config)
		if now := a.seen("/all/"); now <= merged {
			t.Errorf("round %d: %d files after the rebuild, %d before", n, now, merged)
		}
		a.equal(parquet, a.table("parquet", "all"))
		a.equal(items, a.table("parquet", "all__line_items"))
		a.equal(csv, a.table("csv", "table"))
	}
	a.do(config, "compact")
	a.do(config, "verify")
	a.equal(parquet, a.table("parquet", "all"))
}

// seen is how many files readers see below a folder.
func (a *adversary) seen(folder string) (n int) {
	for _, name := range a.files() {
		if strings.HasPrefix(name, folder) {
			n++
		}
	}
	return n
}

// TestRebuildBesideOthers rebuilds beside a run and beside another rebuild: all
// of them end well, and nothing is lost or there twice.
func TestRebuildBesideOthers(t *testing.T) {
	config := rebuildWith("", parquetSink, linesSink)
	a := newRebuilt(t, 500)
	a.do(config, "run")
	for round := range 3 {
		a.now = a.now.Add(26 * time.Hour)
		var all errgroup.Group
		for _, args := range [][]string{{"run"}, {"rebuild", "all"}, {"rebuild", "all", "--sink", "parquet:all"}} {
			spool := t.TempDir() // by the test's clock they are old, and others would remove them
			all.Go(func() error { return a.beside(spool, args...) })
		}
		if err := all.Wait(); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		a.do(config, "verify")
		a.do(config, "run")
		a.compare("all", a.truth(15*time.Minute))
	}
}

// beside executes docarchive by the configuration that stands there.
func (a *adversary) beside(spool string, args ...string) error {
	var out, errs bytes.Buffer
	status := run(system{
		args: append([]string{"--config", filepath.Join(a.dir, "jobs.yaml")}, args...),
		getenv: func(name string) (string, bool) {
			switch name {
			case "DOCARCHIVE_CACHE_DIR":
				return a.dir, true
			case "DOCARCHIVE_SPOOL":
				return spool, true
			}
			return "", false
		},
		stdout: &out, stderr: &errs, now: func() time.Time { return a.now },
	})
	if status != exitDone {
		return fmt.Errorf("%v: exit %d\n%s%s", args, status, out.String(), errs.String())
	}
	return nil
}
