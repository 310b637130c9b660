package main

import "github.com/spf13/cobra"

func (a *app) archiveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "archive",
		Short: "Read what is archived, at no request to the API: export",
	}
	cmd.AddCommand(a.archiveExportCommand())
	return cmd
}
