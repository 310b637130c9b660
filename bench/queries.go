package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/adteco/docarchive/bench/workload"
)

// repeats is how often a query is run in one process; the first time warms up.
const repeats = 6

// question is a query of an analyst, over the table %s.
type question struct{ name, sql string }

// questions are what is asked; on one day.
func questions(on time.Time) []question {
	from := on.Format(time.DateOnly)
	to := on.Add(day).Format(time.DateOnly)
	return []question{
		{"count", "SELECT count(*) FROM %s"},
		{"group by month", "SELECT strftime(created_at, '%%Y-%%m') AS month, count(*), sum(total_amount) FROM %s GROUP BY month ORDER BY month"},
		{"one column and one day", "SELECT count(*), sum(total_amount) FROM %s WHERE metadata__department = 'accounting' " +
			"AND created_at >= '" + from + "' AND created_at < '" + to + "'"},
		{"unnest line items", "SELECT count(*), sum((item->>'amount')::DECIMAL(18,2)) FROM " +
			"(SELECT unnest(from_json(line_items, '[\"JSON\"]')) AS item FROM %s)"},
	}
}

// querySuite asks the same of the product's files and of DuckDB's own.
func querySuite(ctx context.Context, b *bench) (err error) {
	d, err := findDuckDB()
	switch {
	case errors.Is(err, errNoDuckDB):
		b.report.skip("queries: " + err.Error())
		return nil
	case err != nil:
		return err
	case d.node == "":
		b.report.skip("queries: DuckDB's own command line does not time them; install @duckdb/node-api")
		return nil
	}
	spec := b.spec()
	spec.Jobs = int(b.sizes.query)
	// Only closed months are compacted.
	spec.End = spec.End.AddDate(0, 0, 1-spec.End.Day())
	dir, err := b.scratch("query")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	p, err := b.prepareQueries(ctx, d, spec, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.remove()) }()
	ours := fmt.Sprintf("read_parquet(%s, hive_partitioning = true)", quote(filepath.Join(p.archive(), "jobs0", "**", "*.parquet")))
	byDay := fmt.Sprintf("read_parquet(%s, hive_partitioning = true)", quote(filepath.Join(dir, theirDays, "**", "*.parquet")))
	if err := b.askBoth(ctx, d, spec, "a file a day", ours, byDay); err != nil {
		return err
	}
	if m, err := b.exec(ctx, p.command("compact")); err != nil {
		b.report.skip("queries on compacted files: " + err.Error())
		return nil
	} else {
		b.report.add("docarchive compact", "archive", spec.Jobs, []*sample{m})
	}
	return b.askBoth(ctx, d, spec, "compacted", ours, fmt.Sprintf("read_parquet(%s)", quote(filepath.Join(dir, theirFile))))
}

// The names of what DuckDB writes: one file, and a folder with a file a day.
const (
	theirFile = "theirs.parquet"
	theirDays = "theirs"
)

// prepareQueries writes the workload by a product, which the caller removes, and
// by DuckDB into the folder.
func (b *bench) prepareQueries(ctx context.Context, d *duckdb, spec workload.Spec, dir string) (p *product, err error) {
	lines := filepath.Join(dir, "jobs.jsonl")
	s, err := b.serve(ctx, spec, 0, false, lines)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if p, err = b.newProduct(s, spec, recipe{sink: parquetSink}); err != nil {
		return nil, err
	}
	if _, err := p.whole(ctx, s); err != nil {
		return nil, errors.Join(err, p.remove())
	}
	file, days := filepath.Join(dir, theirFile), filepath.Join(dir, theirDays)
	_, err = d.ask(ctx, b, "COPY (SELECT … flat, explicit schema …) TO 'theirs.parquet' (FORMAT parquet, COMPRESSION zstd); "+
		"COPY (SELECT *, created_at::DATE AS day FROM 'theirs.parquet') TO 'theirs' (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (day))",
		fmt.Sprintf("COPY (%s) TO %s (FORMAT parquet, COMPRESSION zstd)", flatLines(spec, lines), quote(file)),
		"SET TimeZone = 'UTC'",
		fmt.Sprintf("COPY (SELECT *, created_at::DATE AS day FROM %s) TO %s (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (day))",
			quote(file), quote(days)))
	if err == nil {
		err = os.Remove(lines)
	}
	if err != nil {
		return nil, errors.Join(err, p.remove())
	}
	return p, nil
}

// sameColumns sees to it that the two tables are the same, or to compare them
// would say nothing.
func (b *bench) sameColumns(ctx context.Context, d *duckdb, spec workload.Spec, ours, theirs string) error {
	var want []string
	for _, c := range spec.Columns() {
		want = append(want, c.Name)
	}
	for name, from := range map[string]string{"docarchive": ours, "DuckDB": theirs} {
		answers, err := d.ask(ctx, b, "DESCRIBE …", "DESCRIBE SELECT * FROM "+from)
		if err != nil {
			return err
		}
		var got []string
		for _, r := range answers[0].Rows {
			if r[0] != "created_month" && r[0] != "day" { // the folders'
				got = append(got, r[0])
			}
		}
		if !slices.Equal(got, want) {
			return fmt.Errorf("the columns of %s are not the workload's: %d, not %d: %v", name, len(got), len(want), got)
		}
	}
	return nil
}

// askBoth times each question on both tables, in turn, and compares what they
// say. layout says how both are laid out in files.
func (b *bench) askBoth(ctx context.Context, d *duckdb, spec workload.Spec, layout, ours, theirs string) error {
	if err := b.sameColumns(ctx, d, spec, ours, theirs); err != nil {
		return err
	}
	for _, q := range questions(spec.End.AddDate(0, 0, -spec.Days/2)) {
		var times [2][]float64
		var ratios []float64
		var said [2]string
		for range b.rounds {
			for side, from := range []string{ours, theirs} {
				ms, rows, err := b.time(ctx, d, q, from)
				if err != nil {
					return err
				}
				times[side] = append(times[side], ms)
				said[side] = rows
			}
			ratios = append(ratios, times[0][len(times[0])-1]/times[1][len(times[1])-1])
		}
		if said[0] != said[1] {
			return fmt.Errorf("the query %q gives %s on docarchive's files and %s on DuckDB's", q.name, said[0], said[1])
		}
		b.report.Queries = append(b.report.Queries, query{q.name + ", " + layout, median(times[0]), median(times[1])})
		b.report.aim("query, "+q.name+", "+layout+" / on DuckDB's files", median(ratios), 1.2, "", fmt.Sprintf("%d jobs", spec.Jobs))
	}
	return nil
}

// time runs one question several times in one process and returns the median.
func (b *bench) time(ctx context.Context, d *duckdb, q question, from string) (ms float64, rows string, err error) {
	sql := fmt.Sprintf(q.sql, from)
	statements := []string{"SET TimeZone = 'UTC'"}
	for range repeats {
		statements = append(statements, sql)
	}
	answers, err := d.ask(ctx, b, fmt.Sprintf(q.sql, "…"), statements...)
	if err != nil {
		return 0, "", err
	}
	var times []float64
	for _, a := range answers[2:] {
		times = append(times, a.MS)
	}
	return median(times), fmt.Sprint(answers[1].Rows), nil
}
