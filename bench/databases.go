package main

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
)

// databasesSuite runs the benchmarks of the database sinks, which start the
// servers they need.
func databasesSuite(ctx context.Context, b *bench) error {
	for _, d := range []struct {
		name, dir string
		limit     float64
	}{
		{"PostgreSQL, 40 columns", "postgres", 30_000},
		{"SQLite, 40 columns", "sqlite", 100_000},
	} {
		root, err := moduleRoot()
		if err != nil {
			return err
		}
		m, err := b.exec(ctx, command{
			argv: []string{"go", "test", "-run", "^$", "-bench", "^BenchmarkLoad$", "-benchtime", "3x", "./sinks/" + d.dir},
			dir:  root, env: []string{"CI=", "CGO_ENABLED=0"},
		})
		if err != nil {
			return err
		}
		rate, ok := rowsPerSecond(m.stdout)
		if !ok {
			b.report.skip(fmt.Sprintf("%s: its benchmark did not run: %s", d.name, tail(string(m.stdout))))
			continue
		}
		b.report.reach(d.name, rate, d.limit, " rows/s", "go test -bench BenchmarkLoad ./sinks/"+d.dir)
	}
	return nil
}

// rowsPerSecond finds the rate in a benchmark's output.
func rowsPerSecond(output []byte) (float64, bool) {
	found := regexp.MustCompile(`([0-9.e+]+) rows/s`).FindSubmatch(output)
	if found == nil {
		return 0, false
	}
	rate, err := strconv.ParseFloat(string(found[1]), 64)
	return rate, err == nil
}
