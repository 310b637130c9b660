package iceberg

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Properties of snapshots and of tables.
const (
	propCommit  = "docarchive.commit"       // snapshot: PIPELINE/WINDOW/SEQ
	propNonce   = "docarchive.commit-nonce" // snapshot: of the record
	propSwap    = "docarchive.swap"         // snapshot: number of the newest swap that it takes account of
	propArchive = "docarchive.archive"      // both: UUID
	propDataset = "docarchive.dataset"      // table
	propSink    = "docarchive.sink"         // table
)

// compactPrefix begins the names of files that compaction wrote.
const compactPrefix = "compact-"

// ErrChanged means that another program changed the rows of a table. What it
// meant by that cannot be told, so nothing is registered any more.
var ErrChanged = errors.New("another program changed the table's rows; drop the table and let sync make it anew")

// held is what a table holds.
type held struct {
	files   map[string]bool // keys below the archive's location
	commits map[string]bool // ids that snapshots bear
	swap    int             // the highest number that a snapshot bears
}

// step becomes one snapshot.
type step struct {
	add, remove []string // keys, sorted
	merges      bool     // what is added came of compaction alone
	properties  map[string]string
}

// plan returns the steps that lead from what a table holds to what it is to
// hold. What swaps changed comes first and in one step, since files that were
// replaced may be gone.
func plan(want *contents, have held) ([]step, error) {
	var steps []step
	appended := map[string]bool{}
	for i := range want.commits {
		c := &want.commits[i]
		var add []string
		whole := true
		for _, key := range c.files {
			_, current := want.current[key]
			whole = whole && current
			if current && !have.files[key] {
				add = append(add, key)
			}
		}
		if !whole || len(add) == 0 {
			continue // swaps have to do with it, or it is registered
		}
		if have.commits[c.id] || len(add) < len(c.files) {
			return nil, fmt.Errorf("%w: %s was registered by commit %s and is missing", ErrChanged, add[0], c.id)
		}
		for _, key := range add {
			appended[key] = true
		}
		slices.Sort(add)
		steps = append(steps, step{add: add, properties: map[string]string{propCommit: c.id, propNonce: c.nonce}})
	}
	swap := step{properties: map[string]string{propSwap: strconv.Itoa(want.swap)}}
	compacted := true
	for key := range want.current {
		if have.files[key] || appended[key] {
			continue
		}
		swap.add = append(swap.add, key)
		compacted = compacted && want.swapped[key] && strings.HasPrefix(path.Base(key), compactPrefix)
	}
	for key := range have.files {
		if _, current := want.current[key]; !current {
			swap.remove = append(swap.remove, key)
		}
	}
	if len(swap.add)+len(swap.remove) == 0 {
		return steps, nil
	}
	slices.Sort(swap.add)
	slices.Sort(swap.remove)
	if have.swap >= want.swap {
		return nil, fmt.Errorf("%w: its files are not those that swap %d left", ErrChanged, have.swap)
	}
	swap.merges = compacted && len(swap.remove) > 0
	return append([]step{swap}, steps...), nil
}
