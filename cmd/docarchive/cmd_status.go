package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/adteco/docarchive/internal/config"
	"github.com/adteco/docarchive/internal/ledger"
	"github.com/adteco/docarchive/internal/words"
	"github.com/adteco/docarchive/pipeline"
)

// warnDays is how many days before unarchived jobs expire status warns.
const warnDays = 14

// standing is where a pipeline's archive stands.
type standing struct {
	Pipeline    string     `json:"pipeline"`
	Windows     int        `json:"windows"`
	Sealed      int        `json:"sealed"`
	Jobs        int64      `json:"jobs"`
	Open        int        `json:"open"`
	Quarantined int        `json:"quarantined"`
	Unfinished  int        `json:"unfinished"`
	Reached     *time.Time `json:"reached,omitempty"`    // everything before it is accounted for
	Behind      *time.Time `json:"oldest_due,omitempty"` // the oldest created_at not accounted for
	DaysLeft    *int       `json:"days_left,omitempty"`  // before jobs of that time expire
	LastCommit  *time.Time `json:"last_commit,omitempty"`
	Lacking     []sinkLack `json:"lacking,omitempty"` // file sinks that do not hold all jobs
}

func (a *app) statusCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "status [PIPELINE…]",
		Short: "Show how far each pipeline is archived, and how long unarchived jobs still live",
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			cfg, err := a.loadConfigKeyless()
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
			var all []standing
			for _, p := range pipelines {
				st, err := stand(cmd.Context(), l, p, a.now())
				if err != nil {
					return err
				}
				all = append(all, st)
			}
			return a.printStatus(cmd.OutOrStdout(), all)
		},
	}
}

// stand reads a pipeline's records.
func stand(ctx context.Context, l *ledger.Ledger, p config.Pipeline, now time.Time) (standing, error) {
	st := standing{Pipeline: p.Name}
	settings, err := l.SettingsOf(ctx, p.Name)
	if err != nil {
		return st, err
	}
	if settings.Window == 0 {
		return st, nil // not begun
	}
	names, err := l.Windows(ctx, p.Name)
	if err != nil {
		return st, err
	}
	known := map[time.Time]bool{}
	held := newHoldings(p)
	for _, name := range names {
		w, err := pipeline.ParseWindow(name, settings.Window)
		if err != nil {
			return st, err
		}
		h, err := l.LoadEach(ctx, p.Name, w, held.add)
		if err != nil {
			return st, err
		}
		known[w.Start] = true
		st.add(h)
	}
	st.expect(settings, known, p.Settle, now)
	st.Lacking, err = held.lacking(ctx, l, p.Name, st.Jobs)
	return st, err
}

// expect notes the windows that are due and not known, and how many days are
// left of what is behind.
func (st *standing) expect(settings ledger.Settings, known map[time.Time]bool, settle time.Duration, now time.Time) {
	first := settings.First
	if oldest := now.Add(-pipeline.Retention); first.Before(oldest) {
		first = oldest
	}
	for _, w := range pipeline.Windows(first, now.Add(-settle), settings.Window) {
		if !known[w.Start] {
			st.lag(w.Start)
		}
	}
	if st.Behind != nil {
		days := int(st.Behind.Add(pipeline.Retention).Sub(now).Hours() / 24)
		st.DaysLeft = &days
	}
}

func (st *standing) add(h *pipeline.History) {
	st.Windows++
	st.Jobs += h.Archived
	st.Open += len(h.Open())
	st.Quarantined += len(h.Rejected)
	if h.Head == nil {
		return
	}
	st.Unfinished += len(h.Head.Unfinished)
	if h.Sealed() {
		st.Sealed++
	}
	to := h.CoveredTo()
	if st.Reached == nil || to.After(*st.Reached) {
		st.Reached = &to
	}
	if at := h.Head.CommittedAt; st.LastCommit == nil || at.After(*st.LastCommit) {
		st.LastCommit = &at
	}
	if to.Before(h.Window.End) && !h.Sealed() {
		st.lag(to)
	}
}

// lag notes that jobs created at t are not accounted for.
func (st *standing) lag(t time.Time) {
	if st.Behind == nil || t.Before(*st.Behind) {
		st.Behind = &t
	}
}

func (a *app) printStatus(out io.Writer, all []standing) error {
	out = a.hide.writer(out)
	for _, st := range all {
		if st.DaysLeft != nil && *st.DaysLeft < warnDays {
			a.log.Warn("unarchived jobs expire soon", "pipeline", st.Pipeline, "days_left", *st.DaysLeft)
		}
	}
	if a.json() {
		return printJSON(out, all)
	}
	t := newTable("pipeline", "windows", "sealed", "jobs", "open", "quarantined", "unfinished", "reached", "oldest due", "days left", "last commit")
	right(t, 2, 3, 4, 5, 6, 7, 10)
	for _, st := range all {
		left := "-"
		if st.DaysLeft != nil {
			left = fmt.Sprint(*st.DaysLeft)
		}
		t.AppendRow([]any{
			st.Pipeline, st.Windows, st.Sealed, st.Jobs, st.Open, st.Quarantined, st.Unfinished,
			when(st.Reached), when(st.Behind), left, when(st.LastCommit),
		})
	}
	text := t.Render()
	for _, st := range all {
		for _, l := range st.Lacking {
			text += fmt.Sprintf("\nsink %s lacks %s archived before it was added: docarchive rebuild %s", l.Sink, words.Count(l.Jobs, "job"), st.Pipeline)
		}
	}
	_, err := fmt.Fprintln(out, text)
	return err
}

func when(t *time.Time) string {
	if t == nil {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04")
}
