package ledger

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/adteco/docarchive/internal/store"
	"github.com/adteco/docarchive/pipeline"
)

// unknown looks for files in the sinks' folders that nothing committed, in any
// pipeline, and for those that a swap replaced and that are still there.
func (v *verification) unknown(ctx context.Context) error {
	if len(v.roots) == 0 || v.swapped.damaged {
		return nil // without all swaps it cannot be said what is unknown
	}
	known := map[string]struct{}{}
	err := v.ledger.records(ctx, func(r *pipeline.Record) error {
		for i := range r.Files {
			known[r.Files[i].Path] = struct{}{}
		}
		return nil
	})
	var all []*swaps
	if err == nil {
		all, err = v.ledger.views(ctx)
	}
	var damage *DamageError
	switch {
	case errors.As(err, &damage) && strings.HasPrefix(damage.Key, logDir+v.pipeline+"/"):
		return nil // it is reported already
	case err != nil:
		return v.found(err, "", 0) // with a broken log it cannot be said what is unknown
	}
	replaced := map[string]int{}
	for _, k := range all {
		k.addTo(known, replaced)
	}
	for _, dir := range slices.Sorted(maps.Keys(v.roots)) {
		err := v.ledger.store.List(ctx, dir, func(o store.Object) error {
			if _, ok := known[o.Key]; ok || hidden(path.Base(o.Key)) {
				return nil
			}
			known[o.Key] = struct{}{} // folders may lie in one another
			f := Finding{Pipeline: v.pipeline, Path: o.Key, Problem: "no record names this file, and readers see it"}
			if seq := replaced[o.Key]; seq > 0 {
				f.Swap = seq
				f.Problem = fmt.Sprintf("swap %d replaced this file, and readers still see it: `gc` removes it", seq)
			}
			return v.report(f)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// addTo adds what the swaps brought to the known files, takes out of them what
// was replaced, and adds that to replaced.
func (k *swaps) addTo(known map[string]struct{}, replaced map[string]int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for path := range k.brought {
		known[path] = struct{}{}
	}
	for path, seq := range k.replaced {
		delete(known, path)
		replaced[path] = seq
	}
}
