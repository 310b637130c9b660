package sinks

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/parquet-go/parquet-go"

	"github.com/adteco/docarchive/pipeline"
)

var _ pipeline.Merger = (*File)(nil)

const (
	// mergeFanIn bounds how many files are read at once. Each needs about a page
	// of every column in memory.
	mergeFanIn = 8
	// mergeGroupBytes is when a row group ends that has not got its rows yet.
	mergeGroupBytes = 64 << 20
	// A batch ends when it has mergeBatchRows rows or about mergeBatchBytes bytes.
	mergeBatchRows  = 4096
	mergeBatchBytes = 8 << 20
	// mergeSortBytes is how much of a file that is not in order is sorted at once.
	mergeSortBytes = 16 << 20
)

// Merges reports whether the sink's files can be merged: only Parquet can.
func (f *File) Merges() bool { return f.options.Format == FormatParquet }

// Merge writes the rows of several Parquet files of one dataset into one, with
// all columns of the schema: null where a source lacks one. Rows are sorted by
// created_at, or, in a table without it, stand in the order of the sources. Few
// files are read at once and little of each, so the memory that it needs grows
// neither with the number of files nor with that of their rows.
func (f *File) Merge(ctx context.Context, m pipeline.Merge) (part pipeline.Part, err error) {
	defer func() {
		if err = recovered(err, recover()); err != nil {
			part, err = pipeline.Part{}, fmt.Errorf("%s: merge into %s: %w", f.Label(), m.Path, err)
		}
	}()
	if !f.Merges() {
		return part, errors.New("only Parquet files can be merged")
	}
	g, err := f.newMerge(m.Schema)
	if err != nil {
		return part, err
	}
	defer func() { err = errors.Join(err, g.clean()) }()
	runs, err := g.inspect(ctx, m.Sources)
	if err != nil {
		return part, err
	}
	if runs, err = g.narrow(ctx, runs); err != nil {
		return part, err
	}
	p, sum, err := g.write(ctx, g.merged(runs), g.sortable(runs))
	if err != nil {
		return part, err
	}
	if p.rows != m.Rows {
		return part, errors.Join(fmt.Errorf("the sources have %d rows, and %d were expected", p.rows, m.Rows), p.spool.remove())
	}
	return pipeline.Part{
		File: pipeline.File{
			Kind: pipeline.KindData, Dataset: m.Schema.Dataset, Sink: f.Label(), Path: m.Path,
			SHA256: sum, Size: p.spool.size(), Rows: p.rows,
		},
		Spool: p.spool.file.Name(),
	}, nil
}

// merge is the making of one file of several.
type merge struct {
	sink    *File
	dataset string
	schema  *arrow.Schema
	columns []*parquetColumn
	leaves  []parquet.LeafColumn // of the columns
	key     int                  // the column to sort by; -1 if there is none
	temps   []*spool             // files in between
}

func (f *File) newMerge(s *pipeline.Schema) (*merge, error) {
	g := &merge{sink: f, dataset: s.Dataset, key: -1}
	fields := make([]arrow.Field, 0, len(s.Columns))
	for i := range s.Columns {
		c := &s.Columns[i]
		field, err := c.Field()
		if err != nil {
			return nil, err
		}
		if c.Name == pipeline.ColumnCreatedAt && c.Group == pipeline.GroupStandard {
			g.key = i
		}
		fields = append(fields, field)
	}
	g.schema = arrow.NewSchema(fields, nil)
	empty := array.NewRecordBuilder(f.options.Mem, g.schema)
	defer empty.Release()
	batch := empty.NewRecord()
	defer batch.Release()
	columns, root, err := parquetColumns(batch)
	if err != nil {
		return nil, err
	}
	g.columns = columns
	target := parquet.NewSchema("docarchive", root)
	for _, c := range columns {
		leaf, ok := target.Lookup(c.path...)
		if !ok {
			return nil, fmt.Errorf("column %s has no place in the file", c.path[0])
		}
		g.leaves = append(g.leaves, leaf)
	}
	return g, nil
}

// clean removes the files in between.
func (g *merge) clean() error {
	var failed []error
	for _, s := range g.temps {
		failed = append(failed, s.remove())
	}
	return errors.Join(failed...)
}

// run is a file whose rows are in order.
type run struct {
	path        string
	order       int // among runs, for rows of the same time
	rows        int64
	first, last int64 // times of its first and last row
	timeless    bool  // it has rows without a time, which stand last
}

// noTime is the key of a row that has no time.
const noTime = math.MaxInt64

// inspect looks through the sources and makes runs of them.
func (g *merge) inspect(ctx context.Context, sources []string) ([]run, error) {
	var runs []run
	for _, path := range sources {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		r, ordered, err := g.scan(path)
		if err != nil {
			return nil, err
		}
		switch {
		case r.rows == 0:
		case ordered:
			runs = append(runs, r)
		default:
			sorted, err := g.sort(ctx, r)
			if err != nil {
				return nil, err
			}
			runs = append(runs, sorted...)
		}
	}
	for i := range runs {
		runs[i].order = i
	}
	return runs, nil
}

// sortable reports whether a file of the runs' rows may call itself sorted.
func (g *merge) sortable(runs []run) bool {
	return g.key >= 0 && !slices.ContainsFunc(runs, func(r run) bool { return r.timeless })
}

// narrow merges runs until few enough of them overlap.
func (g *merge) narrow(ctx context.Context, runs []run) ([]run, error) {
	for {
		crowd := overlapping(runs, mergeFanIn)
		if crowd == nil {
			return runs, nil
		}
		p, _, err := g.write(ctx, g.merged(crowd), false)
		if err != nil {
			return nil, err
		}
		g.temps = append(g.temps, p.spool)
		joined := run{path: p.spool.file.Name(), order: crowd[0].order, rows: p.rows, first: crowd[0].first, last: crowd[0].last}
		for _, r := range crowd {
			joined.first, joined.last = min(joined.first, r.first), max(joined.last, r.last)
			joined.timeless = joined.timeless || r.timeless
		}
		runs = slices.DeleteFunc(runs, func(r run) bool {
			return slices.ContainsFunc(crowd, func(c run) bool { return c.order == r.order })
		})
		runs = append(runs, joined)
	}
}

// overlapping returns the smallest of the runs at a time that more than limit
// of them share, at most limit of them; nil if there is no such time.
func overlapping(runs []run, limit int) []run {
	sorted := slices.SortedFunc(slices.Values(runs), byFirst)
	var open []run
	for _, r := range sorted {
		// A run that ends where the next begins is read to its end first only if
		// it comes before it.
		open = slices.DeleteFunc(open, func(o run) bool { return before(o.last, o.order, r.first, r.order) })
		if open = append(open, r); len(open) > limit {
			slices.SortStableFunc(open, func(a, b run) int { return cmp.Compare(a.rows, b.rows) })
			return open[:limit]
		}
	}
	return nil
}

func byFirst(a, b run) int {
	return cmp.Or(cmp.Compare(a.first, b.first), cmp.Compare(a.order, b.order))
}

// before orders rows by their times, and those of one time by their runs.
func before(key int64, order int, thanKey int64, thanOrder int) bool {
	return key < thanKey || key == thanKey && order < thanOrder
}
