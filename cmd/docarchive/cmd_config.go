package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/adteco/docarchive/internal/config"
	"github.com/adteco/docarchive/internal/words"
)

func (a *app) validateCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "validate",
		Short: "Check jobs.yaml: every mistake with line and column",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := a.loadConfig()
			if err != nil {
				return err
			}
			if a.json() {
				return printJSON(cmd.OutOrStdout(), map[string]any{"file": cfg.File, "pipelines": pipelineNames(cfg)})
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s is valid: %s\n", cfg.File, words.Count(len(cfg.Pipelines), "pipeline"))
			return err
		},
	}
}

func (a *app) configCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: "About jobs.yaml"}
	cmd.AddCommand(&cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of jobs.yaml, for editors and checks",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			schema, err := config.Schema()
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s\n", schema)
			return err
		},
	})
	return cmd
}
