package ledger

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/adteco/docarchive/internal/failpoint"
	"github.com/adteco/docarchive/internal/store"
)

// Report is a run's report as it was put.
type Report struct {
	RunID string
	Data  []byte
}

// maxReport bounds the size of a report, and of its page, in bytes.
const maxReport = 4 << 20

// PutReport stores a run's report in place of an earlier one. Nothing depends
// on it.
func (l *Ledger) PutReport(ctx context.Context, runID string, data []byte) error {
	if err := checkName("run id", runID); err != nil {
		return err
	}
	if len(data) > maxReport {
		return fmt.Errorf("the report of run %s has %d bytes, more than %d", runID, len(data), maxReport)
	}
	if err := failpoint.Hit(failpoint.ReportBefore); err != nil {
		return err
	}
	return l.store.Put(ctx, runsDir+runID+jsonSuffix, data)
}

// PutPage stores a run's report as a page for people, beside the report. Nothing
// reads it.
func (l *Ledger) PutPage(ctx context.Context, runID string, page []byte) error {
	if err := checkName("run id", runID); err != nil {
		return err
	}
	if len(page) > maxReport {
		return fmt.Errorf("the page of run %s has %d bytes, more than %d", runID, len(page), maxReport)
	}
	return l.store.Put(ctx, runsDir+runID+pageSuffix, page)
}

// Reports calls fn with the reports of the runs whose ids are since or greater
// and less than until, oldest first: ids of runs sort by time.
func (l *Ledger) Reports(ctx context.Context, since, until string, fn func(Report) error) error {
	var runs []string
	err := l.store.List(ctx, runsDir, func(o store.Object) error {
		if id, ok := strings.CutSuffix(path.Base(o.Key), jsonSuffix); ok && id >= since && id < until {
			runs = append(runs, id)
		}
		return nil
	})
	if err != nil {
		return err
	}
	slices.Sort(runs)
	for _, id := range runs {
		data, err := l.store.Get(ctx, runsDir+id+jsonSuffix, maxReport)
		if errors.Is(err, store.ErrNotExist) {
			continue
		}
		if err == nil {
			err = fn(Report{RunID: id, Data: data})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Report returns the report of one run, nil if there is none.
func (l *Ledger) Report(ctx context.Context, runID string) ([]byte, error) {
	if err := checkName("run id", runID); err != nil {
		return nil, err
	}
	data, err := l.store.Get(ctx, runsDir+runID+jsonSuffix, maxReport)
	if errors.Is(err, store.ErrNotExist) {
		return nil, nil
	}
	return data, err
}

// Windows returns the names of a pipeline's windows that have a log, oldest
// first. It asks for a listing, so that it is for people and not for decisions.
func (l *Ledger) Windows(ctx context.Context, pipelineName string) ([]string, error) {
	if err := checkName("pipeline", pipelineName); err != nil {
		return nil, err
	}
	logs, err := l.listLogs(ctx, logDir+pipelineName+"/")
	return slices.Sorted(maps.Keys(logs[pipelineName])), err
}

// listLogs returns the windows that have a log, with the highest number that
// was listed, by pipeline and window.
func (l *Ledger) listLogs(ctx context.Context, prefix string) (map[string]map[string]int, error) {
	logs := map[string]map[string]int{}
	err := l.store.List(ctx, prefix, func(o store.Object) error {
		parts := strings.Split(strings.TrimPrefix(o.Key, logDir), "/")
		if len(parts) != 3 {
			return nil
		}
		seq, ok := number(parts[2])
		if !ok {
			return nil
		}
		windows := logs[parts[0]]
		if windows == nil {
			windows = map[string]int{}
			logs[parts[0]] = windows
		}
		windows[parts[1]] = max(windows[parts[1]], seq)
		return nil
	})
	return logs, err
}
