package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	keys "path"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/adteco/docarchive/internal/words"
)

const (
	compactPrefix = "compact-"
	monthFormat   = "2006-01"
	// historiesAtOnce is how many windows' histories are read at once.
	historiesAtOnce = 8
)

// compactFolder is a folder's files of one month that belong together.
type compactFolder struct {
	CompactedFolder
	merger  Merger
	sources []compactSource // small enough to be merged
	groups  [][]compactSource
}

// compactSource is a current file.
type compactSource struct {
	window string // of the record that committed it; empty: a swap brought it
	File
}

// survey lists the folders in which there is something to merge, in the order
// of their names, and decides on the groups.
func (p *compactPass) survey(ctx context.Context) ([]*compactFolder, error) {
	folders, err := p.folders(ctx)
	if err != nil {
		return nil, err
	}
	small := map[string]int{} // month → files that could be merged
	for _, f := range folders {
		for _, group := range f.groups {
			small[f.Month] += len(group)
		}
	}
	reasons := map[string]string{}
	p.report.Left = nil
	for _, month := range slices.Sorted(maps.Keys(small)) {
		reason, err := p.open(ctx, month)
		if err != nil {
			return nil, err
		}
		if reasons[month] = reason; reason != "" {
			p.report.Left = append(p.report.Left, LeftMonth{Month: month, Files: small[month], Reason: reason})
		}
	}
	return slices.DeleteFunc(folders, func(f *compactFolder) bool { return reasons[f.Month] != "" }), nil
}

// folders lists the folders and months with more than one small file.
func (p *compactPass) folders(ctx context.Context) ([]*compactFolder, error) {
	mergers := map[string]Merger{}
	for _, s := range p.spec.Sinks {
		if m, ok := s.(Merger); ok && m.Merges() {
			mergers[s.Label()] = m
		}
	}
	type key struct{ sink, dataset, folder, month string }
	found := map[key]*compactFolder{}
	err := p.Stores.Swaps.CurrentFiles(ctx, p.spec.Name, func(window string, file File) error {
		month := monthOf(window, file.Path)
		if mergers[file.Sink] == nil || month == "" || len(p.Months) > 0 && !slices.Contains(p.Months, month) {
			return nil
		}
		k := key{file.Sink, file.Dataset, keys.Dir(file.Path), month}
		f := found[k]
		if f == nil {
			f = &compactFolder{merger: mergers[file.Sink]}
			f.Sink, f.Dataset, f.Folder, f.Month = k.sink, k.dataset, k.folder, k.month
			found[k] = f
		}
		f.FilesBefore++
		f.BytesBefore += file.Size
		f.Rows += file.Rows
		if file.Size < p.Target/2 {
			f.sources = append(f.sources, compactSource{window, file})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	all := slices.SortedFunc(maps.Values(found), func(a, b *compactFolder) int {
		return cmp.Or(cmp.Compare(a.Sink, b.Sink), cmp.Compare(a.Folder, b.Folder), cmp.Compare(a.Month, b.Month))
	})
	for _, f := range all {
		f.FilesAfter, f.BytesAfter = f.FilesBefore, f.BytesBefore
		f.groups = grouped(f.sources, p.Target)
	}
	return slices.DeleteFunc(all, func(f *compactFolder) bool { return len(f.groups) == 0 }), nil
}

// grouped packs files, in the order of their rows, into groups of at most target
// bytes. What would stay alone is left out.
func grouped(sources []compactSource, target int64) [][]compactSource {
	// What was merged before stands before what came late.
	slices.SortStableFunc(sources, func(a, b compactSource) int {
		return cmp.Compare(min(len(a.window), 1), min(len(b.window), 1))
	})
	var groups [][]compactSource
	var size int64
	begin := 0
	end := func(at int) {
		if at-begin > 1 {
			groups = append(groups, sources[begin:at])
		}
		begin, size = at, 0
	}
	for i := range sources {
		if size+sources[i].Size > target {
			end(i)
		}
		size += sources[i].Size
	}
	end(len(sources))
	return groups
}

// monthOf tells to which month a file belongs, such as 2026-08: by the partition
// that it is in, else by its window, else by its name. It is empty if nothing
// tells.
func monthOf(window, file string) string {
	for segment := range strings.SplitSeq(keys.Dir(file), "/") {
		column, value, _ := strings.Cut(segment, "=")
		if column == "created_month" || column == "created_date" {
			if month := validMonth("2006-01", value[:min(len(value), 7)]); month != "" {
				return month
			}
		}
	}
	name := cmp.Or(window, keys.Base(file))
	name = strings.TrimPrefix(name, compactPrefix)
	return validMonth("200601", name[:min(len(name), 6)])
}

func validMonth(layout, text string) string {
	t, err := time.Parse(layout, text)
	if err != nil {
		return ""
	}
	return t.Format(monthFormat)
}

// open says why a month is still open; empty: nothing more is to come but late
// jobs.
func (p *compactPass) open(ctx context.Context, month string) (reason string, err error) {
	start, err := time.Parse(monthFormat, month)
	if err != nil {
		return "", err
	}
	end := start.AddDate(0, 1, 0)
	if p.Now().Before(end.Add(p.spec.Settle)) {
		return "the month is not over", nil
	}
	from := start
	if p.spec.From.After(from) {
		from = p.spec.From
	}
	windows := Windows(from, end, p.spec.Window)
	reasons := make([]string, len(windows))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(historiesAtOnce)
	for i, w := range windows {
		if p.Now().Sub(w.End) > Retention {
			continue // whatever the API has not shown of it, it never will
		}
		g.Go(func() error {
			history, err := p.Stores.Ledger.Load(ctx, p.spec.Name, w)
			if err == nil {
				reasons[i] = openWindow(history)
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return "", err
	}
	return cmp.Or(reasons...), nil
}

// openWindow says why more is to come in a window.
func openWindow(h *History) string {
	switch {
	case h.Sealed():
		return ""
	case h.CoveredTo().Before(h.Window.End):
		return fmt.Sprintf("window %s is not read to its end yet", h.Window.Name())
	case len(h.Open()) > 0:
		return fmt.Sprintf("%s of window %s not final yet", words.Count(len(h.Open()), "job"), h.Window.Name())
	}
	return ""
}
