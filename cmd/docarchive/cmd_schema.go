package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/adteco/docarchive/pipeline"
)

func (a *app) schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema PIPELINE",
		Short: "Show the union schema: column, type, source path, first seen",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			cfg, err := a.loadConfig()
			if err != nil {
				return err
			}
			pipelines, err := chosen(cfg, args)
			if err != nil {
				return err
			}
			s, l, err := a.openArchive(cmd.Context(), cfg, reading, a.now)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close()) }()
			rules, err := rulesOf(pipelines[0].Fields)
			if err != nil {
				return err
			}
			datasets := []string{args[0]}
			for child := range rules.Children(args[0]) {
				datasets = append(datasets, child)
			}
			var schemas []*pipeline.Schema
			for _, dataset := range datasets {
				schema, err := l.LatestSchema(cmd.Context(), dataset)
				if err != nil {
					return err
				}
				if schema != nil {
					schemas = append(schemas, schema)
				}
			}
			if a.json() {
				return printJSON(cmd.OutOrStdout(), schemas)
			}
			t := newTable("dataset", "column", "type", "source", "field id", "first seen")
			right(t, 5)
			for _, schema := range schemas {
				for _, c := range schema.Columns {
					t.AppendRow([]any{schema.Dataset, c.Name, c.Type, printable(c.Source), c.FieldID, c.FirstSeen})
				}
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), t.Render())
			return err
		},
	}
}
