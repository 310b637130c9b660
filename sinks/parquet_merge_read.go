package sinks

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/parquet-go/parquet-go"
)

// mergeRows is how many rows of a file are in memory at once, apart from pages.
const mergeRows = 64

// runReader reads the rows of one file in their order.
type runReader struct {
	run
	file    *os.File
	groups  []parquet.RowGroup
	rows    parquet.Rows // of the row group that is read; nil before the first
	targets []int        // number of a leaf → that of the merged table's column
	missing []int        // columns of the merged table that the file lacks
	keyLeaf int          // -1 if there is none
	noKey   int64        // the key of rows without

	buffer []parquet.Row
	at, n  int
	key    int64 // of the row at the front
}

// open opens a file for reading, before its first row.
func (g *merge) open(r run) (reader *runReader, err error) {
	reader = &runReader{run: r, keyLeaf: -1, buffer: make([]parquet.Row, mergeRows)}
	if g.key >= 0 {
		reader.noKey = noTime
	}
	if reader.file, err = os.Open(r.path); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, reader.file.Close())
		}
	}()
	info, err := reader.file.Stat()
	if err != nil {
		return nil, err
	}
	f, err := parquet.OpenFile(reader.file, info.Size(), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, fmt.Errorf("a source's footer: %w", err)
	}
	reader.groups, reader.run.rows = f.RowGroups(), f.NumRows()
	return reader, g.fit(reader, f)
}

// fit finds the merged table's column for each of the file's. One that it does
// not have, or has otherwise, is an error: nothing may get lost.
func (g *merge) fit(reader *runReader, f *parquet.File) error {
	leaves := f.Schema().Columns()
	reader.targets = make([]int, len(leaves))
	for i := range reader.targets {
		reader.targets[i] = -1
	}
	for i, c := range g.columns {
		leaf, ok := f.Schema().Lookup(c.path...)
		if !ok {
			reader.missing = append(reader.missing, i)
			continue
		}
		if is, want := describeLeaf(leaf), describeLeaf(g.leaves[i]); is != want {
			return fmt.Errorf("column %s of a source is %s, and in the schema %s", c.path[0], is, want)
		}
		reader.targets[leaf.ColumnIndex] = i
		if i == g.key {
			reader.keyLeaf = leaf.ColumnIndex
		}
	}
	for i, target := range reader.targets {
		if target < 0 {
			return fmt.Errorf("a source has the column %v, which the schema has not", leaves[i])
		}
	}
	return nil
}

// describeLeaf tells all by which values of one column could differ from those
// of another.
func describeLeaf(leaf parquet.LeafColumn) string {
	t := leaf.Node.Type()
	if t.String() == "INT(64,true)" { // what parquet-go calls a plain integer that it has read
		t = parquet.Int64Type
	}
	return fmt.Sprintf("%s of %s(%d), levels %d and %d", t, t.Kind(), t.Length(), leaf.MaxDefinitionLevel, leaf.MaxRepetitionLevel)
}

// next moves to the next row, and reports whether there is one. The values of
// the row before are good no more.
func (r *runReader) next() (bool, error) {
	r.at++
	for r.at >= r.n {
		if r.rows == nil {
			if len(r.groups) == 0 {
				return false, nil
			}
			r.rows, r.groups = r.groups[0].Rows(), r.groups[1:]
		}
		n, err := r.rows.ReadRows(r.buffer)
		r.at, r.n = 0, n
		if err != nil && err != io.EOF {
			return false, fmt.Errorf("read a source: %w", err)
		}
		if n == 0 {
			if err := r.rows.Close(); err != nil {
				return false, err
			}
			r.rows = nil
		}
	}
	r.key = r.keyOf(r.row())
	return true, nil
}

func (r *runReader) row() parquet.Row { return r.buffer[r.at] }

// keyOf is what a row is sorted by.
func (r *runReader) keyOf(row parquet.Row) int64 {
	for i := range row {
		if row[i].Column() == r.keyLeaf && !row[i].IsNull() {
			return row[i].Int64()
		}
	}
	return r.noKey
}

func (r *runReader) close() error {
	var err error
	if r.rows != nil {
		err = r.rows.Close()
	}
	return errors.Join(err, r.file.Close())
}

// scan reads the times of a file's rows, and reports whether they ascend.
func (g *merge) scan(path string) (r run, ordered bool, err error) {
	reader, err := g.open(run{path: path})
	if err != nil {
		return r, false, err
	}
	defer func() { err = errors.Join(err, reader.close()) }()
	r, ordered = reader.run, true
	if reader.keyLeaf < 0 {
		r.first, r.last, r.timeless = reader.noKey, reader.noKey, g.key >= 0
		return r, true, nil
	}
	last, any := int64(0), false
	for _, group := range reader.groups {
		err := eachTime(group.ColumnChunks()[reader.keyLeaf], func(key int64) {
			if !any {
				r.first, r.last, any = key, key, true
			} else if key < last {
				ordered = false
			}
			last = key
			r.first, r.last = min(r.first, key), max(r.last, key)
			r.timeless = r.timeless || key == noTime
		})
		if err != nil {
			return r, false, fmt.Errorf("read a source: %w", err)
		}
	}
	return r, ordered, nil
}

func eachTime(chunk parquet.ColumnChunk, f func(key int64)) (err error) {
	reader := parquet.NewColumnChunkValueReader(chunk)
	defer func() { err = errors.Join(err, reader.Close()) }()
	values := make([]parquet.Value, 1024)
	for {
		n, err := reader.ReadValues(values)
		for _, v := range values[:n] {
			if v.IsNull() {
				f(noTime)
			} else {
				f(v.Int64())
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
