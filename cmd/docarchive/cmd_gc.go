package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/adteco/docarchive/internal/ledger"
	"github.com/adteco/docarchive/internal/words"
)

// orphanAge is how old an unreferenced object must be before gc removes it.
const orphanAge = 7 * 24 * time.Hour

func (a *app) gcCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "gc",
		Short: "Remove what crashed runs left behind and no record names, once it is 7 days old",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			cfg, err := a.loadConfigKeyless()
			if err != nil {
				return err
			}
			s, l, err := a.openArchive(cmd.Context(), cfg, reading, a.now)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close()) }()
			g, err := l.GC(cmd.Context(), a.now(), orphanAge)
			if err != nil {
				return err
			}
			if a.json() {
				return printJSON(cmd.OutOrStdout(), g)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "removed %s, %s, %s: %s\n",
				words.Count(g.Staged, "staged part"), words.Count(g.IDs, "file")+" of ids"+goneText(g),
				words.Count(g.Temporary, "temporary file"), bytesText(g.Bytes))
			return err
		},
	}
}

// goneText tells what only an archive that was compacted or rebuilt can have.
func goneText(g ledger.Garbage) string {
	text := ""
	if g.Lists > 0 {
		text += ", " + words.Count(g.Lists, "list") + " of files"
	}
	if g.Documents > 0 {
		text += ", " + words.Count(g.Documents, "document")
	}
	if g.Replaced > 0 {
		text += ", " + words.Count(g.Replaced, "replaced file")
	}
	return text
}
