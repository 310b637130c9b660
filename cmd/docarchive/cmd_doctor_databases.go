package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/adteco/docarchive/sinks/database"
	"github.com/adteco/docarchive/sinks/sqlite"
)

// databases examines the database of every sink that has one.
func (d *doctor) databases(ctx context.Context) {
	for _, p := range d.cfg.Pipelines {
		for _, c := range p.Sinks {
			if c.Type != "database" {
				continue
			}
			if file, err := sqlite.Path(c.URL); strings.HasPrefix(c.URL, "sqlite://") && err == nil {
				if _, err := os.Stat(file); errors.Is(err, os.ErrNotExist) { // connecting would make it
					d.writable("database of "+p.Name, filepath.Dir(file))
					continue
				}
			}
			warehouse, err := openDatabase(ctx, c, database.Options{Table: c.Table, Pipeline: p.Name, Log: d.log, Now: d.now, Tries: 1})
			if err != nil {
				d.fail("database of "+p.Name, "address", "correct the sink's url", err)
				continue
			}
			d.database(ctx, "database of "+p.Name, warehouse)
			if err := warehouse.Close(); err != nil {
				d.warn("database of "+p.Name, "close", "try again", "%v", err)
			}
		}
	}
}

// checkable is a warehouse that can be tried.
type checkable interface {
	Check(ctx context.Context) (database.Health, error)
}

func (d *doctor) database(ctx context.Context, area string, warehouse any) {
	w, ok := warehouse.(checkable)
	if !ok {
		return
	}
	health, err := w.Check(ctx)
	if err != nil {
		d.fail(area, "tables", "the database must be a primary that is reachable, and the account be allowed to make tables and write to them", err)
		return
	}
	d.ok(area, "tables", "%s: tables can be made and written to", health.Server)
	for _, note := range health.Notes {
		d.warn(area, "settings", "see what is found", "%s", note)
	}
}
