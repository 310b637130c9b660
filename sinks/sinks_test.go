package sinks_test

import (
	"testing"

	"github.com/adteco/docarchive/pipeline"
	"github.com/adteco/docarchive/sinks"
	"github.com/adteco/docarchive/sinks/sinktest"
)

// Every format passes the suite, and with each of its compressions the part
// that depends on it.
func TestSuite(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		format       string
		compressions []string
		suite        sinktest.Suite
	}{
		{sinks.FormatParquet, []string{"zstd", "snappy", "gzip", "none"}, sinktest.Suite{Read: readParquet}},
		{sinks.FormatCSV, []string{"none", "gzip", "zstd"}, sinktest.Suite{Read: readCSV}},
		{sinks.FormatJSON, []string{"none", "gzip", "zstd"}, sinktest.Suite{Read: readJSON}},
		{sinks.FormatJSONL, []string{"none", "gzip", "zstd"}, sinktest.Suite{Read: readJSONL}},
		{sinks.FormatArrow, []string{"zstd", "lz4", "none"}, sinktest.Suite{Read: readArrow}},
	} {
		for i, compression := range c.compressions {
			t.Run(c.format+"/"+compression, func(t *testing.T) {
				t.Parallel()
				suite := c.suite
				suite.Brief = i > 0
				suite.Open = func(t testing.TB, o sinktest.Options) pipeline.Sink {
					t.Helper()
					s, err := sinks.NewFile(sinks.FileOptions{
						Format: c.format, Path: "finance/invoices", Partition: o.Partition,
						Compression: compression, Spool: o.Spool, Mem: o.Mem,
					})
					if err != nil {
						t.Fatal(err)
					}
					return s
				}
				sinktest.Run(t, suite)
			})
		}
	}
}
