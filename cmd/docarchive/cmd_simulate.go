package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/adteco/docarchive/docextract/docextracttest"
)

// simulateOptions are the flags of simulate.
type simulateOptions struct {
	addr, documents string
	jobs            int
	seed            uint64
	days            int
	open            int
	arrivals        float64
	knobs, faults   []string
	truth           string
}

func (a *app) simulateCommand() *cobra.Command {
	o := simulateOptions{}
	cmd := &cobra.Command{
		Use:   "simulate",
		Short: "Run the API simulator by itself, until it is interrupted",
		Long:  "Run the API simulator by itself, until it is interrupted.\n\n" + settingsHelp(),
		Example: `  docarchive simulate --jobs 100000
  docarchive simulate --knob order=shuffled --knob limit_max=37 --fault e500=0.02`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.simulate(cmd, o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.addr, "addr", "127.0.0.1:8080", "where the API listens")
	f.StringVar(&o.documents, "documents-addr", "127.0.0.1:0", "where the documents' host listens")
	f.IntVar(&o.jobs, "jobs", 5000, "jobs that exist at the start")
	f.Uint64Var(&o.seed, "seed", 1, "the same seed makes the same jobs")
	f.IntVar(&o.days, "days", 60, "days that the jobs are spread over")
	f.IntVar(&o.open, "open", 20, "jobs that are not final at the start")
	f.Float64Var(&o.arrivals, "arrivals", 0, "new jobs a minute")
	f.StringArrayVar(&o.knobs, "knob", nil, "NAME=VALUE, may be repeated")
	f.StringArrayVar(&o.faults, "fault", nil, "NAME=PROBABILITY, may be repeated")
	f.StringVar(&o.truth, "truth", "", "at the end, write what is true to this file, as JSON lines")
	return cmd
}

// settingsHelp lists what can be turned.
func settingsHelp() string {
	s := docextracttest.New(docextracttest.Config{})
	var b strings.Builder
	b.WriteString("Knobs, where the API's description is silent:\n")
	for _, k := range s.Knobs().Names() {
		fmt.Fprintf(&b, "  %-18s %s\n", k.Name, k.Text)
	}
	b.WriteString("\nFaults, each with a probability:\n")
	for _, k := range s.Faults().Names() {
		fmt.Fprintf(&b, "  %-18s %s\n", k.Name, k.Text)
	}
	return strings.TrimRight(b.String(), "\n")
}

func (a *app) simulate(cmd *cobra.Command, o simulateOptions) (err error) {
	s := docextracttest.New(docextracttest.Config{
		Seed: o.seed, Jobs: o.jobs, Span: time.Duration(o.days) * 24 * time.Hour, Open: o.open, Arrivals: o.arrivals,
	})
	for _, setting := range o.knobs {
		name, value, _ := strings.Cut(setting, "=")
		if err := s.Knobs().Set(name, value); err != nil {
			return usagef("--knob %s: %v", setting, err)
		}
	}
	for _, setting := range o.faults {
		name, value, _ := strings.Cut(setting, "=")
		p, err := strconv.ParseFloat(value, 64)
		if err == nil {
			err = s.Faults().Set(name, p)
		}
		if err != nil {
			return usagef("--fault %s: %v", setting, err)
		}
	}
	running, err := s.StartAt(o.addr, o.documents)
	if err != nil {
		return fmt.Errorf("start the simulator: %w", err)
	}
	fmt.Fprintf(cmd.OutOrStdout(), "export DOCEXTRACT_BASE_URL=%s\nexport DOCEXTRACT_API_KEY=sk_test_simulator\n", running.URL)
	select {
	case <-a.stop.begin:
	case <-cmd.Context().Done():
	}
	if err := running.Close(); err != nil {
		return err
	}
	a.log.Info("the simulator has answered", "requests", s.Requests(), "submissions", len(s.Submissions()))
	if o.truth == "" {
		return nil
	}
	return writeFile(o.truth, s.WriteTruth)
}

// writeFile writes a new file, whole or not at all as far as close can tell.
func writeFile(path string, write func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	err = write(f)
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}
