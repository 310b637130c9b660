package ledger_test

import (
	"context"
	"errors"
	"path/filepath"
	"regexp"
	"testing"
)

var jobName = regexp.MustCompile(`job-\d+`)

// merge is a whole compaction in one step, in the middle of which others go on.
func (k *worker) merge(ctx context.Context) error {
	k.next = nil
	return mergeAll(ctx, k.ledger, filepath.Join(k.world.dir, "merged-"+k.world.nonce()))
}

// settled finishes in peace what is left of swaps, and removes what requests
// that were under way for long have brought back.
func (w *world) settled(t *testing.T) error {
	t.Helper()
	l := openLedger(t, w.bucket, options())
	err := l.SettleSwaps(t.Context(), "invoices")
	_, gcErr := l.GC(t.Context(), w.now, week)
	return errors.Join(err, gcErr)
}

// twice lists the jobs that do not stand in exactly one of the files that a
// reader sees.
func (w *world) twice(t *testing.T) (found []string) {
	t.Helper()
	times := map[string]int{}
	for _, key := range objects(t, w.bucket, "invoices/") {
		for _, job := range jobName.FindAllString(text(t, w.bucket, key), -1) {
			times[job]++
		}
	}
	for _, job := range w.jobs {
		if times[job] != 1 {
			found = append(found, job)
		}
	}
	return found
}
