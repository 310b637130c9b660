package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/adteco/docarchive/internal/config"
	"github.com/adteco/docarchive/pipeline"
	"github.com/adteco/docarchive/sinks"
	"github.com/adteco/docarchive/sinks/database"
	"github.com/adteco/docarchive/sinks/mysql"
	"github.com/adteco/docarchive/sinks/postgres"
	"github.com/adteco/docarchive/sinks/sqlite"
)

// addSinks gives a pipeline its sinks. The warehouses among them are closed
// with the workplace.
func (w *workplace) addSinks(ctx context.Context, spec *pipeline.Spec, p config.Pipeline, spool string) error {
	for _, c := range p.Sinks {
		if c.Type == "database" {
			warehouse, err := w.openWarehouse(ctx, p, c)
			if err != nil {
				return &configError{fmt.Errorf("%s: %w", c.Pos, err)}
			}
			w.warehouses = append(w.warehouses, warehouse)
			spec.Warehouses = append(spec.Warehouses, warehouse)
			continue
		}
		sink, err := sinks.NewFile(sinks.FileOptions{
			Format: c.Type, Path: c.Path, Partition: c.Partition, Compression: c.Compression,
			EscapeFormulas: c.EscapeFormulas, Spool: spool,
		})
		if err != nil {
			return &configError{fmt.Errorf("%s: %w", c.Pos, err)}
		}
		spec.Sinks = append(spec.Sinks, sink)
	}
	return nil
}

// openWarehouse opens a database sink. It does not connect yet: a database that
// is away does not hold up the archive.
func (w *workplace) openWarehouse(ctx context.Context, p config.Pipeline, c config.Sink) (pipeline.Warehouse, error) {
	return openDatabase(ctx, c, database.Options{Table: c.Table, Pipeline: p.Name, ArchiveID: w.ledger.ID(), Log: w.log, Now: w.now})
}

// openDatabase is the one place that knows the kinds of databases.
func openDatabase(ctx context.Context, c config.Sink, o database.Options) (pipeline.Warehouse, error) {
	u, err := url.Parse(c.URL)
	if err != nil {
		return nil, errors.New("the database's URL cannot be read")
	}
	switch u.Scheme {
	case "sqlite":
		return sqlite.Open(ctx, c.URL, o)
	case "postgres", "postgresql":
		return postgres.Open(ctx, c.URL, o)
	case "mysql":
		return mysql.Open(ctx, c.URL, o)
	}
	return nil, fmt.Errorf("%s:// databases are not built into this version; use sqlite://, postgres:// or mysql://", u.Scheme)
}
