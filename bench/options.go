package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/adteco/docarchive/bench/workload"
)

// count is a number of jobs, as a flag: 200000, 200k or 1M.
type count int

func (c *count) String() string { return strconv.Itoa(int(*c)) }
func (c *count) Type() string   { return "count" }

func (c *count) Set(text string) error {
	digits, factor := text, 1
	switch {
	case strings.HasSuffix(text, "k"):
		digits, factor = strings.TrimSuffix(text, "k"), 1000
	case strings.HasSuffix(text, "M"):
		digits, factor = strings.TrimSuffix(text, "M"), 1_000_000
	}
	n, err := strconv.Atoi(digits)
	if err != nil || n < 1 {
		return fmt.Errorf("%q is not a number such as 200000, 200k or 1M", text)
	}
	*c = count(n * factor)
	return nil
}

// counts is a list of them.
type counts []int

func (c *counts) String() string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint([]int(*c)), " ", ","), "[]")
}
func (c *counts) Type() string { return "counts" }

func (c *counts) Set(text string) error {
	*c = nil
	for part := range strings.SplitSeq(text, ",") {
		var one count
		if err := one.Set(part); err != nil {
			return err
		}
		*c = append(*c, int(one))
	}
	return nil
}

// options are the flags of all suites.
type options struct {
	work   workFlags
	sizes  sizeFlags
	rounds int
	output string
	svg    string
	strict bool
	binary string
	limit  time.Duration // of the whole suite
	each   time.Duration // of one command
}

// workFlags say which jobs there are.
type workFlags struct {
	jobs    count
	days    int
	seed    uint64
	extra   int
	latency time.Duration
	gzip    bool
}

// sizeFlags say how far growth is measured.
type sizeFlags struct {
	jobs, columns, windows, records counts
	query                           count
}

func (o *options) addFlags(f *pflag.FlagSet) {
	o.work.jobs, o.sizes.query = 200_000, 200_000
	o.sizes = sizeFlags{
		jobs: counts{25_000, 50_000, 100_000, 200_000}, columns: counts{94, 250, 500, 1000, 1900},
		windows: counts{90, 180, 360, 720, 2160}, records: counts{1, 10, 20, 40}, query: 200_000,
	}
	f.Var(&o.work.jobs, "jobs", "number of jobs")
	f.IntVar(&o.work.days, "days", 30, "over which the jobs' created_at is spread; they end at the last midnight, UTC")
	f.Uint64Var(&o.work.seed, "seed", 1, "of the generator")
	f.IntVar(&o.work.extra, "extra", 0, "columns on top of the usual 94")
	f.DurationVar(&o.work.latency, "latency", 0, "of the server")
	f.BoolVar(&o.work.gzip, "gzip", false, "let the server compress")
	f.Var(&o.sizes.jobs, "grow-jobs", "numbers of jobs, for growth")
	f.Var(&o.sizes.columns, "grow-columns", "numbers of columns, for growth")
	f.Var(&o.sizes.windows, "grow-windows", "numbers of windows, for growth: divisors of 2160")
	f.Var(&o.sizes.records, "grow-records", "numbers of commit records of one window, for growth")
	f.Var(&o.sizes.query, "query-jobs", "number of jobs that are queried")
	f.IntVar(&o.rounds, "rounds", 3, "how often each pair is run, in turn")
	f.StringVarP(&o.output, "output", "o", "table", "table (Markdown) or json")
	f.StringVar(&o.svg, "svg", "", "folder in which to draw growth")
	f.StringVar(&o.binary, "binary", "", "the docarchive to measure; built from this source tree if left out")
	f.BoolVar(&o.strict, "strict", false, "exit 1 if a goal is missed")
	f.DurationVar(&o.limit, "limit", time.Hour, "of the whole measurement")
	f.DurationVar(&o.each, "each", 10*time.Minute, "of one command")
}

// spec returns the workload that the flags describe.
func (o *options) spec() workload.Spec {
	return workload.Spec{
		Jobs: int(o.work.jobs), Days: o.work.days, Seed: o.work.seed, Extra: o.work.extra,
		End: time.Now().UTC().Truncate(24 * time.Hour),
	}
}

// suite is a subcommand that measures.
type suite struct {
	name, short string
	run         func(ctx context.Context, b *bench) error
}

func suites() []suite {
	parts := []suite{
		{"floor", "Fetch all pages and throw them away, 8 in flight", floorSuite},
		{"peers", "Run the product and its peers in turn", peersSuite},
		{"latency", "Compare with the floor at 20 ms of latency", latencySuite},
		{"requests", "Count requests, and time the start and an empty night", requestsSuite},
		{"query", "Time DuckDB on what the product wrote and on what DuckDB wrote", querySuite},
		{"databases", "Load PostgreSQL and SQLite", databasesSuite},
		{"growth", "Grow jobs, columns, windows and commit records", growthSuite},
	}
	all := suite{"all", "All of these, one after another", func(ctx context.Context, b *bench) error {
		for _, part := range parts {
			if part.name == "floor" {
				continue // peers runs it too
			}
			if err := part.run(ctx, b); err != nil {
				return fmt.Errorf("%s: %w", part.name, err)
			}
		}
		return nil
	}}
	return append([]suite{all}, parts...)
}

// measure runs a suite and prints its report. What was measured before an error
// is printed too.
func (o *options) measure(ctx context.Context, s suite, stdout, stderr io.Writer) (err error) {
	if o.output != "table" && o.output != "json" {
		return fmt.Errorf("--output must be table or json, not %q", o.output)
	}
	if o.rounds < 1 || o.work.days < 1 || o.work.days > 79 {
		return errors.New("--rounds must be at least 1, --days between 1 and 79")
	}
	ctx, cancel := context.WithTimeout(ctx, o.limit)
	defer cancel()
	dir, err := os.MkdirTemp("", "docarchive-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b := &bench{options: *o, dir: dir, stderr: stderr, report: newReport()}
	if b.binary == "" {
		if b.binary, err = b.build(ctx); err != nil {
			return err
		}
	}
	err = s.run(ctx, b)
	b.report.finish()
	if o.svg != "" {
		err = errors.Join(err, b.report.draw(o.svg))
	}
	if o.output == "json" {
		err = errors.Join(err, b.report.json(stdout))
	} else {
		_, wrote := io.WriteString(stdout, b.report.markdown())
		err = errors.Join(err, wrote)
	}
	if err == nil && o.strict && b.report.missed() > 0 {
		err = errMissed
	}
	return err
}

// bench is one measurement: a scratch folder, the program, and what was found.
type bench struct {
	options
	dir    string
	stderr io.Writer
	report *report
	serial int // of scratch folders
}

// say tells of what is going on.
func (b *bench) say(format string, args ...any) { fmt.Fprintf(b.stderr, format+"\n", args...) }

// scratch makes a fresh folder. The caller removes it if it is large.
func (b *bench) scratch(name string) (string, error) {
	b.serial++
	dir := filepath.Join(b.dir, fmt.Sprintf("%s-%d", name, b.serial))
	return dir, os.MkdirAll(dir, 0o755)
}
