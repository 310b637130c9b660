package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/adteco/docarchive/internal/config"
	"github.com/adteco/docarchive/internal/ledger"
	"github.com/adteco/docarchive/internal/words"
	"github.com/adteco/docarchive/pipeline"
)

func (a *app) verifyCommand() *cobra.Command {
	var withAPI, documents bool
	cmd := &cobra.Command{
		Use:   "verify [PIPELINE…]",
		Short: "Read the archive again and compare it with its records; --api also with the API",
		Long: `Read the archive again and compare it with its records: chain, checksums,
sizes, row counts, ids that stand twice, files that are missing. Exit status 65
if anything is wrong; each finding names the file, and the rows where they can
be told.

With --api the archive is also compared with the API, as far back as it keeps
jobs. Exit status 3 if a job is missing that a run should have archived, or is
another than was archived. Jobs that the API has no more are counted only.`,
		Example: `  docarchive verify
  docarchive verify invoices --api -o json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			load := a.loadConfigKeyless
			if withAPI {
				load = a.loadConfig
			}
			cfg, err := load()
			if err != nil {
				return err
			}
			pipelines, err := chosen(cfg, args)
			if err != nil {
				return err
			}
			return a.verify(cmd.Context(), cmd.OutOrStdout(), cfg, pipelines, withAPI, documents)
		},
	}
	cmd.Flags().BoolVar(&withAPI, "api", false, "compare with the API, too")
	cmd.Flags().BoolVar(&documents, "documents", false, "read the bytes of archived documents, too; left out: whether they are there, and their sizes")
	return cmd
}

func (a *app) verify(ctx context.Context, out io.Writer, cfg *config.Config, pipelines []config.Pipeline, withAPI, documents bool) (err error) {
	w := &workplace{cfg: cfg, now: a.now, log: a.log}
	defer func() { err = errors.Join(err, w.close()) }()
	if w.store, w.ledger, err = a.openArchive(ctx, cfg, reading, a.now); err != nil {
		return err
	}
	damage, err := a.damage(ctx, w, pipelines, documents)
	if err != nil {
		return err
	}
	out = a.hide.writer(out)
	var compared []compared
	switch {
	case withAPI && len(damage) == 0:
		if compared, err = a.compare(ctx, w, pipelines); err != nil {
			return err
		}
	case withAPI:
		a.log.Warn("the archive is damaged: it is not compared with the API")
	}
	switch {
	case a.json() && withAPI:
		err = printJSON(out, map[string]any{"damage": damage, "api": compared})
	case a.json():
		err = printJSON(out, damage)
	case len(damage) > 0:
		_, err = fmt.Fprintln(out, damageTable(damage))
	default:
		_, err = fmt.Fprintf(out, "archive %s is sound: %s\n%s", w.ledger.ID(), words.Count(len(pipelines), "pipeline"), comparedText(compared))
	}
	switch {
	case err != nil:
		return err
	case len(damage) > 0:
		return &ledger.DamageError{
			Key: damage[0].Path, Reason: fmt.Sprintf("%s (%s)", damage[0].Problem, words.Count(len(damage), "finding")),
		}
	case faulty(compared):
		return errPartly
	}
	return nil
}

// damage reads the archive again and lists what is wrong with it.
func (a *app) damage(ctx context.Context, w *workplace, pipelines []config.Pipeline, documents bool) ([]ledger.Finding, error) {
	verify := w.ledger.Verify
	if documents {
		verify = w.ledger.VerifyDocuments
	}
	findings := []ledger.Finding{}
	for _, p := range pipelines {
		err := verify(ctx, p.Name, func(f ledger.Finding) error {
			findings = append(findings, f)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	for i := range findings {
		if err := a.locate(ctx, w, &findings[i]); err != nil {
			return nil, err
		}
	}
	return findings, nil
}

func damageTable(findings []ledger.Finding) string {
	t := newTable("pipeline", "window", "seq", "path", "problem")
	for _, f := range findings {
		t.AppendRow([]any{f.Pipeline, f.Window, seqText(f), printable(f.Path), printable(f.Problem)})
		for _, rows := range f.Rows {
			t.AppendRow([]any{"", "", "", "", printable(rows)})
		}
	}
	return t.Render()
}

// seqText is the number of the record, or of the swap, that a finding is about.
func seqText(f ledger.Finding) string {
	if f.Swap > 0 {
		return fmt.Sprintf("swap %d", f.Swap)
	}
	return strconv.Itoa(f.Seq)
}

// compared is what one pipeline's comparison with the API came to.
type compared struct {
	pipeline.Comparison
	Differences []pipeline.Difference `json:"differences"`
}
