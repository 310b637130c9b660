package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/adteco/docarchive/docextract"
)

func (a *app) statsCommand() *cobra.Command {
	var period string
	cmd := &cobra.Command{
		Use:   "stats",
		Short: "Show the API's statistics: totals, by extractor, by status",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.stats(cmd.Context(), cmd.OutOrStdout(), period)
		},
	}
	cmd.Flags().StringVar(&period, "period", "30d", "up to now, such as 24h, 7d or 30d")
	return cmd
}

var periodForm = regexp.MustCompile(`^[1-9][0-9]{0,4}[hd]$`)

func (a *app) stats(ctx context.Context, out io.Writer, period string) (err error) {
	if !periodForm.MatchString(period) {
		return usagef("--period must be hours or days, such as 24h, 7d or 30d, not %q", period)
	}
	w, err := a.reach(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	stats, err := w.client.Stats(ctx, period)
	if err != nil {
		return err
	}
	out = a.hide.writer(out)
	if a.json() {
		return printRaw(out, stats.Raw)
	}
	if stats.Period != "" {
		period = stats.Period
	}
	_, err = fmt.Fprintf(out, "the last %s\n\n%s\n", printable(period), statsTables(&stats))
	return err
}

// printRaw prints JSON as the API sent it, indented.
func printRaw(out io.Writer, raw json.RawMessage) error {
	var b bytes.Buffer
	if err := json.Indent(&b, raw, "", "  "); err != nil {
		return err
	}
	b.WriteByte('\n')
	_, err := out.Write(printableJSON(b.Bytes()))
	return err
}

func statsTables(s *docextract.Stats) string {
	totals := newTable("jobs", "completed", "failed", "success", "", "mean time", "mean confidence", "credits")
	right(totals, 1, 2, 3, 4, 6, 7, 8)
	totals.AppendRow([]any{
		s.TotalJobs, s.CompletedJobs, s.FailedJobs, percent(s.SuccessRate), gauge(s.SuccessRate),
		seconds(s.AvgProcessingTimeMS / 1000), fmt.Sprintf("%.3f", s.AvgConfidence), amount(s.TotalCreditsUsed),
	})
	extractors := newTable("extractor", "name", "jobs", "success", "")
	right(extractors, 3, 4)
	byCount := slices.Clone(s.ByExtractor)
	slices.SortStableFunc(byCount, func(a, b docextract.ExtractorStats) int { return int(b.JobCount - a.JobCount) })
	for _, e := range byCount {
		extractors.AppendRow([]any{
			printable(e.ExtractorID), printable(e.ExtractorName), e.JobCount, percent(e.SuccessRate), gauge(e.SuccessRate),
		})
	}
	statuses := newTable("status", "jobs", "share", "")
	right(statuses, 2, 3)
	for _, status := range slices.Sorted(maps.Keys(s.ByStatus)) {
		share := float64(s.ByStatus[status]) / float64(max(s.TotalJobs, 1))
		statuses.AppendRow([]any{printable(string(status)), s.ByStatus[status], percent(share), gauge(share)})
	}
	return strings.Join([]string{totals.Render(), extractors.Render(), statuses.Render()}, "\n\n")
}

func percent(share float64) string { return fmt.Sprintf("%.1f%%", share*100) }

// gaugeWidth is the length of a full gauge in characters.
const gaugeWidth = 20

// gauge draws a share from 0 to 1.
func gauge(share float64) string {
	full := 0
	if share > 0 { // not a NaN either
		full = int(math.Round(math.Min(share, 1) * gaugeWidth))
	}
	return strings.Repeat("█", full) + strings.Repeat("░", gaugeWidth-full)
}

// amount gives a number of credits without needless zeros.
func amount(credits float64) string { return strconv.FormatFloat(credits, 'f', -1, 64) }
