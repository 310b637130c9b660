//go:build unix

package testserver

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

//go:embed duckdb.mjs
var duckdbScript string

// DuckDBReader is an independent reader of what the product writes: another
// implementation of Parquet, CSV and JSON than the product's own.
type DuckDBReader struct {
	t     testing.TB
	node  string
	tools string // the folder in which node finds the DuckDB package
}

// DuckDB gives a test a reader, or ends the test if none is installed.
func DuckDB(t testing.TB) *DuckDBReader {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		missing(t, "node is not installed: run apt-get install nodejs npm, or make servers as root")
	}
	// …/node_modules/@duckdb/node-api → …
	found := tool(t, "node_modules", "@duckdb", "node-api")
	return &DuckDBReader{t: t, node: node, tools: filepath.Dir(filepath.Dir(filepath.Dir(found)))}
}

// Query runs SQL in an empty database of its own and returns the rows of its
// last statement as text: null as NULL, nested values as JSON, decimals and
// times as DuckDB writes them. Files are named by absolute paths. Use DESCRIBE
// for columns and their types.
func (d *DuckDBReader) Query(sql string) [][]string {
	d.t.Helper()
	input, err := json.Marshal(map[string]string{"sql": sql})
	if err != nil {
		d.t.Fatal(err)
	}
	ctx, cancel := requests()
	defer cancel()
	var output, complaint bytes.Buffer
	cmd := exec.CommandContext(ctx, d.node, "--input-type=module", "--eval", duckdbScript)
	cmd.Dir = d.tools
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(input), &output, &complaint
	cmd.SysProcAttr = processAttributes(syscall.SIGKILL)
	if err := cmd.Run(); err != nil {
		d.t.Fatalf("query with DuckDB: %v: %s\n%s", err, strings.TrimSpace(complaint.String()), sql)
	}
	var rows [][]string
	if err := json.Unmarshal(output.Bytes(), &rows); err != nil {
		d.t.Fatalf("query with DuckDB: read its answer: %v\n%s", err, sql)
	}
	return rows
}
