package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"golang.org/x/sync/errgroup"
)

// fetchesAtOnce is how many files are copied into the spool at a time.
const fetchesAtOnce = 8

// merge makes one file of a group and stages it.
func (p *compactPass) merge(ctx context.Context, f *compactFolder, group []compactSource) (err error) {
	schema, err := p.schema(ctx, f.Dataset)
	if err != nil {
		return err
	}
	m := Merge{Schema: schema, Path: p.name(f)}
	defer func() {
		for _, name := range m.Sources {
			err = errors.Join(err, os.Remove(name))
		}
	}()
	if m.Sources, err = p.fetchAll(ctx, group); err != nil {
		return err
	}
	var bytes int64
	for _, source := range group {
		m.Rows += source.Rows
		bytes += source.Size
	}
	p.progress.Bytes += bytes
	part, err := f.merger.Merge(ctx, m)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(part.Spool)) }()
	if err := p.Stores.Shelf.Stage(ctx, part); err != nil {
		return err
	}
	p.files = append(p.files, part.File)
	for _, source := range group {
		p.replaces = append(p.replaces, source.Path)
	}
	p.bytes += part.Size
	if !slices.Contains(p.touched, f) {
		p.touched = append(p.touched, f)
	}
	f.FilesAfter -= len(group) - 1
	f.BytesAfter += part.Size - bytes
	return nil
}

func (p *compactPass) schema(ctx context.Context, dataset string) (*Schema, error) {
	if s := p.schemas[dataset]; s != nil {
		return s, nil
	}
	s, err := p.Stores.Schemas.LatestSchema(ctx, dataset)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return nil, fmt.Errorf("dataset %s has files and no schema", dataset)
	}
	p.schemas[dataset] = s
	return s, nil
}

// fetchAll copies the files of a group into the spool, in their order. The names
// that it returns are the caller's to remove, also with an error.
func (p *compactPass) fetchAll(ctx context.Context, group []compactSource) ([]string, error) {
	names := make([]string, len(group))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(fetchesAtOnce)
	for i := range group {
		g.Go(func() (err error) {
			names[i], err = p.fetch(ctx, group[i])
			return err
		})
	}
	err := g.Wait()
	return slices.DeleteFunc(names, func(name string) bool { return name == "" }), err
}

// fetch copies a committed file into the spool, and checks it on the way. One
// that its run left unpublished is published first.
func (p *compactPass) fetch(ctx context.Context, source compactSource) (string, error) {
	name, err := p.copy(ctx, source.File)
	if err == nil || ctx.Err() != nil {
		return name, err
	}
	if next, nextErr := p.Stores.Swaps.NextSwap(ctx, p.spec.Name); nextErr == nil && next != p.seq {
		return "", ErrConflict
	}
	if source.window == "" {
		return "", err
	}
	w, parseErr := ParseWindow(source.window, p.spec.Window)
	if parseErr != nil {
		return "", errors.Join(err, parseErr)
	}
	history, loadErr := p.Stores.Ledger.Load(ctx, p.spec.Name, w)
	if loadErr != nil {
		return "", errors.Join(err, loadErr)
	}
	if history.Head == nil {
		return "", err
	}
	if publishErr := p.Stores.Shelf.Publish(ctx, history.Head); publishErr != nil {
		return "", errors.Join(err, publishErr)
	}
	return p.copy(ctx, source.File)
}

func (p *compactPass) copy(ctx context.Context, f File) (name string, err error) {
	in, err := p.Stores.Library.OpenFile(ctx, f)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	out, err := os.CreateTemp(p.Spool, "source-*.parquet")
	if err != nil {
		return "", &SpoolError{Err: err}
	}
	_, err = io.Copy(out, in)
	if closeErr := out.Close(); err == nil && closeErr != nil {
		err = &SpoolError{Err: closeErr}
	}
	if err != nil {
		return "", errors.Join(fmt.Errorf("copy %s: %w", f.Path, err), os.Remove(out.Name()))
	}
	return out.Name(), nil
}
