package pipeline_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/adteco/docarchive/internal/ledger"
	"github.com/adteco/docarchive/pipeline"
)

// disturbed is a ledger into which others write just before a swap, or before
// the files are listed, once.
type disturbed struct {
	*ledger.Ledger
	disturb func()
	listing func()
}

func (d *disturbed) CurrentFiles(ctx context.Context, name string, yield func(string, pipeline.File) error) error {
	if disturb := d.listing; disturb != nil {
		d.listing = nil
		disturb()
	}
	return d.Ledger.CurrentFiles(ctx, name, yield)
}

func (d *disturbed) AppendSwap(ctx context.Context, s *pipeline.Swap) error {
	if disturb := d.disturb; disturb != nil {
		d.disturb = nil
		disturb()
	}
	return d.Ledger.AppendSwap(ctx, s)
}

// rebuildRunner is a process of its own.
func (y *try) rebuildRunner(l *ledger.Ledger, swaps pipeline.SwapLog) *pipeline.Runner {
	return &pipeline.Runner{
		Identity: pipeline.Identity{RunID: "rebuild"},
		Stores: pipeline.Stores{
			ArchiveID: l.ID(), Ledger: l, Shelf: l, Schemas: l, Library: l, Definitions: l, Swaps: swaps,
		},
		Paging: pipeline.Paging{InFlight: 2}, Spool: y.spool, Now: y.now, Log: quietLog(), Memory: y.memory,
	}
}

// rebuildDisturbed rebuilds while others write just before the swap.
func (y *try) rebuildDisturbed(spec pipeline.Spec, o pipeline.RebuildOptions, disturb func()) (*pipeline.RebuildReport, error) {
	y.t.Helper()
	l := y.reopen()
	o.Progress = l
	if o.Configured == nil {
		o.Configured = []string{"parquet:parquet", "jsonl:lines"}
	}
	return y.rebuildRunner(l, &disturbed{Ledger: l, disturb: disturb}).Rebuild(y.t.Context(), spec, o)
}

// TestRebuildLeavesLaterRecordsAlone lets a run commit records after the last
// look at them, and before the files are listed: theirs must stay.
func TestRebuildLeavesLaterRecordsAlone(t *testing.T) {
	a := newAccount(t)
	y := newTry(t, a)
	if err := y.night(&faults{}, inStorage); err != nil {
		t.Fatal(err)
	}
	l := y.reopen()
	d := &disturbed{Ledger: l, listing: func() {
		a.turn(nights[1])
		if err := y.night(&faults{}, inStorage); err != nil {
			t.Error(err)
		}
	}}
	_, err := y.rebuildRunner(l, d).Rebuild(t.Context(), y.rebuildSpec(), pipeline.RebuildOptions{
		Progress: l, Configured: []string{"parquet:parquet", "jsonl:lines"},
	})
	if err != nil || d.listing != nil {
		t.Fatal(err)
	}
	if found := y.wrong(); len(found) > 0 {
		t.Errorf("%q", found)
	}
}

func (y *try) reopen() *ledger.Ledger {
	y.t.Helper()
	l, err := ledger.OpenExisting(y.t.Context(), y.bucket, ledger.Options{Clock: y.now, InlineIDs: 3})
	if err != nil {
		y.t.Fatal(err)
	}
	return l
}

// others lay out the same jobs differently.
func (y *try) others() pipeline.Spec {
	spec := y.rebuildSpec()
	spec.Rules = pipeline.Rules{"line_items": {Mode: pipeline.ModeJSON}}
	return spec
}

// TestRebuildIsDisturbed lets others be first: another rebuild of the same or of
// another configuration, or a run. The archive stays sound, and its rows are
// those of the configuration that came last.
func TestRebuildIsDisturbed(t *testing.T) {
	a := newAccount(t)
	for name, disturb := range map[string]func(y *try){
		"by nobody": func(*try) {},
		"by the same rebuild": func(y *try) {
			if _, err := y.rebuildDisturbed(y.rebuildSpec(), pipeline.RebuildOptions{}, nil); err != nil {
				t.Error(err)
			}
		},
		"by another rebuild": func(y *try) {
			if _, err := y.rebuildDisturbed(y.others(), pipeline.RebuildOptions{}, nil); err != nil {
				t.Error(err)
			}
		},
		"by a run": func(y *try) {
			y.turn(nights[1])
			if err := y.night(&faults{}, inStorage); err != nil {
				t.Error(err)
			}
		},
		"by a run and another rebuild": func(y *try) {
			y.turn(nights[1])
			if err := y.night(&faults{}, inStorage); err != nil {
				t.Error(err)
			}
			if _, err := y.rebuildDisturbed(y.others(), pipeline.RebuildOptions{}, nil); err != nil {
				t.Error(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			y := newTry(t, a)
			a.turn(nights[0])
			if err := y.night(&faults{}, inStorage); err != nil {
				t.Fatal(err)
			}
			report, err := y.rebuildDisturbed(y.rebuildSpec(), pipeline.RebuildOptions{}, func() { disturb(y) })
			if err != nil {
				t.Fatal(err)
			}
			if twin := report.Swap == 0; twin != (name == "by the same rebuild") {
				t.Errorf("swap %d", report.Swap)
			}
			if a.now().Equal(nights[0]) {
				a.turn(nights[1])
				if err := y.night(&faults{}, inStorage); err != nil {
					t.Fatal(err)
				}
			}
			if found := y.wrong(); len(found) > 0 {
				t.Errorf("%q", found)
			}
			for _, row := range y.rows() {
				if strings.HasPrefix(row, "lines {") && strings.Contains(row, `"line_items":`) {
					t.Errorf("a row of the other configuration: %.200s", row)
				}
			}
			if err := y.bucket.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestRebuildGoesOn stops a rebuild before its swap: the next one stages
// nothing again, unless something else is asked for.
func TestRebuildGoesOn(t *testing.T) {
	a := newAccount(t)
	y := newTry(t, a)
	if err := y.night(&faults{}, inStorage); err != nil {
		t.Fatal(err)
	}
	stopped := errors.New("stopped")
	interrupted := func(spec pipeline.Spec) *pipeline.RebuildReport {
		t.Helper()
		l := y.reopen()
		report, err := y.rebuildRunner(l, refusing{l, stopped}).Rebuild(t.Context(), spec, pipeline.RebuildOptions{Progress: l})
		if !errors.Is(err, stopped) {
			t.Fatalf("got %v", err)
		}
		return report
	}
	first := interrupted(y.rebuildSpec())
	if first.Resumed != 0 || first.Jobs == 0 {
		t.Fatalf("%+v", first)
	}
	if again := interrupted(y.rebuildSpec()); again.Resumed != first.Jobs || again.Fingerprint != first.Fingerprint {
		t.Errorf("resumed %d of %d jobs", again.Resumed, first.Jobs)
	}
	if other := interrupted(y.others()); other.Resumed != 0 || other.Fingerprint == first.Fingerprint {
		t.Errorf("another configuration resumed %d jobs", other.Resumed)
	}
	key := y.rebuildSpec()
	key.HashKey = []byte("another key")
	if other := interrupted(key); other.Resumed != 0 {
		t.Errorf("another key resumed %d jobs", other.Resumed)
	}
	last, err := y.rebuildDisturbed(y.rebuildSpec(), pipeline.RebuildOptions{}, nil)
	if err != nil || last.Resumed != first.Jobs {
		t.Errorf("resumed %d of %d jobs: %v", last.Resumed, first.Jobs, err)
	}
	if fresh, err := y.rebuildDisturbed(y.rebuildSpec(), pipeline.RebuildOptions{}, nil); err != nil || fresh.Resumed != 0 {
		t.Errorf("after the swap it begins anew: resumed %d, %v", fresh.Resumed, err)
	}
}

// refusing is a ledger that takes no swap.
type refusing struct {
	*ledger.Ledger
	err error
}

func (r refusing) AppendSwap(context.Context, *pipeline.Swap) error { return r.err }

// TestRebuildTellsWhichColumnsStay names the columns whose type is another than
// the rules ask for.
func TestRebuildTellsWhichColumnsStay(t *testing.T) {
	a := newAccount(t)
	y := newTry(t, a)
	if err := y.night(&faults{}, inStorage); err != nil {
		t.Fatal(err)
	}
	types := map[string]pipeline.Type{}
	schema, err := y.reopen().LatestSchema(t.Context(), "jobs")
	if err != nil {
		t.Fatal(err)
	}
	rules := pipeline.Rules{"line_items": {Mode: pipeline.ModeTable}}
	for _, c := range schema.Columns {
		if path, ok := strings.CutPrefix(c.Source, "/extracted_data/"); ok && c.TextOf == "" && !strings.Contains(path, "/") && len(types) < 3 {
			types[c.Name] = c.Type
			rules[path] = pipeline.Rule{Mode: pipeline.ModeTyped, Type: pipeline.TypeTimestamp}
		}
	}
	spec := y.rebuildSpec()
	spec.Rules = rules
	report, err := y.rebuildDisturbed(spec, pipeline.RebuildOptions{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, name := range slices.Sorted(maps.Keys(types)) {
		want = append(want, "column "+name+" of jobs is "+string(types[name])+" for ever, and fields: asks for timestamp")
	}
	var got []string
	for _, w := range report.Warnings {
		head, _, _ := strings.Cut(w, ": what does not fit")
		got = append(got, head)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("warnings (-want +got): %s", diff)
	}
}
