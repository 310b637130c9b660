package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"
)

// networkLatency stands for a network, unless --latency gives another one.
const networkLatency = 20 * time.Millisecond

// latencySuite compares with the floor where the network is the limit.
func latencySuite(ctx context.Context, b *bench) (err error) {
	spec, latency := b.spec(), cmp.Or(b.work.latency, networkLatency)
	s, err := b.serve(ctx, spec, latency, b.work.gzip, "")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	note := fmt.Sprintf(", %s latency", latency)
	floor, ours := b.floorContestant(s, spec), b.productContestant(nameParquet, s, spec, recipe{sink: parquetSink})
	floor.name, ours.name = floor.name+note, ours.name+note
	samples, err := b.rotate(ctx, spec.Jobs, []contestant{floor, ours})
	if err != nil {
		return err
	}
	b.report.aim(fmt.Sprintf("Parquet over HTTP / floor at %s, 8 in flight, wall", latency), ratio(samples[ours.name], samples[floor.name]), 1.05, "",
		fmt.Sprintf("%d requests, the floor %d", samples[ours.name][0].Counters.Requests, samples[floor.name][0].Counters.Requests))
	return nil
}
