package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/adteco/docarchive/pipeline"
)

// Finding is one thing that is wrong with an archive. Fields that do not apply
// are empty.
type Finding struct {
	Pipeline string   `json:"pipeline"`
	Window   string   `json:"window,omitempty"`
	Seq      int      `json:"seq,omitempty"`
	Swap     int      `json:"swap,omitempty"` // number of the swap that it is about
	Path     string   `json:"path,omitempty"` // key in the bucket
	Problem  string   `json:"problem"`
	Rows     []string `json:"rows,omitempty"` // of the file, which are damaged; filled in by whoever can read it
}

// Verify reads all of a pipeline's archive again and calls report with each
// finding: logs that are broken, files that are missing, altered or unknown,
// counts that contradict each other, jobs that are archived twice, schemas that
// lost a column. Its error is report's, or that something could not be read.
// It needs memory for the ids of two million jobs, however many there are.
func (l *Ledger) Verify(ctx context.Context, pipelineName string, report func(Finding) error) error {
	return l.verify(ctx, pipelineName, false, report)
}

// VerifyDocuments is Verify that also reads the bytes of the documents, of which
// Verify looks only whether they are there and how large they are.
func (l *Ledger) VerifyDocuments(ctx context.Context, pipelineName string, report func(Finding) error) error {
	return l.verify(ctx, pipelineName, true, report)
}

func (l *Ledger) verify(ctx context.Context, pipelineName string, deep bool, report func(Finding) error) error {
	if err := checkName("pipeline", pipelineName); err != nil {
		return err
	}
	logs, err := l.listLogs(ctx, logDir+pipelineName+"/")
	if err != nil {
		return err
	}
	v := &verification{
		ledger: l, pipeline: pipelineName, report: report, seqs: logs[pipelineName], deep: deep,
		datasets: map[string]int{}, roots: map[string]struct{}{},
	}
	if err := v.readSwaps(ctx); err != nil {
		return err
	}
	for _, window := range slices.Sorted(maps.Keys(v.seqs)) {
		if err := v.window(ctx, window); err != nil {
			return err
		}
	}
	return errors.Join(v.swaps(ctx), v.schemas(ctx), v.duplicates(ctx), v.unknown(ctx))
}

type verification struct {
	ledger   *Ledger
	pipeline string
	report   func(Finding) error

	seqs     map[string]int      // window → highest number of a record that was listed
	rows     int64               // of all records
	datasets map[string]int      // dataset → highest version of its schema that a record names
	roots    map[string]struct{} // folders of the sinks
	swapped  swapped
	broken   bool // a log of the pipeline cannot be read to its end
	deep     bool // the bytes of documents are read, too
}

// found reports damage and passes every other error on.
func (v *verification) found(err error, window string, seq int) error {
	var damage *DamageError
	if !errors.As(err, &damage) {
		return err
	}
	return v.report(Finding{Pipeline: v.pipeline, Window: window, Seq: seq, Path: damage.Key, Problem: damage.Reason})
}

// window checks one log and the files that it names.
func (v *verification) window(ctx context.Context, window string) error {
	last := 0
	var own error
	err := v.ledger.walk(ctx, v.pipeline, window, func(r *pipeline.Record, _ string) error {
		last = r.Seq
		own = v.record(ctx, r)
		return own
	})
	if own != nil {
		return own
	}
	if err != nil {
		v.broken = true
		return v.found(err, window, last+1)
	}
	if highest := v.seqs[window]; highest > last {
		v.broken = true
		return v.found(damaged(recordKey(v.pipeline, window, last+1), "it is missing, and later ones exist up to %d", highest), window, last+1)
	}
	return nil
}

func (v *verification) record(ctx context.Context, r *pipeline.Record) error {
	v.rows += r.Rows
	for dataset, version := range r.Schemas {
		v.datasets[dataset] = max(v.datasets[dataset], version)
	}
	key := recordKey(r.Pipeline, r.Window, r.Seq)
	rows := map[string]int64{}
	for i := range r.Files {
		f := &r.Files[i]
		if !v.leftAlone(f) {
			err := v.sinceReplaced(ctx, f, v.file(ctx, f))
			if err == nil && f.Kind == pipeline.KindDocuments {
				err = v.documents(ctx, r, f)
			}
			if err := v.found(err, r.Window, r.Seq); err != nil {
				return err
			}
		}
		if f.Kind != pipeline.KindData {
			continue
		}
		v.roots[root(f.Path)] = struct{}{}
		if f.Dataset == r.Pipeline {
			rows[f.Sink] += f.Rows
		}
	}
	for _, sink := range slices.Sorted(maps.Keys(rows)) {
		if rows[sink] == r.Rows {
			continue
		}
		err := v.found(damaged(key, "its files for %s have %d rows, and it says %d", sink, rows[sink], r.Rows), r.Window, r.Seq)
		if err != nil {
			return err
		}
	}
	return nil
}

// root is the folder below which a sink's partitions begin.
func root(key string) string {
	dir := path.Dir(key)
	segments := strings.Split(dir, "/")
	for i, segment := range segments {
		if strings.Contains(segment, "=") && i > 0 {
			return strings.Join(segments[:i], "/") + "/"
		}
	}
	return dir + "/"
}

// file reads a file in its final place.
func (v *verification) file(ctx context.Context, f *pipeline.File) error {
	body, err := v.ledger.store.Open(ctx, f.Path)
	if err != nil {
		gone, err := v.ledger.absent(ctx, err)
		if gone {
			return damaged(f.Path, "the file is missing")
		}
		return err
	}
	defer body.Close()
	sum := sha256.New()
	n, err := io.Copy(sum, body)
	switch {
	case err != nil:
		return fmt.Errorf("read %s: %w", f.Path, err)
	case n != f.Size:
		return damaged(f.Path, "the file has %d bytes instead of %d", n, f.Size)
	case hex.EncodeToString(sum.Sum(nil)) != f.SHA256:
		return damaged(f.Path, "the file's checksum is not the recorded one")
	}
	return nil
}

// schemas checks every version of the schemas that records name.
func (v *verification) schemas(ctx context.Context) error {
	for _, dataset := range slices.Sorted(maps.Keys(v.datasets)) {
		var before *pipeline.Schema
		version := 0
		err := v.ledger.Schemas(ctx, dataset, func(s *pipeline.Schema) error {
			version = s.Version
			if err := extends(s, before); err != nil {
				return damaged(schemaKey(dataset, version), "%v", err)
			}
			before = s
			return nil
		})
		if err == nil && version < v.datasets[dataset] {
			err = damaged(schemaKey(dataset, version+1), "it is missing, and records name version %d", v.datasets[dataset])
		}
		if err := v.found(err, "", 0); err != nil {
			return err
		}
	}
	return nil
}
