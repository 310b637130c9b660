//go:build unix

package testserver

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// opTimeout bounds every request made to a server on behalf of a test.
const opTimeout = 20 * time.Second

// missing ends a test that cannot run here. In CI nothing may be missing.
func missing(t testing.TB, format string, args ...any) {
	t.Helper()
	message := fmt.Sprintf(format, args...)
	if os.Getenv("CI") == "true" {
		t.Fatal(message)
	}
	t.Skip(message)
}

// systemDirs hold server binaries off the PATH of ordinary users.
func systemDirs() []string {
	return []string{"/usr/lib/postgresql/*/bin", "/usr/sbin", "/usr/local/sbin", "/opt/homebrew/opt/*/bin"}
}

// findBinary looks on the PATH, then in the folders that match dirs. It returns
// "" if there is none. Symbolic links are kept: some servers go by their name.
func findBinary(name string, dirs ...string) string {
	if found, err := exec.LookPath(name); err == nil {
		return found
	}
	for _, dir := range dirs {
		matches, err := filepath.Glob(filepath.Join(dir, name))
		if err != nil || len(matches) == 0 {
			continue
		}
		slices.Sort(matches)
		return matches[len(matches)-1] // the newest version
	}
	return ""
}

// systemBinary finds a server's binary or ends the test.
func systemBinary(t testing.TB, name, debianPackage string) string {
	t.Helper()
	found := findBinary(name, systemDirs()...)
	if found == "" {
		missing(t, "%s is not installed: run apt-get install %s, or make servers as root", name, debianPackage)
	}
	return found
}

// toolsDir is the folder into which "make servers" installs what Debian does
// not have: DOCARCHIVE_TOOLS, else .tools beside the go.mod above the test.
func toolsDir() (string, error) {
	if dir := os.Getenv("DOCARCHIVE_TOOLS"); dir != "" {
		return dir, nil
	}
	start, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the module root: %w", err)
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(dir, ".tools"), nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("find the module root: no go.mod in %s or above it; set DOCARCHIVE_TOOLS", start)
		}
	}
}

// tool is the path of something below toolsDir, or ends the test.
func tool(t testing.TB, elements ...string) string {
	t.Helper()
	dir, err := toolsDir()
	if err != nil {
		t.Fatal(err)
	}
	found := filepath.Join(append([]string{dir}, elements...)...)
	if _, err := os.Stat(found); err != nil {
		missing(t, "%s is not installed: run make servers", strings.Join(elements, "/"))
	}
	return found
}

// requests is the context for work that outlives t.Context, such as cleanup.
func requests() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), opTimeout)
}

// freshName is a name that no other test uses and that every server accepts
// for a database or a bucket.
func freshName() string { return "t" + strings.ToLower(rand.Text()) }
