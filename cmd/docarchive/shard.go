package main

import (
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/adteco/docarchive/pipeline"
)

// shardOptions are the flags that say which of several workers this is.
type shardOptions struct {
	index, count int
}

const unsaid = -1

func (o *shardOptions) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.IntVar(&o.index, "shard-index", unsaid, "which of --shard-count workers this is, from 0; left out: as the environment says")
	f.IntVar(&o.count, "shard-count", unsaid, "how many workers share the windows; left out: as the environment says")
}

// shardCount is the variable that says how many workers there are where the
// engine does not.
const shardCount = "DOCARCHIVE_SHARD_COUNT"

// engine is what starts several workers and numbers them.
type engine struct {
	name         string
	index, count string // variables; count may be empty
	first, step  string // variables: of the least index, and between two; may be empty
}

// engines are looked at in order. Those that say how many workers there are come
// first: some of them run on Kubernetes, which says less.
func engines() []engine {
	return []engine{
		{name: "AWS Batch", index: "AWS_BATCH_JOB_ARRAY_INDEX", count: "AWS_BATCH_JOB_ARRAY_SIZE"},
		{name: "Cloud Run", index: "CLOUD_RUN_TASK_INDEX", count: "CLOUD_RUN_TASK_COUNT"},
		{
			name: "Slurm", index: "SLURM_ARRAY_TASK_ID", count: "SLURM_ARRAY_TASK_COUNT",
			first: "SLURM_ARRAY_TASK_MIN", step: "SLURM_ARRAY_TASK_STEP",
		},
		{name: "Kubernetes", index: "JOB_COMPLETION_INDEX"},
	}
}

// shard is which worker this is: what the flags say, or else the first engine
// whose variables are set. A count that is said by a flag, or by
// DOCARCHIVE_SHARD_COUNT, goes before the engine's.
func (o shardOptions) shard(getenv func(string) (string, bool)) (pipeline.Shard, error) {
	env := environment(getenv)
	index, count, source := o.index, o.count, "--shard-index"
	if o.index < unsaid || o.count < unsaid || o.count == 0 {
		return pipeline.Shard{}, usagef("--shard-index counts from 0, and --shard-count from 1")
	}
	var err error
	if count == unsaid {
		if count, err = env.number(shardCount, 1); err != nil {
			return pipeline.Shard{}, err
		}
	}
	if index == unsaid {
		for _, e := range engines() {
			if env.text(e.index) == "" {
				continue
			}
			if index, count, err = env.of(e, count); err != nil {
				return pipeline.Shard{}, err
			}
			source = e.index
			break
		}
	}
	switch {
	case index == unsaid && count > 1:
		return pipeline.Shard{}, usagef("there are %d workers, and nothing says which of them this is: give --shard-index, or start it by an engine that numbers its workers",
			count)
	case index == unsaid:
		return pipeline.Shard{}, nil
	case count == unsaid:
		return pipeline.Shard{}, usagef("%s says that this is worker %d, and nothing says of how many: give --shard-count, or set %s", source, index, shardCount)
	case index >= count:
		return pipeline.Shard{}, usagef("%s says that this is worker %d, and there are %d, numbered from 0", source, index, count)
	}
	return pipeline.Shard{Index: index, Count: count}, nil
}

// environment reads variables; an empty one counts as not set.
type environment func(string) (string, bool)

func (env environment) text(name string) string {
	if name == "" {
		return ""
	}
	text, _ := env(name)
	return strings.TrimSpace(text)
}

// number is the variable's value, which must be at least least; unsaid if it is
// not set.
func (env environment) number(name string, least int) (int, error) {
	text := env.text(name)
	if text == "" {
		return unsaid, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least {
		return unsaid, usagef("%s is %q: it must be a whole number from %d on", name, text, least)
	}
	return n, nil
}

// of is what an engine says. count is what was said otherwise.
func (env environment) of(e engine, count int) (index, all int, err error) {
	if index, err = env.number(e.index, 0); err != nil {
		return unsaid, unsaid, err
	}
	first, err := env.number(e.first, 0)
	if err != nil {
		return unsaid, unsaid, err
	}
	step, err := env.number(e.step, 1)
	if err != nil {
		return unsaid, unsaid, err
	}
	if first != unsaid {
		if index < first {
			return unsaid, unsaid, usagef("%s is %d, less than %s, which is %d", e.index, index, e.first, first)
		}
		index -= first
	}
	if step != unsaid {
		index /= step
	}
	if count == unsaid {
		count, err = env.number(e.count, 1)
	}
	return index, count, err
}
