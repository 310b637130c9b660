package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/adteco/docarchive/internal/ledger"
)

func (a *app) verifyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "verify [PIPELINE…]",
		Short: "Read the archive again and compare it with its records",
		Long: `Read the archive again and compare it with its records: chain, checksums,
sizes, row counts, ids that stand twice, files that are missing. Exit status 65
if anything is wrong; each finding names the file.`,
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
			findings := []ledger.Finding{}
			for _, p := range pipelines {
				if err := l.Verify(cmd.Context(), p.Name, func(f ledger.Finding) error {
					findings = append(findings, f)
					return nil
				}); err != nil {
					return err
				}
			}
			out := a.hide.writer(cmd.OutOrStdout())
			if a.json() {
				err = printJSON(out, findings)
			} else if len(findings) == 0 {
				_, err = fmt.Fprintf(out, "archive %s is sound: %d pipelines\n", l.ID(), len(pipelines))
			} else {
				t := newTable("pipeline", "window", "seq", "path", "problem")
				for _, f := range findings {
					t.AppendRow([]any{f.Pipeline, f.Window, f.Seq, printable(f.Path), printable(f.Problem)})
				}
				_, err = fmt.Fprintln(out, t.Render())
			}
			if err == nil && len(findings) > 0 {
				err = &ledger.DamageError{Key: findings[0].Path, Reason: fmt.Sprintf("%s (%d findings)", findings[0].Problem, len(findings))}
			}
			return err
		},
	}
}

// orphanAge is how old an unreferenced object must be before gc removes it.
const orphanAge = 7 * 24 * time.Hour

func (a *app) gcCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "gc",
		Short: "Remove what crashed runs left behind and no record names, once it is 7 days old",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			cfg, err := a.loadConfig()
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
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "removed %d staged parts, %d lists of ids, %d temporary files: %s\n",
				g.Staged, g.IDs, g.Temporary, bytesText(g.Bytes))
			return err
		},
	}
}
