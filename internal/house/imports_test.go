package house

import (
	"fmt"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

// mayImport is the direction in which this module's packages may depend on
// each other: cmd → all; sinks, cache, internal/ledger → pipeline → docextract.
// A folder stands for itself and for the folders below it that have no line of
// their own. What has no line at all, nor a parent with one, is a leaf: it
// imports nothing of this module but leaves. Tests are free, or they could not
// put a stage together with a real adapter.
var mayImport = map[string][]string{
	"cmd": {
		"cmd", "pipeline", "docextract", "docextract/docextracttest", "sinks", "cache",
		"internal/ledger", "internal/store", "internal/config",
	},
	"docextract":                {},
	"docextract/docextracttest": {"docextract"},
	"pipeline":                  {"pipeline", "docextract"},
	"sinks":                     {"sinks", "pipeline", "docextract", "internal/store"},
	"cache":                     {"cache", "pipeline", "docextract"},
	"internal/ledger":           {"internal/ledger", "pipeline", "docextract", "internal/store"},
	"internal/store":            {"internal/store"},
	"iceberg":                   {"iceberg", "pipeline", "internal/ledger", "internal/store"}, // a program of its own
	"internal/config":           {},
	"internal/testserver":       {"internal/testserver"},
}

// testOnly are packages that exist to be imported by tests.
var testOnly = []string{"internal/testserver", "internal/house", "internal/store/storetest", "sinks/sinktest", "sinks/database/databasetest", "cache/cachetest"}

// adapters are folders whose subfolders are alternatives of each other: each
// may know its parent, none may know another.
var adapters = []string{"sinks", "cache"}

// cores are subfolders of adapters that hold what several alternatives share.
// They are nobody's alternative, so all may know them.
var cores = []string{"sinks/database"}

// neverLinked do not link beside the Parquet package that is used.
var neverLinked = []string{"github.com/apache/arrow/go/v17/parquet"}

func within(dir, folder string) bool {
	return dir == folder || strings.HasPrefix(dir, folder+"/")
}

func withinAny(dir string, folders []string) bool {
	return slices.ContainsFunc(folders, func(folder string) bool { return within(dir, folder) })
}

// line is the table's line for a folder: its own, else its nearest parent's.
func line(dir string) (string, bool) {
	for ; dir != "."; dir = path.Dir(dir) {
		if _, ok := mayImport[dir]; ok {
			return dir, true
		}
	}
	return "", false
}

// ownImports calls visit with the folder of every package of this module that
// a file imports.
func ownImports(f *file, visit func(target string)) {
	for _, target := range f.imports() {
		if dir, ok := strings.CutPrefix(target, module+"/"); ok {
			visit(dir)
		}
	}
}

func checkDirection(f *file) []string {
	if f.test || within(f.dir(), "tools") {
		return nil
	}
	var findings []string
	from, known := line(f.dir())
	ownImports(f, func(target string) {
		to, targetKnown := line(target)
		switch {
		case f.dir() == target:
		case !targetKnown: // a leaf may be imported by all
		case known && slices.Contains(mayImport[from], to):
		default:
			findings = append(findings, fmt.Sprintf("%s: %s must not import %s", f.path, f.dir(), target))
		}
	})
	return findings
}

// checkConfig is stricter than the table: not even leaves.
func checkConfig(f *file) []string {
	var findings []string
	if !f.test && within(f.dir(), "internal/config") {
		ownImports(f, func(target string) {
			findings = append(findings, fmt.Sprintf("%s: imports %s", f.path, target))
		})
	}
	return findings
}

func checkAdapters(f *file) []string {
	var findings []string
	ownImports(f, func(target string) {
		for _, parent := range adapters {
			if f.test || !within(f.dir(), parent) || !strings.HasPrefix(target, parent+"/") {
				continue
			}
			if !within(f.dir(), target) && !slices.Contains(cores, target) {
				findings = append(findings, fmt.Sprintf("%s: %s must not know its sibling or child %s", f.path, f.dir(), target))
			}
		}
	})
	return findings
}

func checkTestOnly(f *file) []string {
	if f.test || withinAny(f.dir(), testOnly) {
		return nil
	}
	var findings []string
	ownImports(f, func(target string) {
		if withinAny(target, testOnly) {
			findings = append(findings, fmt.Sprintf("%s: imports %s outside a test", f.path, target))
		}
	})
	return findings
}

func checkNeverLinked(f *file) []string {
	var findings []string
	for _, target := range f.imports() {
		if withinAny(target, neverLinked) {
			findings = append(findings, fmt.Sprintf("%s: imports %s", f.path, target))
		}
	}
	return findings
}

const parquetRemedy = "write Parquet with github.com/parquet-go/parquet-go; Arrow's own package does not link beside it"

func importRules() []rule {
	sample := func(name, target string) tree {
		return tree{name: "package p\nimport x \"" + target + "\"\nvar _ = x.Y\n"}
	}
	return []rule{
		{
			name:   "import direction",
			remedy: "declare a narrow interface beside its consumer and wire it in cmd, or change the table mayImport with a reason",
			check:  each(checkDirection),
			bad: []tree{
				sample("pipeline/run.go", module+"/internal/ledger"),
				sample("docextract/job.go", module+"/pipeline"),
				sample("sinks/csv.go", module+"/cache"),
				sample("sinks/csv.go", module+"/internal/ledger"),
				sample("internal/rawjson/scan.go", module+"/docextract"), // a leaf
			},
			good: sample("internal/ledger/log.go", module+"/pipeline"),
		},
		{
			name:   "config imports nothing here",
			remedy: "let cmd translate the configuration into what the packages want",
			check:  each(checkConfig),
			bad:    []tree{sample("internal/config/load.go", module+"/internal/rawjson")},
			good:   sample("internal/config/load.go", "github.com/goccy/go-yaml"),
		},
		{
			name:   "adapters do not know each other",
			remedy: "move what both need into their parent package",
			check:  each(checkAdapters),
			bad:    []tree{sample("sinks/postgres/sink.go", module+"/sinks/mysql")},
			good:   sample("sinks/postgres/sink.go", module+"/sinks"),
		},
		{
			name:   "test packages stay in tests",
			remedy: "import it from a _test.go file only",
			check:  each(checkTestOnly),
			bad:    []tree{sample("cache/redis.go", module+"/internal/testserver")},
			good:   sample("cache/redis_test.go", module+"/internal/testserver"),
		},
		{
			name:   "no Arrow Parquet",
			remedy: parquetRemedy,
			check:  each(checkNeverLinked),
			bad:    []tree{sample("sinks/parquet.go", neverLinked[0]+"/pqarrow")},
			good:   sample("sinks/parquet.go", "github.com/parquet-go/parquet-go"),
		},
	}
}

// A dependency could bring the package in as well, which no import shows.
func TestArrowParquetIsNotLinked(t *testing.T) {
	t.Parallel()
	list := exec.CommandContext(t.Context(), "go", "list", "-e", "-deps", "-test", "-f", "{{.ImportPath}}", "./...")
	list.Dir = moduleRoot(t)
	out, err := list.Output()
	if err != nil {
		t.Fatalf("list the dependencies: %v", err)
	}
	linked := strings.Fields(string(out))
	if !slices.Contains(linked, module+"/internal/house") {
		t.Fatal("the list of dependencies lacks this very package")
	}
	for _, dependency := range linked {
		if withinAny(dependency, neverLinked) {
			t.Errorf("%s is linked\n\t%s", dependency, parquetRemedy)
		}
	}
}
