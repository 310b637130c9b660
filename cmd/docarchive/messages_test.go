package main

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/adteco/docarchive/pipeline"
)

func TestDistinct(t *testing.T) {
	away := errors.New("list jobs: gave up")
	at := func(window string, err error) error { return &pipeline.WindowError{Window: window, Err: err} }
	of := func(name string, errs ...error) error {
		return &pipeline.FailedError{Pipeline: name, Err: errors.Join(errs...)}
	}
	for name, c := range map[string]struct {
		err  error
		want []string
	}{
		"one":     {away, []string{"list jobs: gave up"}},
		"wrapped": {of("a", at("1", away)), []string{"pipeline a: window 1: list jobs: gave up"}},
		"the same everywhere": {
			errors.Join(of("a", at("1", away), at("2", away)), of("b", at("1", away))),
			[]string{"pipeline a: window 1: list jobs: gave up (met 3 times)"},
		},
		"others beside it": {
			of("a", at("1", away), at("2", errors.New("disk")), at("3", fmt.Errorf("audit: %w", away)), at("4", away)),
			[]string{
				"pipeline a: window 1: list jobs: gave up (met 2 times)", "pipeline a: window 2: disk",
				"pipeline a: window 3: audit: list jobs: gave up",
			},
		},
		"long numbers": {
			of("a", at("1", errors.New("part-4223.csv: 503 at port 40001")), at("2", errors.New("part-4223.csv: 503 at port 40002")), at("3", errors.New("part-4223.csv: 401 at port 40003"))),
			[]string{"pipeline a: window 1: part-4223.csv: 503 at port 40001 (met 2 times)", "pipeline a: window 3: part-4223.csv: 401 at port 40003"},
		},
		"two verbs": {fmt.Errorf("%w: %w", away, errors.New("x")), []string{"list jobs: gave up: x"}},
		"lines":     {fmt.Errorf("sink: %w", errors.New("no host:\n\ttried a\n")), []string{"sink: no host: tried a"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, distinct(c.err)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
