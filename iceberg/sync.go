package iceberg

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"

	ice "github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/table"

	"github.com/adteco/docarchive/internal/ledger"
)

const (
	// together is how many snapshots one commit to the catalog may bring.
	together = 50
	// tries is how often in a row a commit may come second.
	tries = 20
)

// Options says which tables are brought up to date, and from what.
type Options struct {
	Ledger    *ledger.Ledger
	Location  string // of the archive, as [Location] returns it
	Catalog   catalog.Catalog
	Namespace string // levels are separated by dots
	Sink      string // label of the Parquet sink; needed where a pipeline has several
	Create    bool   // whether missing tables are made
	Log       *slog.Logger
}

// Result says what was done to a table.
type Result struct {
	Table     string `json:"table"`
	Snapshots int    `json:"snapshots"`
	Added     int    `json:"files_added"`
	Removed   int    `json:"files_removed"`
	Files     int    `json:"files"` // that the table has now
}

// target is one table.
type target struct {
	catalog   catalog.Catalog
	ident     table.Identifier
	archiveID string
	location  string
	create    bool
	want      *contents
	schema    *ice.Schema
	log       *slog.Logger
	result    Result
}

func (t *target) name() string { return strings.Join(t.ident, ".") }

// Sync brings the tables of a pipeline up to date. The results are what was
// done, whatever the error.
func Sync(ctx context.Context, o Options, pipelineName string) ([]Result, error) {
	all, err := readArchive(ctx, o.Ledger, pipelineName, o.Sink)
	if err != nil {
		return nil, fmt.Errorf("read the archive of pipeline %s: %w", pipelineName, err)
	}
	var results []Result
	var failed []error
	for _, want := range all {
		t := &target{
			catalog: o.Catalog, ident: append(catalog.ToIdentifier(o.Namespace), want.dataset),
			archiveID: o.Ledger.ID(), location: o.Location, create: o.Create, want: want, log: o.Log,
		}
		t.result.Table = t.name()
		if err := t.sync(ctx); err != nil {
			failed = append(failed, err)
		}
		results = append(results, t.result)
		if ctx.Err() != nil {
			break
		}
	}
	return results, errors.Join(failed...)
}

func (t *target) sync(ctx context.Context) (err error) {
	if t.schema, err = icebergSchema(t.want.schema); err != nil {
		return err
	}
	tbl, err := t.load(ctx)
	for failures := 0; err == nil; {
		var more bool
		more, err = t.advance(ctx, tbl)
		if err == nil && !more {
			return nil
		}
		base := tbl.MetadataLocation()
		fresh, loadErr := t.load(ctx)
		if loadErr != nil {
			return errors.Join(err, loadErr)
		}
		// Whether a commit that failed has happened, or another one has, shows in
		// what the catalog holds now. Not all catalogs tell a conflict by its error.
		if err != nil && fresh.MetadataLocation() != base && failures < tries && !errors.Is(err, ErrChanged) {
			t.log.Info("the table was changed meanwhile, the rest is computed again", "table", t.name(), "because", err)
			failures++
			err = nil
		} else if err == nil {
			failures = 0
		}
		tbl = fresh
	}
	return err
}

// advance takes the next steps, and reports whether there may be more.
func (t *target) advance(ctx context.Context, tbl *table.Table) (more bool, err error) {
	if changed, err := t.grow(ctx, tbl); changed || err != nil {
		return true, err
	}
	have, err := t.read(ctx, tbl)
	if err != nil {
		return false, err
	}
	steps, err := plan(t.want, have.held)
	if err != nil {
		return false, fmt.Errorf("table %s: %w", t.name(), err)
	}
	t.result.Files = len(have.files)
	if len(steps) == 0 {
		return false, nil
	}
	if _, swap := steps[0].properties[propSwap]; swap {
		steps = steps[:1]
	}
	steps = steps[:min(len(steps), together)]
	if err := t.commit(ctx, tbl, have, steps); err != nil {
		return false, fmt.Errorf("commit to table %s: %w", t.name(), err)
	}
	t.result.Snapshots += len(steps)
	for _, s := range steps {
		t.result.Added += len(s.add)
		t.result.Removed += len(s.remove)
	}
	return true, nil
}

// commit makes a snapshot of each step, all of them or none. It fails if the
// table's current snapshot is not that of tbl any more.
func (t *target) commit(ctx context.Context, tbl *table.Table, have *state, steps []step) error {
	tx := tbl.NewTransaction()
	// Without this the library would put the snapshots on top of another's, who
	// may have registered the same files.
	if err := tx.AssertRefSnapshotID(table.MainBranch); err != nil {
		return err
	}
	for i := range steps {
		s := &steps[i]
		add, err := t.describe(ctx, tbl, s.add)
		if err != nil {
			return err
		}
		properties := ice.Properties{propArchive: t.archiveID}
		maps.Copy(properties, s.properties)
		if len(s.remove) == 0 {
			err = tx.AddDataFiles(ctx, add, properties, table.WithoutAutoNameMapping(), table.WithoutDuplicateCheck())
		} else {
			err = replace(ctx, tx, have, s, add, properties)
		}
		if err != nil {
			return err
		}
	}
	_, err := tx.Commit(ctx)
	return err
}

// replace is a "replace" for Iceberg if the rows are the same ones, which a
// reader of changes then skips, and an "overwrite" otherwise.
func replace(ctx context.Context, tx *table.Transaction, have *state, s *step, add []ice.DataFile, properties ice.Properties) error {
	remove := make([]ice.DataFile, 0, len(s.remove))
	for _, key := range s.remove {
		remove = append(remove, have.entries[key])
	}
	if !s.merges || rows(add) != rows(remove) {
		return tx.ReplaceDataFilesWithDataFiles(ctx, remove, add, properties, table.WithoutAutoNameMapping())
	}
	rewrite := tx.NewRewrite(properties)
	for _, f := range remove {
		rewrite.DeleteFile(f)
	}
	for _, f := range add {
		rewrite.AddDataFile(f)
	}
	if err := rewrite.Commit(ctx); err != nil {
		return err
	}
	// The library sets a name mapping, which files with field ids do not need.
	return tx.RemoveProperties([]string{table.DefaultNameMappingKey})
}

func rows(files []ice.DataFile) (n int64) {
	for _, f := range files {
		n += f.Count()
	}
	return n
}
