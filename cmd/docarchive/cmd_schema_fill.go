package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/parquet-go/parquet-go"
	"golang.org/x/sync/errgroup"

	"github.com/adteco/docarchive/internal/config"
	"github.com/adteco/docarchive/internal/store"
	"github.com/adteco/docarchive/pipeline"
)

const (
	// footersAtOnce bounds how many files' footers are read at a time.
	footersAtOnce = 8
	// footerBytes is how much of a file's end is read at first, which mostly
	// holds the footer.
	footerBytes = 64 << 10
)

// fill adds to the schemas what the footers of the pipeline's first Parquet sink
// tell: no row is read.
func fill(ctx context.Context, s *store.Store, p config.Pipeline, schemas []*pipeline.Schema) ([]schemaView, error) {
	folder := ""
	for i := len(p.Sinks) - 1; i >= 0; i-- {
		if p.Sinks[i].Type == "parquet" {
			folder = p.Sinks[i].Path
		}
	}
	views := make([]schemaView, 0, len(schemas))
	for _, schema := range schemas {
		view := schemaView{Dataset: schema.Dataset, Version: schema.Version}
		for _, c := range schema.Columns {
			view.Columns = append(view.Columns, columnView{Column: c})
		}
		if folder != "" {
			child := strings.TrimPrefix(schema.Dataset, p.Name)
			counts, err := countFolder(ctx, s, folder+child, schema.Dataset)
			if err != nil {
				return nil, err
			}
			counts.addTo(&view)
		}
		views = append(views, view)
	}
	return views, nil
}

// columnCounts is what a dataset's files say of its columns.
type columnCounts struct {
	dataset string

	mu       sync.Mutex
	rows     int64
	values   map[string]int64  // rows that have a value, by column
	lastSeen map[string]string // by column; only where the rows tell their run
}

func countFolder(ctx context.Context, s *store.Store, folder, dataset string) (*columnCounts, error) {
	counts := &columnCounts{dataset: dataset, values: map[string]int64{}, lastSeen: map[string]string{}}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(footersAtOnce)
	err := s.List(ctx, folder+"/", func(o store.Object) error {
		if strings.HasSuffix(o.Key, ".parquet") {
			group.Go(func() error { return counts.file(ctx, s, o) })
		}
		return ctx.Err()
	})
	return counts, errors.Join(group.Wait(), err)
}

func (c *columnCounts) file(ctx context.Context, s *store.Store, o store.Object) (err error) {
	r, err := s.Open(ctx, o.Key)
	if errors.Is(err, store.ErrNotExist) {
		return nil // replaced since it was listed
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	seeker, ok := r.(io.ReadSeeker)
	if !ok {
		return fmt.Errorf("%s: the storage cannot read parts of a file", o.Key)
	}
	file, err := parquet.OpenFile(seekingReader{seeker}, o.Size,
		parquet.SkipMagicBytes(true), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true),
		parquet.OptimisticRead(true), parquet.ReadBufferSize(footerBytes))
	if err != nil {
		return fmt.Errorf("read the footer of %s: %w", o.Key, err)
	}
	if dataset, _ := file.Lookup("docarchive.dataset"); dataset == c.dataset {
		c.add(file)
	}
	return nil
}

func (c *columnCounts) add(file *parquet.File) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, group := range file.Metadata().RowGroups {
		c.rows += group.NumRows
		run := ""
		for i := range group.Columns {
			if m := &group.Columns[i].MetaData; m.PathInSchema[0] == pipeline.ColumnRunID {
				run = string(m.Statistics.MaxValue)
			}
		}
		for i := range group.Columns {
			m := &group.Columns[i].MetaData
			name := m.PathInSchema[0]
			values := m.NumValues - m.Statistics.NullCount
			c.values[name] += values
			if values > 0 {
				c.lastSeen[name] = max(c.lastSeen[name], run)
			}
		}
	}
}

// addTo enters the counts. Of a list a footer counts the elements, not the rows.
func (c *columnCounts) addTo(view *schemaView) {
	view.Rows = &c.rows
	for i := range view.Columns {
		column := &view.Columns[i]
		column.LastSeen = c.lastSeen[column.Name]
		if _, list := column.Type.Element(); list || c.rows == 0 {
			continue
		}
		filled := float64(c.values[column.Name]) / float64(c.rows)
		column.Filled = &filled
	}
}

// seekingReader reads from places in a file, one after another.
type seekingReader struct{ r io.ReadSeeker }

func (s seekingReader) ReadAt(p []byte, offset int64) (int, error) {
	if _, err := s.r.Seek(offset, io.SeekStart); err != nil {
		return 0, err
	}
	n, err := io.ReadFull(s.r, p)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	return n, err
}
