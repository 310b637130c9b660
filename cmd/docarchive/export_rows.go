package main

import (
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/pipeline"
	"github.com/adteco/docarchive/sinks"
)

// exportRows is how many jobs are flattened together.
const exportRows = 2000

// exportBytes is how much JSON is flattened together at most.
const exportBytes = 16 << 20

// stamp is what rows say of how they came to be.
type stamp struct {
	archivedAt time.Time
	runID      string
}

// jobSource calls yield with jobs and the stamps of their rows, each time it is
// called with the same.
type jobSource func(yield func(*docextract.Job, stamp) error) error

// exporter flattens jobs twice: to learn the columns, and to write the rows of
// one dataset.
type exporter struct {
	dataset string // the pipeline's own, or a child table
	flat    pipeline.FlattenOptions
}

// newExporter prepares an export of one of a pipeline's datasets; empty: its
// own. schema tells with which columns a dataset begins; nil: with the standard
// ones.
func newExporter(o pipeline.FlattenOptions, dataset string, schema func(dataset string) (*pipeline.Schema, error)) (*exporter, error) {
	paths := o.Rules.Children(o.Dataset)
	paths[o.Dataset] = ""
	if dataset == "" {
		dataset = o.Dataset
	}
	if _, has := paths[dataset]; !has {
		return nil, usagef("--dataset %s: %s has %s", dataset, o.Dataset, strings.Join(slices.Sorted(maps.Keys(paths)), ", "))
	}
	o.Books = map[string]*pipeline.Book{}
	for name, path := range paths {
		latest, err := schema(name)
		if err != nil {
			return nil, err
		}
		o.Books[name] = pipeline.NewBook(name, pipeline.FixedColumns(o.Rules, path), latest, "")
	}
	return &exporter{dataset: dataset, flat: o}, nil
}

// unknownSchema is the schema of datasets that are not archived.
func unknownSchema(string) (*pipeline.Schema, error) { return nil, nil }

// columns are those of the dataset, as far as they are known.
func (x *exporter) columns() []pipeline.Column { return x.flat.Books[x.dataset].Schema().Columns }

// learn adds the columns of all jobs to the dataset's.
func (x *exporter) learn(jobs jobSource) error {
	return x.flatten(jobs, func(arrow.Record) error { return nil })
}

// encode writes all jobs' rows, with every column of the dataset.
func (x *exporter) encode(out io.Writer, o sinks.StreamOptions, jobs jobSource) error {
	var stream *sinks.Stream
	o.Dataset = x.dataset
	err := x.flatten(jobs, func(batch arrow.Record) (err error) {
		if stream == nil {
			if stream, err = sinks.NewStream(out, o, batch); err != nil {
				return err
			}
		}
		return stream.Write(batch)
	})
	if err == nil && stream == nil { // there are no rows, but there is a header
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
	for _, c := range x.columns() {
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

// flatten calls yield with the dataset's rows in batches, none of which is
// empty.
func (x *exporter) flatten(jobs jobSource, yield func(arrow.Record) error) error {
	f, err := pipeline.NewFlattener(x.flat)
	if err != nil {
		return err
	}
	defer f.Release()
	var of stamp // the jobs that are flattened but not yet passed on
	size := 0
	flush := func() error {
		size = 0
		batches, err := f.Batches(of.archivedAt, of.runID)
		if err != nil {
			return err
		}
		for _, b := range batches {
			if err == nil && b.Dataset == x.dataset {
				err = yield(b.Record)
			}
			b.Record.Release()
		}
		return err
	}
	if err := jobs(func(job *docextract.Job, s stamp) error {
		if s != of {
			if err := flush(); err != nil {
				return err
			}
			of = s
		}
		if err := f.Append(job); err != nil {
			return err
		}
		if size += len(job.Raw); f.Rows() < exportRows && size < exportBytes {
			return nil
		}
		return flush()
	}); err != nil {
		return err
	}
	return flush()
}
