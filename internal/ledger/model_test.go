package ledger_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/adteco/docarchive/internal/ledger"
	"github.com/adteco/docarchive/internal/store"
	"github.com/adteco/docarchive/pipeline"
)

// world is a bucket and the runs that use it at once. Everything happens in one
// goroutine and follows from the seed: a run's storage operation may let other
// runs go first, fail before or after it is done, be done later, or be the last
// thing that the run does.
type world struct {
	rng     *rand.Rand
	dir     string
	bucket  *store.Store // as it is, without faults
	now     time.Time
	calm    bool // no more faults
	depth   int
	workers []*worker
	zombies []func() // requests that are still under way
	jobs    []string
	acked   map[string]string // key of a record → nonce of whoever was told that it is his
	cache   *recall
	created int
}

func (w *world) chance(percent int) bool { return !w.calm && w.rng.IntN(100) < percent }

func (w *world) nonce() string { w.created++; return fmt.Sprintf("nonce-%d", w.created) }

// mutant changes the bucket as a mistake in the protocol would look from it.
type mutant func(store.Backend) store.Backend

func newWorld(t *testing.T, seed uint64, m mutant) *world {
	t.Helper()
	w := &world{
		rng: rand.New(rand.NewPCG(seed, 1)), dir: t.TempDir(), acked: map[string]string{}, cache: &recall{},
		now: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC),
	}
	w.bucket = openStore(t, "mem://").With(func(b store.Backend) store.Backend {
		return &dated{b, func() time.Time { return w.now }, map[string]time.Time{}}
	})
	if m != nil {
		w.bucket = w.bucket.With(m)
	}
	openLedger(t, w.bucket, ledger.Options{NewNonce: w.nonce})
	for i := range 3 {
		w.workers = append(w.workers, &worker{world: w, id: i})
	}
	return w
}

// run lets the runs do their worst, then lets one finish in peace.
func (w *world) run(t *testing.T) {
	t.Helper()
	for tick := range 60 {
		if tick%4 == 0 {
			w.jobs = append(w.jobs, fmt.Sprintf("job-%02d", tick))
		}
		switch w.rng.IntN(13) {
		case 0:
			w.now = w.now.Add(time.Duration(w.rng.IntN(100)) * time.Hour)
		case 1:
			w.land()
		case 2:
			w.cache.empty()
		default:
			w.workers[w.rng.IntN(len(w.workers))].turn(t)
		}
	}
	w.calm = true
	for len(w.zombies) > 0 {
		w.land()
	}
	last := &worker{world: w, id: len(w.workers)}
	for range 10 {
		last.turn(t)
	}
}

// land does one of the requests that were under way.
func (w *world) land() {
	if len(w.zombies) == 0 {
		return
	}
	i := w.rng.IntN(len(w.zombies))
	request := w.zombies[i]
	w.zombies = slices.Delete(w.zombies, i, i+1)
	request()
}

// others lets another run go on in the middle of this one.
func (w *world) others(t *testing.T) {
	if w.depth > 2 || !w.chance(8) {
		return
	}
	w.depth++
	defer func() { w.depth-- }()
	w.workers[w.rng.IntN(len(w.workers))].turn(t)
}

// violations compares the archive with what was promised.
func (w *world) violations(t *testing.T) []string {
	t.Helper()
	var found []string
	add := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	if err := w.settled(t); err != nil {
		return []string{err.Error()}
	}
	l, err := ledger.OpenExisting(t.Context(), w.bucket, ledger.Options{})
	must(t, err)
	h, err := l.Load(t.Context(), "invoices", day)
	if err != nil {
		return []string{err.Error()}
	}
	times := map[string]int{}
	if err := l.ArchivedIDs(t.Context(), h, func(ids []string) error {
		for _, id := range ids {
			times[id]++
		}
		return nil
	}); err != nil {
		add("%v", err)
	}
	for _, job := range w.jobs {
		if times[job] != 1 {
			add("%s is archived %d times", job, times[job])
		}
	}
	for _, job := range w.twice(t) {
		add("%s does not stand in exactly one file", job)
	}
	for key, nonce := range w.acked {
		var r pipeline.RecordIdentity
		data, err := w.bucket.Get(t.Context(), key, store.MaxCreate)
		if err == nil {
			err = json.Unmarshal(data, &r)
		}
		if err != nil || r.Nonce != nonce {
			add("%s was reported as %s's, and is %q: %v", key, nonce, r.Nonce, err)
		}
	}
	must(t, l.Verify(t.Context(), "invoices", func(f ledger.Finding) error {
		add("%+v", f)
		return nil
	}))
	return found
}

// worker is a run, or rather one after another.
type worker struct {
	world  *world
	id     int
	busy   bool // within a turn
	dead   bool // killed, and not started again yet
	ledger *ledger.Ledger
	next   func(ctx context.Context) error // the step that it stands before

	history   *pipeline.History
	committed *pipeline.History // what the history led to
	record    *pipeline.Record
	ids       []string
}

// turn does one step of a run. Any error ends the run, and a new one begins.
func (k *worker) turn(t *testing.T) {
	t.Helper()
	if k.busy {
		return
	}
	k.busy = true
	defer func() { k.busy = false }()
	if k.next == nil || k.dead {
		k.dead = false
		s := k.world.bucket.With(func(b store.Backend) store.Backend { return &flaky{b, k, t} })
		l, err := ledger.OpenExisting(t.Context(), s, ledger.Options{
			NewNonce: k.world.nonce, InlineIDs: 1, AtOnce: 1, Clock: func() time.Time { return k.world.now },
		})
		if err != nil {
			return
		}
		k.ledger, k.next = l, k.load
		if k.world.chance(15) {
			k.next = k.collect
		}
		if k.world.chance(15) {
			k.next = k.merge
		}
	}
	if err := k.next(t.Context()); err != nil {
		k.next = nil // what is wrong now, if anything, shows in the end
	}
}

func (k *worker) load(ctx context.Context) (err error) {
	if k.history, err = k.ledger.Load(ctx, "invoices", day); err != nil {
		return err
	}
	if k.history.Head != nil {
		if err := k.ledger.Publish(ctx, k.history.Head); err != nil {
			return err
		}
	}
	archived, known := k.world.cache.known(k.history)
	if !known {
		archived = map[string]bool{}
		if err := k.ledger.ArchivedIDs(ctx, k.history, func(ids []string) error {
			for _, id := range ids {
				archived[id] = true
			}
			return nil
		}); err != nil {
			return err
		}
	}
	k.ids = nil
	for _, job := range k.world.jobs {
		if !archived[job] {
			k.ids = append(k.ids, job)
		}
	}
	if len(k.ids) == 0 {
		return errors.New("nothing is new")
	}
	k.next = k.stage
	return nil
}

func (k *worker) stage(ctx context.Context) error {
	k.world.cache.intend(k.ids)
	seq := k.history.NextSeq()
	// Two runs may encode the same jobs to the same bytes, or to others.
	text := fmt.Sprint(k.ids, k.world.rng.IntN(2))
	p := spooled(filepath.Join(k.world.dir, fmt.Sprint(k.id)), fmt.Sprintf("invoices/20261122-%06d.csv", seq), text, int64(len(k.ids)))
	if err := k.ledger.Stage(ctx, p); err != nil {
		return err
	}
	k.record = record(k.ids, p)
	k.next = k.append
	return nil
}

func (k *worker) append(ctx context.Context) error {
	h, err := k.ledger.Append(ctx, k.history, k.record, k.ids)
	if err != nil {
		return err
	}
	key := fmt.Sprintf("_archive/log/invoices/20261122/%06d.json", h.Head.Seq)
	if was, twice := k.world.acked[key]; twice {
		k.world.acked[key] = was + " and " + h.Head.Nonce
	} else {
		k.world.acked[key] = h.Head.Nonce
	}
	k.committed = h
	k.next = k.publish
	return nil
}

func (k *worker) publish(ctx context.Context) error {
	k.next = nil
	if err := k.ledger.Publish(ctx, k.record); err != nil {
		return err
	}
	if !k.world.chance(10) { // that the cache does not answer
		k.world.cache.mark(k.history, k.committed, k.ids)
	}
	return nil
}

func (k *worker) collect(ctx context.Context) error {
	k.next = nil
	_, err := k.ledger.GC(ctx, k.world.now, week)
	return err
}
