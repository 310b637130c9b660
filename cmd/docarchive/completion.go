package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/adteco/docarchive/internal/config"
)

// complete teaches the shell the values of global flags, and the names of
// pipelines where a command takes them.
func (a *app) complete(root *cobra.Command) error {
	for flag, values := range map[string][]string{
		"output": {"table", "json"}, "log-format": {"text", "json"}, "log-level": {"debug", "info", "warn", "error"},
	} {
		if err := root.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)); err != nil {
			return err
		}
	}
	for _, cmd := range root.Commands() {
		if strings.Contains(cmd.Use, "PIPELINE") {
			cmd.ValidArgsFunction = a.pipelinesLeft
		}
	}
	return nil
}

// pipelinesLeft offers the pipelines that the command line does not name yet. A
// configuration that cannot be read offers none, and is no place to complain.
func (a *app) pipelinesLeft(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	cfg, err := config.Load(a.flags.config, config.Options{LookupEnv: a.getenv, KeyOptional: true})
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var left []string
	for _, name := range pipelineNames(cfg) {
		if !slices.Contains(args, name) {
			left = append(left, name)
		}
	}
	return left, cobra.ShellCompDirectiveNoFileComp
}
