package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/adteco/docarchive/internal/config"
	"github.com/adteco/docarchive/internal/words"
	"github.com/adteco/docarchive/pipeline"
)

// compactOptions are the flags of compact.
type compactOptions struct {
	target string
	months []string
	dryRun bool
}

// compactTarget is what a new file's size is to reach if nothing else is said.
const compactTarget = "256MB"

func (a *app) compactCommand() *cobra.Command {
	var o compactOptions
	cmd := &cobra.Command{
		Use:   "compact [PIPELINE…]",
		Short: "Merge the small Parquet files of closed months into few large ones",
		Long: `Merge the small Parquet files of closed months, for all pipelines of jobs.yaml or
for those named. Rows are sorted by created_at, and every value stays as it is;
a column that an older file lacks is null there.

A month is closed when it is over, its windows are read to their ends and every
job in them is final. What is open is left alone, and said so. A job that comes
late stands in a small file beside the large ones until the next compaction.

It may be interrupted, repeated, and run beside a run or another compaction.
While large files take the place of small ones, which takes seconds, a reader
may see a job in both, and never in none. Exit status 3 if a month that --month
names is still open.`,
		Example: `  docarchive compact
  docarchive compact invoices --month 2026-08 --dry-run
  docarchive compact --target-size 512MB -o json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := a.loadConfigKeyless()
			if err != nil {
				return err
			}
			pipelines, err := chosen(cfg, args)
			if err != nil {
				return err
			}
			done, err := a.compact(cmd.Context(), cfg, pipelines, o)
			if done != nil {
				err = errors.Join(err, a.printCompact(cmd.OutOrStdout(), done, o))
			}
			if err == nil && len(o.months) > 0 && left(done) {
				err = errPartly
			}
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.target, "target-size", compactTarget, "size that a new file is to reach, about")
	f.StringArrayVar(&o.months, "month", nil, "only this month, as 2026-08; may be repeated")
	f.BoolVar(&o.dryRun, "dry-run", false, "say what would be merged, and write nothing")
	return cmd
}

// compact merges files, pipeline by pipeline.
func (a *app) compact(ctx context.Context, cfg *config.Config, pipelines []config.Pipeline, o compactOptions) (done []*pipeline.Compaction, err error) {
	defer a.thrifty()()
	target, err := sizeOf("--target-size", o.target)
	if err != nil {
		return nil, err
	}
	for _, month := range o.months {
		if t, err := time.Parse("2006-01", month); err != nil || t.Format("2006-01") != month {
			return nil, usagef("--month must be a month such as 2026-08, not %q", month)
		}
	}
	spool, remove, err := a.makeSpool(a.now())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, remove()) }()
	w := &workplace{cfg: cfg, now: a.now, log: a.log}
	defer func() { err = errors.Join(err, w.close()) }()
	if w.store, w.ledger, err = a.openArchive(ctx, cfg, reading, a.now); err != nil {
		return nil, err
	}
	specs, err := w.specs(ctx, pipelines, w.begin, span{}, spool)
	if err != nil {
		return nil, err
	}
	bars := a.newProgress(w)
	bars.unit = "files"
	compactor := &pipeline.Compactor{
		Identity: pipeline.Identity{RunID: newRunID(a.now()), ToolVersion: version, DryRun: o.dryRun},
		Stores: pipeline.Stores{
			Ledger: w.ledger, Shelf: w.ledger, Schemas: w.ledger, Library: w.ledger, Swaps: w.ledger,
		},
		Spool: spool, Target: target, Months: o.months, Now: a.now, Log: a.log, Stopping: a.stop.begin,
		Progress: func(p pipeline.CompactProgress) {
			bars.update(pipeline.Progress{Pipeline: p.Pipeline, Windows: p.Files, Done: p.Done, Read: p.Bytes})
		},
	}
	var failed []error
	for _, spec := range specs {
		one, err := compactor.Compact(ctx, spec)
		done = append(done, one)
		if err != nil {
			failed = append(failed, &pipeline.FailedError{Pipeline: spec.Name, Err: err})
		}
		if ctx.Err() != nil || errors.Is(err, pipeline.ErrStopped) {
			break
		}
	}
	bars.stop()
	return done, errors.Join(failed...)
}

// left reports whether something was left alone.
func left(done []*pipeline.Compaction) bool {
	for _, c := range done {
		if len(c.Left) > 0 {
			return true
		}
	}
	return false
}

func (a *app) printCompact(out io.Writer, done []*pipeline.Compaction, o compactOptions) error {
	out = a.hide.writer(out)
	if a.json() {
		return printJSON(out, done)
	}
	_, err := fmt.Fprintln(out, compactTable(done, o.dryRun))
	return err
}

// compactTable lays out for people what was done.
func compactTable(done []*pipeline.Compaction, dry bool) string {
	t := newTable("dataset", "sink", "partition", "files", "→", "bytes", "→", "rows")
	right(t, 4, 5, 6, 7, 8)
	var before, after, rows int
	var notes strings.Builder
	for _, c := range done {
		for _, f := range c.Folders {
			bytes := bytesText(f.BytesAfter)
			if dry {
				bytes = "?"
			}
			t.AppendRow(table.Row{
				f.Dataset, f.Sink, partitionText(f), f.FilesBefore, f.FilesAfter, bytesText(f.BytesBefore), bytes, f.Rows,
			})
			before, after, rows = before+f.FilesBefore, after+f.FilesAfter, rows+1
		}
		for _, l := range c.Left {
			fmt.Fprintf(&notes, "\n%s: %s with %s is left alone: %s", c.Pipeline, l.Month, words.Count(l.Files, "small file"), printable(l.Reason))
		}
	}
	verb := "became"
	if dry {
		verb = "would become"
	}
	if rows == 0 {
		return "nothing to merge" + notes.String()
	}
	return fmt.Sprintf("%s\n\n%s %s %d%s", t.Render(), words.Count(before, "file"), verb, after, notes.String())
}

// partitionText is a folder below its sink's, with the month where the folder
// does not tell it.
func partitionText(f pipeline.CompactedFolder) string {
	var parts []string
	for segment := range strings.SplitSeq(f.Folder, "/") {
		if strings.Contains(segment, "=") {
			parts = append(parts, segment)
		}
	}
	text := strings.Join(parts, "/")
	if !strings.Contains(text, f.Month) {
		text = strings.TrimSpace(text + " " + f.Month)
	}
	return printable(text)
}

// Sizes that may be aimed at. An object of more than 5 GB cannot be copied on S3.
const (
	smallestTarget = 1e3
	largestTarget  = 4e9
)

// sizeOf reads a size such as 256MB, in decimal units like all that are printed.
func sizeOf(flag, text string) (int64, error) {
	units := []struct {
		suffix string
		factor int64
	}{{"kb", 1e3}, {"mb", 1e6}, {"gb", 1e9}, {"b", 1}}
	lower := strings.ToLower(strings.TrimSpace(text))
	for _, u := range units {
		digits, ok := strings.CutSuffix(lower, u.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 32)
		if err != nil || n < 1 || n*u.factor < smallestTarget || n*u.factor > largestTarget {
			break
		}
		return n * u.factor, nil
	}
	return 0, usagef("%s must be a size from 1kB to 4GB, such as 256MB, not %q", flag, text)
}
