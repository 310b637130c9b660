package iceberg

import (
	"context"
	"errors"
	"fmt"
	"strings"

	ice "github.com/apache/iceberg-go"
	icebergio "github.com/apache/iceberg-go/io"
	"github.com/apache/iceberg-go/table"
	"golang.org/x/sync/errgroup"

	"github.com/adteco/docarchive/pipeline"
)

// footers is how many files are looked at at once.
const footers = 8

// describe makes the table's entries of files of the archive, from the files'
// footers.
func (t *target) describe(ctx context.Context, tbl *table.Table, keys []string) ([]ice.DataFile, error) {
	fs, err := tbl.FS(ctx)
	if err != nil {
		return nil, err
	}
	entries := make([]ice.DataFile, len(keys))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(footers)
	for i, key := range keys {
		g.Go(func() error {
			f := t.want.current[key]
			e, err := t.entry(ctx, fs, tbl, key)
			if err != nil {
				return fmt.Errorf("read the footer of %s: %w", key, err)
			}
			if e.Count() != f.Rows || e.FileSizeBytes() != f.Size {
				return fmt.Errorf("%s has %d rows and %d bytes, and was committed with %d and %d; run `docarchive verify`",
					key, e.Count(), e.FileSizeBytes(), f.Rows, f.Size)
			}
			entries[i] = e
			return nil
		})
	}
	return entries, g.Wait()
}

// entry is in the partition of its month if all its rows are of one, and
// without partition otherwise.
func (t *target) entry(ctx context.Context, fs icebergio.IO, tbl *table.Table, key string) (ice.DataFile, error) {
	// Some readers decode a location as a URL, and some take it as it is.
	if strings.ContainsAny(key, "%?#") {
		return nil, errors.New("its name means different files to different query engines; partition by time only, or by values of letters and digits")
	}
	location := t.location + "/" + key
	none := tbl.Metadata().PartitionSpecByID(0)
	if none == nil {
		return nil, fmt.Errorf("table %s has lost its first partition spec", t.name())
	}
	e, err := table.FileToDataFile(ctx, fs, location, tbl.Schema(), *none, 0, tbl.Properties())
	if err != nil {
		return nil, err
	}
	spec := tbl.Spec()
	created, ok := tbl.Schema().FindFieldByName(pipeline.ColumnCreatedAt)
	if !ok || spec.IsUnpartitioned() {
		return e, nil
	}
	first, last := month(e.LowerBoundValues()[created.ID]), month(e.UpperBoundValues()[created.ID])
	if !first.Valid || !last.Valid || !first.Val.Equals(last.Val) {
		return e, nil
	}
	return table.FileToDataFile(ctx, fs, location, tbl.Schema(), spec, 0, tbl.Properties())
}

// month is the month of a bound of created_at, invalid if there is no bound.
func month(bound []byte) (none ice.Optional[ice.Literal]) {
	if bound == nil {
		return none
	}
	at, err := ice.LiteralFromBytes(ice.PrimitiveTypes.TimestampTz, bound)
	if err != nil {
		return none
	}
	return ice.MonthTransform{}.Apply(ice.Optional[ice.Literal]{Val: at, Valid: true})
}
