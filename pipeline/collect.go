package pipeline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/internal/failpoint"
	"github.com/adteco/docarchive/internal/words"
)

const (
	// batchRows and batchBytes bound what waits to be flattened: so many jobs are
	// enough for a batch, so many bytes are too much.
	batchRows  = 2048
	batchBytes = 24 << 20
	// chunkRows is after how many new jobs a proven part of a window is
	// committed by a record of its own.
	chunkRows = 250_000
)

// seenState is what a window's reading knows of a job.
type seenState byte

const (
	seenOpen seenState = iota + 1
	seenFinal
)

// collector sorts what a window's reading brings: final jobs that are new go to
// the writers, open ones are noted, malformed ones set aside.
type collector struct {
	ctx    context.Context
	run    *pipelineRun
	window Window
	output *output

	states   map[string]seenState
	wasOpen  map[string]bool // open jobs of earlier runs that are still unresolved
	tally    tally
	rejects  map[string]bool // known to the ledger
	archived *archivedSet
	waiting
}

// tally counts a reading's jobs.
type tally struct {
	read, excluded int64
	before         int64    // excluded as of the last run
	rejected       []string // since the last commit
	reason         string   // why the first of them was
}

// visit implements visitor.
func (c *collector) visit(page *docextract.Page) error {
	for _, m := range page.Malformed {
		if err := c.reject(m); err != nil {
			return err
		}
	}
	before := c.taken
	for i := range page.Jobs {
		if err := c.job(&page.Jobs[i]); err != nil {
			return err
		}
	}
	if c.leave(page, before) {
		return c.flush()
	}
	return nil
}

// reject puts a malformed element into quarantine, once.
func (c *collector) reject(m docextract.Malformed) error {
	sum := sha256.Sum256(m.Raw)
	return c.setAside("sha256:"+hex.EncodeToString(sum[:]), m)
}

// setAside puts into quarantine what the key stands for, once.
func (c *collector) setAside(key string, m docextract.Malformed) error {
	if c.rejects[key] {
		return nil
	}
	c.rejects[key] = true
	c.tally.rejected = append(c.tally.rejected, key)
	if c.tally.reason == "" {
		c.tally.reason = m.Reason
	}
	return c.output.malformed(m)
}

// warnOfQuarantine says where a record's malformed elements are kept.
func (v *reading) warnOfQuarantine(r *Record) {
	if len(r.Rejected) == 0 {
		return
	}
	file := ""
	for _, f := range r.Files {
		if f.Kind == KindQuarantine {
			file = f.Path
		}
	}
	v.Log.Warn(words.Count(len(r.Rejected), "job")+" put into quarantine", "pipeline", v.Spec.Name, "window", v.window.Name(),
		"file", file, "first_reason", v.collect.tally.reason)
}

func (c *collector) job(job *docextract.Job) error {
	if !c.window.Contains(job.CreatedAt) {
		return nil
	}
	state, known := c.states[job.ID]
	if known && (state == seenFinal || !job.Status.Final()) {
		return nil
	}
	if !known {
		c.tally.read++
	}
	if !job.Status.Final() {
		if !job.Status.Known() {
			c.run.warnOnce("status "+string(job.Status), "unknown status, taken for one that is not final", "status", string(job.Status), "job", job.ID)
		}
		c.states[job.ID] = seenOpen
		return nil
	}
	c.states[job.ID] = seenFinal
	delete(c.wasOpen, job.ID)
	if !c.run.Filter.Match(job) {
		c.tally.excluded++
		return nil
	}
	c.take(job)
	if c.full() {
		return c.flush()
	}
	return nil
}

// settled is told that no job created before the time given is still to come.
// Batches that end there follow one another in order of creation, and so do the
// rows of files.
func (c *collector) settled(to time.Time) error {
	if len(c.pending) < batchRows {
		return nil
	}
	later := c.later(to)
	err := c.flush()
	for i := range later {
		c.take(&later[i])
	}
	return err
}

// flush drops what is archived already and writes the rest, in order of
// creation.
func (c *collector) flush() error {
	if len(c.pending) == 0 {
		return nil
	}
	if err := failpoint.Hit(failpoint.Flush); err != nil {
		return err
	}
	fresh, err := c.archived.fresh(c.ctx, c.pending)
	if err != nil {
		return err
	}
	slices.SortFunc(fresh, func(a, b docextract.Job) int {
		if d := a.CreatedAt.Compare(b.CreatedAt); d != 0 {
			return d
		}
		return strings.Compare(a.ID, b.ID)
	})
	if c.run.Schema == SchemaQuarantine {
		if fresh, err = c.sift(fresh); err != nil {
			return err
		}
	}
	err = c.output.jobs(c.ctx, fresh)
	c.done()
	return err
}

// open lists the ids of the window's jobs that are not final, sorted. all says
// that the whole window was read and proven, so that jobs which were open and
// did not appear are gone.
func (c *collector) open(all bool) []string {
	var ids []string
	for id, state := range c.states {
		if state == seenOpen {
			ids = append(ids, id)
		}
	}
	if !all {
		for id := range c.wasOpen {
			if c.states[id] == 0 {
				ids = append(ids, id)
			}
		}
	}
	slices.Sort(ids)
	return ids
}

// excluded is how many final jobs of the window the filters leave out.
func (v *reading) excluded(all bool) int64 {
	t := &v.collect.tally
	switch {
	case all:
		return t.excluded
	case v.plan.whole:
		return max(t.before, t.excluded)
	}
	return t.before + t.excluded
}

// archivedSet tells which jobs of a window are archived: by the cache if it
// knows, else by the ledger's own lists.
type archivedSet struct {
	run    *pipelineRun
	window Window
	head   *History
	ids    map[string]bool // from the ledger; nil: not read
}

func (a *archivedSet) set() SeenSet {
	return SeenSet{
		ArchiveID: a.run.Stores.ArchiveID, Pipeline: a.run.Spec.Name, Window: a.window.Name(),
		Head: a.head.HeadHash, Count: a.head.Archived,
	}
}

// fresh returns those of jobs that are not archived. It reuses their slice.
func (a *archivedSet) fresh(ctx context.Context, jobs []docextract.Job) ([]docextract.Job, error) {
	if a.head.Archived == 0 {
		return jobs, nil
	}
	if a.ids == nil {
		ids := make([]string, len(jobs))
		for i := range jobs {
			ids[i] = jobs[i].ID
		}
		fresh, known, err := a.run.Stores.Seen.Filter(ctx, a.set(), ids)
		if err != nil {
			a.run.warnOnce("seen", "the cache does not answer, the ledger is read instead", "error", err)
		} else if known {
			return keep(jobs, fresh), nil
		}
		if err := a.load(ctx); err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(jobs, func(j docextract.Job) bool { return a.ids[j.ID] }), nil
}

// keep returns the jobs whose ids stand in fresh, which keeps their order.
func keep(jobs []docextract.Job, fresh []string) []docextract.Job {
	return slices.DeleteFunc(jobs, func(j docextract.Job) bool {
		if len(fresh) > 0 && fresh[0] == j.ID {
			fresh = fresh[1:]
			return false
		}
		return true
	})
}

// load reads the ledger's lists, and teaches them to the cache.
func (a *archivedSet) load(ctx context.Context) error {
	a.ids = make(map[string]bool, a.head.Archived)
	return a.run.Stores.Ledger.ArchivedIDs(ctx, a.head, func(ids []string) error {
		for _, id := range ids {
			a.ids[id] = true
		}
		if err := a.run.Stores.Seen.Mark(ctx, a.set(), ids); err != nil {
			a.run.warnOnce("seen", "the cache does not answer, the ledger is read instead", "error", err)
		}
		return nil
	})
}

// advance moves on to a history that ids were added to.
func (a *archivedSet) advance(ctx context.Context, next *History, ids []string) {
	base := a.head.HeadHash
	if a.head.Archived == 0 {
		base = ""
	}
	a.head = next
	for _, id := range ids {
		if a.ids != nil {
			a.ids[id] = true
		}
	}
	set := a.set()
	set.Base = base
	// The ids count only once the record is durable, which it is.
	if err := a.run.Stores.Seen.Mark(ctx, set, ids); err != nil {
		a.run.warnOnce("seen", "the cache does not answer, the ledger is read instead", "error", err)
	}
}

// now is the time that a commit bears, at the resolution of the table.
func (p *pipelineRun) now() time.Time { return p.Now().UTC().Truncate(time.Microsecond) }
