package house

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/adteco/docarchive"

// file is one parsed Go file. Its path is slash-separated, from the module root.
type file struct {
	path  string
	test  bool
	lines int
	fset  *token.FileSet
	tree  *ast.File
}

// dir is the package's folder, "." for the module root.
func (f *file) dir() string { return path.Dir(f.path) }

// at makes a finding at a place in the file.
func (f *file) at(pos token.Pos, format string, args ...any) string {
	return fmt.Sprintf("%s:%d: %s", f.path, f.fset.Position(pos).Line, fmt.Sprintf(format, args...))
}

// imports maps the name by which each import is known in the file to its path.
// An unnamed import is taken to be known by its last element without a version.
func (f *file) imports() map[string]string {
	byName := map[string]string{}
	for _, spec := range f.tree.Imports {
		target, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue // the parser has accepted it, so this cannot be
		}
		name := path.Base(target)
		if strings.HasPrefix(name, "v") && strings.Trim(name[1:], "0123456789") == "" {
			name = path.Base(path.Dir(target))
		}
		if spec.Name != nil {
			name = spec.Name.Name
		}
		if name == "_" || name == "." {
			name += target // several may share these
		}
		byName[name] = target
	}
	return byName
}

func parse(name string, src []byte) (*file, error) {
	fset := token.NewFileSet()
	tree, err := parser.ParseFile(fset, name, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	return &file{
		path:  name,
		test:  strings.HasSuffix(name, "_test.go"),
		lines: bytes.Count(src, []byte("\n")),
		fset:  fset,
		tree:  tree,
	}, nil
}

// loadTree parses every Go file below root, except in testdata and hidden folders.
func loadTree(t *testing.T, root string) []*file {
	t.Helper()
	var files []*file
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if name != root && (entry.Name() == "testdata" || strings.HasPrefix(entry.Name(), ".")) {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		src, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		f, err := parse(filepath.ToSlash(relative), src)
		if err != nil {
			return err
		}
		files = append(files, f)
		return nil
	})
	if err != nil {
		t.Fatalf("read the source tree: %v", err)
	}
	return files
}

// loadSample parses sources given by path, as if they were the whole tree.
func loadSample(t *testing.T, sources tree) []*file {
	t.Helper()
	var files []*file
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		f, err := parse(name, []byte(sources[name]))
		if err != nil {
			t.Fatalf("the sample does not parse: %v", err)
		}
		files = append(files, f)
	}
	return files
}

// moduleRoot is the folder of go.mod. Tests run in their package's folder.
func moduleRoot(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(root, "go.mod")); err != nil {
		t.Fatalf("find the module root: %v", err)
	}
	return root
}
