package iceberg

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	ice "github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/table"

	"github.com/adteco/docarchive/pipeline"
)

const (
	monthField   = "created_at_month"
	firstFieldID = 1000 // of partition fields, as the specification has it
)

// properties of a table that is made. With gc.enabled false, no engine deletes
// data files when it expires snapshots or drops the table: they are the
// archive's. Old metadata files are the table's own and go.
func (t *target) properties() ice.Properties {
	return ice.Properties{
		propArchive: t.archiveID, propDataset: t.want.dataset, propSink: t.want.sink,
		"format-version": "2",
		"gc.enabled":     "false",
		"write.metadata.delete-after-commit.enabled": "true",
		"write.metadata.previous-versions-max":       "100",
	}
}

// load returns the table. If it does not exist, it is made where that is wanted.
func (t *target) load(ctx context.Context) (*table.Table, error) {
	tbl, err := t.catalog.LoadTable(ctx, t.ident)
	if errors.Is(err, catalog.ErrNoSuchTable) || errors.Is(err, catalog.ErrNoSuchNamespace) {
		if !t.create {
			return nil, fmt.Errorf("table %s does not exist; make it with --create", t.name())
		}
		tbl, err = t.make(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("load table %s: %w", t.name(), err)
	}
	p := tbl.Properties()
	for key, want := range map[string]string{propArchive: t.archiveID, propDataset: t.want.dataset, propSink: t.want.sink} {
		if p[key] != want {
			return nil, fmt.Errorf("table %s was not made for this archive: its property %s is %q and not %q; choose another --namespace", t.name(), key, p[key], want)
		}
	}
	return tbl, nil
}

// make makes the table. Catalogs number the columns of a new table themselves,
// so it begins with one column and no partition; grow does the rest.
func (t *target) make(ctx context.Context) (*table.Table, error) {
	namespace := catalog.NamespaceFromIdent(t.ident)
	if err := t.catalog.CreateNamespace(ctx, namespace, nil); err != nil && !errors.Is(err, catalog.ErrNamespaceAlreadyExists) {
		exists, also := t.catalog.CheckNamespaceExists(ctx, namespace) // two at once
		if also != nil || !exists {
			return nil, err
		}
	}
	first := t.schema.Field(0)
	first.ID = 1
	tbl, err := t.catalog.CreateTable(ctx, t.ident, ice.NewSchema(0, first), catalog.WithProperties(t.properties()))
	if errors.Is(err, catalog.ErrTableAlreadyExists) {
		return t.catalog.LoadTable(ctx, t.ident)
	}
	return tbl, err
}

// grow gives the table the columns that it lacks, under the archive's field ids,
// and the partition that it is to have. It reports whether anything changed.
func (t *target) grow(ctx context.Context, tbl *table.Table) (bool, error) {
	missing, err := missingColumns(tbl.Schema(), t.schema)
	if err != nil {
		return false, fmt.Errorf("table %s: %w", t.name(), err)
	}
	spec, partitioned := t.spec()
	partitioned = partitioned && len(tbl.Metadata().PartitionSpecs()) == 1
	if !missing && !partitioned {
		return false, nil
	}
	m := tbl.Metadata()
	requirements := []table.Requirement{
		table.AssertTableUUID(m.TableUUID()), table.AssertCurrentSchemaID(m.CurrentSchema().ID),
		table.AssertDefaultSpecID(m.DefaultPartitionSpec()),
	}
	var updates []table.Update
	if missing {
		updates = append(updates, table.NewAddSchemaUpdate(t.schema), table.NewSetCurrentSchemaUpdate(-1))
	}
	if partitioned {
		updates = append(updates, table.NewAddPartitionSpecUpdate(&spec, false), table.NewSetDefaultSpecUpdate(-1))
	}
	if _, _, err := t.catalog.CommitTable(ctx, t.ident, requirements, updates); err != nil {
		return false, fmt.Errorf("change the columns of table %s: %w", t.name(), err)
	}
	return true, nil
}

// spec is the partition by month of created_at, for datasets that have it. It
// comes second in the table, after the one without partition, which files that
// span months have.
func (t *target) spec() (ice.PartitionSpec, bool) {
	created, ok := t.schema.FindFieldByName(pipeline.ColumnCreatedAt)
	if !ok {
		return ice.PartitionSpec{}, false
	}
	return ice.NewPartitionSpecID(1, ice.PartitionField{
		SourceIDs: []int{created.ID}, FieldID: firstFieldID, Name: monthField, Transform: ice.MonthTransform{},
	}), true
}

// state is what the table's current snapshot holds.
type state struct {
	held
	entries map[string]ice.DataFile // by key
}

// read reads the manifests of the table's current snapshot.
func (t *target) read(ctx context.Context, tbl *table.Table) (*state, error) {
	s := &state{held: held{files: map[string]bool{}, commits: map[string]bool{}}, entries: map[string]ice.DataFile{}}
	snapshots := tbl.Metadata().Snapshots()
	for i := range snapshots {
		if snapshots[i].Summary == nil {
			continue
		}
		p := snapshots[i].Summary.Properties
		if id := p[propCommit]; id != "" {
			s.commits[id] = true
		}
		if n, err := strconv.Atoi(p[propSwap]); err == nil {
			s.swap = max(s.swap, n)
		}
	}
	current := tbl.CurrentSnapshot()
	if current == nil {
		return s, nil
	}
	fs, err := tbl.FS(ctx)
	if err != nil {
		return nil, err
	}
	manifests, err := current.Manifests(fs)
	if err != nil {
		return nil, fmt.Errorf("read the manifests of table %s: %w", t.name(), err)
	}
	for _, m := range manifests {
		for e, err := range m.Entries(fs, true) {
			if err != nil {
				return nil, fmt.Errorf("read manifest %s: %w", m.FilePath(), err)
			}
			f := e.DataFile()
			key, ours := strings.CutPrefix(f.FilePath(), t.location+"/")
			if !ours || f.ContentType() != ice.EntryContentData {
				return nil, fmt.Errorf("%w: table %s has %s", ErrChanged, t.name(), f.FilePath())
			}
			if s.files[key] {
				return nil, fmt.Errorf("%w: table %s has %s twice", ErrChanged, t.name(), f.FilePath())
			}
			s.files[key], s.entries[key] = true, f
		}
	}
	return s, nil
}
