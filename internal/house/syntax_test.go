package house

import (
	"fmt"
	"go/ast"
	"go/token"
	"regexp"
	"slices"
	"strings"
)

const (
	maxLines  = 400
	maxFields = 12
)

// drawers are package names that say where something was put, not what it is.
var drawers = []string{"util", "utils", "common", "helper", "helpers", "type", "types", "misc", "shared", "base", "lib"}

// bucketWrites are the methods of blob.Bucket that write. They are called in
// one place, where the drivers' different ways to fail late are dealt with.
var bucketWrites = []string{"WriteAll", "Upload", "NewWriter"}

const (
	bucketPackage = "gocloud.dev/blob"
	storePackage  = "internal/store"
)

func checkInit(f *file) []string {
	var findings []string
	for _, decl := range f.tree.Decls {
		if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
			findings = append(findings, f.at(fn.Pos(), "func init"))
		}
	}
	return findings
}

func checkGo(f *file) []string {
	if f.test {
		return nil
	}
	return find(f, func(n ast.Node) (token.Pos, string) {
		if stmt, ok := n.(*ast.GoStmt); ok {
			return stmt.Pos(), "bare go statement"
		}
		return token.NoPos, ""
	})
}

func checkLines(f *file) []string {
	if f.lines <= maxLines {
		return nil
	}
	return []string{fmt.Sprintf("%s: %d lines, more than %d", f.path, f.lines, maxLines)}
}

func checkFields(f *file) []string {
	if f.test {
		return nil
	}
	return find(f, func(n ast.Node) (token.Pos, string) {
		structure, ok := n.(*ast.StructType)
		if !ok {
			return token.NoPos, ""
		}
		// NumFields counts names, and one for each embedded type.
		if count := structure.Fields.NumFields(); count > maxFields {
			return structure.Pos(), fmt.Sprintf("struct of %d fields, more than %d", count, maxFields)
		}
		return token.NoPos, ""
	})
}

func checkPackageName(f *file) []string {
	name := strings.TrimSuffix(f.tree.Name.Name, "_test")
	if !slices.Contains(drawers, name) {
		return nil
	}
	return []string{f.at(f.tree.Name.Pos(), "package %s", name)}
}

func checkSleep(f *file) []string {
	if !f.test && !withinAny(f.dir(), testOnly) {
		return nil
	}
	imports := f.imports()
	return find(f, func(n ast.Node) (token.Pos, string) {
		if qualifier, name := selected(n); name == "Sleep" && imports[qualifier] == "time" {
			return n.Pos(), "time.Sleep in a test"
		}
		return token.NoPos, ""
	})
}

// reason is what must follow a marker: who or why, in at least three words.
var (
	marker = regexp.MustCompile(`\b(TODO|FIXME|XXX|HACK)\b`)
	reason = regexp.MustCompile(`\b(TODO|FIXME|XXX|HACK)(\([^)]+\))?: *\S+(\s+\S+){2,}`)
)

func checkMarkers(f *file) []string {
	var findings []string
	for _, group := range f.tree.Comments {
		for _, comment := range group.List {
			for text := range strings.Lines(comment.Text) {
				if marker.MatchString(text) && !reason.MatchString(text) {
					findings = append(findings, f.at(comment.Pos(), "%s", strings.TrimSpace(text)))
				}
			}
		}
	}
	return findings
}

// checkBucketWrites looks at all files of a package in which some file imports
// the bucket's package, since a bucket in a struct needs no import where it is
// used. Functions of imported packages (csv.NewWriter) are not methods.
func checkBucketWrites(files []*file) []string {
	holders := map[string]bool{}
	for _, f := range files {
		for _, target := range f.imports() {
			if target == bucketPackage && !f.test {
				holders[f.dir()] = true
			}
		}
	}
	var findings []string
	for _, f := range files {
		if f.test || !holders[f.dir()] || within(f.dir(), storePackage) || withinAny(f.dir(), testOnly) {
			continue
		}
		imports := f.imports()
		findings = append(findings, find(f, func(n ast.Node) (token.Pos, string) {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return token.NoPos, ""
			}
			qualifier, name := selected(call.Fun)
			if _, imported := imports[qualifier]; imported || !slices.Contains(bucketWrites, name) {
				return token.NoPos, ""
			}
			return call.Pos(), "writes to a bucket with " + name
		})...)
	}
	return findings
}

// find walks a file and makes a finding of every node for which look returns a
// text.
func find(f *file, look func(ast.Node) (token.Pos, string)) []string {
	var findings []string
	ast.Inspect(f.tree, func(n ast.Node) bool {
		if n == nil {
			return false
		}
		if pos, text := look(n); text != "" {
			findings = append(findings, f.at(pos, "%s", text))
		}
		return true
	})
	return findings
}

// selected takes x.name apart; the qualifier is empty when x is not a plain name.
func selected(n ast.Node) (qualifier, name string) {
	selector, ok := n.(*ast.SelectorExpr)
	if !ok {
		return "", ""
	}
	if x, ok := selector.X.(*ast.Ident); ok {
		qualifier = x.Name
	}
	return qualifier, selector.Sel.Name
}

func syntaxRules() []rule {
	in := func(name, src string) tree { return tree{name: src} }
	fields := func(n int) string {
		return "package p\ntype s struct {\n" + strings.Repeat("a, b int\n", n/2) + strings.Repeat("c\n", n%2) + "}\n"
	}
	return []rule{
		{
			name:   "no init",
			remedy: "construct it in cmd's wire.go and pass it on",
			check:  each(checkInit),
			bad:    []tree{in("pipeline/a.go", "package p\nfunc init() {}\n")},
			good:   in("pipeline/a.go", "package p\ntype s int\nfunc (s) init() {}\n"),
		},
		{
			name:   "no bare go statement",
			remedy: "use golang.org/x/sync/errgroup or github.com/sourcegraph/conc, so that the goroutine has an owner and an end",
			check:  each(checkGo),
			bad:    []tree{in("pipeline/a.go", "package p\nfunc f() { go f() }\n")},
			good:   in("pipeline/a_test.go", "package p\nfunc f() { go f() }\n"),
		},
		{
			name:   "short files",
			remedy: "split it by noun",
			check:  each(checkLines),
			bad:    []tree{in("pipeline/a_test.go", "package p\n"+strings.Repeat("\n", maxLines))},
			good:   in("pipeline/a.go", "package p\n"+strings.Repeat("\n", maxLines-1)),
		},
		{
			name:   "small structs",
			remedy: "group the fields that change together into structs of their own",
			check:  each(checkFields),
			bad:    []tree{in("pipeline/a.go", fields(maxFields+1))},
			good:   in("pipeline/a.go", fields(maxFields)),
		},
		{
			name:   "no drawers",
			remedy: "name the package for what it provides",
			check:  each(checkPackageName),
			bad:    []tree{in("internal/x/a_test.go", "package util_test\n")},
			good:   in("internal/x/a.go", "package rawjson\n"),
		},
		{
			name:   "no sleep in tests",
			remedy: "wait for the event itself: a channel, a clock that is handed in, testing/synctest, or polling with a deadline",
			check:  each(checkSleep),
			bad:    []tree{in("cache/a_test.go", "package p\nimport clock \"time\"\nfunc f() { clock.Sleep(1) }\n")},
			good:   in("cache/a_test.go", "package p\ntype c int\nfunc (c) Sleep() {}\nfunc f(time c) { time.Sleep() }\n"),
		},
		{
			name:   "a marker has a reason",
			remedy: "do it now, or write what is missing and what it waits for after a colon",
			check:  each(checkMarkers),
			bad:    []tree{in("cache/a.go", "package p\n\n// "+"TODO: later\n")},
			good:   in("cache/a.go", "package p\n\n// "+"TODO: drop this once Redis 8 is the oldest\n"),
		},
		{
			name:   "bucket writes in one place",
			remedy: "write through " + storePackage + ", which knows how each driver fails late",
			check:  checkBucketWrites,
			bad: []tree{{
				"sinks/a.go": "package p\nimport \"gocloud.dev/blob\"\ntype s struct{ b *blob.Bucket }\n",
				"sinks/b.go": "package p\nfunc (x s) f() { x.b.NewWriter(nil, \"\", nil) }\n",
			}},
			good: tree{
				"sinks/a.go":          "package p\nimport (\n\"encoding/csv\"\n\"gocloud.dev/blob\"\n)\nvar b *blob.Bucket\nvar w = csv.NewWriter(nil)\n",
				"internal/store/a.go": "package p\nimport \"gocloud.dev/blob\"\nfunc f(b *blob.Bucket) { b.NewWriter(nil, \"\", nil) }\n",
			},
		},
	}
}
