package main

import (
	"context"

	"github.com/adteco/docarchive/internal/config"
	"github.com/adteco/docarchive/internal/ledger"
	"github.com/adteco/docarchive/pipeline"
	"github.com/adteco/docarchive/sinks"
)

// sinkLack is a file sink that does not hold all jobs of its pipeline, since it
// was added when some were archived already.
type sinkLack struct {
	Sink string `json:"sink"`
	Jobs int64  `json:"jobs"`
}

// holdings counts the rows of a pipeline's file sinks.
type holdings struct {
	labels []string // in the configuration's order
	rows   map[string]int64
}

func newHoldings(p config.Pipeline) *holdings {
	h := &holdings{rows: map[string]int64{}}
	for _, c := range p.Sinks {
		if c.Type != "database" { // a database catches up by itself
			o := sinks.FileOptions{Format: c.Type, Path: c.Path}
			h.labels = append(h.labels, o.Label())
		}
	}
	return h
}

// add counts what a record committed.
func (h *holdings) add(r *pipeline.Record) {
	for i := range r.Files {
		h.count(r.Pipeline, &r.Files[i])
	}
}

func (h *holdings) count(dataset string, f *pipeline.File) {
	if f.Kind == pipeline.KindData && f.Dataset == dataset {
		h.rows[f.Sink] += f.Rows
	}
}

// lacking tells which sinks do not hold so many jobs. If all records together
// do not say so, which is rare, the swaps are asked, too.
func (h *holdings) lacking(ctx context.Context, l *ledger.Ledger, pipelineName string, jobs int64) ([]sinkLack, error) {
	if len(h.short(jobs)) == 0 {
		return nil, nil
	}
	h.rows = map[string]int64{}
	err := l.CurrentFiles(ctx, pipelineName, func(_ string, f pipeline.File) error {
		h.count(pipelineName, &f)
		return nil
	})
	return h.short(jobs), err
}

func (h *holdings) short(jobs int64) (short []sinkLack) {
	for _, label := range h.labels {
		if n := jobs - h.rows[label]; n > 0 {
			short = append(short, sinkLack{label, n})
		}
	}
	return short
}
