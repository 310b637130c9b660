package report_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/adteco/docarchive/internal/report"
)

var update = flag.Bool("update", false, "write the golden files anew")

func render(t testing.TB, m *report.Model) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := report.Render(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestGolden(t *testing.T) {
	t.Parallel()
	for file, m := range map[string]*report.Model{
		"run.html": sampleRun(), "period.html": samplePeriod(), "empty.html": {Subject: report.Subject{Kind: report.KindRun}},
	} {
		name, got := filepath.Join("testdata", file), render(t, m)
		if *update {
			if err := os.WriteFile(name, got, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s (-want +got); after a look at it, go test ./internal/report -update:\n%s", file, diff)
		}
	}
}
