package sinks

import (
	"cmp"
	"fmt"
	"io"
	"runtime"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
	"golang.org/x/sync/errgroup"

	"github.com/adteco/docarchive/pipeline"
)

const (
	// A row group ends when it has rowGroupRows rows or, unless its maker says
	// otherwise, rowGroupBytes bytes are in memory, encoded pages included.
	rowGroupRows  = 100_000
	rowGroupBytes = 24 << 20
	// pageBytes is when a column's buffered values become a page.
	pageBytes = 64 << 10
	// dictionaryBytes is when a column's dictionary is given up.
	dictionaryBytes = 256 << 10
	// parquetMinimum is about what a writer holds before its first row.
	parquetMinimum = spoolBuffer + 256<<10
	// maxColumnWorkers bounds how many columns of one file are encoded at once.
	maxColumnWorkers = 4
)

// createdBy names the writer in every file. It has no version, so that one
// batch gives one sequence of bytes as long as the encoding stays the same.
const createdBy = "docarchive"

// parquetEncoder hands Arrow columns to the column writers of parquet-go.
type parquetEncoder struct {
	out     *parquet.GenericWriter[any]
	columns []*parquetColumn
	workers []*valueBuffer // one for each column that is encoded at the same time
	written int64          // bytes of finished row groups
	rows    int64          // in the current row group
	limit   int64          // bytes that a row group may have in memory
	peak    int64          // most bytes ever buffered: column buffers keep their capacity
}

func newParquetEncoder(w io.Writer, batch arrow.Record, codec compress.Codec, info fileInfo) (*parquetEncoder, error) {
	columns, root, err := parquetColumns(batch)
	if err != nil {
		return nil, err
	}
	described, err := describeColumns(batch.Schema())
	if err != nil {
		return nil, err
	}
	options := []parquet.WriterOption{
		parquet.NewSchema("docarchive", root),
		parquet.Compression(codec),
		parquet.CreatedBy(createdBy, "1", "0"),
		parquet.DataPageVersion(1),
		parquet.PageBufferSize(pageBytes),
		parquet.WriteBufferSize(0),        // the spool has a buffer
		parquet.DataPageStatistics(false), // the column index has them
		parquet.DictionaryMaxBytes(dictionaryBytes),
		parquet.KeyValueMetadata("docarchive.dataset", info.dataset),
		parquet.KeyValueMetadata("docarchive.columns", described),
	}
	for _, c := range columns {
		if c.skipBounds {
			options = append(options, parquet.SkipPageBounds(c.path...))
		}
	}
	if info.sorted {
		options = append(options, parquet.SortingWriterConfig(
			parquet.SortingColumns(parquet.Ascending(pipeline.ColumnCreatedAt))))
	}
	config, err := parquet.NewWriterConfig(options...)
	if err != nil {
		return nil, err
	}
	e := &parquetEncoder{
		out:     parquet.NewGenericWriter[any](w, config),
		columns: columns,
		limit:   cmp.Or(info.groupBytes, rowGroupBytes),
	}
	for range min(runtime.GOMAXPROCS(0), maxColumnWorkers) {
		e.workers = append(e.workers, newValueBuffer())
	}
	for i, c := range e.out.ColumnWriters() {
		e.columns[i].out = c
	}
	return e, nil
}

// Write encodes the columns side by side; each has buffers of its own.
func (e *parquetEncoder) Write(batch arrow.Record) error {
	var group errgroup.Group
	for first := range e.workers {
		group.Go(func() error { return e.writeColumns(batch, first) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	e.rows += batch.NumRows()
	buffered := e.Buffered()
	e.peak = max(e.peak, buffered)
	if e.rows < rowGroupRows && buffered < e.limit {
		return nil
	}
	if err := e.out.Flush(); err != nil {
		return err
	}
	e.written, e.rows = e.out.Size(), 0
	return nil
}

// writeColumns writes the given column and every one after it that is the same
// worker's.
func (e *parquetEncoder) writeColumns(batch arrow.Record, first int) (err error) {
	name := ""
	defer func() {
		if err = recovered(err, recover()); err != nil {
			err = fmt.Errorf("column %s: %w", name, err)
		}
	}()
	for i := first; i < len(e.columns); i += len(e.workers) {
		name = batch.ColumnName(i)
		if err := e.columns[i].write(batch.Column(i), e.workers[first]); err != nil {
			return err
		}
	}
	return nil
}

// Buffered counts encoded pages and values that are not encoded yet.
func (e *parquetEncoder) Buffered() int64 { return max(e.out.Size()-e.written, 0) }

func (e *parquetEncoder) Memory() int64 { return parquetMinimum + e.peak }

func (e *parquetEncoder) Close() error { return e.out.Close() }
