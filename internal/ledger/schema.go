package ledger

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/adteco/docarchive/internal/store"
	"github.com/adteco/docarchive/pipeline"
)

// LatestSchema returns the newest version of a dataset's schema, nil if there
// is none. The caller must not change it.
func (l *Ledger) LatestSchema(ctx context.Context, dataset string) (*pipeline.Schema, error) {
	if err := checkName("dataset", dataset); err != nil {
		return nil, err
	}
	l.mu.Lock()
	latest := l.schemas[dataset]
	l.mu.Unlock()
	for {
		version := 1
		if latest != nil {
			version = latest.Version + 1
		}
		next, err := l.schema(ctx, dataset, version)
		if err != nil {
			return nil, err
		}
		if next == nil {
			break
		}
		if err := extends(next, latest); err != nil {
			return nil, damaged(schemaKey(dataset, version), "%v", err)
		}
		latest = next
	}
	l.remember(latest)
	return latest, nil
}

// remember keeps the newest version of a schema, which saves reading those
// before it again.
func (l *Ledger) remember(s *pipeline.Schema) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s == nil {
		return
	}
	if known := l.schemas[s.Dataset]; known == nil || known.Version < s.Version {
		l.schemas[s.Dataset] = s
	}
}

// Schemas calls fn with every version of a dataset's schema, oldest first.
func (l *Ledger) Schemas(ctx context.Context, dataset string, fn func(*pipeline.Schema) error) error {
	if err := checkName("dataset", dataset); err != nil {
		return err
	}
	for version := 1; ; version++ {
		s, err := l.schema(ctx, dataset, version)
		if err != nil || s == nil {
			return err
		}
		if err := fn(s); err != nil {
			return err
		}
	}
}

// schema reads one version, nil if it does not exist.
func (l *Ledger) schema(ctx context.Context, dataset string, version int) (*pipeline.Schema, error) {
	key := schemaKey(dataset, version)
	s := new(pipeline.Schema)
	if hash, err := l.read(ctx, key, store.MaxCreate, unversioned, s); err != nil || hash == "" {
		return nil, err
	}
	if s.Dataset != dataset || s.Version != version {
		return nil, damaged(key, "it calls itself version %d of %q", s.Version, s.Dataset)
	}
	if err := checkSchema(s); err != nil {
		return nil, damaged(key, "%v", err)
	}
	return s, nil
}

// AppendSchema makes s durable as its dataset's next version. If that number is
// taken by another schema, the error is [pipeline.ErrConflict]; if by the same,
// there is none. A schema that drops or changes a column is refused. The caller
// must not change s afterwards.
func (l *Ledger) AppendSchema(ctx context.Context, s *pipeline.Schema) error {
	if err := checkName("dataset", s.Dataset); err != nil {
		return err
	}
	key := schemaKey(s.Dataset, s.Version)
	if err := checkSchema(s); err != nil {
		return fmt.Errorf("append %s: %w", key, err)
	}
	var before *pipeline.Schema
	if s.Version > 1 {
		var err error
		if before, err = l.schema(ctx, s.Dataset, s.Version-1); err != nil {
			return err
		}
		if before == nil {
			return fmt.Errorf("append %s: there is no version before it", key)
		}
	}
	if err := extends(s, before); err != nil {
		return fmt.Errorf("append %s: %w", key, err)
	}
	if _, err := l.create(ctx, key, s); err != nil {
		return err
	}
	l.remember(s)
	return nil
}

// checkSchema refuses a schema that a reader could misunderstand: many compare
// names of columns without regard to case.
func checkSchema(s *pipeline.Schema) error {
	if s.Version < 1 || len(s.Columns) == 0 {
		return errors.New("a schema needs a version from 1 and a column")
	}
	names, fields := map[string]struct{}{}, map[int]struct{}{}
	for i := range s.Columns {
		c := &s.Columns[i]
		name := strings.ToLower(c.Name)
		if _, twice := names[name]; twice || name == "" {
			return fmt.Errorf("the column name %q is empty or there twice", c.Name)
		}
		if _, twice := fields[c.FieldID]; twice || c.FieldID < 1 {
			return fmt.Errorf("column %s has the field id %d, which is not positive or there twice", c.Name, c.FieldID)
		}
		if _, err := c.Type.Arrow(); err != nil {
			return fmt.Errorf("column %s: %w", c.Name, err)
		}
		names[name], fields[c.FieldID] = struct{}{}, struct{}{}
	}
	return nil
}

// extends refuses a schema that lacks or changes a column of the one before it.
func extends(s, before *pipeline.Schema) error {
	if before == nil {
		return nil
	}
	columns := make(map[string]pipeline.Column, len(s.Columns))
	for _, c := range s.Columns {
		columns[c.Name] = c
	}
	for _, was := range before.Columns {
		if is, ok := columns[was.Name]; !ok || is != was {
			return fmt.Errorf("column %s of version %d is missing or changed", was.Name, before.Version)
		}
	}
	return nil
}
