package ledger_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/adteco/docarchive/internal/ledger"
	"github.com/adteco/docarchive/pipeline"
)

var update = flag.Bool("update", false, "write testdata/*.golden anew")

// The stored formats are for ever: whoever changes a golden file gives the
// format a new version.
func TestGolden(t *testing.T) {
	t.Parallel()
	s := openStore(t, "mem://")
	created := time.Date(2026, 11, 22, 1, 2, 3, 456, time.FixedZone("CET", 3600))
	o := options()
	o.Clock = func() time.Time { return created }
	l := openLedger(t, s, o)
	ctx := t.Context()
	_, err := l.Settings(ctx, "invoices", ledger.Settings{Window: 24 * time.Hour, First: time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)})
	must(t, err)
	columns := schema(1, "total_amount", "total_amount__text", "vendor__name & <more>")
	columns.Columns[0].Type, columns.Columns[0].FirstSeen = pipeline.Decimal(18, 2), "20261123T020000-1"
	columns.Columns[1].TextOf = "total_amount"
	columns.Columns[2].Group, columns.Columns[2].Source = pipeline.GroupMetadata, ""
	must(t, l.AppendSchema(ctx, columns))

	parts := []pipeline.Part{
		part(t, pipeline.KindData, "invoices/created_month=2026-11/20261122-000001-000.csv", "a\n", 1),
		part(t, pipeline.KindRaw, "_archive/raw/invoices/20261122-000001.jsonl.zst", "raw", 2),
		part(t, pipeline.KindQuarantine, "_archive/quarantine/invoices/20261122-000001.jsonl", "{}\n", 1),
	}
	r := record([]string{"job-b", "job-a"}, parts...)
	r.Schemas = map[string]int{"invoices__line_items": 2, "invoices": 1}
	r.Rejected, r.Excluded = []string{"sha256:00ff"}, 3
	r.Open, r.Unfinished = []string{"job-c"}, []string{"job-d"}
	r.Proof = pipeline.Proof{Method: "union", Total: 7, Unique: 7, Requests: 2, Cutoff: created}
	r.CommittedAt = created
	for _, p := range parts {
		must(t, l.Stage(ctx, p))
	}
	h, err := l.Append(ctx, load(t, l), r, []string{"job-b", "job-a"})
	must(t, err)
	sealed := &pipeline.Record{}
	sealed.State, sealed.RunID, sealed.Baseline = pipeline.StateSealed, "20270210T020000-1", -1
	_, err = l.Append(ctx, h, sealed, nil)
	must(t, err)

	large := part(t, pipeline.KindData, "invoices/created_month=2026-11/compact-202611-000001-001.csv", "a\n", 1)
	must(t, l.Publish(ctx, r))
	must(t, l.Stage(ctx, large))
	merged := &pipeline.Swap{
		Reason: pipeline.SwapCompact, Schemas: map[string]int{"invoices": 1},
		Files: []pipeline.File{large.File}, Replaces: []string{parts[0].Path}, Note: "why",
	}
	merged.Pipeline, merged.Seq, merged.RunID, merged.CommittedAt = "invoices", 1, "20270210T020000-2", created
	must(t, l.AppendSwap(ctx, merged))
	must(t, l.SettleSwaps(ctx, "invoices"))

	for name, key := range map[string]string{
		"swap":     "_archive/swaps/invoices/000001.json",
		"done":     "_archive/swaps/invoices/000001.done",
		"identity": "_archive/identity.json",
		"settings": "_archive/pipelines/invoices.json",
		"schema":   "_archive/schema/invoices/000001.json",
		"record":   "_archive/log/invoices/20261122/000001.json",
		"sealed":   "_archive/log/invoices/20261122/000002.json",
	} {
		file := filepath.Join("testdata", name+".golden")
		got := text(t, s, key)
		if *update {
			must(t, os.WriteFile(file, []byte(got), 0o600))
		}
		want, err := os.ReadFile(file)
		must(t, err)
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s (-golden +got):\n%s", name, diff)
		}
	}
}
