//go:build unix

package testserver

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

//go:embed polars.mjs
var polarsScript string

//go:embed hyparquet.mjs
var hyparquetScript string

// ParquetFiles is what one of [ParquetReaders] makes of files.
type ParquetFiles struct {
	// Types has for each file the types of its columns, by the names that the
	// product has for them; list(…), and what the product never writes as the
	// reader calls it.
	Types []map[string]string `json:"types"`
	// Rows are those of all files. Decimals, dates, times and integers are exact
	// text, a time with microseconds. A column that a file does not have is null
	// or missing.
	Rows []map[string]any `json:"rows"`
}

// parquetReaders are implementations of Parquet that share nothing with the
// product's, nor with DuckDB's, by the names of their packages.
func parquetReaders() map[string]string {
	return map[string]string{"nodejs-polars": polarsScript, "hyparquet": hyparquetScript}
}

// ParquetReaders names the readers that [ReadParquet] has.
func ParquetReaders() []string { return slices.Sorted(maps.Keys(parquetReaders())) }

// ReadParquet reads files, which are named by absolute paths, with one of the
// readers, or ends the test if it is not installed.
func ReadParquet(t testing.TB, reader string, files ...string) ParquetFiles {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		missing(t, "node is not installed: run apt-get install nodejs npm, or make servers as root")
	}
	found := tool(t, "node_modules", reader)
	input, err := json.Marshal(map[string][]string{"files": files})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := requests()
	defer cancel()
	var output, complaint bytes.Buffer
	cmd := exec.CommandContext(ctx, node, "--input-type=module", "--eval", parquetReaders()[reader])
	cmd.Dir = filepath.Dir(filepath.Dir(found)) // where node finds the package
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(input), &output, &complaint
	cmd.SysProcAttr = processAttributes(syscall.SIGKILL)
	if err := cmd.Run(); err != nil {
		t.Fatalf("read with %s: %v: %s", reader, err, strings.TrimSpace(complaint.String()))
	}
	d := json.NewDecoder(&output)
	d.UseNumber()
	var all ParquetFiles
	if err := d.Decode(&all); err != nil {
		t.Fatalf("read with %s: its answer: %v", reader, err)
	}
	return all
}
