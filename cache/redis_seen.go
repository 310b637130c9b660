package cache

import (
	"context"
	"slices"

	"github.com/redis/go-redis/v9"

	"github.com/adteco/docarchive/pipeline"
)

const (
	idsPerCommand  = 1000
	idsPerExchange = 10 * idsPerCommand
)

// carry gives the set at KEYS[1] the name KEYS[2], into what stands there
// already. It moves nothing where nothing is in the way.
var carry = redis.NewScript(`
if redis.call("EXISTS", KEYS[1]) == 0 then return 0 end
if redis.call("EXISTS", KEYS[2]) == 0 then
  redis.call("RENAME", KEYS[1], KEYS[2])
else
  redis.call("SUNIONSTORE", KEYS[2], KEYS[2], KEYS[1])
  redis.call("DEL", KEYS[1])
end
return 1`)

func seenKey(set pipeline.SeenSet, head string) string {
	return archiveKey(set.ArchiveID, "seen:"+set.Pipeline+":"+set.Window+":"+head)
}

// Filter implements [pipeline.Seen]. The size of the set and the membership of
// the ids are read in one transaction, so that a set which is evicted in between
// is not taken for one that lacks them.
func (r *Redis) Filter(ctx context.Context, set pipeline.SeenSet, ids []string) ([]string, bool, error) {
	if set.Count == 0 {
		return slices.Clone(ids), true, nil
	}
	key := seenKey(set, set.Head)
	fresh := make([]string, 0, len(ids))
	for batch := range slices.Chunk(ids, idsPerExchange) {
		var size *redis.IntCmd
		var members []*redis.BoolSliceCmd
		err := r.guard.do(ctx, func(ctx context.Context) error {
			members = members[:0]
			_, err := r.client.TxPipelined(ctx, func(p redis.Pipeliner) error {
				size = p.SCard(ctx, key)
				for chunk := range slices.Chunk(batch, idsPerCommand) {
					members = append(members, p.SMIsMember(ctx, key, asArguments(chunk)...))
				}
				return nil
			})
			return err
		})
		if err != nil || size.Val() != set.Count {
			return nil, false, ignore(ctx, err)
		}
		held := make([]bool, 0, len(batch))
		for _, m := range members {
			held = append(held, m.Val()...)
		}
		if len(held) != len(batch) {
			return nil, false, nil
		}
		for i, id := range batch {
			if !held[i] {
				fresh = append(fresh, id)
			}
		}
	}
	return fresh, true, nil
}

// Mark implements [pipeline.Seen]. What SADD answers is not looked at: after a
// lost answer it says of an id that it was there before.
func (r *Redis) Mark(ctx context.Context, set pipeline.SeenSet, ids []string) error {
	key := seenKey(set, set.Head)
	if set.Base != "" && set.Base != set.Head {
		err := r.guard.do(ctx, func(ctx context.Context) error {
			return carry.Run(ctx, r.client, []string{seenKey(set, set.Base), key}).Err()
		})
		if err != nil {
			return ignore(ctx, err)
		}
	}
	for batch := range slices.Chunk(ids, idsPerExchange) {
		err := r.guard.do(ctx, func(ctx context.Context) error {
			_, err := r.client.Pipelined(ctx, func(p redis.Pipeliner) error {
				for chunk := range slices.Chunk(batch, idsPerCommand) {
					p.SAdd(ctx, key, asArguments(chunk)...)
				}
				p.Expire(ctx, key, seenLife)
				return nil
			})
			return err
		})
		if err != nil {
			return ignore(ctx, err)
		}
	}
	return nil
}

func asArguments(ids []string) []any {
	arguments := make([]any, len(ids))
	for i, id := range ids {
		arguments[i] = id
	}
	return arguments
}
