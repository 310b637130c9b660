package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/adteco/docarchive/docextract"
)

func (a *app) jobsGetCommand() *cobra.Command {
	var noCache bool
	var how *form
	cmd := &cobra.Command{
		Use:   "get ID",
		Short: "Show one job; completed ones are kept in the cache for a week",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			w, err := a.reach(cmd.Context(), true)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, w.close()) }()
			job, err := w.job(cmd.Context(), args[0], !noCache)
			if err != nil {
				return err
			}
			return printJob(a.hide.writer(cmd.OutOrStdout()), job, *how)
		},
	}
	cmd.Flags().BoolVar(&noCache, "no-cache", false, "ask the API even if the cache has the job")
	how = formFlag(cmd.Flags())
	return cmd
}

// job returns a job from the cache, if that is wanted, or from the API.
func (w *workplace) job(ctx context.Context, id string, cached bool) (docextract.Job, error) {
	if cached {
		if raw, ok := w.home.Get(ctx, id); ok {
			// What cannot be read is as good as not held.
			if job, err := docextract.ParseJob(raw); err == nil && job.ID == id {
				return job, nil
			}
		}
	}
	job, err := w.client.Job(ctx, id)
	if err == nil {
		w.home.Put(ctx, id, job.Raw)
	}
	return job, err
}

func printJob(out io.Writer, job docextract.Job, how form) error {
	var b bytes.Buffer
	switch how {
	case formLines:
		if err := json.Compact(&b, job.Raw); err != nil {
			return err
		}
	case formJSON:
		if err := json.Indent(&b, job.Raw, "", "  "); err != nil {
			return err
		}
	default:
		fields, err := decodeJob(job)
		if err != nil {
			return err
		}
		t := newTable("field", "value")
		appendFields(fields, "", func(path, value string) { t.AppendRow([]any{printable(path), printable(value)}) })
		_, err = fmt.Fprintln(out, t.Render())
		return err
	}
	b.WriteByte('\n')
	_, err := out.Write(printableJSON(b.Bytes()))
	return err
}

// appendFields calls add with what an object holds, deeper objects by dotted
// paths: plain values first, each group sorted by name.
func appendFields(fields map[string]any, prefix string, add func(path, value string)) {
	var plain, deeper []string
	for name, value := range fields {
		if below, ok := value.(map[string]any); ok && len(below) > 0 {
			deeper = append(deeper, name)
		} else {
			plain = append(plain, name)
		}
	}
	slices.Sort(plain)
	slices.Sort(deeper)
	for _, name := range plain {
		add(prefix+name, textOf(fields[name]))
	}
	for _, name := range deeper {
		appendFields(fields[name].(map[string]any), prefix+name+".", add)
	}
}
