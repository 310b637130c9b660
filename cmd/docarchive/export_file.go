package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/adteco/docarchive/pipeline"
	"github.com/adteco/docarchive/sinks"
)

// exportFile are the flags that say what an export writes, and where.
type exportFile struct {
	format, output string
	dataset        string
	limit          int
	escape         bool
}

func (o *exportFile) bind(f *pflag.FlagSet) {
	f.StringVar(&o.format, "format", "", "csv, json, jsonl, parquet or arrow; by the file's ending if left out")
	f.StringVarP(&o.output, "output", "o", "", "the file to write, or - for standard output")
	f.StringVar(&o.dataset, "dataset", "", "the table to write: the pipeline's own, or a child table such as invoices__line_items")
	f.IntVar(&o.limit, "limit", 0, "at most so many jobs; 0: all")
	f.BoolVar(&o.escape, "escape-formulas", false, "guard the text cells of CSV against spreadsheets")
}

// exportFormats are the formats of an export.
func exportFormats() []string {
	return []string{sinks.FormatCSV, sinks.FormatJSON, sinks.FormatJSONL, sinks.FormatParquet, sinks.FormatArrow}
}

// check completes the flags.
func (o *exportFile) check() error {
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

// write writes the jobs' rows to standard output, or to a file that appears
// under its name when it is whole.
func (o *exportFile) write(stdout io.Writer, x *exporter, jobs jobSource) error {
	encode := func(out io.Writer) error {
		return x.encode(out, sinks.StreamOptions{Format: o.format, EscapeFormulas: o.escape}, jobs)
	}
	if o.output == "-" {
		out := bufio.NewWriter(stdout)
		return errors.Join(encode(out), out.Flush())
	}
	return replaceFile(o.output, encode)
}

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
