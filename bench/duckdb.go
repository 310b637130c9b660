package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/adteco/docarchive/bench/workload"
)

//go:embed duckdb.mjs
var duckdbScript string

// duckdb is DuckDB through Node, or its own command line.
type duckdb struct {
	node  string // empty: shell is used
	tools string // the folder in which node finds the package
	shell string
}

var errNoDuckDB = errors.New("DuckDB is not installed: neither node with @duckdb/node-api below DOCARCHIVE_TOOLS or .tools (make servers), nor duckdb on the PATH")

// findDuckDB looks where the tests look, then on the PATH.
func findDuckDB() (*duckdb, error) {
	tools := os.Getenv("DOCARCHIVE_TOOLS")
	if tools == "" {
		root, err := moduleRoot()
		if err != nil {
			return nil, err
		}
		tools = filepath.Join(root, ".tools")
	}
	if node, err := exec.LookPath("node"); err == nil {
		if _, err := os.Stat(filepath.Join(tools, "node_modules", "@duckdb", "node-api")); err == nil {
			return &duckdb{node: node, tools: tools}, nil
		}
	}
	if shell, err := exec.LookPath("duckdb"); err == nil {
		return &duckdb{shell: shell}, nil
	}
	return nil, errNoDuckDB
}

// moduleRoot is the nearest folder above with a go.mod.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("no go.mod here or above: run this inside the source tree")
		}
		dir = filepath.Dir(dir)
	}
}

// command runs statements. shown stands for them where the command is printed.
func (d *duckdb) command(shown string, statements ...string) (command, error) {
	if d.node == "" {
		return command{argv: []string{d.shell, "-c", strings.Join(statements, "; ")}, shown: "duckdb -c '" + shown + "'"}, nil
	}
	input, err := json.Marshal(map[string][]string{"statements": statements})
	return command{
		argv: []string{d.node, "--input-type=module", "--eval", duckdbScript}, dir: d.tools, stdin: input,
		shown: "node bench/duckdb.mjs <<< '" + shown + "'",
	}, err
}

// answer is what one statement gave.
type answer struct {
	MS   float64
	Rows [][]string
}

// ask runs statements through Node, which times each.
func (d *duckdb) ask(ctx context.Context, b *bench, shown string, statements ...string) ([]answer, error) {
	c, err := d.command(shown, statements...)
	if err != nil {
		return nil, err
	}
	m, err := b.exec(ctx, c)
	if err != nil {
		return nil, err
	}
	var answers []answer
	if err := json.Unmarshal(m.stdout, &answers); err != nil {
		return nil, fmt.Errorf("read DuckDB's answers: %w", err)
	}
	return answers, nil
}

// quote makes a SQL string.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// flatLines selects the flattened table from a file of JSON lines.
func flatLines(spec workload.Spec, name string) string {
	var members []string
	tree := schemaTree(spec.Columns())
	for _, key := range tree.order {
		members = append(members, key+": "+quote(tree.children[key].sql()))
	}
	return fmt.Sprintf("SELECT %s FROM read_json(%s, format = 'newline_delimited', columns = {%s}) AS job",
		selected(spec.Columns()), quote(name), strings.Join(members, ", "))
}

// flatPages selects it from files that hold a page each.
func flatPages(spec workload.Spec, pattern string) string {
	return fmt.Sprintf("SELECT %s FROM (SELECT unnest(jobs) AS job FROM read_json(%s, format = 'unstructured', "+
		"maximum_object_size = 67108864, columns = {jobs: %s}))",
		selected(spec.Columns()), quote(pattern), quote(schemaTree(spec.Columns()).sql()+"[]"))
}

// selected is the list of a SELECT that flattens the struct job.
func selected(columns []workload.Column) string {
	var list []string
	for _, c := range columns {
		value := "job." + c.Path
		switch {
		case c.Name == "archived_at":
			value = "now()"
		case c.Path == "":
			value = "'duckdb'"
		case c.Type == workload.Mixed:
			value = "TRY_CAST(" + value + " AS DOUBLE)"
		case c.Type == workload.Rest:
			value = "CASE WHEN TRY_CAST(" + value + " AS DOUBLE) IS NULL THEN " + value + " END"
		}
		list = append(list, value+" AS "+c.Name)
	}
	return strings.Join(list, ", ")
}

// structType is the type of a job, or of a part of it, in DuckDB.
type structType struct {
	leaf     string // empty: a struct
	order    []string
	children map[string]*structType
}

func schemaTree(columns []workload.Column) *structType {
	root := &structType{children: map[string]*structType{}}
	for _, c := range columns {
		if c.Path == "" {
			continue
		}
		node := root
		for key := range strings.SplitSeq(c.Path, ".") {
			child := node.children[key]
			if child == nil {
				child = &structType{children: map[string]*structType{}}
				node.children[key] = child
				node.order = append(node.order, key)
			}
			node = child
		}
		if node.leaf = c.Type; c.Type == workload.Mixed || c.Type == workload.Rest {
			node.leaf = "VARCHAR"
		}
	}
	return root
}

func (t *structType) sql() string {
	if t.leaf != "" {
		return t.leaf
	}
	var members []string
	for _, key := range t.order {
		members = append(members, key+" "+t.children[key].sql())
	}
	return "STRUCT(" + strings.Join(members, ", ") + ")"
}
