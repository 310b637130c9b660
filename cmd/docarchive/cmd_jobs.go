package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func (a *app) jobsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "jobs",
		Short: "Ask the API for jobs: list, get, wait, export, lineage",
	}
	cmd.AddCommand(a.jobsListCommand(), a.jobsGetCommand(), a.jobsWaitCommand(), a.jobsExportCommand(), a.jobsLineageCommand())
	return cmd
}

// reach opens what a command needs that asks the API and leaves the archive
// alone. The cache is opened for those that use it, and where others share the
// request budget through it.
func (a *app) reach(ctx context.Context, cached bool) (w *workplace, err error) {
	cfg, err := a.loadConfig()
	if err != nil {
		return nil, err
	}
	w = &workplace{cfg: cfg, now: a.now, log: a.log}
	if cached || cfg.Cache != "embedded" {
		if w.home, err = a.openHome(ctx, cfg); err != nil {
			return nil, err
		}
	}
	if err := w.connect(a, 1); err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

// The forms in which jobs are printed.
const (
	formTable = "table"
	formJSON  = "json"
	formLines = "jsonl"
)

// form is the flag --output of commands that know JSON lines as well. It stands
// in the place of the global one.
type form string

// formFlag adds the flag to a command's own.
func formFlag(f *pflag.FlagSet) *form {
	v := form(formTable)
	f.VarP(&v, "output", "o", "table, json, or jsonl: one job a line")
	return &v
}

func (v *form) String() string { return string(*v) }

func (v *form) Type() string { return "string" }

// Set implements [pflag.Value].
func (v *form) Set(text string) error {
	switch text {
	case formTable, formJSON, formLines:
		*v = form(text)
		return nil
	}
	return errors.New("must be table, json or jsonl")
}
