package sinks

import (
	"bufio"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/ipc"
	"github.com/klauspost/compress/zstd"

	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/pipeline"
)

// mostPlaces bounds how many places of one file are named.
const mostPlaces = 5

// Locate reads a file whose bytes are not those that were committed, as far as
// that is possible, and says which of its rows are damaged, counted from 1. The
// format follows from the file's name; rows is how many it should have. known tells whether a job is one that the
// file may hold; nil if that cannot be said. Nothing is returned where each row
// can be read and belongs there: then the damage is in values alone.
func Locate(name string, file io.ReaderAt, size, rows int64, known func(jobID string) bool) (places []string) {
	l := &locator{known: known, raw: strings.HasPrefix(name, "_archive/")}
	defer func() {
		if r := recover(); r != nil { // readers may not expect what damage looks like
			l.add("after row %d: the file cannot be read: %v", l.rows, r)
		}
		if len(l.places) == 0 && l.rows != rows {
			l.add("%d of %d rows can be read", l.rows, rows)
		}
		places = l.places
	}()
	if path.Ext(name) == ".parquet" {
		l.parquet(file, size)
		return nil
	}
	if path.Ext(name) == ".arrow" {
		l.arrow(file, size)
		return nil
	}
	text, err := decompressed(name, io.NewSectionReader(file, 0, size))
	if err != nil {
		l.add("no row can be read: %v", err)
		return nil
	}
	defer text.Close()
	switch trimmed := strings.TrimSuffix(strings.TrimSuffix(name, ".gz"), ".zst"); path.Ext(trimmed) {
	case ".csv":
		l.csv(text)
	case ".json":
		l.json(text)
	case ".jsonl":
		l.jsonl(text)
	}
	return nil
}

func decompressed(name string, r io.Reader) (io.ReadCloser, error) {
	switch path.Ext(name) {
	case ".gz":
		return gzip.NewReader(r)
	case ".zst":
		zr, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(256<<20))
		if err != nil {
			return nil, err
		}
		return zr.IOReadCloser(), nil
	}
	return io.NopCloser(r), nil
}

// locator collects what is wrong with a file's rows.
type locator struct {
	known  func(string) bool
	raw    bool  // the file holds jobs as they were received
	rows   int64 // read so far
	places []string
}

func (l *locator) add(format string, args ...any) {
	if len(l.places) < mostPlaces {
		l.places = append(l.places, fmt.Sprintf(format, args...))
	}
}

// row looks at the job id of the next row.
func (l *locator) row(id string) {
	l.rows++
	if l.known != nil && !l.known(id) {
		l.add("row %d: its job_id %.80q is none that belongs there", l.rows, id)
	}
}

// stop says that nothing can be read any more.
func (l *locator) stop(err error) { l.add("from row %d on: %v", l.rows+1, err) }

func (l *locator) csv(text io.Reader) {
	r := csv.NewReader(text)
	r.ReuseRecord = true
	header, err := r.Read()
	if err != nil {
		l.stop(err)
		return
	}
	column := slices.Index(header, pipeline.ColumnJobID)
	if column < 0 {
		l.add("the header line has no column %s", pipeline.ColumnJobID)
		column = 0
	}
	for {
		record, err := r.Read()
		var broken *csv.ParseError
		switch {
		case err == io.EOF:
			return
		case errors.As(err, &broken):
			l.rows++
			l.add("row %d (line %d): %v", l.rows, broken.Line, broken.Err)
			if !errors.Is(err, csv.ErrFieldCount) {
				return // where the next row begins is anybody's guess
			}
		case err != nil:
			l.stop(err)
			return
		default:
			l.row(strings.TrimPrefix(record[column], "'"))
		}
	}
}

// object looks at a row of JSON.
func (l *locator) object(data []byte) {
	id, err := rowID(data)
	if l.raw {
		var job docextract.Job
		job, err = docextract.ParseJob(data)
		id = job.ID
	}
	if err != nil {
		l.rows++
		l.add("row %d: %v", l.rows, err)
		return
	}
	l.row(id)
}

func rowID(data []byte) (string, error) {
	var row struct {
		JobID string `json:"job_id"`
	}
	err := json.Unmarshal(data, &row)
	return row.JobID, err
}

func (l *locator) jsonl(text io.Reader) {
	lines := bufio.NewScanner(text)
	lines.Buffer(make([]byte, 0, 64<<10), 64<<20+1)
	for lines.Scan() {
		l.object(lines.Bytes())
	}
	if err := lines.Err(); err != nil {
		l.stop(err)
	}
}

func (l *locator) json(text io.Reader) {
	d := json.NewDecoder(text)
	if _, err := d.Token(); err != nil {
		l.stop(err)
		return
	}
	for d.More() {
		var element json.RawMessage
		if err := d.Decode(&element); err != nil {
			l.stop(err)
			return
		}
		l.object(element)
	}
	if _, err := d.Token(); err != nil {
		l.stop(err)
	}
}

func (l *locator) arrow(file io.ReaderAt, size int64) {
	r, err := ipc.NewFileReader(io.NewSectionReader(file, 0, size))
	if err != nil {
		l.add("no row can be read: %v", err)
		return
	}
	defer r.Close()
	for i := range r.NumRecords() {
		record, err := r.Record(i)
		if err != nil {
			l.add("batch %d, from row %d on: %v", i+1, l.rows+1, err)
			return
		}
		ids, ok := standardColumn[*array.String](record, pipeline.ColumnJobID)
		for row := range int(record.NumRows()) {
			if ok {
				l.row(ids.Value(row))
			} else {
				l.rows++
			}
		}
	}
}
