package ledger

import (
	"context"
	"slices"

	"github.com/adteco/docarchive/internal/store"
)

// removeReplaced removes files that a swap replaced and that are there
// nevertheless. An unfinished swap is left to whoever settles it.
func (l *Ledger) removeReplaced(ctx context.Context, g *Garbage) error {
	all, err := l.views(ctx)
	if err != nil {
		return err
	}
	for _, k := range all {
		left, err := k.leftovers(ctx)
		if err != nil {
			return err
		}
		for _, o := range left {
			if err := l.store.Delete(ctx, o.Key); err != nil {
				return err
			}
			g.Replaced++
			g.Bytes += o.Size
		}
	}
	return nil
}

// leftovers lists what finished swaps have replaced and what is there.
func (k *swaps) leftovers(ctx context.Context) ([]store.Object, error) {
	_, undone, err := k.ledger.listSwaps(ctx, k.pipeline)
	if err != nil {
		return nil, err
	}
	replaced, roots := map[string]int{}, map[string]struct{}{}
	k.addTo(map[string]struct{}{}, replaced)
	for path := range replaced {
		roots[root(path)] = struct{}{}
	}
	var left []store.Object
	for dir := range roots {
		err := k.ledger.store.List(ctx, dir, func(o store.Object) error {
			if seq := replaced[o.Key]; seq > 0 && !slices.Contains(undone, seq) {
				left = append(left, o)
				delete(replaced, o.Key) // folders may lie in one another
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return left, nil
}
