package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/spf13/cobra"

	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/pipeline"
	"github.com/adteco/docarchive/sinks"
)

// exportOptions are the flags of jobs export.
type exportOptions struct {
	jobFilter
	format, output string
	limit          int
	escape         bool
}

// exportFormats are the formats of jobs export.
func exportFormats() []string {
	return []string{sinks.FormatCSV, sinks.FormatJSON, sinks.FormatJSONL, sinks.FormatParquet, sinks.FormatArrow}
}

func (a *app) jobsExportCommand() *cobra.Command {
	var o exportOptions
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write jobs to one CSV, JSON, Parquet or Arrow file",
		Long: `Write jobs to one file whose header has every column that any of them needs.

The jobs are read once, kept compressed on the local disk, and encoded when all
columns are known, so that memory does not grow with their number. A file appears
under its name only when it is whole. archived_at and run_id are those of the
export.

The listing is read page by page while jobs come and go: the file is a view and no
proof of completeness. What has to be complete is archived by docarchive run.`,
		Example: `  docarchive jobs export --format csv --extractor ext_invoice --created-after 7d -o invoices.csv
  docarchive jobs export --status failed -o - --format jsonl | jq .error_code`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.export(cmd.Context(), cmd.OutOrStdout(), o) },
	}
	f := cmd.Flags()
	o.bind(f)
	f.StringVar(&o.format, "format", "", "csv, json, jsonl, parquet or arrow; by the file's ending if left out")
	f.StringVarP(&o.output, "output", "o", "", "the file to write, or - for standard output")
	f.IntVar(&o.limit, "limit", 0, "at most so many jobs; 0: all")
	f.BoolVar(&o.escape, "escape-formulas", false, "guard the text cells of CSV against spreadsheets")
	return cmd
}

// check completes the flags.
func (o *exportOptions) check() error {
	if o.output == "" {
		return usagef("name the file with -o, or - for standard output")
	}
	if o.format == "" {
		o.format = strings.TrimPrefix(filepath.Ext(o.output), ".")
	}
	switch {
	case !slices.Contains(exportFormats(), o.format):
		return usagef("--format must be one of %s, not %q", strings.Join(exportFormats(), ", "), o.format)
	case o.limit < 0:
		return usagef("--limit must not be negative")
	}
	return nil
}

func (a *app) export(ctx context.Context, stdout io.Writer, o exportOptions) (err error) {
	if err := o.check(); err != nil {
		return err
	}
	w, err := a.reach(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	walk, err := a.walk(w, &o.jobFilter)
	if err != nil {
		return err
	}
	dir, remove, err := a.makeSpool(a.now())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	spool, err := newJobSpool(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, spool.close()) }()
	x := &exporter{book: pipeline.NewBook(exportDataset, pipeline.FixedColumns(nil, ""), nil, ""), at: a.now(), runID: newRunID(a.now())}
	if err := x.learn(func(yield func(*docextract.Job) error) error {
		return walk.run(ctx, o.limit, func(job docextract.Job) error {
			if err := spool.add(job); err != nil {
				return err
			}
			return yield(&job)
		})
	}); err != nil {
		return err
	}
	encode := func(out io.Writer) error {
		return x.encode(out, sinks.StreamOptions{Format: o.format, Dataset: exportDataset, EscapeFormulas: o.escape}, spool.each)
	}
	if o.output == "-" {
		out := bufio.NewWriter(stdout)
		err = errors.Join(encode(out), out.Flush())
	} else {
		err = replaceFile(o.output, encode)
	}
	if err != nil {
		return err
	}
	a.log.Info("exported", "jobs", walk.shown, "columns", len(x.book.Schema().Columns), "file", o.output)
	return a.ended(walk)
}

// exportDataset is what an export's rows are called.
const exportDataset = "jobs"

// exportRows is how many jobs are flattened together.
const exportRows = 2000

// exporter flattens jobs twice: to learn the columns, and to write the rows.
type exporter struct {
	book  *pipeline.Book
	at    time.Time
	runID string
}

type jobSource func(yield func(*docextract.Job) error) error

// learn adds the columns of all jobs to the book.
func (x *exporter) learn(jobs jobSource) error {
	return x.flatten(jobs, func(arrow.Record) error { return nil })
}

// encode writes all jobs, with every column of the book.
func (x *exporter) encode(out io.Writer, o sinks.StreamOptions, jobs jobSource) error {
	var stream *sinks.Stream
	err := x.flatten(jobs, func(batch arrow.Record) (err error) {
		if stream == nil {
			if stream, err = sinks.NewStream(out, o, batch); err != nil {
				return err
			}
		}
		return stream.Write(batch)
	})
	if err == nil && stream == nil { // there are no jobs, but there is a header
		stream, err = x.header(out, o)
	}
	if err != nil {
		return err
	}
	return stream.Close()
}

// header begins a file without rows.
func (x *exporter) header(out io.Writer, o sinks.StreamOptions) (*sinks.Stream, error) {
	var fields []arrow.Field
	for _, c := range x.book.Schema().Columns {
		field, err := c.Field()
		if err != nil {
			return nil, err
		}
		fields = append(fields, field)
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(fields, nil))
	defer b.Release()
	empty := b.NewRecord()
	defer empty.Release()
	return sinks.NewStream(out, o, empty)
}

// flatten calls yield with the rows in batches, none of which is empty.
func (x *exporter) flatten(jobs jobSource, yield func(arrow.Record) error) error {
	f, err := pipeline.NewFlattener(pipeline.FlattenOptions{
		Dataset: exportDataset, Books: map[string]*pipeline.Book{exportDataset: x.book},
	})
	if err != nil {
		return err
	}
	defer f.Release()
	flush := func() error {
		batches, err := f.Batches(x.at, x.runID)
		if err != nil {
			return err
		}
		for _, b := range batches {
			if err == nil {
				err = yield(b.Record)
			}
			b.Record.Release()
		}
		return err
	}
	size := 0
	if err := jobs(func(job *docextract.Job) error {
		if err := f.Append(job); err != nil {
			return err
		}
		if size += len(job.Raw); f.Rows() < exportRows && size < exportBytes {
			return nil
		}
		size = 0
		return flush()
	}); err != nil {
		return err
	}
	return flush()
}

// exportBytes is how much JSON is flattened together at most.
const exportBytes = 16 << 20

// replaceFile writes a file that appears under its name when it is whole.
func replaceFile(path string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return &pipeline.SpoolError{Err: err}
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("write %s: %w", path, err), os.Remove(f.Name()))
		}
	}()
	err = write(f)
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
