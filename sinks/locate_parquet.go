package sinks

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/parquet-go/parquet-go"

	"github.com/adteco/docarchive/pipeline"
)

// parquet reads every page, whose checksums the reader compares.
func (l *locator) parquet(file io.ReaderAt, size int64) {
	f, err := parquet.OpenFile(file, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		l.add("no row can be read: the footer is damaged: %v", err)
		return
	}
	columns := f.Schema().Columns()
	for g, group := range f.RowGroups() {
		first := l.rows + 1
		last := l.rows + group.NumRows()
		for i, chunk := range group.ColumnChunks() {
			name := strings.Join(columns[i], ".")
			var each func(string)
			if len(columns[i]) == 1 && name == pipeline.ColumnJobID {
				each = l.row
			}
			if read, err := readChunk(chunk, each); err != nil {
				l.add("rows %d to %d (row group %d), column %s: values from %d on cannot be read: %v", first, last, g+1, name, read+1, err)
			}
		}
		l.rows = last
	}
}

// readChunk reads a column's values in one row group, and counts them.
func readChunk(chunk parquet.ColumnChunk, each func(string)) (read int64, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	pages := chunk.Pages()
	defer func() { err = errors.Join(err, pages.Close()) }()
	values := make([]parquet.Value, 1024)
	for {
		page, err := pages.ReadPage()
		if err == io.EOF {
			return read, nil
		}
		if err != nil {
			return read, err
		}
		reader := page.Values()
		for err == nil {
			var n int
			n, err = reader.ReadValues(values)
			for _, v := range values[:n] {
				read++
				if each != nil {
					each(v.String())
				}
			}
		}
		parquet.Release(page)
		if err != io.EOF {
			return read, err
		}
	}
}
