// Package sinktest is what every sink must pass: that each row given to it is
// in its committed parts once, unchanged and in order, and that nothing is left
// behind when it fails or is told to abort.
package sinktest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/google/go-cmp/cmp"

	"github.com/adteco/docarchive/pipeline"
)

// Options are what the suite wants of a sink under test.
type Options struct {
	Spool     string   // an existing folder that nothing else uses
	Partition []string // as in jobs.yaml
	Mem       memory.Allocator
}

// Row is a row as text: the columns that are not null, in the form that
// [RowsOf] gives.
type Row map[string]string

// Suite says how to make a sink and how to read what it wrote. Read returns
// the rows of a part in the order of the file; it should use another decoder
// than the sink's author wrote.
type Suite struct {
	// Brief runs only what depends on the encoding of values.
	Brief bool
	Open  func(t testing.TB, o Options) pipeline.Sink
	Read  func(t testing.TB, part pipeline.Part, schema *arrow.Schema) []Row
}

// Run runs the suite.
func Run(t *testing.T, s Suite) {
	const brief = 2 // how many cases make the brief suite
	for i, c := range []struct {
		name string
		test func(*testing.T, *bench)
	}{
		{"Extremes", testExtremes},
		{"SchemaGrows", testSchemaGrows},
		{"NothingWritten", testNothingWritten},
		{"Abort", testAbort},
		{"EndsAreFinal", testEndsAreFinal},
		{"SmallBatches", testSmallBatches},
		{"Slices", testSlices},
		{"Gathered", testGathered},
		{"ManyPartitions", testManyPartitions},
		{"HostilePartitions", testHostilePartitions},
		{"NestedPartitions", testNestedPartitions},
		{"ChildTable", testChildTable},
		{"SpoolGone", testSpoolGone},
		{"Cancelled", testCancelled},
		{"Property", testProperty},
	} {
		if s.Brief && i >= brief {
			break
		}
		t.Run(c.name, func(t *testing.T) { c.test(t, newBench(t, s)) })
	}
}

// window is the one that all batches of the suite belong to.
func window() pipeline.Window {
	return pipeline.WindowAt(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC), 24*time.Hour)
}

func destination() pipeline.Destination {
	return pipeline.Destination{Pipeline: "invoices", Dataset: "invoices", Window: window(), Seq: 3}
}

// bench is a suite with a spool and an allocator that counts.
type bench struct {
	testing.TB
	suite Suite
	spool string
	mem   *memory.CheckedAllocator
}

func newBench(t testing.TB, s Suite) *bench {
	b := &bench{TB: t, suite: s, spool: t.TempDir(), mem: memory.NewCheckedAllocator(memory.DefaultAllocator)}
	t.Cleanup(func() { b.mem.AssertSize(t, 0) })
	return b
}

func (b *bench) sink(partition ...string) pipeline.Sink {
	b.Helper()
	return b.suite.Open(b, Options{Spool: b.spool, Partition: partition, Mem: b.mem})
}

func (b *bench) begin(s pipeline.Sink, d pipeline.Destination) pipeline.Writer {
	b.Helper()
	w, err := s.Begin(b.Context(), d)
	if err != nil {
		b.Fatalf("begin: %v", err)
	}
	return w
}

// write writes a batch and lets go of it, as the pipeline does.
func (b *bench) write(w pipeline.Writer, batches ...arrow.Record) {
	b.Helper()
	for _, batch := range batches {
		err := w.Write(b.Context(), batch)
		batch.Release()
		if err != nil {
			b.Fatalf("write: %v", err)
		}
	}
}

func (b *bench) commit(w pipeline.Writer) []pipeline.Part {
	b.Helper()
	parts, err := w.Commit(b.Context())
	if err != nil {
		b.Fatalf("commit: %v", err)
	}
	return parts
}

// read checks what the parts say of themselves, and returns the rows of each.
func (b *bench) read(s pipeline.Sink, d pipeline.Destination, parts []pipeline.Part, schema *arrow.Schema) [][]Row {
	b.Helper()
	all := make([][]Row, len(parts))
	paths := map[string]bool{}
	for i, p := range parts {
		content, err := os.ReadFile(p.Spool)
		if err != nil {
			b.Fatalf("part %s: %v", p.Path, err)
		}
		sum := sha256.Sum256(content)
		all[i] = b.suite.Read(b, p, schema)
		want := pipeline.File{
			Kind: pipeline.KindData, Dataset: d.Dataset, Sink: s.Label(), Path: p.Path,
			SHA256: hex.EncodeToString(sum[:]), Size: int64(len(content)), Rows: int64(len(all[i])),
		}
		if diff := cmp.Diff(want, p.File); diff != "" {
			b.Errorf("part %s does not describe its file (-file +part):\n%s", p.Path, diff)
		}
		if p.Rows == 0 {
			b.Errorf("part %s is empty", p.Path)
		}
		if paths[p.Path] {
			b.Errorf("path %s is used twice", p.Path)
		}
		paths[p.Path] = true
		if info, err := os.Stat(p.Spool); err != nil || info.Mode().Perm()&0o077 != 0 {
			b.Errorf("part %s can be read by others: %v, %v", p.Path, info.Mode(), err)
		}
	}
	return all
}

// same writes batches to one destination and compares what comes back, part
// after part.
func (b *bench) same(s pipeline.Sink, batches ...arrow.Record) []pipeline.Part {
	b.Helper()
	var want []Row
	schema := batches[len(batches)-1].Schema()
	for _, batch := range batches {
		want = append(want, RowsOf(batch)...)
	}
	w := b.begin(s, destination())
	b.write(w, batches...)
	parts := b.commit(w)
	var got []Row
	for _, rows := range b.read(s, destination(), parts, schema) {
		got = append(got, rows...)
	}
	if diff := diffTables(want, got); diff != "" {
		b.Fatalf("rows differ: %s", clip(diff))
	}
	return parts
}

// clip keeps a report readable when a text of a megabyte differs.
func clip(diff string) string {
	const most = 8 << 10
	if len(diff) > most {
		return diff[:most] + "…"
	}
	return diff
}

// spoolIsEmpty fails the test if a file is left in the spool.
func (b *bench) spoolIsEmpty() {
	b.Helper()
	left, err := os.ReadDir(b.spool)
	if err != nil && !os.IsNotExist(err) {
		b.Fatal(err)
	}
	for _, f := range left {
		b.Errorf("%s is left in the spool", f.Name())
	}
}

// folderOf returns the partition folders of a part, outermost first, and fails
// the test if its path is not made as agreed.
func (b *bench) folderOf(s pipeline.Sink, p pipeline.Part, columns ...string) []string {
	b.Helper()
	_, base, _ := strings.Cut(s.Label(), ":")
	rest, ok := strings.CutPrefix(p.Path, base+"/")
	if !ok || path.Clean(p.Path) != p.Path {
		b.Fatalf("path %s is not below %s", p.Path, base)
	}
	segments := strings.Split(rest, "/")
	if len(segments) != len(columns)+1 {
		b.Fatalf("path %s has %d folders, not %d", p.Path, len(segments)-1, len(columns))
	}
	folders := make([]string, len(columns))
	for i, name := range columns {
		if folders[i], ok = strings.CutPrefix(segments[i], name+"="); !ok {
			b.Fatalf("path %s: folder %s does not begin with %s=", p.Path, segments[i], name)
		}
	}
	if name := segments[len(columns)]; !strings.HasPrefix(name, window().Name()+"-000003-") {
		b.Errorf("file name %s does not name window and sequence", name)
	}
	return folders
}

// cancelled returns a context that has ended.
func (b *bench) cancelled() context.Context {
	ctx, cancel := context.WithCancel(b.Context())
	cancel()
	return ctx
}
