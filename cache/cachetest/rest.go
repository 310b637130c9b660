package cachetest

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sourcegraph/conc"

	"github.com/adteco/docarchive/cache"
)

const someJob = `{"id":"job_1","status":"completed","created_at":"2026-11-22T10:00:00Z","extracted_data":{"total":1.50}}`

func jobs(t *testing.T, in Instance) {
	ctx := t.Context()
	if _, ok := in.Home.Get(ctx, "job_1"); ok {
		t.Error("a job is held that was never put")
	}
	for _, bad := range []string{
		strings.Replace(someJob, "completed", "processing", 1),
		strings.Replace(someJob, "completed", "failed", 1),
		strings.Replace(someJob, "job_1", "job_2", 1),
		`{"id":"job_1","status":"completed"`,
		`"job_1"`,
		"",
	} {
		in.Home.Put(ctx, "job_1", []byte(bad))
		if raw, ok := in.Home.Get(ctx, "job_1"); ok {
			t.Errorf("kept %s", raw)
		}
	}
	raw := []byte(someJob)
	in.Home.Put(ctx, "job_1", raw)
	raw[0] = 'x' // the caller's memory is the caller's
	got, ok := in.Home.Get(ctx, "job_1")
	if !ok || string(got) != someJob {
		t.Fatalf("Get: %s, %v", got, ok)
	}
	got[0] = 'x'
	if again, _ := in.Home.Get(ctx, "job_1"); string(again) != someJob {
		t.Errorf("the second Get: %s", again)
	}
}

func jobsGrowOld(t *testing.T, in Instance) {
	if in.Advance == nil {
		t.Log("the time of this home cannot be moved")
		return
	}
	const day = 24 * time.Hour
	in.Home.Put(t.Context(), "job_1", []byte(someJob))
	in.Advance(7*day - time.Minute)
	if _, ok := in.Home.Get(t.Context(), "job_1"); !ok {
		t.Error("a job was dropped before seven days")
	}
	in.Advance(2 * time.Minute)
	if _, ok := in.Home.Get(t.Context(), "job_1"); ok {
		t.Error("a job is held after seven days")
	}
}

func leases(t *testing.T, in Instance) {
	ctx, name := t.Context(), cache.LeaseName("archive", "invoices")
	lease, err := in.Home.Acquire(ctx, name, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	var held *cache.ErrHeld
	if _, err := in.Home.Acquire(ctx, name, time.Minute); !errors.As(err, &held) || held.Holder == "" {
		t.Errorf("taking a lease that is held: %v; want ErrHeld with a holder", err)
	}
	other, err := in.Home.Acquire(ctx, cache.LeaseName("archive", "receipts"), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := lease.Release(ctx); err != nil {
			t.Fatal(err)
		}
	}
	next, err := in.Home.Acquire(ctx, name, time.Minute)
	if err != nil {
		t.Fatalf("taking a lease that was released: %v", err)
	}
	// The old holder has nothing left to give back.
	if err := lease.Release(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Home.Acquire(ctx, name, time.Minute); !errors.As(err, &held) {
		t.Errorf("a release by the old holder freed the new one's lease: %v", err)
	}
	for _, l := range []cache.Lease{next, other} {
		select {
		case <-l.Lost():
			t.Error("a lease was lost that nobody took")
		default:
		}
		if err := l.Release(ctx); err != nil {
			t.Fatal(err)
		}
	}
}

func leaseOfMany(t *testing.T, in Instance) {
	var winners atomic.Int32
	var wg conc.WaitGroup
	for range 8 {
		wg.Go(func() {
			_, err := in.Home.Acquire(t.Context(), "archive:lease:invoices", time.Minute)
			var held *cache.ErrHeld
			switch {
			case err == nil:
				winners.Add(1)
			case !errors.As(err, &held):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if winners.Load() != 1 {
		t.Errorf("%d of 8 got the lease", winners.Load())
	}
}

func identities(t *testing.T, in Instance) {
	const bucket = "s3://bucket?region=x"
	remember := func(archive, want string) {
		t.Helper()
		previous, err := in.Home.Remember(t.Context(), bucket, archive)
		if err != nil || previous != want {
			t.Errorf("Remember(%q): %q, %v; want %q", archive, previous, err, want)
		}
	}
	remember("", "")
	remember("one", "")
	remember("one", "one")
	remember("", "one")
	remember("two", "one")
	remember("two", "one") // noticed by every run, not by the first alone
	if previous, err := in.Home.Remember(t.Context(), "s3://other", "three"); err != nil || previous != "" {
		t.Errorf("another bucket: %q, %v", previous, err)
	}
	if err := in.Home.Forget(t.Context(), bucket); err != nil {
		t.Fatal(err)
	}
	remember("two", "")
	remember("two", "two")
}
