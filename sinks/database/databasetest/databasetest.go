// Package databasetest is the suite that every database's warehouse passes. It
// loads real batches, flattened from jobs, and reads them back by SQL on a
// connection of its own.
package databasetest

import (
	"testing"

	"github.com/adteco/docarchive/pipeline"
	"github.com/adteco/docarchive/sinks/database"
)

// Database is an empty database for one test.
type Database struct {
	Open  func(o database.Options) (pipeline.Warehouse, error)
	Query func(statement string) ([][]any, error) // carries out any statement; rows hold what the driver makes of them
	Ident func(name string) string                // quotes an identifier
	// Schema is a schema that exists in the database.
	Schema string
	// Poison makes jobs, one for each way in which a job can be refused. Each
	// has the given id, or one that begins with it.
	Poison []func(id string) string
	// Guard are statements that make the table invoices refuse what Poison
	// makes, where it would not by itself.
	Guard []string
	// TooWide are numbers of text columns that no table can have. There are none
	// if a table can have as many as a dataset.
	TooWide []int
	// Renamed are names of columns that the database stores under others.
	Renamed []string
}

// Run runs the suite. fresh makes an empty database.
func Run(t *testing.T, fresh func(t *testing.T) *Database) {
	cases := map[string]func(*bench){
		"types":             testTypes,
		"random rows":       testRandomRows,
		"child tables":      testChildren,
		"columns are added": testGrowth,
		"load twice":        testTwice,
		"two loaders":       testTwoLoaders,
		"failing archive":   testFailingArchive,
		"other archives":    testOtherArchives,
		"poison rows":       testPoison,
		"poison only":       testPoisonOnly,
		"existing jobs":     testExisting,
		"hostile names":     testNames,
		"schema.name":       testSchemaName,
		"too wide":          testTooWide,
		"drift":             testDrift,
		"log":               testLog,
		"cancelled":         testCancelled,
		"reload":            testReload,
		"failing reload":    testFailingReload,
		"two reloaders":     testTwoReloaders,
	}
	for name, run := range cases {
		t.Run(name, func(t *testing.T) {
			run(&bench{T: t, Database: fresh(t)})
		})
	}
}
