package pipeline

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"

	"github.com/adteco/docarchive/docextract"
)

// Library reads what is committed.
type Library interface {
	// Windows lists the names of the pipeline's windows that have records.
	Windows(ctx context.Context, pipeline string) ([]string, error)
	// Records calls yield with a window's records, in order.
	Records(ctx context.Context, pipeline string, w Window, yield func(*Record) error) error
	// OpenFile opens a committed file, and checks what is read of it.
	OpenFile(ctx context.Context, f File) (io.ReadCloser, error)
}

// ErrNoRaw means that jobs were archived without the raw layer and cannot be
// read again.
var ErrNoRaw = errors.New("the raw layer does not hold these jobs (raw: false when they were archived)")

// longestJob bounds one line of the raw layer: a page is at most this long.
const longestJob = 64<<20 + 1

// RawJobs calls yield with the jobs of a record as they were received, in the
// order of its rows. A job's bytes are yield's to keep.
func RawJobs(ctx context.Context, lib Library, r *Record, yield func(docextract.Job) error) error {
	var jobs int64
	for _, f := range r.Files {
		if f.Kind != KindRaw {
			continue
		}
		n, err := rawFile(ctx, lib, f, yield)
		if err != nil {
			return fmt.Errorf("%s: %w", f.Path, err)
		}
		jobs += n
	}
	if jobs != r.Rows {
		return fmt.Errorf("window %s, record %d: %d of %d jobs: %w", r.Window, r.Seq, jobs, r.Rows, ErrNoRaw)
	}
	return nil
}

func rawFile(ctx context.Context, lib Library, f File, yield func(docextract.Job) error) (jobs int64, err error) {
	file, err := lib.OpenFile(ctx, f)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	zr, err := zstd.NewReader(file, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(256<<20))
	if err != nil {
		return 0, err
	}
	defer zr.Close()
	lines := bufio.NewScanner(zr)
	lines.Buffer(make([]byte, 0, 64<<10), longestJob)
	for lines.Scan() {
		if err := ctx.Err(); err != nil {
			return jobs, context.Cause(ctx)
		}
		job, err := docextract.ParseJob(append([]byte(nil), lines.Bytes()...))
		if err != nil {
			return jobs, fmt.Errorf("line %d: %w", jobs+1, err)
		}
		jobs++
		if err := yield(job); err != nil {
			return jobs, err
		}
	}
	if err := lines.Err(); err != nil {
		return jobs, err
	}
	// The checksum is compared when the compressed file ends.
	_, err = io.Copy(io.Discard, file)
	return jobs, err
}

// replayer flattens the raw layer's jobs again, as the record's run did.
type replayer struct {
	run *pipelineRun
}

// batches calls yield with a record's rows, in batches of bounded size.
func (p replayer) batches(ctx context.Context, r *Record, yield func(Batch) error) error {
	f, err := NewFlattener(FlattenOptions{
		Dataset: r.Pipeline, Rules: p.run.Rules, HashKey: p.run.HashKey, Books: p.run.books, Memory: p.run.Memory,
	})
	if err != nil {
		return err
	}
	defer f.Release()
	size := 0
	flush := func() error {
		size = 0
		batches, err := f.Batches(r.CommittedAt, r.RunID)
		if err != nil {
			return err
		}
		// Rules that changed since may have added columns.
		for _, book := range p.run.books {
			if _, published := book.Publish(ctx, p.run.Stores.Schemas, book.Epoch()); err == nil {
				err = published
			}
		}
		for _, b := range batches {
			if err == nil {
				err = yield(b)
			}
			b.Record.Release()
		}
		return err
	}
	err = RawJobs(ctx, p.run.Stores.Library, r, func(job docextract.Job) error {
		if err := f.Append(&job); err != nil {
			return err
		}
		if size += len(job.Raw); f.Rows() >= batchRows || size >= batchBytes {
			return flush()
		}
		return nil
	})
	if err != nil || f.Rows() == 0 {
		return err
	}
	return flush()
}

// loadWarehouses brings the pipeline's databases up to what is committed. A
// database that is away keeps none of the others from being loaded.
func (p *pipelineRun) loadWarehouses(ctx context.Context) error {
	var failed []error
	for _, w := range p.Warehouses {
		if err := p.loadWarehouse(ctx, w); err != nil {
			failed = append(failed, fmt.Errorf("sink %s: %w", w.Label(), err))
		}
	}
	return errors.Join(failed...)
}

func (p *pipelineRun) loadWarehouse(ctx context.Context, w Warehouse) error {
	loaded, err := w.Loaded(ctx, p.Spec.Name)
	if err != nil {
		return err
	}
	windows, err := p.Stores.Library.Windows(ctx, p.Spec.Name)
	if err != nil {
		return err
	}
	for _, name := range windows {
		if p.halt(ctx) {
			return nil
		}
		window, err := ParseWindow(name, p.Spec.Window)
		if err != nil {
			return err
		}
		if !p.Shard.Owns(p.Spec.Name, window) {
			continue
		}
		err = p.Stores.Library.Records(ctx, p.Spec.Name, window, func(r *Record) error {
			if r.Seq <= loaded[name] {
				return nil
			}
			return p.loadRecord(ctx, w, r)
		})
		if err != nil {
			return fmt.Errorf("window %s: %w", name, err)
		}
	}
	return nil
}

func (p *pipelineRun) loadRecord(ctx context.Context, w Warehouse, r *Record) error {
	done, err := w.Load(ctx, r, func(yield func(Batch) error) error {
		if r.Rows == 0 {
			return nil
		}
		return replayer{p}.batches(ctx, r, yield)
	})
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.report.add([]File{{Kind: KindData, Sink: w.Label(), Rows: done.Rows}})
	for _, row := range done.Rejected {
		p.report.Jobs.Quarantined++
		p.report.Problems = append(p.report.Problems, Problem{r.Window, fmt.Sprintf(
			"sink %s refused a row of job %s: %s", w.Label(), row.JobID, row.Reason)})
	}
	return nil
}
