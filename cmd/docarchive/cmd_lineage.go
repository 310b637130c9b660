package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/internal/ledger"
	"github.com/adteco/docarchive/pipeline"
)

// ancestor is a job in a lineage and what was done to submit it again.
type ancestor struct {
	JobID    string        `json:"job_id"`
	Status   string        `json:"status"` // at the API; gone if it has no such job any more
	From     string        `json:"reprocessed_from,omitempty"`
	Attempts []lineAttempt `json:"attempts"`
}

// lineAttempt is one attempt to submit a job again.
type lineAttempt struct {
	Attempt int    `json:"attempt"`
	Outcome string `json:"outcome"` // held as long as it is not known
	JobID   string `json:"job_id,omitempty"`
	RunID   string `json:"run_id"`
	Created string `json:"created"`
	Reason  string `json:"reason,omitempty"`
}

// longestLineage bounds how far a chain is followed, should it be a circle.
const longestLineage = 100

func (a *app) jobsLineageCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "lineage ID",
		Short: "Show what a job was made from and what was made from it by resubmissions",
		Long: `Show what a job was made from and what was made from it by resubmissions:
the original, each attempt, and what came of it. ID may be any job of the chain.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			cfg, err := a.loadConfig()
			if err != nil {
				return err
			}
			w := &workplace{cfg: cfg, now: a.now, log: a.log}
			defer func() { err = errors.Join(err, w.close()) }()
			if err := w.connect(a, 1); err != nil {
				return err
			}
			if w.store, w.ledger, err = a.openArchive(cmd.Context(), cfg, trying, a.now); err != nil {
				return err
			}
			chain, err := lineage(cmd.Context(), w.client, w.ledger, args[0])
			if err != nil {
				return err
			}
			return a.printLineage(cmd.OutOrStdout(), chain)
		},
	}
}

// lineage follows a job back to its original, and from there to the last job.
func lineage(ctx context.Context, client *docextract.Client, l *ledger.Ledger, id string) ([]ancestor, error) {
	first := id
	for range longestLineage {
		from, err := madeFrom(ctx, client, l, first)
		if err != nil {
			return nil, err
		}
		if from == "" {
			break
		}
		first = from
	}
	var chain []ancestor
	for next := first; next != "" && len(chain) < longestLineage; {
		one, err := ancestorOf(ctx, client, l, next)
		if err != nil {
			return nil, err
		}
		chain = append(chain, one)
		next = ""
		for _, attempt := range one.Attempts {
			if attempt.JobID != "" {
				next = attempt.JobID
			}
		}
	}
	if len(chain) == 1 && chain[0].Status == statusGone && len(chain[0].Attempts) == 0 {
		return nil, fmt.Errorf("job %s is neither at the API nor in the archive's resubmissions", id)
	}
	return chain, nil
}

// statusGone is the status of a job that the API does not have.
const statusGone = "gone"

// madeFrom returns the job that another was made from; empty if there is none.
func madeFrom(ctx context.Context, client *docextract.Client, l *ledger.Ledger, id string) (string, error) {
	job, err := client.Job(ctx, id)
	switch {
	case err == nil:
		if from := pipeline.MadeFrom(job.Raw); from != "" {
			return from, nil
		}
	case !docextract.NotFound(err):
		return "", err
	}
	attempt, err := l.MadeFrom(ctx, id)
	if err != nil || attempt == nil {
		return "", err
	}
	return attempt.Intent.Original, nil
}

func ancestorOf(ctx context.Context, client *docextract.Client, l *ledger.Ledger, id string) (ancestor, error) {
	one := ancestor{JobID: id, Status: statusGone, Attempts: []lineAttempt{}}
	job, err := client.Job(ctx, id)
	switch {
	case err == nil:
		one.Status, one.From = string(job.Status), pipeline.MadeFrom(job.Raw)
	case !docextract.NotFound(err):
		return one, err
	}
	history, err := l.History(ctx, id)
	if err != nil {
		return one, err
	}
	for i := range history {
		at := &history[i]
		line := lineAttempt{
			Attempt: at.Intent.Attempt, Outcome: string(at.Outcome()), JobID: at.JobID(), RunID: at.Intent.RunID,
			Created: at.Intent.Created.Format("2006-01-02 15:04:05"), Reason: at.Reason(),
		}
		if line.Outcome == "" {
			line.Outcome, line.Reason = string(pipeline.StateHeld), "no answer is recorded; the next resubmit looks for its job"
		}
		one.Attempts = append(one.Attempts, line)
	}
	return one, nil
}

func (a *app) printLineage(out io.Writer, chain []ancestor) error {
	out = a.hide.writer(out)
	if a.json() {
		return printJSON(out, chain)
	}
	t := newTable("job", "status", "attempt", "outcome", "new job", "run", "at", "reason")
	right(t, 3)
	for _, one := range chain {
		row := []any{printable(one.JobID), printable(one.Status), "", "", "", "", "", ""}
		for _, at := range one.Attempts {
			copy(row[2:], []any{
				fmt.Sprint(at.Attempt), at.Outcome, printable(at.JobID), printable(at.RunID), at.Created, printable(at.Reason),
			})
			t.AppendRow(row)
			row = []any{"", "", "", "", "", "", "", ""}
		}
		if len(one.Attempts) == 0 {
			t.AppendRow(row)
		}
	}
	_, err := fmt.Fprintln(out, t.Render())
	return err
}
