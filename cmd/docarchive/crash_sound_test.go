//go:build linux

package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go"

	"github.com/adteco/docarchive/internal/ledger"
	"github.com/adteco/docarchive/pipeline"
)

// state is what an archive's own files say, read without the program.
type state struct {
	committed map[string]bool            // ids in commit records
	pending   map[string]bool            // files of records that are staged and not published yet
	visible   map[string]map[string]bool // folder of a sink → ids in the files that a reader sees
}

// sound checks what must hold at every moment, whatever was killed: the logs
// hang together, each job is committed at most once, every file that a reader
// sees is whole, belongs to a record and holds each job at most once, and every
// file of a record exists, staged at least.
func (w *crashWorld) sound() *state {
	w.t.Helper()
	s := &state{committed: map[string]bool{}, pending: map[string]bool{}, visible: map[string]map[string]bool{}}
	logs, err := filepath.Glob(filepath.Join(w.archive(), "_archive/log/all/*"))
	if err != nil {
		w.t.Fatal(err)
	}
	for _, log := range logs {
		w.chain(s, log)
	}
	if err := filepath.WalkDir(w.archive(), func(name string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case entry.IsDir() && entry.Name() == "_archive":
			return fs.SkipDir
		case entry.IsDir() || strings.HasPrefix(entry.Name(), "."):
			return nil // no reader looks at names with a dot in front
		}
		return w.file(s, name)
	}); err != nil {
		w.t.Fatal(err)
	}
	w.verified(s)
	return s
}

// chain reads the records of one window.
func (w *crashWorld) chain(s *state, log string) {
	w.t.Helper()
	files, err := filepath.Glob(filepath.Join(log, "*.json"))
	if err != nil {
		w.t.Fatal(err)
	}
	prev := ""
	for i, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			w.t.Fatal(err)
		}
		var r pipeline.Record
		if err := json.Unmarshal(data, &r); err != nil {
			w.t.Fatalf("%s: %v", name, err)
		}
		if r.IDsFile != "" {
			r.IDs = w.listed(r.IDsFile)
		}
		if r.Seq != i+1 || r.Prev != prev || int64(len(r.IDs)) != r.Rows {
			w.t.Fatalf("%s: number %d with %d ids for %d rows after %q, want %d after %q",
				name, r.Seq, len(r.IDs), r.Rows, r.Prev, i+1, prev)
		}
		sum := sha256.Sum256(data)
		prev = hex.EncodeToString(sum[:])
		for _, id := range r.IDs {
			if s.committed[id] {
				w.t.Fatalf("%s: job %s is committed a second time", name, id)
			}
			s.committed[id] = true
		}
		for _, f := range r.Files {
			w.exists(s, &f, i == len(files)-1)
		}
	}
}

// listed reads the ids of a record that has them beside it.
func (w *crashWorld) listed(sum string) (ids []string) {
	w.t.Helper()
	packed, err := os.ReadFile(filepath.Join(w.archive(), "_archive/ids", sum+".json.zst"))
	if err != nil {
		w.t.Fatal(err)
	}
	z, err := zstd.NewReader(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	defer z.Close()
	data, err := z.DecodeAll(packed, nil)
	if err == nil {
		err = json.Unmarshal(data, &ids)
	}
	if err != nil {
		w.t.Fatalf("ids %s: %v", sum, err)
	}
	return ids
}

// exists checks that a committed file is published; that of a head may still be
// staged.
func (w *crashWorld) exists(s *state, f *pipeline.File, head bool) {
	w.t.Helper()
	name := filepath.Join(w.archive(), f.Path)
	if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) && head {
		staged, err := filepath.Glob(filepath.Join(w.archive(), "_archive/staging", f.SHA256+"-*"))
		if err != nil || len(staged) != 1 {
			w.t.Fatalf("%s is neither published nor staged: %v %v", f.Path, staged, err)
		}
		name = staged[0]
		s.pending[f.Path] = true
	}
	data, err := os.ReadFile(name)
	if err != nil {
		w.t.Fatal(err)
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != f.SHA256 {
		w.t.Fatalf("%s is damaged", name)
	}
}

// file reads a file that a reader sees.
func (w *crashWorld) file(s *state, name string) error {
	relative, err := filepath.Rel(w.archive(), name)
	if err != nil {
		return err
	}
	sink, _, _ := strings.Cut(relative, "/")
	var ids []string
	switch filepath.Ext(name) {
	case ".parquet":
		ids, err = parquetIDs(name)
	case ".csv":
		ids, err = csvIDs(name)
	default:
		err = errors.New("a reader does not expect it")
	}
	if err != nil {
		return fmt.Errorf("%s: %w", relative, err)
	}
	if s.visible[sink] == nil {
		s.visible[sink] = map[string]bool{}
	}
	for _, id := range ids {
		if s.visible[sink][id] || !s.committed[id] {
			return fmt.Errorf("%s: job %s: seen before %v, committed %v", relative, id, s.visible[sink][id], s.committed[id])
		}
		s.visible[sink][id] = true
	}
	return nil
}

// verified lets the program itself look. It may miss what is still to be
// published, and an archive that was not begun yet.
func (w *crashWorld) verified(s *state) {
	w.t.Helper()
	var stdout, stderr bytes.Buffer
	status := run(system{
		args: []string{"--config", w.configFile(), "--output", "json", "verify"}, getenv: os.LookupEnv,
		stdout: &stdout, stderr: &stderr,
	})
	if _, err := os.Stat(filepath.Join(w.archive(), "_archive/identity.json")); err != nil && status == exitConfig {
		return
	}
	var findings []ledger.Finding
	if err := json.Unmarshal(stdout.Bytes(), &findings); err != nil {
		w.t.Fatalf("verify exits %d: %v\n%s%s", status, err, stdout.String(), stderr.String())
	}
	for _, f := range findings {
		if !s.pending[f.Path] || f.Problem != "the file is missing" {
			w.t.Fatalf("verify: %+v", f)
		}
	}
	if len(findings) != len(s.pending) {
		w.t.Fatalf("verify finds %+v, pending are %v", findings, s.pending)
	}
}

func parquetIDs(name string) (ids []string, err error) {
	in, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return nil, err
	}
	file, err := parquet.OpenFile(in, info.Size())
	if err != nil {
		return nil, err
	}
	column, ok := file.Schema().Lookup("job_id")
	if !ok {
		return nil, errors.New("it has no column job_id")
	}
	for _, group := range file.RowGroups() {
		rows := group.Rows()
		buffer := make([]parquet.Row, 64)
		for {
			n, err := rows.ReadRows(buffer)
			for _, row := range buffer[:n] {
				for _, v := range row {
					if v.Column() == column.ColumnIndex {
						ids = append(ids, v.String())
					}
				}
			}
			if err == io.EOF {
				break
			}
			if err != nil {
				return nil, errors.Join(err, rows.Close())
			}
		}
		if err := rows.Close(); err != nil {
			return nil, err
		}
	}
	if int64(len(ids)) != file.NumRows() {
		return nil, fmt.Errorf("%d ids in %d rows", len(ids), file.NumRows())
	}
	return ids, nil
}

func csvIDs(name string) (ids []string, err error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		return nil, err
	}
	column := slices.Index(rows[0], "job_id")
	for _, row := range rows[1:] {
		ids = append(ids, row[column])
	}
	return ids, nil
}
