package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/adteco/docarchive/bench/workload"
)

//go:embed vendor.mjs
var vendorScript string

// contestant is one of those that are run in turn.
type contestant struct {
	name, reads string
	run         func(ctx context.Context) (*sample, error)
}

// The names of contestants, by which ratios are made.
const (
	nameFloor   = "fetch and throw away, 8 in flight"
	nameParquet = "docarchive, Parquet zstd"
	nameRaw     = "docarchive, Parquet zstd + raw"
	nameCSV     = "docarchive, CSV"
	nameDuck    = "DuckDB, Parquet zstd"
	nameDuckCSV = "DuckDB, CSV"
	nameCurl    = "curl, 8 parallel, then DuckDB"
	nameVendor  = "the vendor page's script, Node, CSV"
)

// rotate runs all contestants in turn, so many times, and reports them.
func (b *bench) rotate(ctx context.Context, jobs int, all []contestant) (map[string][]*sample, error) {
	samples := map[string][]*sample{}
	for round := range b.rounds {
		for _, c := range all {
			m, err := c.run(ctx)
			if err != nil {
				return samples, fmt.Errorf("%s: %w", c.name, err)
			}
			b.say("round %d: %s: %s s, %s s of CPU, %.0f MB", round+1, c.name, number(m.Wall), number(m.cpu()), m.RSS)
			samples[c.name] = append(samples[c.name], m)
		}
	}
	for _, c := range all {
		b.report.add(c.name, c.reads, jobs, samples[c.name])
	}
	return samples, nil
}

func floorSuite(ctx context.Context, b *bench) (err error) {
	spec := b.spec()
	s, err := b.serve(ctx, spec, b.work.latency, b.work.gzip, "")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	_, err = b.rotate(ctx, spec.Jobs, []contestant{b.floorContestant(s, spec)})
	return err
}

func (b *bench) floorContestant(s *source, spec workload.Spec) contestant {
	return contestant{nameFloor, "HTTP", func(ctx context.Context) (*sample, error) { return b.floor(ctx, s, spec.Jobs) }}
}

func (b *bench) productContestant(name string, s *source, spec workload.Spec, r recipe) contestant {
	return contestant{name, "HTTP", func(ctx context.Context) (*sample, error) { return b.fresh(ctx, s, spec, r) }}
}

func peersSuite(ctx context.Context, b *bench) (err error) {
	spec := b.spec()
	dir, err := b.scratch("peers")
	if err != nil {
		return err
	}
	lines := filepath.Join(dir, "jobs.jsonl")
	s, err := b.serve(ctx, spec, b.work.latency, b.work.gzip, lines)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close(), os.RemoveAll(dir)) }()
	all := []contestant{
		b.floorContestant(s, spec),
		b.productContestant(nameParquet, s, spec, recipe{sink: parquetSink}),
		b.productContestant(nameRaw, s, spec, recipe{sink: parquetSink, raw: true}),
		b.productContestant(nameCSV, s, spec, recipe{sink: csvSink}),
	}
	d, err := findDuckDB()
	switch {
	case errors.Is(err, errNoDuckDB):
		b.report.skip(err.Error())
	case err != nil:
		return err
	default:
		all = append(all, b.duckdbContestants(d, spec, s, lines, dir)...)
	}
	if node, err := exec.LookPath("node"); err != nil {
		b.report.skip("the vendor page's script: node is not installed")
	} else {
		all = append(all, contestant{nameVendor, "HTTP", func(ctx context.Context) (*sample, error) {
			return b.vendor(ctx, s, node, filepath.Join(dir, "export.csv"))
		}})
	}
	samples, err := b.rotate(ctx, spec.Jobs, all)
	if err != nil {
		return err
	}
	b.peerGoals(samples, spec.Jobs)
	return nil
}

func (b *bench) duckdbContestants(d *duckdb, spec workload.Spec, s *source, lines, dir string) []contestant {
	copying := func(name, reads, from, format string) contestant {
		out := filepath.Join(dir, "out")
		return contestant{name, reads, func(ctx context.Context) (*sample, error) {
			c, err := d.command(fmt.Sprintf("COPY (SELECT … flat, explicit schema …) TO 'out' (%s)", format),
				fmt.Sprintf("COPY (%s) TO %s (%s)", from, quote(out), format))
			if err != nil {
				return nil, err
			}
			m, err := b.exec(ctx, c)
			return sized(m, err, out)
		}}
	}
	const parquet, csv = "FORMAT parquet, COMPRESSION zstd", "FORMAT csv, HEADER"
	all := []contestant{
		copying(nameDuck, "local file", flatLines(spec, lines), parquet),
		copying(nameDuckCSV, "local file", flatLines(spec, lines), csv),
	}
	curl, err := exec.LookPath("curl")
	if err != nil {
		b.report.skip("curl, then DuckDB: curl is not installed")
		return all
	}
	return append(all, contestant{nameCurl, "HTTP", func(ctx context.Context) (*sample, error) {
		return b.curl(ctx, curl, d, spec, s, dir)
	}})
}

// curl fetches all pages into files, then lets DuckDB read these.
func (b *bench) curl(ctx context.Context, curl string, d *duckdb, spec workload.Spec, s *source, dir string) (m *sample, err error) {
	pages := filepath.Join(dir, "pages")
	if err := os.Mkdir(pages, 0o755); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(pages)) }()
	last := (spec.Jobs - 1) / pageSize * pageSize
	fetched, err := b.counted(ctx, s, command{argv: []string{
		curl, "--silent", "--show-error", "--fail", "-Z", "--parallel-max", fmt.Sprint(inFlight),
		"-o", filepath.Join(pages, "#1.json"), fmt.Sprintf("%s/v1/documents?limit=%d&offset=[0-%d:%d]", s.url, pageSize, last, pageSize),
	}, shown: fmt.Sprintf("curl --silent --show-error --fail -Z --parallel-max %d -o 'pages/#1.json' 'http://ADDR/v1/documents?limit=%d&offset=[0-%d:%d]'",
		inFlight, pageSize, last, pageSize)})
	if err != nil {
		return nil, err
	}
	out := filepath.Join(dir, "out")
	c, err := d.command("COPY (SELECT … FROM (SELECT unnest(jobs) FROM 'pages/*.json')) TO 'out' (FORMAT parquet, COMPRESSION zstd)",
		fmt.Sprintf("COPY (%s) TO %s (FORMAT parquet, COMPRESSION zstd)", flatPages(spec, filepath.Join(pages, "*.json")), quote(out)))
	if err != nil {
		return nil, err
	}
	m, err = b.exec(ctx, c)
	if m, err = sized(m, err, out); err != nil {
		return nil, err
	}
	m.Wall += fetched.Wall
	m.User += fetched.User
	m.Sys += fetched.Sys
	m.RSS = max(m.RSS, fetched.RSS)
	m.Counters = fetched.Counters
	return m, nil
}

func (b *bench) vendor(ctx context.Context, s *source, node, out string) (*sample, error) {
	m, err := b.counted(ctx, s, command{
		argv: []string{node, "--max-old-space-size=8192", "--input-type=module", "--eval", vendorScript},
		env:  []string{"BASE_URL=" + s.url + "/v1", "OUT=" + out}, shown: "BASE_URL=… OUT=… node bench/vendor.mjs",
	})
	return sized(m, err, out)
}

// sized notes the size of what a command wrote, and removes it.
func sized(m *sample, err error, out string) (*sample, error) {
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(out)
	if err != nil {
		return nil, err
	}
	m.Output = info.Size()
	return m, os.Remove(out)
}

// peerGoals compares those who took part.
func (b *bench) peerGoals(samples map[string][]*sample, jobs int) {
	versus := func(goal, ours, theirs string, limit float64) {
		if len(samples[ours]) > 0 && len(samples[theirs]) > 0 {
			b.report.aim(goal, ratio(samples[ours], samples[theirs]), limit, "", "median of "+fmt.Sprint(b.rounds)+" pairs")
		}
	}
	versus("Parquet over HTTP / DuckDB on a local file, wall", nameParquet, nameDuck, 0.75)
	versus("Parquet and raw over HTTP / DuckDB on a local file, wall", nameRaw, nameDuck, 1.0)
	versus("Parquet over HTTP / curl then DuckDB, wall", nameParquet, nameCurl, 0.35)
	versus("CSV over HTTP / DuckDB's CSV of a local file, wall", nameCSV, nameDuckCSV, 0.65)
	if theirs := samples[nameVendor]; len(theirs) > 0 {
		b.report.reach("the vendor's script / CSV over HTTP, wall", ratio(theirs, samples[nameCSV]), 10, "", "times faster")
	}
	ours := samples[nameParquet]
	if !b.work.gzip {
		b.report.aim("CPU per job, Parquet, no gzip", medianOf(ours, (*sample).cpu)*1e6/float64(jobs), 12, " µs", "user and system")
	}
	if theirs := samples[nameDuck]; len(theirs) > 0 {
		b.report.aim("Parquet file size / DuckDB's", float64(ours[0].Output)/float64(theirs[0].Output), 1, "", "zstd both")
	}
}
