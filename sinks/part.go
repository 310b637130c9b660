package sinks

import (
	"fmt"
	"os"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/parquet-go/parquet-go"

	"github.com/adteco/docarchive/pipeline"
)

// part is a file that is being written.
type part struct {
	folder  string // under the bucket, partitions included
	number  int    // among the destination's parts, from 0
	schema  *arrow.Schema
	sorted  bool // what the file says of its order
	spool   *spool
	encoder encoder
	rows    int64
	used    int64 // the writer's clock at the last write
}

// finishedPart is a part whose file is complete.
type finishedPart struct {
	number int
	pipeline.Part
}

// takes reports whether rows of the schema may follow. A file that was
// announced as sorted takes nothing once that is no longer true.
func (p *part) takes(schema *arrow.Schema, sorted bool) bool {
	return (p.schema == schema || p.schema.Equal(schema)) && (sorted || !p.sorted)
}

func (p *part) write(rows arrow.Record, start, end int64) error {
	if start != 0 || end != rows.NumRows() {
		rows = rows.NewSlice(start, end)
		defer rows.Release()
	}
	if err := p.encoder.Write(rows); err != nil {
		return err
	}
	p.rows += end - start
	return nil
}

// size is about what the file would have if it ended here.
func (p *part) size() int64 { return p.spool.size() + p.encoder.Buffered() }

// finish completes the file and returns its hash.
func (p *part) finish(format string) (string, error) {
	if err := p.encoder.Close(); err != nil {
		return "", err
	}
	sum, err := p.spool.finish()
	if err != nil {
		return "", err
	}
	if format == FormatParquet {
		if err := checkParquet(p.spool.file.Name(), p.spool.size(), p.rows); err != nil {
			return "", err
		}
	}
	return sum, nil
}

// checkParquet reads the footer back and compares the rows with those written.
func checkParquet(name string, size, rows int64) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	read, err := parquet.OpenFile(file, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return fmt.Errorf("read the Parquet footer back: %w", err)
	}
	if read.NumRows() != rows {
		return fmt.Errorf("the Parquet footer counts %d rows where %d were written", read.NumRows(), rows)
	}
	return nil
}

// orderTracker finds out whether all rows so far ascend by created_at.
type orderTracker struct {
	ascending bool
	last      arrow.Timestamp
	any       bool
}

func (t *orderTracker) observe(batch arrow.Record) {
	if !t.ascending || batch.NumRows() == 0 {
		return
	}
	column, ok := standardColumn[*array.Timestamp](batch, pipeline.ColumnCreatedAt)
	if !ok || column.NullN() > 0 {
		t.ascending = false
		return
	}
	for _, v := range column.TimestampValues() {
		if t.any && v < t.last {
			t.ascending = false
			return
		}
		t.last, t.any = v, true
	}
}

// standardColumn returns a standard column by its name. A column of the same
// name that a child table took from a document is none.
func standardColumn[A arrow.Array](batch arrow.Record, name string) (A, bool) {
	var none A
	indices := batch.Schema().FieldIndices(name)
	if len(indices) == 0 {
		return none, false
	}
	group, ok := batch.Schema().Field(indices[0]).Metadata.GetValue(pipeline.MetaGroup)
	if ok && group != string(pipeline.GroupStandard) {
		return none, false
	}
	column, ok := batch.Column(indices[0]).(A)
	return column, ok
}
