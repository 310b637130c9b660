package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/adteco/docarchive/internal/config"
	"github.com/adteco/docarchive/internal/words"
	"github.com/adteco/docarchive/pipeline"
)

// compare compares the pipelines' archives with the API.
func (a *app) compare(ctx context.Context, w *workplace, pipelines []config.Pipeline) (all []compared, err error) {
	if err := w.connect(a, 1); err != nil {
		return nil, err
	}
	runner := &pipeline.Runner{
		Stores: pipeline.Stores{Ledger: w.ledger, Library: w.ledger},
		Paging: pipeline.Paging{Size: w.cfg.API.PageSize, InFlight: w.cfg.API.Concurrency},
		Now:    a.now, Log: a.log,
	}
	for _, p := range pipelines {
		begin, err := w.begin(ctx, p)
		if err != nil {
			return nil, err
		}
		spec, err := w.spec(p, begin, span{})
		if err != nil {
			return nil, err
		}
		client := w.account(p).client
		runner.Source, runner.Requests = client, client.Requests
		c := compared{Differences: []pipeline.Difference{}}
		c.Comparison, err = runner.Compare(ctx, spec, func(d pipeline.Difference) error {
			c.Differences = append(c.Differences, d)
			return nil
		})
		if err != nil {
			return nil, &pipeline.FailedError{Pipeline: p.Name, Err: err}
		}
		all = append(all, c)
	}
	return all, nil
}

func faulty(all []compared) bool {
	return slices.ContainsFunc(all, func(c compared) bool { return c.Missing+c.Changed+c.Unproven > 0 })
}

// shownDifferences is how many differences of a pipeline people are shown; JSON
// has them all.
const shownDifferences = 50

func comparedText(all []compared) string {
	if len(all) == 0 {
		return ""
	}
	counts := newTable("pipeline", "windows", "same", "id only", "missing", "changed", "unproven", "gone from the API", "requests")
	right(counts, 2, 3, 4, 5, 6, 7, 8, 9)
	faults := newTable("pipeline", "window", "job", "difference", "about it")
	var b strings.Builder
	shown, left := 0, 0
	for _, c := range all {
		counts.AppendRow([]any{c.Pipeline, c.Windows, c.Same, c.NoRaw, c.Missing, c.Changed, c.Unproven, c.Gone, c.Requests})
		n := 0
		for _, d := range c.Differences {
			if !d.Fault() {
				continue
			}
			if n++; n > shownDifferences {
				left++
				continue
			}
			shown++
			faults.AppendRow([]any{c.Pipeline, d.Window, printable(d.JobID), d.Kind, printable(d.Detail)})
		}
	}
	fmt.Fprintf(&b, "compared with the API:\n%s\n", counts.Render())
	if shown > 0 {
		fmt.Fprintf(&b, "\n%s\n", faults.Render())
	}
	if left > 0 {
		fmt.Fprintf(&b, "and %s; -o json lists all\n", words.Count(left, "more difference"))
	}
	return b.String()
}
