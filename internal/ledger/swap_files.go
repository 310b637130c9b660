package ledger

import (
	"context"
	"maps"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/adteco/docarchive/pipeline"
)

// logReaders is how many windows' logs are read at once.
const logReaders = 8

// committedFile is a data file and the window of the record that committed it.
type committedFile struct {
	window string
	pipeline.File
}

// filesOf is the data files of one pipeline's records as of some time, by path.
// Records never change, so what is in it stays true.
type filesOf struct {
	pipeline string
	files    map[string]committedFile
}

// CurrentFiles calls yield with every data file of the pipeline as its records
// and swaps leave them, in the order of their paths. It reads all logs, and
// needs memory for the entries of all files.
func (l *Ledger) CurrentFiles(ctx context.Context, pipelineName string, yield func(window string, f pipeline.File) error) error {
	// The swaps are read last: what they replaced stands in the records read.
	files, err := l.committedFiles(ctx, pipelineName)
	if err != nil {
		return err
	}
	current, err := l.swapsOf(pipelineName).current(ctx, files)
	if err != nil {
		return err
	}
	for _, path := range slices.Sorted(maps.Keys(current)) {
		f := current[path]
		if err := yield(f.window, f.File); err != nil {
			return err
		}
	}
	return nil
}

// current returns what the swaps leave of the files, and what they add.
func (k *swaps) current(ctx context.Context, files map[string]committedFile) (map[string]committedFile, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.all(ctx); err != nil {
		return nil, err
	}
	current := make(map[string]committedFile, len(files))
	for path, f := range files {
		if k.replaced[path] == 0 {
			current[path] = f
		}
	}
	for path, f := range k.brought {
		if k.replaced[path] == 0 {
			current[path] = committedFile{File: f}
		}
	}
	return current, nil
}

// committedFiles reads the data files of all records of a pipeline.
func (l *Ledger) committedFiles(ctx context.Context, pipelineName string) (map[string]committedFile, error) {
	windows, err := l.Windows(ctx, pipelineName)
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	files := map[string]committedFile{}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(logReaders)
	for _, window := range windows {
		g.Go(func() error {
			return l.walk(ctx, pipelineName, window, func(r *pipeline.Record, _ string) error {
				mu.Lock()
				defer mu.Unlock()
				for _, f := range r.Files {
					if f.Kind == pipeline.KindData {
						files[f.Path] = committedFile{window, f}
					}
				}
				return nil
			})
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.files = filesOf{pipelineName, files}
	return files, nil
}

// knownFiles returns data files of a pipeline's records, among them all that
// paths name and that are not in brought. It reads the logs if those read last
// do not say enough.
func (l *Ledger) knownFiles(ctx context.Context, pipelineName string, paths []string, brought map[string]pipeline.File) (map[string]committedFile, error) {
	l.mu.Lock()
	known := l.files
	l.mu.Unlock()
	enough := known.pipeline == pipelineName
	for _, path := range paths {
		_, committed := known.files[path]
		_, swapped := brought[path]
		enough = enough && (committed || swapped)
	}
	if enough {
		return known.files, nil
	}
	return l.committedFiles(ctx, pipelineName)
}
