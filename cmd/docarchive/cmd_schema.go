package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/adteco/docarchive/internal/config"
	"github.com/adteco/docarchive/internal/ledger"
	"github.com/adteco/docarchive/pipeline"
)

// schemaOptions are the flags of schema.
type schemaOptions struct {
	json bool
	ddl  string
	diff bool
}

func (a *app) schemaCommand() *cobra.Command {
	var o schemaOptions
	cmd := &cobra.Command{
		Use:   "schema PIPELINE [RUN RUN]",
		Short: "Show the union schema: column, type, source path, first and last seen, share filled",
		Long: `Show the union schema of a pipeline's table and of its child tables.

How many of the rows have a value, and which run last brought one, is read from
the footers of the pipeline's Parquet files. Without a Parquet sink both stay
empty.`,
		Example: `  docarchive schema invoices
  docarchive schema invoices --ddl duckdb
  docarchive schema invoices --diff 20261122T021500Z-1b2c3d4e 20261123T021500Z-5f6a7b8c`,
		Args: cobra.RangeArgs(1, 3),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case o.diff && len(args) != 3:
				return usagef("--diff needs a pipeline and two runs: docarchive schema PIPELINE --diff RUN RUN")
			case !o.diff && len(args) != 1:
				return usagef("schema takes one pipeline; to compare two runs add --diff")
			case o.ddl != "" && (o.diff || o.json || a.json()):
				return usagef("--ddl prints SQL: leave out --diff and JSON")
			}
			if _, known := ddlDialects()[o.ddl]; o.ddl != "" && !known {
				return usagef("--ddl %s: use one of %s", o.ddl, ddlNames())
			}
			return a.showSchema(cmd, args, o)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&o.json, "json", false, "the same as -o json")
	f.StringVar(&o.ddl, "ddl", "", "print CREATE TABLE statements: "+ddlNames())
	f.BoolVar(&o.diff, "diff", false, "show what changed from one run to another")
	cmd.MarkFlagsMutuallyExclusive("ddl", "diff")
	return cmd
}

func (a *app) showSchema(cmd *cobra.Command, args []string, o schemaOptions) (err error) {
	cfg, err := a.loadConfigKeyless()
	if err != nil {
		return err
	}
	pipelines, err := chosen(cfg, args[:1])
	if err != nil {
		return err
	}
	ctx, out := cmd.Context(), cmd.OutOrStdout()
	s, l, err := a.openArchive(ctx, cfg, reading, a.now)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if o.diff {
		changes, err := schemaChanges(ctx, l, pipelines[0], args[1], args[2])
		if err != nil {
			return err
		}
		return printChanges(out, changes, args[1], args[2], o.json || a.json())
	}
	schemas, err := latestSchemas(ctx, l, pipelines[0])
	if err != nil {
		return err
	}
	if o.ddl != "" {
		return printDDL(out, schemas, ddlDialects()[o.ddl])
	}
	views, err := fill(ctx, s, pipelines[0], schemas)
	if err != nil {
		return err
	}
	if o.json || a.json() {
		return printJSON(out, views)
	}
	return printSchemas(out, views)
}

// latestSchemas returns the schemas of a pipeline's datasets, its own first.
// Datasets without a schema are left out.
func latestSchemas(ctx context.Context, l *ledger.Ledger, p config.Pipeline) ([]*pipeline.Schema, error) {
	datasets, err := datasetsOf(p)
	if err != nil {
		return nil, err
	}
	var schemas []*pipeline.Schema
	for _, dataset := range datasets {
		schema, err := l.LatestSchema(ctx, dataset)
		if err != nil {
			return nil, err
		}
		if schema != nil {
			schemas = append(schemas, schema)
		}
	}
	return schemas, nil
}

// datasetsOf names a pipeline's datasets, its own first.
func datasetsOf(p config.Pipeline) ([]string, error) {
	rules, err := rulesOf(p.Fields)
	if err != nil {
		return nil, err
	}
	children := slices.Sorted(maps.Keys(rules.Children(p.Name)))
	return append([]string{p.Name}, children...), nil
}

// schemaView is a dataset's schema with what its files tell.
type schemaView struct {
	Dataset string       `json:"dataset"`
	Version int          `json:"version"`
	Rows    *int64       `json:"rows,omitempty"` // in the files that were counted
	Columns []columnView `json:"columns"`
}

// columnView is a column with what the files tell of it. Both are empty if no
// file tells.
type columnView struct {
	pipeline.Column
	LastSeen string   `json:"last_seen,omitempty"` // id of the run that last brought a value
	Filled   *float64 `json:"filled,omitempty"`    // share of rows that have a value
}

func printSchemas(out io.Writer, views []schemaView) error {
	t := newTable("dataset", "column", "type", "source", "field id", "first seen", "last seen", "filled")
	right(t, 5, 8)
	counted := true
	for _, view := range views {
		counted = counted && view.Rows != nil
		for _, c := range view.Columns {
			filled := ""
			if c.Filled != nil {
				filled = share(*c.Filled)
			}
			t.AppendRow([]any{
				view.Dataset, c.Name, c.Type, printable(c.Source), c.FieldID, c.FirstSeen, c.LastSeen, filled,
			})
		}
	}
	if _, err := fmt.Fprintln(out, t.Render()); err != nil || counted {
		return err
	}
	_, err := fmt.Fprintln(out, "\nlast seen and filled are read from Parquet files, and not every dataset has some")
	return err
}

// share writes a share in percent such that only none and all look like it.
func share(f float64) string {
	switch {
	case f > 0 && f < 0.001:
		return "<0.1%"
	case f < 1 && f > 0.999:
		return ">99.9%"
	}
	return fmt.Sprintf("%.1f%%", 100*f)
}
