package iceberg

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/adteco/docarchive/internal/ledger"
	"github.com/adteco/docarchive/internal/store"
	"github.com/adteco/docarchive/pipeline"
)

const parquetSuffix = ".parquet"

// ErrNoRecord means that nothing of a pipeline is archived.
var ErrNoRecord = errors.New("it has no commit record in the archive; check its name")

// commit is a commit record, as far as one table is concerned.
type commit struct {
	id    string // PIPELINE/WINDOW/SEQ
	nonce string
	at    time.Time
	files []string // keys of its data files, replaced ones included
}

// contents is what a table is to hold.
type contents struct {
	dataset string
	sink    string
	schema  *pipeline.Schema
	commits []commit                 // oldest first
	current map[string]pipeline.File // by key
	swapped map[string]bool          // the keys of current that a swap brought
	swap    int                      // number of the pipeline's newest swap, 0 if there is none
}

// tableKey names a table's origin.
type tableKey struct{ dataset, sink string }

// readTries is how often an archive is read whose files are being replaced.
const readTries = 5

// readArchive returns what the tables of a pipeline are to hold, in the order of
// their datasets. If sink is empty, there may be only one Parquet sink.
func readArchive(ctx context.Context, l *ledger.Ledger, pipelineName, sink string) ([]*contents, error) {
	for range readTries {
		before, err := l.NextSwap(ctx, pipelineName)
		if err != nil {
			return nil, err
		}
		all, err := readOnce(ctx, l, pipelineName, sink)
		if err != nil {
			return nil, err
		}
		after, err := l.NextSwap(ctx, pipelineName)
		if err != nil {
			return nil, err
		}
		if before != after { // what was read may be of both states
			continue
		}
		if sink != "" && len(all) == 0 {
			return nil, fmt.Errorf("it has no Parquet file of sink %s; a label is like parquet:invoices", sink)
		}
		for _, c := range all {
			c.swap = after - 1
		}
		return ordered(all)
	}
	return nil, errors.New("its files are being replaced; sync again when that is done")
}

func readOnce(ctx context.Context, l *ledger.Ledger, pipelineName, sink string) (map[tableKey]*contents, error) {
	windows, err := l.Windows(ctx, pipelineName)
	if err != nil {
		return nil, err
	}
	if len(windows) == 0 {
		return nil, ErrNoRecord
	}
	settings, err := l.SettingsOf(ctx, pipelineName)
	if err != nil {
		return nil, err
	}
	all := map[tableKey]*contents{}
	of := func(f *pipeline.File) *contents {
		if f.Kind != pipeline.KindData || !strings.HasSuffix(f.Path, parquetSuffix) || sink != "" && f.Sink != sink {
			return nil
		}
		key := tableKey{f.Dataset, f.Sink}
		if all[key] == nil {
			all[key] = &contents{
				dataset: f.Dataset, sink: f.Sink,
				current: map[string]pipeline.File{}, swapped: map[string]bool{},
			}
		}
		return all[key]
	}
	// Records are read first. What is committed after that is left to the next sync.
	known := map[string]bool{}
	for _, name := range windows {
		window, err := pipeline.ParseWindow(name, settings.Window)
		if err != nil {
			return nil, fmt.Errorf("window %q of the log: %w", name, err)
		}
		err = l.Records(ctx, pipelineName, window, func(r *pipeline.Record) error {
			id := fmt.Sprintf("%s/%s/%06d", r.Pipeline, r.Window, r.Seq)
			for i := range r.Files {
				if c := of(&r.Files[i]); c != nil {
					c.note(commit{id: id, nonce: r.Nonce, at: r.CommittedAt}, r.Files[i].Path)
					known[r.Files[i].Path] = true
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	err = l.CurrentFiles(ctx, pipelineName, func(window string, f pipeline.File) error {
		if c := of(&f); c != nil && (window == "" || known[f.Path]) {
			c.current[f.Path], c.swapped[f.Path] = f, window == ""
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, c := range all {
		slices.SortStableFunc(c.commits, func(a, b commit) int {
			return cmp.Or(a.at.Compare(b.at), strings.Compare(a.id, b.id))
		})
		if c.schema, err = l.LatestSchema(ctx, c.dataset); err != nil {
			return nil, err
		}
		if c.schema == nil {
			return nil, fmt.Errorf("dataset %s has files and no schema; run `docarchive verify`", c.dataset)
		}
	}
	return all, nil
}

// settingsDir has a file for every pipeline that ever ran.
const settingsDir = "_archive/pipelines/"

// PipelineNames lists the pipelines of an archive, sorted.
func PipelineNames(ctx context.Context, s *store.Store) ([]string, error) {
	var names []string
	err := s.List(ctx, settingsDir, func(o store.Object) error {
		if name, ok := strings.CutSuffix(strings.TrimPrefix(o.Key, settingsDir), ".json"); ok {
			names = append(names, name)
		}
		return nil
	})
	slices.Sort(names)
	return names, err
}

// note adds a file to a commit. The files of one record come one after another.
func (c *contents) note(of commit, path string) {
	if n := len(c.commits); n == 0 || c.commits[n-1].id != of.id {
		c.commits = append(c.commits, of)
	}
	last := &c.commits[len(c.commits)-1]
	last.files = append(last.files, path)
}

// ordered refuses several sinks, whose tables would have the same name.
func ordered(all map[tableKey]*contents) ([]*contents, error) {
	labels := map[string]bool{}
	for key := range all {
		labels[key.sink] = true
	}
	if len(labels) > 1 {
		return nil, fmt.Errorf("it has several Parquet sinks; choose one with --sink: %s",
			strings.Join(slices.Sorted(maps.Keys(labels)), ", "))
	}
	list := slices.Collect(maps.Values(all))
	slices.SortFunc(list, func(a, b *contents) int { return strings.Compare(a.dataset, b.dataset) })
	return list, nil
}

// Location returns the URL under which other programs find the files of the
// archive with the given URL, without a slash at its end.
func Location(archiveURL string) (string, error) {
	u, err := url.Parse(archiveURL)
	if err != nil {
		return "", errors.New("the archive's URL is none; write it like file://./archive or s3://bucket")
	}
	prefix := strings.Trim(u.Query().Get("prefix"), "/")
	switch u.Scheme {
	case "file":
		dir := u.Host + u.Path
		if u.Host == "localhost" {
			dir = u.Path
		}
		dir, err := filepath.Abs(filepath.Join(filepath.FromSlash(dir), filepath.FromSlash(prefix)))
		if err != nil {
			return "", fmt.Errorf("find the archive's folder: %w", err)
		}
		return "file://" + filepath.ToSlash(dir), nil
	case "s3", "gs":
		location := u.Scheme + "://" + u.Host
		for _, part := range []string{strings.Trim(u.Path, "/"), prefix} {
			if part != "" {
				location += "/" + part
			}
		}
		return location, nil
	default:
		return "", fmt.Errorf("other programs' name for an archive at %s:// is not known; give it with --location, such as abfss://container@account.dfs.core.windows.net", u.Scheme)
	}
}
