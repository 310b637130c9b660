package metrics

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// textfileMost bounds what is read of a file that is to be replaced.
const textfileMost = 16 << 20

// WriteTextfile replaces the file with the run's metrics, whole or not at all.
// The file that it replaces is carried over in part: the pipelines that exist
// and that the run did not take, and, if the run failed, when its pipelines last
// succeeded. node_exporter reads files whose name ends in .prom.
func WriteTextfile(path string, run Run, exist []string) error {
	before, err := readTextfile(path)
	if err != nil {
		return fmt.Errorf("read the metrics file before it is replaced: %w; remove it if it is not one", err)
	}
	r, err := registry(labelled(run))
	if err != nil {
		return err
	}
	merged := prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) {
		now, err := r.Gather()
		if err != nil {
			return nil, err
		}
		return carryOver(now, before, run, exist), nil
	})
	if err := prometheus.WriteToTextfile(path, merged); err != nil {
		return fmt.Errorf("write the metrics file: %w", err)
	}
	return nil
}

// readTextfile returns nothing for a file that does not exist.
func readTextfile(path string) (families map[string]*dto.MetricFamily, err error) {
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	return parser.TextToMetricFamilies(io.LimitReader(file, textfileMost))
}

// carryOver adds to the families of now what is to be kept of those before.
func carryOver(now []*dto.MetricFamily, before map[string]*dto.MetricFamily, run Run, exist []string) []*dto.MetricFamily {
	byName := map[string]*dto.MetricFamily{}
	for _, f := range now {
		byName[f.GetName()] = f
	}
	for name, old := range before {
		var kept []*dto.Metric
		for _, m := range old.Metric {
			pipeline := labelOf(m, labelPipeline)
			taken := slices.ContainsFunc(run.Pipelines, func(p Pipeline) bool { return p.Name == pipeline })
			if taken && name == nameLastSuccess && !run.Success || !taken && slices.Contains(exist, pipeline) {
				kept = append(kept, m)
			}
		}
		switch f := byName[name]; {
		case len(kept) == 0:
		case f == nil:
			old.Metric = kept
			byName[name] = old
		default:
			f.Metric = append(f.Metric, kept...)
		}
	}
	all := make([]*dto.MetricFamily, 0, len(byName))
	for _, f := range byName {
		all = append(all, f)
	}
	slices.SortFunc(all, func(a, b *dto.MetricFamily) int {
		if a.GetName() < b.GetName() {
			return -1
		}
		return 1
	})
	return all
}

func labelOf(m *dto.Metric, name string) string {
	for _, l := range m.Label {
		if l.GetName() == name {
			return l.GetValue()
		}
	}
	return ""
}
