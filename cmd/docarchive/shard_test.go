package main

import (
	"strings"
	"testing"

	"github.com/adteco/docarchive/pipeline"
)

// TestShardOfTheEnvironment: flags first, then the engines that say how many
// workers there are, then Kubernetes.
func TestShardOfTheEnvironment(t *testing.T) {
	flags := func(index, count int) shardOptions { return shardOptions{index, count} }
	none := flags(unsaid, unsaid)
	for name, c := range map[string]struct {
		options shardOptions
		env     string
		want    pipeline.Shard
		fault   string // in the error
	}{
		"nothing":                {options: none},
		"flags":                  {options: flags(1, 4), want: pipeline.Shard{Index: 1, Count: 4}},
		"flags over an engine":   {options: flags(1, 4), env: "CLOUD_RUN_TASK_INDEX=0 CLOUD_RUN_TASK_COUNT=2", want: pipeline.Shard{Index: 1, Count: 4}},
		"an index flag alone":    {options: flags(1, unsaid), fault: "--shard-index says that this is worker 1, and nothing says of how many"},
		"an index and the count": {options: flags(1, unsaid), env: "DOCARCHIVE_SHARD_COUNT=3", want: pipeline.Shard{Index: 1, Count: 3}},
		"a count flag alone":     {options: flags(unsaid, 4), fault: "there are 4 workers, and nothing says which"},
		"the count alone":        {options: none, env: "DOCARCHIVE_SHARD_COUNT=4", fault: "there are 4 workers, and nothing says which"},
		"one worker":             {options: none, env: "DOCARCHIVE_SHARD_COUNT=1"},
		"an index out of range":  {options: flags(4, 4), fault: "there are 4, numbered from 0"},
		"a negative index":       {options: flags(-2, 4), fault: "--shard-index counts from 0"},
		"no workers":             {options: flags(0, 0), fault: "--shard-count from 1"},

		"Kubernetes":                 {options: none, env: "JOB_COMPLETION_INDEX=2 DOCARCHIVE_SHARD_COUNT=4", want: pipeline.Shard{Index: 2, Count: 4}},
		"Kubernetes, count by flag":  {options: flags(unsaid, 5), env: "JOB_COMPLETION_INDEX=2", want: pipeline.Shard{Index: 2, Count: 5}},
		"Kubernetes without a count": {options: none, env: "JOB_COMPLETION_INDEX=0", fault: "JOB_COMPLETION_INDEX says that this is worker 0, and nothing says of how many"},
		"Kubernetes out of range":    {options: none, env: "JOB_COMPLETION_INDEX=4 DOCARCHIVE_SHARD_COUNT=4", fault: "JOB_COMPLETION_INDEX says that this is worker 4, and there are 4"},
		"AWS Batch":                  {options: none, env: "AWS_BATCH_JOB_ARRAY_INDEX=3 AWS_BATCH_JOB_ARRAY_SIZE=8", want: pipeline.Shard{Index: 3, Count: 8}},
		"Cloud Run":                  {options: none, env: "CLOUD_RUN_TASK_INDEX=1 CLOUD_RUN_TASK_COUNT=2", want: pipeline.Shard{Index: 1, Count: 2}},
		"Cloud Run, one task":        {options: none, env: "CLOUD_RUN_TASK_INDEX=0 CLOUD_RUN_TASK_COUNT=1", want: pipeline.Shard{Index: 0, Count: 1}},
		"Slurm":                      {options: none, env: "SLURM_ARRAY_TASK_ID=12 SLURM_ARRAY_TASK_MIN=10 SLURM_ARRAY_TASK_COUNT=4", want: pipeline.Shard{Index: 2, Count: 4}},
		"Slurm in steps": {
			options: none, env: "SLURM_ARRAY_TASK_ID=30 SLURM_ARRAY_TASK_MIN=10 SLURM_ARRAY_TASK_COUNT=4 SLURM_ARRAY_TASK_STEP=10",
			want: pipeline.Shard{Index: 2, Count: 4},
		},
		"Slurm below its least": {options: none, env: "SLURM_ARRAY_TASK_ID=9 SLURM_ARRAY_TASK_MIN=10 SLURM_ARRAY_TASK_COUNT=4", fault: "less than SLURM_ARRAY_TASK_MIN"},
		"Slurm with holes":      {options: none, env: "SLURM_ARRAY_TASK_ID=9 SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_COUNT=3", fault: "worker 8, and there are 3"},
		"a count goes first":    {options: none, env: "AWS_BATCH_JOB_ARRAY_INDEX=3 AWS_BATCH_JOB_ARRAY_SIZE=8 DOCARCHIVE_SHARD_COUNT=4", want: pipeline.Shard{Index: 3, Count: 4}},
		"AWS Batch on Kubernetes": {
			options: none, env: "JOB_COMPLETION_INDEX=7 AWS_BATCH_JOB_ARRAY_INDEX=3 AWS_BATCH_JOB_ARRAY_SIZE=8", want: pipeline.Shard{Index: 3, Count: 8},
		},
		"empty variables": {options: none, env: "JOB_COMPLETION_INDEX= AWS_BATCH_JOB_ARRAY_INDEX= DOCARCHIVE_SHARD_COUNT="},
		"no number":       {options: none, env: "JOB_COMPLETION_INDEX=two DOCARCHIVE_SHARD_COUNT=4", fault: `JOB_COMPLETION_INDEX is "two"`},
		"a count of none": {options: none, env: "JOB_COMPLETION_INDEX=0 DOCARCHIVE_SHARD_COUNT=0", fault: `DOCARCHIVE_SHARD_COUNT is "0"`},
	} {
		t.Run(name, func(t *testing.T) {
			env := map[string]string{}
			for pair := range strings.FieldsSeq(c.env) {
				key, value, _ := strings.Cut(pair, "=")
				env[key] = value
			}
			got, err := c.options.shard(func(name string) (string, bool) { value, has := env[name]; return value, has })
			switch {
			case c.fault == "" && (err != nil || got != c.want):
				t.Errorf("%+v, %v, want %+v", got, err, c.want)
			case c.fault != "" && (err == nil || !strings.Contains(err.Error(), c.fault) || exitStatus(err) != exitUsage):
				t.Errorf("%+v, %v, want a mistake of usage: %s", got, err, c.fault)
			}
		})
	}
}
