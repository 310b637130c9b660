package sinks

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/parquet-go/parquet-go"
)

// mergedRow is a row and the file that it is from. Its values are good until the
// next one.
type mergedRow struct {
	parquet.Row
	from *runReader
}

// rowSource yields rows, or the error that ends them.
type rowSource = iter.Seq2[mergedRow, error]

// merged yields the rows of runs in the order of their times. A run is opened
// when it is its turn, and closed after its last row.
func (g *merge) merged(runs []run) rowSource {
	return func(yield func(mergedRow, error) bool) {
		pending := slices.SortedFunc(slices.Values(runs), byFirst)
		var open []*runReader
		defer func() {
			for _, r := range open {
				_ = r.close() // of a reading that was given up
			}
		}()
		for {
			least := front(open)
			if len(pending) > 0 && (least < 0 || before(pending[0].first, pending[0].order, open[least].key, open[least].order)) {
				r, err := g.open(pending[0])
				if err != nil {
					yield(mergedRow{}, err)
					return
				}
				open, pending, least = append(open, r), pending[1:], len(open)
			} else if least < 0 {
				return
			} else if !yield(mergedRow{open[least].row(), open[least]}, nil) {
				return
			}
			more, err := open[least].next()
			if err == nil && !more {
				err = open[least].close()
				open = slices.Delete(open, least, least+1)
			}
			if err != nil {
				yield(mergedRow{}, err)
				return
			}
		}
	}
}

// front returns the number of the reader whose row is next, -1 without readers.
func front(open []*runReader) int {
	least := -1
	for i, r := range open {
		if least < 0 || before(r.key, r.order, open[least].key, open[least].order) {
			least = i
		}
	}
	return least
}

// sort cuts a file that is not in order into sorted runs.
func (g *merge) sort(ctx context.Context, r run) (runs []run, err error) {
	reader, err := g.open(r)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, reader.close()) }()
	for more := true; more; {
		var rows []mergedRow
		for size := 0; size < mergeSortBytes; {
			if more, err = reader.next(); err != nil || !more {
				break
			}
			row := reader.row().Clone()
			rows = append(rows, mergedRow{row, reader})
			size += rowSize(row)
		}
		if err != nil {
			return nil, err
		}
		if len(rows) == 0 {
			break
		}
		sorted, err := g.sorted(ctx, rows)
		if err != nil {
			return nil, err
		}
		runs = append(runs, sorted)
	}
	return runs, nil
}

// sorted writes rows into a run.
func (g *merge) sorted(ctx context.Context, rows []mergedRow) (run, error) {
	key := func(row mergedRow) int64 { return row.from.keyOf(row.Row) }
	slices.SortStableFunc(rows, func(a, b mergedRow) int { return cmp.Compare(key(a), key(b)) })
	p, _, err := g.write(ctx, func(yield func(mergedRow, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
	}, false)
	if err != nil {
		return run{}, err
	}
	g.temps = append(g.temps, p.spool)
	last := key(rows[len(rows)-1])
	return run{path: p.spool.file.Name(), rows: p.rows, first: key(rows[0]), last: last, timeless: last == noTime}, nil
}

// valueSize is about what a value needs in memory.
const valueSize = 24

func rowSize(row parquet.Row) int {
	size := len(row) * valueSize
	for i := range row {
		if k := row[i].Kind(); k == parquet.ByteArray || k == parquet.FixedLenByteArray {
			size += len(row[i].ByteArray())
		}
	}
	return size
}

// write writes rows into a new file of the spool, which is removed if that fails.
func (g *merge) write(ctx context.Context, rows rowSource, sorted bool) (p *part, sum string, err error) {
	file, err := g.sink.create(g.sink.options.Spool, "merge-*.parquet")
	if err != nil {
		return nil, "", fmt.Errorf("create a file in the spool folder: %w", err)
	}
	p = &part{schema: g.schema, sorted: sorted, spool: newSpool(file)}
	defer func() {
		if err = recovered(err, recover()); err != nil {
			err = errors.Join(err, p.spool.remove())
		}
	}()
	builder := array.NewRecordBuilder(g.sink.options.Mem, g.schema)
	defer builder.Release()
	appenders, err := g.appenders(builder)
	if err != nil {
		return nil, "", err
	}
	count, size := int64(0), 0
	for row, err := range rows {
		if err != nil {
			return nil, "", err
		}
		if err := appendRow(builder, appenders, row); err != nil {
			return nil, "", err
		}
		count++
		if size += rowSize(row.Row); count < mergeBatchRows && size < mergeBatchBytes {
			continue
		}
		if err := g.flush(ctx, p, builder); err != nil {
			return nil, "", err
		}
		count, size = 0, 0
	}
	if err := g.flush(ctx, p, builder); err != nil {
		return nil, "", err
	}
	sum, err = p.finish(FormatParquet)
	return p, sum, err
}

// flush writes the batch that was gathered, the first one even if it is empty.
func (g *merge) flush(ctx context.Context, p *part, builder *array.RecordBuilder) (err error) {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	batch := builder.NewRecord()
	defer batch.Release()
	if p.encoder == nil {
		info := fileInfo{dataset: g.dataset, sorted: p.sorted, groupBytes: mergeGroupBytes}
		if p.encoder, err = newParquetEncoder(p.spool, batch, g.sink.codec, info); err != nil {
			return err
		}
	}
	return p.write(batch, 0, batch.NumRows())
}
