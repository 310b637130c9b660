package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"maps"
	"slices"

	"github.com/adteco/docarchive/pipeline"
)

// idsPerPass bounds how many ids are held in memory at once, as hashes.
const idsPerPass = 2_000_000

type idHash [16]byte

func hashID(id string) idHash {
	sum := sha256.Sum256([]byte(id))
	return idHash(sum[:16])
}

// duplicates looks for jobs that are archived twice, in whichever windows. With
// more ids than fit, the lists are read several times, and each pass looks at
// its share of them.
func (v *verification) duplicates(ctx context.Context) error {
	passes := uint64(v.rows/idsPerPass + 1)
	for pass := range passes {
		seen := map[idHash]struct{}{}
		for _, window := range slices.Sorted(maps.Keys(v.seqs)) {
			if err := v.pass(ctx, window, seen, pass, passes); err != nil {
				return err
			}
		}
	}
	return nil
}

func (v *verification) pass(ctx context.Context, window string, seen map[idHash]struct{}, pass, passes uint64) error {
	var own error
	err := v.ledger.walk(ctx, v.pipeline, window, func(r *pipeline.Record, _ string) error {
		own = v.ledger.recordIDs(ctx, r, func(ids []string) error {
			for _, id := range ids {
				h := hashID(id)
				if binary.BigEndian.Uint64(h[:])%passes != pass {
					continue
				}
				if _, twice := seen[h]; twice {
					err := v.report(Finding{
						Pipeline: v.pipeline, Window: r.Window, Seq: r.Seq,
						Problem: "job " + id + " is archived a second time",
					})
					if err != nil {
						return err
					}
				}
				seen[h] = struct{}{}
			}
			return nil
		})
		var damage *DamageError
		if pass > 0 && errors.As(own, &damage) {
			own = nil
		} else {
			own = v.found(own, r.Window, r.Seq) // a broken file of ids, reported once
		}
		return own
	})
	var damage *DamageError
	if own == nil && errors.As(err, &damage) {
		return nil // the log's own damage is reported already
	}
	return err
}
