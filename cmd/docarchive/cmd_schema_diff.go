package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/adteco/docarchive/internal/config"
	"github.com/adteco/docarchive/internal/ledger"
	"github.com/adteco/docarchive/pipeline"
)

// schemaChange is what distinguishes a dataset's schema after one run from that
// after another.
type schemaChange struct {
	Dataset string            `json:"dataset"`
	From    int               `json:"from"` // version; 0: none yet
	To      int               `json:"to"`
	Added   []pipeline.Column `json:"added"`
	Removed []pipeline.Column `json:"removed"` // of a later run before an earlier one: schemas only grow
}

// schemaChanges compares the schemas of a pipeline as two runs left them.
func schemaChanges(ctx context.Context, l *ledger.Ledger, p config.Pipeline, from, to string) ([]schemaChange, error) {
	before, err := versionsAfter(ctx, l, p, from)
	if err != nil {
		return nil, err
	}
	after, err := versionsAfter(ctx, l, p, to)
	if err != nil {
		return nil, err
	}
	datasets, err := datasetsOf(p)
	if err != nil {
		return nil, err
	}
	changes := []schemaChange{}
	for _, dataset := range datasets {
		c := schemaChange{
			Dataset: dataset, From: before[dataset], To: after[dataset],
			Added: []pipeline.Column{}, Removed: []pipeline.Column{},
		}
		old, err := columnsAt(ctx, l, dataset, c.From)
		if err != nil {
			return nil, err
		}
		fresh, err := columnsAt(ctx, l, dataset, c.To)
		if err != nil {
			return nil, err
		}
		c.Added, c.Removed = lacking(c.Added, fresh, old), lacking(c.Removed, old, fresh)
		changes = append(changes, c)
	}
	return changes, nil
}

// lacking appends those of columns to dst that others do not have.
func lacking(dst, columns, others []pipeline.Column) []pipeline.Column {
	has := map[string]bool{}
	for _, c := range others {
		has[c.Name] = true
	}
	for _, c := range columns {
		if !has[c.Name] {
			dst = append(dst, c)
		}
	}
	return dst
}

func columnsAt(ctx context.Context, l *ledger.Ledger, dataset string, version int) (columns []pipeline.Column, err error) {
	err = l.Schemas(ctx, dataset, func(s *pipeline.Schema) error {
		if s.Version == version {
			columns = s.Columns
		}
		return nil
	})
	return columns, err
}

// versionsAfter tells the versions of the datasets' schemas as a run left them:
// by its report, or if it died before it wrote one, by what it committed.
func versionsAfter(ctx context.Context, l *ledger.Ledger, p config.Pipeline, run string) (map[string]int, error) {
	data, err := l.Report(ctx, run)
	if err != nil {
		return nil, err
	}
	if data != nil {
		var report pipeline.Report
		if err := json.Unmarshal(data, &report); err != nil {
			return nil, fmt.Errorf("the report of run %s: %w", run, err)
		}
		for _, of := range report.Pipelines {
			if of.Name == p.Name {
				return of.Schema, nil
			}
		}
		return nil, usagef("run %s did not archive pipeline %s", run, p.Name)
	}
	versions := map[string]int{}
	windows, err := l.Windows(ctx, p.Name)
	if err != nil {
		return nil, err
	}
	found := false
	for _, name := range windows {
		window, err := pipeline.ParseWindow(name, p.Window)
		if err != nil {
			return nil, err
		}
		err = l.Records(ctx, p.Name, window, func(r *pipeline.Record) error {
			if r.RunID != run {
				return nil
			}
			found = true
			for dataset, version := range r.Schemas {
				versions[dataset] = max(versions[dataset], version)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	if !found {
		return nil, usagef("no run %s is known to the archive: its runs are named under _archive/runs", run)
	}
	return versions, nil
}

func printChanges(out io.Writer, changes []schemaChange, from, to string, asJSON bool) error {
	if asJSON {
		return printJSON(out, changes)
	}
	t := newTable("", "dataset", "column", "type", "source", "first seen")
	rows := 0
	list := func(sign string, c schemaChange, columns []pipeline.Column) {
		for _, column := range columns {
			t.AppendRow([]any{sign, c.Dataset, column.Name, column.Type, printable(column.Source), column.FirstSeen})
			rows++
		}
	}
	for _, c := range changes {
		list("+", c, c.Added)
		list("-", c, c.Removed)
	}
	if rows == 0 {
		_, err := fmt.Fprintf(out, "the schema is the same after %s and after %s\n", printable(from), printable(to))
		return err
	}
	_, err := fmt.Fprintln(out, t.Render())
	return err
}
